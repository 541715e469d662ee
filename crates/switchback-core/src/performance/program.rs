//! The programs that are measured: where they run, how, and what a run of one is turned into.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Counter, Measure, RunFailed, Sample, Side};
use crate::check::shell;
use crate::secret::clean_output;
use crate::tree::copy::remove_tree;
use crate::world::{Command, Confinement, Exit, Finished, OUTPUT_BYTES_MAX, Usage, World};

/// So many of the last lines of a run that failed are shown.
const LAST_LINES_MAX: usize = 10;
/// A longer line is cut between words.
const LINE_CHARACTERS_MAX: usize = 400;

/// A command as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A line for the shell.
    Shell(String),
    /// A program and its arguments.
    Words(Vec<String>),
}

impl Line {
    /// From the words of a command line: a single one is a line for the shell.
    pub fn of(words: &[String]) -> Self {
        match words {
            [line] => Self::Shell(line.clone()),
            words => Self::Words(words.to_vec()),
        }
    }

    /// For a person, without secrets.
    pub fn shown(&self) -> String {
        let text = match self {
            Self::Shell(line) => line.clone(),
            Self::Words(words) => {
                words.iter().map(|word| shell::quoted(Path::new(word))).collect::<Vec<_>>().join(" ")
            }
        };
        clean_output(&text)
    }
}

/// A program.
#[derive(Debug, Clone)]
pub struct Program {
    /// How it is started.
    pub line: Line,
    /// Where.
    pub tree: PathBuf,
}

/// Both programs, and what their runs have around them.
#[derive(Debug)]
pub struct Programs<'a> {
    /// The outside.
    pub world: &'a World,
    /// OLD, where it is run.
    pub old: Option<Program>,
    /// NEW.
    pub new: Program,
    /// Values for `{name}` in commands.
    pub values: Vec<(String, String)>,
    /// Variables that commands get.
    pub variables: &'a [(String, String)],
    /// What commands may do to the disk.
    pub confinement: Option<&'a Confinement>,
    /// Numbers in their output.
    pub counters: &'a [Counter],
    /// How a run ends that did its work.
    pub exit_code: i32,
    /// A run takes no longer than this.
    pub timeout: Duration,
    /// A folder of their own, which exists.
    pub scratch: PathBuf,
    /// How many runs there were.
    pub runs: usize,
}

impl Programs<'_> {
    /// Carries out one run, and measures it.
    ///
    /// # Errors
    ///
    /// When it did not do its work, or could not be measured.
    pub fn run(&mut self, side: Side) -> Result<Sample, RunFailed> {
        self.runs += 1;
        let failed = |what: String| RunFailed { what, output: Vec::new() };
        let program = match side {
            Side::Old => self.old.as_ref().ok_or_else(|| failed("there is no old program".to_owned()))?,
            Side::New => &self.new,
        };
        let disk = self.world.disk.as_ref();
        let out = self.scratch.join(format!("out-{}", self.runs));
        disk.make_directory(&out, 0o755).map_err(|error| failed(error.to_string()))?;
        let record = self.scratch.join(format!("usage-{}", self.runs));
        let command = self.command(program, &out);
        let (finished, usage) =
            self.world.processes.measure(&command, &record).map_err(|error| failed(error.to_string()))?;
        remove_tree(disk, &out).map_err(|error| failed(error.to_string()))?;
        if finished.exit != Exit::Code(self.exit_code) {
            let expected = if self.exit_code == 0 {
                String::new()
            } else {
                format!(", and not with {}", self.exit_code)
            };
            let what = format!(
                "run {} of the {} program ended with {}{expected}",
                self.runs,
                side.word(),
                ending(&finished)
            );
            return Err(RunFailed { what, output: last_lines(&finished) });
        }
        self.sample(&finished, usage).map_err(|why| RunFailed {
            what: format!("run {} of the {} program: {why}", self.runs, side.word()),
            output: last_lines(&finished),
        })
    }

    fn command(&self, program: &Program, out: &Path) -> Command {
        let (tree, values) = (&program.tree, &self.values);
        let values: Vec<(&str, &str)> =
            values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut command = match &program.line {
            Line::Shell(line) => {
                Command::shell(&shell::filled_with(line, tree, out, &values), tree, self.timeout)
            }
            Line::Words(words) => {
                let fill = |word: &String| {
                    let paths = [("out", out.display().to_string()), ("tree", tree.display().to_string())];
                    let named = values.iter().map(|(name, value)| (*name, (*value).to_owned()));
                    paths.into_iter().chain(named).fold(word.clone(), |word, (name, value)| {
                        word.replace(&format!("{{{name}}}"), &value)
                    })
                };
                let argv = words.iter().map(fill).collect();
                Command { argv, ..Command::shell("", tree, self.timeout) }
            }
        };
        command.variables = shell::variables(tree, out);
        command.variables.extend_from_slice(self.variables);
        command.confinement = self.confinement.cloned();
        command
    }

    fn sample(&self, finished: &Finished, usage: Option<Usage>) -> Result<Sample, String> {
        let mut sample = Sample::default();
        sample.values.insert(Measure::Time, finished.elapsed.as_secs_f64());
        match usage {
            Some(usage) => take(&mut sample, &usage),
            None => {
                for measure in [Measure::Cpu, Measure::Memory, Measure::Read, Measure::Written] {
                    sample.missing.insert(measure, "this process cannot measure it".to_owned());
                }
            }
        }
        if self.counters.is_empty() {
            return Ok(sample);
        }
        if finished.stdout.len().max(finished.stderr.len()) >= OUTPUT_BYTES_MAX {
            let most = OUTPUT_BYTES_MAX >> 20;
            return Err(format!("it put out more than {most} MiB, in which nothing can be counted"));
        }
        let output = format!(
            "{}\n{}",
            String::from_utf8_lossy(&finished.stdout),
            String::from_utf8_lossy(&finished.stderr)
        );
        for counter in self.counters {
            sample.values.insert(Measure::Counter(counter.name.clone()), counter.count(&output)?);
        }
        Ok(sample)
    }
}

#[expect(clippy::cast_precision_loss, reason = "what a run takes is exact enough as a float")]
fn take(sample: &mut Sample, usage: &Usage) {
    if !usage.is_whole {
        for measure in [Measure::Cpu, Measure::Memory, Measure::Read, Measure::Written] {
            let why = "a run left processes behind, and what those take is not known";
            sample.missing.insert(measure, why.to_owned());
        }
        return;
    }
    sample.values.insert(Measure::Cpu, (usage.user + usage.system).as_secs_f64());
    let peak_bytes = usage.peak_process_bytes.max(usage.peak_together_bytes);
    sample.values.insert(Measure::Memory, peak_bytes as f64);
    if peak_bytes <= usage.floor_bytes {
        let why = "no run took more than measuring takes itself";
        sample.at_most.insert(Measure::Memory, why.to_owned());
    }
    for (measure, bytes) in [(Measure::Read, usage.read_bytes), (Measure::Written, usage.written_bytes)] {
        match bytes {
            Some(bytes) => {
                sample.values.insert(measure, bytes as f64);
            }
            None => {
                sample.missing.insert(measure, "the kernel does not count it".to_owned());
            }
        }
    }
}

fn ending(finished: &Finished) -> String {
    match finished.exit {
        Exit::Code(127) => "exit code 127: the command was not found".to_owned(),
        Exit::Code(126) => "exit code 126: the command cannot be executed".to_owned(),
        Exit::TimedOut => format!("nothing: it was stopped after {:.0} s", finished.elapsed.as_secs_f64()),
        Exit::Code(_) | Exit::Signal(_) => finished.ending(),
    }
}

/// The last lines of its messages, else of its output, without secrets.
fn last_lines(finished: &Finished) -> Vec<String> {
    let output = [&finished.stderr, &finished.stdout];
    let text = output.into_iter().find(|output| output.iter().any(|byte| !byte.is_ascii_whitespace()));
    let text = clean_output(&String::from_utf8_lossy(text.map_or(&[][..], |text| text.as_slice())));
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let skipped = lines.len().saturating_sub(LAST_LINES_MAX);
    lines[skipped..].iter().map(|line| cut(line)).collect()
}

fn cut(line: &str) -> String {
    let Some((end, _)) = line.char_indices().nth(LINE_CHARACTERS_MAX) else { return line.to_owned() };
    let word_end = line[..end].rfind(char::is_whitespace).unwrap_or(0);
    format!("{} …", line[..word_end].trim_end())
}
