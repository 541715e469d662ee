//! On what it was measured: the machine, the versions, the state of the tree, and whether anything else was going on.

use std::path::Path;

use crate::problem::Problem;
use crate::program::Call;
use crate::workspace::{Workspace, read_text};

/// Above this load average of the last minute, others were at work.
const LOAD_MAX: f64 = 1.0;
/// Above this share of the last ten seconds (per cent), something waited for the disk.
const DISK_PRESSURE_PERCENT_MAX: f64 = 5.0;

/// The machine in one line: processor, cores, memory, kernel, file system of the measured trees.
pub fn facts(scratch: &Path) -> Result<String, Problem> {
    let processor =
        field(&read_text(Path::new("/proc/cpuinfo"))?, "model name").unwrap_or("unnamed processor".into());
    let cores = std::thread::available_parallelism()
        .map_err(|source| Problem::new("could not count the cores", source))?;
    let memory = field(&read_text(Path::new("/proc/meminfo"))?, "MemTotal").unwrap_or_default();
    let memory_gib =
        memory.split(' ').next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / (1024 * 1024);
    let kernel = read_text(Path::new("/proc/sys/kernel/osrelease"))?;
    let scratch = scratch.canonicalize().map_err(|source| Problem::at("find", scratch, source))?;
    let file_system = file_system(&read_text(Path::new("/proc/self/mounts"))?, &scratch);
    Ok(format!("{processor}, {cores} cores, {memory_gib} GiB, Linux {}, {file_system}", kernel.trim()))
}

/// The value of the first line `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    let value = |line: &str| {
        line.split_once(':').filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
    };
    text.lines().find_map(value)
}

/// The type of the file system that a path is on: that of the longest mount point above it, the last one mounted.
fn file_system(mounts: &str, path: &Path) -> String {
    let mut best: (usize, &str) = (0, "unknown file system");
    for line in mounts.lines() {
        let mut words = line.split(' ').skip(1);
        let (Some(mount), Some(kind)) = (words.next(), words.next()) else { continue };
        if path.starts_with(mount) && mount.len() >= best.0 {
            best = (mount.len(), kind);
        }
    }
    best.1.to_owned()
}

/// The first line that each of the commands prints.
pub fn versions(commands: &[Vec<String>]) -> Result<Vec<String>, Problem> {
    let mut versions = Vec::new();
    for command in commands {
        let Some((program, arguments)) = command.split_first() else { continue };
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = Call::new(program, &arguments).output()?;
        let first = output.lines().next().unwrap_or_default();
        versions.push(first.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    Ok(versions)
}

/// The day, and the commit that was measured.
pub fn made_at(workspace: &Workspace) -> Result<String, Problem> {
    let day = Call::new("date", &["-u", "+%Y-%m-%d"]).output()?;
    let git = |arguments: &[&str]| Call::new("git", arguments).within(&workspace.root).output();
    let commit = git(&["rev-parse", "--short=10", "HEAD"])?;
    let changed = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    let state = if changed { ", with changes that are not committed" } else { "" };
    Ok(format!("{}, commit {}{state}", day.trim(), commit.trim()))
}

/// What else goes on and would spoil the numbers, each in a sentence.
pub fn disturbances() -> Result<Vec<String>, Problem> {
    let load = read_text(Path::new("/proc/loadavg"))?;
    let pressure = Path::new("/proc/pressure/io");
    // Kernels may be built without pressure information; then the load alone tells.
    let pressure = if pressure.exists() { read_text(pressure).unwrap_or_default() } else { String::new() };
    Ok(disturbances_of(&load, &pressure))
}

fn disturbances_of(load: &str, pressure: &str) -> Vec<String> {
    let mut found = Vec::new();
    let minute = load.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    match minute {
        None => found.push("the load of the machine could not be read".to_owned()),
        Some(minute) if minute > LOAD_MAX => {
            found.push(format!(
                "the machine was not idle: load average {minute:.2} (quiet: at most {LOAD_MAX:.0})"
            ));
        }
        Some(_) => {}
    }
    let some = pressure.lines().find_map(|line| line.strip_prefix("some avg10="));
    let waiting = some.and_then(|rest| rest.split(' ').next()).and_then(|word| word.parse::<f64>().ok());
    if let Some(waiting) = waiting.filter(|waiting| *waiting > DISK_PRESSURE_PERCENT_MAX) {
        found.push(format!(
            "the disk was not idle: something waited for it {waiting:.1} % of the last 10 s (quiet: at most {DISK_PRESSURE_PERCENT_MAX:.0} %)"
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_machine_is_told() {
        let quiet =
            "some avg10=0.50 avg60=0.00 avg300=0.00 total=1\nfull avg10=99.0 avg60=0 avg300=0 total=1\n";
        let busy = "some avg10=12.34 avg60=0.00 avg300=0.00 total=1\n";
        assert_eq!(disturbances_of("0.40 0.30 0.20 1/90 77\n", quiet), Vec::<String>::new());
        assert_eq!(disturbances_of("0.40 0.30 0.20 1/90 77\n", ""), Vec::<String>::new());
        let told = disturbances_of("1.75 0.30 0.20 1/90 77\n", busy).join("\n");
        assert!(told.contains("load average 1.75") && told.contains("12.3 %"), "{told}");
        assert!(disturbances_of("", "")[0].contains("could not be read"));
    }

    #[test]
    fn the_file_system_is_that_of_the_longest_mount() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmp/disk xfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/tmp/disk/x")), "xfs");
        assert_eq!(file_system(mounts, Path::new("/tmp/diskette")), "tmpfs");
        assert_eq!(file_system(mounts, Path::new("/var")), "ext4");
        assert_eq!(file_system("", Path::new("/var")), "unknown file system");
    }

    #[test]
    fn this_machine_has_facts() {
        let facts = facts(Path::new(".")).unwrap();
        assert!(facts.contains("cores") && facts.contains("Linux") && !facts.contains(" 0 GiB"), "{facts}");
    }

    #[test]
    fn versions_are_first_lines() {
        let shell = |line: &str| vec!["sh".to_owned(), "-c".to_owned(), line.to_owned()];
        assert_eq!(versions(&[shell("echo tool  1.2; echo more")]).unwrap(), ["tool 1.2"]);
        assert!(versions(&[shell("exit 1")]).is_err());
    }
}
