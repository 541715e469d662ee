//! Commands of other tools, measured from outside: time, CPU time, peak memory; and the environments they stand in.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bench::contest::{Sample, Unit};
use crate::problem::Problem;
use crate::program::Call;
use crate::workspace::{Workspace, read_text, write_text};

/// What measures a command, from the root.
const MEASURE: &str = "xtask/bench/measure.py";

/// A command that is measured when it is run with [`samples`].
pub fn measured(command: &[String]) -> Result<Call, Problem> {
    let measure = Call::new("python3", &[&shown(&Workspace::find()?.root.join(MEASURE))]);
    Ok(command.iter().fold(measure, |call, argument| call.argument(argument.as_str())))
}

/// Wall time, CPU time and peak memory of one turn.
pub fn samples(call: &Call) -> Result<Vec<Sample>, Problem> {
    let measured = json(&call.output()?)?;
    let number = |name: &str| {
        measured[name]
            .as_f64()
            .ok_or_else(|| Problem::new(format!("could not read `{call}`"), format!("no `{name}`")))
    };
    let time = |step: &str, seconds: f64| Sample::time(step, Duration::from_secs_f64(seconds));
    Ok(vec![
        time("wall", number("seconds")?),
        time("CPU", number("cpu_seconds")?),
        Sample { step: "peak memory".to_owned(), value: number("peak_kib")? / 1024.0, unit: Unit::Mebibytes },
    ])
}

/// A command as one would type it: folders of `scratch` and of programs are left out.
pub fn line(command: &[String], scratch: &Path) -> String {
    let scratch = format!("{}/", shown(scratch));
    let words = command.iter().enumerate().map(|(at, word)| {
        let word = word.replace(&scratch, "");
        let is_place = at == 0 || word.starts_with('/');
        if is_place { word.rsplit('/').next().unwrap_or(&word).to_owned() } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A virtual environment with what is required, made when it is not there; its folder of programs.
pub fn environment(folder: &Path, requirements: &Path) -> Result<PathBuf, Problem> {
    let programs = folder.join("bin");
    let stamp = folder.join("installed.txt");
    let wanted = read_text(requirements)?;
    if stamp.exists() && read_text(&stamp)? == wanted {
        return Ok(programs);
    }
    Call::new("python3", &["-m", "venv", "--clear", &shown(folder)]).output()?;
    Call::new(
        &shown(&programs.join("python")),
        &["-m", "pip", "install", "--quiet", "-r", &shown(requirements)],
    )
    .output()?;
    write_text(&stamp, &wanted)?;
    Ok(programs)
}

/// A command that prints the versions of these distributions, as the environment of `programs` has them.
pub fn versions(programs: &Path, names: &str) -> Vec<String> {
    let list =
        "import sys, importlib.metadata as m; print(', '.join(n + ' ' + m.version(n) for n in sys.argv[1:]))";
    let mut call = vec![shown(&programs.join("python")), "-c".to_owned(), list.to_owned()];
    call.extend(names.split(' ').map(str::to_owned));
    call
}

/// A JSON document that a program printed.
pub fn json(text: &str) -> Result<serde_json::Value, Problem> {
    serde_json::from_str(text.trim())
        .map_err(|error| Problem::new(format!("could not read `{}`", text.trim()), error))
}

/// A path as an argument.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(line: &str) -> Call {
        measured(&["python3", "-c", line].map(str::to_owned)).unwrap()
    }

    #[test]
    fn needs_python3_a_turn_has_time_and_memory() {
        let samples = samples(&python("x = bytearray(64 << 20); raise SystemExit(1)")).unwrap();
        let steps: Vec<&str> = samples.iter().map(|sample| sample.step.as_str()).collect();
        assert_eq!(steps, ["wall", "CPU", "peak memory"]);
        assert!(samples[0].value > 1.0 && samples[2].value > 64.0, "{samples:?}");
    }

    #[test]
    fn needs_python3_a_command_that_could_not_tell_is_not_timed() {
        assert!(samples(&python("raise SystemExit('no such table')")).is_ok(), "1 is an answer");
        let call = python("import os; os._exit(2)");
        assert!(samples(&call).unwrap_err().to_string().contains("ended with 2"));
    }

    #[test]
    fn a_line_is_what_one_would_type() {
        let words = ["/opt/bin/tool", "--in", "/scratch/trees/one", "/opt/scripts/x.py"].map(str::to_owned);
        assert_eq!(line(&words, Path::new("/scratch")), "tool --in trees/one x.py");
    }
}
