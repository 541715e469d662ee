//! What came of both sides where there is nothing to compare: they tried to reach outside, or failed.

use regex::Regex;

use super::super::scenarios::{first_line, never_began, normal};
use super::super::shell;
use super::guarded::Ran;
use super::{Found, Outcome};
use crate::plan::shown;
use crate::verdict::Verdict;
use crate::world::Exit;

/// What can be said without a look at the results; nothing where both ended well.
pub(super) fn by_run(old: &Ran, new: &Ran, masks: &[Regex]) -> Option<Found> {
    if let Some(tried) = new.tried() {
        let why = format!("new tried {tried}, which is not allowed and was refused");
        return Some(Found::new(Verdict::No, Outcome::ReachesOutside, why));
    }
    if let Some(tried) = old.tried() {
        let why = format!(
            "old tried {tried}, which was refused: its results may not be those that it has otherwise; allow it for \
             both, or take it out of the command"
        );
        return Some(Found::untold(why));
    }
    for ran in [old, new] {
        if let Some(why) = shell::no_answer(&ran.finished) {
            return Some(Found::untold(format!("{}: {why}", ran.name)));
        }
    }
    let told = |ran: &Ran| format!("{}{}", ran.finished.ending(), shell::last_words(&ran.finished));
    let apart = |why: String| Some(Found::new(Verdict::No, Outcome::FailsApart, why));
    match (old.finished.succeeded(), new.finished.succeeded()) {
        (true, true) => None,
        (true, false) => apart(format!("new fails where old does not: {}", told(new))),
        (false, true) => apart(format!("old fails where new does not: {}", told(old))),
        (false, false) => Some(both_fail(old, new, masks)),
    }
}

fn both_fail(old: &Ran, new: &Ran, masks: &[Regex]) -> Found {
    if let Some(line) = never_began(&old.finished).or_else(|| never_began(&new.finished)) {
        return Found::untold(format!("a program never began: `{}`; correct the command", shown(&line)));
    }
    let code = |ran: &Ran| match ran.finished.exit {
        Exit::Code(code) => Some(code),
        Exit::Signal(_) | Exit::TimedOut => None,
    };
    let apart = |why: String| Found::new(Verdict::No, Outcome::FailsApart, why);
    if code(old) != code(new) {
        return apart(format!(
            "old fails with {}, new with {}",
            old.finished.ending(),
            new.finished.ending()
        ));
    }
    let (one, other) = (said(old, masks), said(new, masks));
    if let Some((_, one, other)) = first_line(&one, &other) {
        return apart(format!(
            "both fail, and say different things: `{}` and `{}`",
            shown(one),
            shown(other)
        ));
    }
    match other.lines().rfind(|line| !line.trim().is_empty()) {
        Some(line) => {
            let why = format!("both fail alike with {}: {}", new.finished.ending(), shown(line.trim()));
            Found::new(Verdict::Yes, Outcome::FailsAlike, why)
        }
        None => Found::untold(format!(
            "both end with {} and say nothing, which any failure could be",
            new.finished.ending()
        )),
    }
}

/// What a side says is wrong, without what is never the same twice.
fn said(ran: &Ran, masks: &[Regex]) -> String {
    let text = String::from_utf8_lossy(&ran.finished.stderr);
    let text = text.replace(&ran.place.input.display().to_string(), "{input}");
    normal(&text, &ran.place.tree, &ran.place.out, masks)
}
