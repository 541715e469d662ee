//! Figures that are kept: read to be compared with, and written on purpose alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::format::{Entry, File, SCHEMA};
use super::{CaseFinding, Machine};
use crate::world::{Disk, DiskError};

/// A larger file holds no figures.
const BASELINE_BYTES_MAX: u64 = 256 << 20;
/// So many names are listed when one is not there.
const NAMES_MAX: usize = 8;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file is not there.
    #[error("there is no baseline `{}`", .0.display())]
    None(PathBuf),
    /// It cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It is no baseline.
    #[error("`{}`{place}: it is no baseline: {what}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// `:line:column`, where it is known.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// It has no figures of that name.
    #[error("`{}` has no figures of `{name}`{}", path.display(), known(names))]
    NoEntry {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        name: String,
        /// What is there.
        names: Vec<String>,
    },
}

fn known(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = names.iter().take(NAMES_MAX).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > NAMES_MAX { ", …" } else { "" };
    format!("; it has {}{more}", shown.join(", "))
}

/// A file of figures.
#[derive(Debug, Clone)]
pub struct Baseline {
    path: PathBuf,
    file: File,
}

/// Figures of one program, as they are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// When they were taken.
    pub time: String,
    /// The command that they are of.
    pub command: String,
    /// In what the machine differs from this one, a line each.
    pub differences: Vec<String>,
    /// By case, then by measure.
    pub cases: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
}

impl Baseline {
    /// The file at `path`.
    ///
    /// # Errors
    ///
    /// When it is not there, cannot be read, or is no baseline.
    pub fn read(disk: &dyn Disk, path: &Path) -> Result<Self, BaselineError> {
        if disk.look(path)?.is_none() {
            return Err(BaselineError::None(path.to_owned()));
        }
        let bytes = disk.read(path, BASELINE_BYTES_MAX)?;
        let wrong =
            |place: String, what: String| BaselineError::Format { path: path.to_owned(), place, what };
        let file: File = serde_json::from_slice(&bytes).map_err(|error| {
            let words = error.to_string();
            let what = words.split(" at line ").next().unwrap_or(&words).to_owned();
            wrong(format!(":{}:{}", error.line(), error.column()), what)
        })?;
        if file.schema != SCHEMA {
            return Err(wrong(String::new(), format!("its schema is `{}`, and not `{SCHEMA}`", file.schema)));
        }
        for (name, entry) in &file.entries {
            let lists = entry.cases.values().flat_map(BTreeMap::iter);
            for (measure, values) in lists {
                if !values.iter().all(|value| value.is_finite() && *value >= 0.0) {
                    let what = format!("`{measure}` of `{name}` has a number that is below 0, or none");
                    return Err(wrong(String::new(), what));
                }
            }
        }
        Ok(Self { path: path.to_owned(), file })
    }

    /// The file at `path`, or one without figures where there is none.
    ///
    /// # Errors
    ///
    /// As for [`Baseline::read`].
    pub fn read_or_new(disk: &dyn Disk, path: &Path) -> Result<Self, BaselineError> {
        match Self::read(disk, path) {
            Err(BaselineError::None(path)) => {
                Ok(Self { path, file: File { schema: SCHEMA.to_owned(), ..File::default() } })
            }
            other => other,
        }
    }

    /// The figures of this name, seen from this machine.
    ///
    /// # Errors
    ///
    /// When there are none.
    pub fn kept(&self, name: &str, machine: &Machine) -> Result<Kept, BaselineError> {
        let entry = self.file.entries.get(name).ok_or_else(|| BaselineError::NoEntry {
            path: self.path.clone(),
            name: name.to_owned(),
            names: self.file.entries.keys().cloned().collect(),
        })?;
        Ok(Kept {
            time: entry.time.clone(),
            command: entry.command.clone(),
            differences: machine.differences(&entry.machine),
            cases: entry.cases.clone(),
        })
    }

    /// Takes what was found as the figures of this name, in the place of what was there.
    pub fn take(
        &mut self,
        name: &str,
        command: &str,
        time: String,
        machine: &Machine,
        found: &[CaseFinding],
    ) {
        let lists = |case: &CaseFinding| {
            let lists = case.new.iter().map(|(measure, values)| (measure.name().to_owned(), values.clone()));
            (case.name.clone(), lists.collect())
        };
        let cases = found.iter().map(lists).collect();
        let entry = Entry { time, command: command.to_owned(), machine: machine.facts.clone(), cases };
        self.file.entries.insert(name.to_owned(), entry);
    }

    /// Writes the file: beside it first, then over it.
    ///
    /// # Errors
    ///
    /// When it cannot be written; what was there is there still.
    pub fn write(&self, disk: &dyn Disk) -> Result<(), BaselineError> {
        let text = serde_json::to_string_pretty(&self.file).map_err(|error| BaselineError::Format {
            path: self.path.clone(),
            place: String::new(),
            what: error.to_string(),
        })?;
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let beside = self.path.with_file_name(name);
        if disk.look(&beside)?.is_some() {
            disk.remove_file(&beside)?;
        }
        disk.write_new(&beside, 0o644, &mut format!("{text}\n").as_bytes())?;
        disk.sync_file(&beside)?;
        disk.rename_over(&beside, &self.path)?;
        match self.path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => Ok(disk.sync_directory(parent)?),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test lays out and looks at files directly")]
mod tests {
    use super::super::format::MachineFacts;
    use super::*;
    use crate::performance::Measure;
    use crate::verdict::Verdict;
    use crate::world::RealDisk;

    fn machine() -> Machine {
        let facts = MachineFacts {
            cpu: "Abacus 3000".to_owned(),
            cores: 2,
            memory_bytes: 1 << 30,
            kernel: "6.18".to_owned(),
            governor: None,
        };
        Machine { facts }
    }

    fn found() -> CaseFinding {
        CaseFinding {
            name: String::new(),
            verdict: Verdict::Unknown,
            is_improved: false,
            looks: 1,
            first: String::new(),
            measures: Vec::new(),
            budgets: Vec::new(),
            why: Vec::new(),
            old: Vec::new(),
            new: vec![(Measure::Time, vec![1.5, 0.25])],
        }
    }

    /// The format is pinned: whoever reads these bytes today reads them in every later version.
    const PINNED: &[&str] = &[
        "{",
        r#"  "schema": "switchback/baseline/1","#,
        r#"  "entries": {"#,
        r#"    "app": {"#,
        r#"      "time": "2026-01-02T03:04:05Z","#,
        r#"      "command": "python3 app.py","#,
        r#"      "machine": {"#,
        r#"        "cpu": "Abacus 3000","#,
        r#"        "cores": 2,"#,
        r#"        "memory_bytes": 1073741824,"#,
        r#"        "kernel": "6.18","#,
        r#"        "governor": null"#,
        "      },",
        r#"      "cases": {"#,
        r#"        "": {"#,
        r#"          "time": ["#,
        "            1.5,",
        "            0.25",
        "          ]",
        "        }",
        "      }",
        "    }",
        "  }",
        "}",
    ];

    fn pinned() -> String {
        PINNED.iter().flat_map(|line| [*line, "\n"]).collect()
    }

    #[test]
    fn what_is_kept_is_read_back_and_the_format_is_pinned() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("perf.json");
        let mut baseline = Baseline::read_or_new(&RealDisk, &path).unwrap();
        let time = "2026-01-02T03:04:05Z".to_owned();
        baseline.take("app", "python3 app.py", time, &machine(), &[found()]);
        baseline.write(&RealDisk).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), pinned());
        baseline.write(&RealDisk).unwrap();
        let read = Baseline::read(&RealDisk, &path).unwrap();
        let kept = read.kept("app", &machine()).unwrap();
        assert_eq!(kept.cases[""]["time"], [1.5, 0.25]);
        assert!(kept.differences.is_empty());
        let error = read.kept("api", &machine()).unwrap_err().to_string();
        assert!(error.ends_with("has no figures of `api`; it has `app`"), "{error}");
    }

    #[test]
    fn what_is_no_baseline_says_where_and_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("perf.json");
        let error = || Baseline::read(&RealDisk, &path).unwrap_err().to_string();
        assert!(error().starts_with("there is no baseline"));
        for (text, wanted) in [
            ("[", ":1:1: it is no baseline: EOF while parsing"),
            (
                "{\n\"schema\": \"switchback/baseline/1\"}",
                ":2:34: it is no baseline: missing field `entries`",
            ),
            (
                "{\"schema\": \"switchback/baseline/9\", \"entries\": {}}",
                ": it is no baseline: its schema is `switchback/baseline/9`",
            ),
            (&pinned().replace("0.25", "-0.25"), "`time` of `app` has a number that is below 0"),
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(error().contains(wanted), "{text}: {}", error());
        }
    }
}
