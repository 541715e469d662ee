//! `command`: a line of shell says yes with exit code 0.

use serde_json::json;

use super::{Check, Kind, Looked, Scene, shell};
use crate::plan::{Fields, Key, Shape};
use crate::verdict::Verdict;
use crate::world::Exit;

/// The kind `command`.
pub(super) static KIND: Kind = Kind {
    word: "command",
    doc: "a command that says yes with its exit code",
    keys: &[
        Key::required(
            "command",
            Shape::Text,
            "a line of shell; `{out}` is an empty folder, `{tree}` the tree that is looked at",
        ),
        Key::optional("exit_code", Shape::Whole, "the exit code that means yes; 0 when left out"),
    ],
    read,
};

#[derive(Debug)]
struct CommandCheck {
    command: String,
    exit_code: u64,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let exit_code = fields.whole("exit_code").unwrap_or(0);
    Some(Box::new(CommandCheck { command: fields.filled_text("command")?, exit_code }))
}

impl Check for CommandCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let (_, finished) = match shell::run_here(scene, &self.command) {
            Ok(ran) => ran,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let details = shell::evidence(&self.command, &finished);
        let seconds = finished.elapsed.as_secs_f64();
        if let Some(why) = shell::no_answer(&finished) {
            return Looked::unknown(why, details);
        }
        let holds = matches!(finished.exit, Exit::Code(code) if u64::try_from(code) == Ok(self.exit_code));
        let (verdict, summary) = if holds {
            (Verdict::Yes, format!("{} in {seconds:.1} s", finished.ending()))
        } else {
            (Verdict::No, format!("{}{}", finished.ending(), shell::last_words(&finished)))
        };
        Looked::new(verdict, summary, details).measured(seconds)
    }
}
