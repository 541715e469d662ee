//! A section of an example's README, carried out line by line: each command has to come to what its comment says.

use std::path::{Path, PathBuf};

use super::approvals::key_file;
use super::ground::{Ground, Seen};

/// The blocks of commands of a section, with everything in place that it begins with.
pub(crate) struct Readme {
    pub(crate) ground: Ground,
    /// What a variable gets instead of what the README gives it.
    instead: Vec<(String, String)>,
    /// The commands of each block that was not carried out yet, the next one first.
    chapters: Vec<Vec<Step>>,
}

/// One command, and the comment behind it.
struct Step {
    line: String,
    said: String,
}

impl Readme {
    /// The section under `heading` of an example, of which `parts` are copied to where it is carried out.
    pub(crate) fn open(example: &str, heading: &str, parts: &[&str]) -> Self {
        let example: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(example);
        let mut ground = Ground::new();
        for name in parts {
            ground.tool("cp", &["-r", &example.join(name).display().to_string(), "."]);
        }
        let program = Path::new(env!("CARGO_BIN_EXE_switchback")).parent().unwrap().display().to_string();
        ground.set("PATH", &format!("{program}:{}", std::env::var("PATH").unwrap()));
        let readme = std::fs::read_to_string(example.join("README.md")).unwrap();
        let section =
            readme.split(&format!("\n## {heading}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
        let blocks = section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        let chapters = blocks.map(|block| block.lines().filter_map(Step::read).collect()).collect();
        Self { ground, instead: Vec::new(), chapters }
    }

    /// A variable gets this, whatever the README exports.
    pub(crate) fn instead(&mut self, name: &str, value: &str) {
        self.instead.push((name.to_owned(), value.to_owned()));
    }

    /// Carries out the next block, each command with the exit code that its comment promises; what they showed.
    pub(crate) fn chapter(&mut self) -> Vec<Seen> {
        self.chapters.remove(0).into_iter().filter_map(|step| self.carry_out(&step)).collect()
    }

    /// Whether every block was carried out.
    pub(crate) fn is_over(&self) -> bool {
        self.chapters.is_empty()
    }

    fn carry_out(&mut self, step: &Step) -> Option<Seen> {
        if let Some((name, value)) = step.line.strip_prefix("export ").and_then(|rest| rest.split_once('=')) {
            let other = self.instead.iter().find(|(instead, _)| instead == name);
            let value = other.map_or(value, |(_, other)| other).to_owned();
            self.ground.set(name, &value);
            return None;
        }
        if step.line.contains("ssh-keygen") {
            self.bring_keys();
            return None;
        }
        // Each line begins where the first one did; whoever types them would stay where such a line leads.
        assert!(!step.line.starts_with("cd "), "{}: put it in parentheses", step.line);
        let seen = self.ground.shell(&step.line);
        assert!(step.codes().contains(&seen.code), "{}\n{seen}", step.said);
        Some(seen)
    }

    /// Keys that were made before, so that no test needs `ssh-keygen`.
    fn bring_keys(&self) {
        use std::os::unix::fs::PermissionsExt;
        for name in ["ana", "bo", "cy"] {
            for file in [name.to_owned(), format!("{name}.pub")] {
                let path = format!("trial/keys/{file}");
                self.ground.write(&path, std::fs::read(key_file(&file)).unwrap());
                std::fs::set_permissions(self.ground.at(&path), std::fs::Permissions::from_mode(0o600))
                    .unwrap();
            }
        }
    }
}

impl Step {
    fn read(line: &str) -> Option<Self> {
        let (line, said) = line.split_once("  # ").unwrap_or((line, ""));
        let (line, said) = (line.trim().to_owned(), said.trim().to_owned());
        (!line.is_empty()).then_some(Self { line, said })
    }

    /// What the comment says that it comes to.
    fn codes(&self) -> &'static [i32] {
        let begins = |words: &str| self.said.starts_with(words);
        if begins("waits for the shadow") {
            // Its period may be over when its inputs were run.
            &[1, 2]
        } else if begins("not over yet") || begins("could not tell") {
            &[2]
        } else if begins("no:") || self.said == "no" {
            &[1]
        } else {
            &[0]
        }
    }
}

/// Whether one of them said these words.
pub(crate) fn is_in(seen: &[Seen], words: &str) -> bool {
    seen.iter().any(|seen| seen.out.contains(words) || seen.err.contains(words))
}

/// All that they showed.
pub(crate) fn shown(seen: &[Seen]) -> String {
    seen.iter().map(ToString::to_string).collect()
}
