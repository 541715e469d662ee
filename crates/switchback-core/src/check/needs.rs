//! `needs`: the variables, commands and permissions that a program needs are there, probed before it is (RE-13).

use serde_json::{Value, json};

use super::{Check, Kind, Looked, Scene, shell};
use crate::plan::{Fields, Key, Shape, shown};
use crate::quantity::counted;
use crate::verdict::Verdict;
use crate::world::Exit;

/// The kind `needs`.
pub(super) static KIND: Kind = Kind {
    word: "needs",
    doc: "the variables, commands and permissions that a program needs are there",
    keys: &[
        Key::optional("variables", Shape::Texts, "environment variables that must be set and not empty"),
        Key::optional("commands", Shape::Texts, "programs that must be found"),
        Key::optional(
            "readable",
            Shape::Texts,
            "files and folders that must be readable: of the tree, or absolute",
        ),
        Key::optional(
            "writable",
            Shape::Texts,
            "files and folders that must be writable: of the tree, or absolute",
        ),
        Key::optional(
            "probes",
            Shape::NamedTexts,
            "lines of shell, by name, that must end with 0, e.g. a look at a bucket",
        ),
    ],
    read,
};

/// One thing that is needed, and the line of shell that finds out.
#[derive(Debug)]
struct Need {
    told: String,
    line: String,
    /// Whether only 0 and 1 are answers; else any other exit code is a *no*.
    is_ours: bool,
}

#[derive(Debug)]
struct NeedsCheck {
    needs: Vec<Need>,
}

#[expect(clippy::unnecessary_wraps, reason = "every kind is read by a function of this form")]
fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let mut needs = Vec::new();
    for (offset, name) in fields.placed_texts("variables").unwrap_or_default() {
        let is_name = !name.starts_with(|first: char| first.is_ascii_digit())
            && !name.is_empty()
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if is_name {
            needs.push(Need::new(format!("the variable `{name}`"), format!("test -n \"${{{name}:-}}\"")));
        } else {
            let message = format!("`{}` is no name of a variable", shown(&name));
            fields.findings().add(
                offset,
                message,
                "write its name alone, e.g. `AWS_PROFILE`: its value is never printed",
            );
        }
    }
    for (key, what, test) in [
        ("commands", "the command", "command -v"),
        ("readable", "reading", "test -r"),
        ("writable", "writing", "test -w"),
    ] {
        for (offset, text) in fields.placed_texts(key).unwrap_or_default() {
            if text.trim().is_empty() || text.starts_with('-') {
                let message = format!("`{}` in `{key}` names nothing", shown(&text));
                fields.findings().add(offset, message, "name it, or take it out");
                continue;
            }
            // What a shell finds is found by its name; a word with a slash is a path of the tree.
            let line = format!("{test} {} >/dev/null", shell::quoted_text(&text));
            needs.push(Need::new(format!("{what} `{}`", shown(&text)), line));
        }
    }
    for (_, name, line) in fields.named_texts("probes") {
        needs.push(Need { told: shown(&name), line, is_ours: false });
    }
    let keys = ["variables", "commands", "readable", "writable", "probes"];
    if keys.iter().all(|key| !fields.has(key) || fields.is_empty_list(key)) {
        let message = format!("{} names nothing that is needed", fields.title());
        fields.findings().add(
            fields.offset(),
            message,
            "name `variables`, `commands`, `readable`, `writable` or `probes`",
        );
    }
    Some(Box::new(NeedsCheck { needs }))
}

impl Need {
    fn new(told: String, line: String) -> Self {
        Self { told, line, is_ours: true }
    }
}

impl Check for NeedsCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let tree = match scene.trees.here() {
            Ok(tree) => tree,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let started = scene.world.clock.monotonic();
        let (mut missing, mut untold, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        for need in &self.needs {
            let spent = scene.world.clock.monotonic().saturating_sub(started);
            let scene = Scene { timeout: scene.timeout.saturating_sub(spent), ..*scene };
            let (verdict, why) = need.probe(&scene, &tree);
            seen.push(json!({"needed": need.told, "verdict": verdict.word(), "why": why}));
            match verdict {
                Verdict::Yes => {}
                Verdict::No => missing.push(format!("{}{why}", need.told)),
                Verdict::Unknown => untold.push(format!("{}{why}", need.told)),
            }
        }
        let details = json!({"needs": Value::Array(seen)});
        let all = counted(self.needs.len() as u64, "needed thing");
        if !missing.is_empty() {
            return Looked::new(Verdict::No, format!("not there, of {all}: {}", missing.join("; ")), details);
        }
        if !untold.is_empty() {
            return Looked::unknown(format!("could not be probed: {}", untold.join("; ")), details);
        }
        Looked::new(Verdict::Yes, format!("{all}, all there"), details)
    }
}

impl Need {
    fn probe(&self, scene: &Scene<'_>, tree: &std::path::Path) -> (Verdict, String) {
        if scene.timeout.is_zero() {
            return (Verdict::Unknown, " (the time was up)".to_owned());
        }
        let finished = match shell::run(scene, &self.line, tree, scene.out) {
            Ok(finished) => finished,
            Err(error) => return (Verdict::Unknown, format!(" ({error})")),
        };
        match finished.exit {
            Exit::Code(0) => (Verdict::Yes, String::new()),
            Exit::Code(_) if self.is_ours => (Verdict::No, String::new()),
            Exit::Code(_) if shell::no_answer(&finished).is_none() => {
                (Verdict::No, format!(" ({}{})", finished.ending(), shell::last_words(&finished)))
            }
            _ => (Verdict::Unknown, format!(" ({}{})", finished.ending(), shell::last_words(&finished))),
        }
    }
}
