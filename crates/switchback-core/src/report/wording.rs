//! The words of a report: sentences whose names, numbers and verdicts are known for what they are, without a format.

use super::run_report::RunReport;
use super::story::short;
use crate::verdict::Verdict;

/// A sentence, or what stands in a cell.
pub(super) type Words = Vec<Bit>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bit {
    Text(String),
    /// A name, a path, a person: nothing in it is a sentence.
    Code(String),
    Strong(String),
    /// What must not be broken in two: a number with its unit.
    Fixed(String),
    /// The beginning of a hash.
    Hash(String),
    Verdict(Verdict),
    /// Nobody has looked yet.
    NotYet,
    /// RFC 3339.
    Time(String),
    /// From where to where something goes on, in thousandths of the whole.
    Bar(u64, u64),
}

pub(super) fn words(text: impl Into<String>) -> Words {
    vec![Bit::Text(text.into())]
}

pub(super) fn code(text: impl Into<String>) -> Words {
    vec![Bit::Code(text.into())]
}

/// A duration, in one piece.
pub(super) fn took(milliseconds: u64) -> Words {
    vec![Bit::Fixed(duration(milliseconds))]
}

/// A hash as git shows it.
pub(super) fn hash(hash: &str) -> Words {
    vec![Bit::Hash(short(hash).to_owned())]
}

/// Several names, with commas between them.
pub(super) fn codes<'t>(names: impl IntoIterator<Item = &'t String>) -> Words {
    let mut words = Words::new();
    for name in names {
        if !words.is_empty() {
            words.push(Bit::Text(", ".to_owned()));
        }
        words.push(Bit::Code(name.clone()));
    }
    words
}

/// Text in which `backticks` mark names, as the reasons of a gate have it. `odd` are names that have backticks
/// themselves: where one stands, all of it is the name.
pub(super) fn marked(text: &str, odd: &[String]) -> Words {
    let mark = |name: &String| format!("`{name}`");
    let found = odd.iter().filter_map(|name| Some((text.find(&mark(name))?, name)));
    // Of two that begin at one place, the longer one.
    if let Some((at, name)) = found.min_by_key(|(at, name)| (*at, usize::MAX - name.len())) {
        let mut words = marked(&text[..at], odd);
        words.push(Bit::Code(name.clone()));
        words.extend(marked(&text[at + name.len() + 2..], odd));
        return words;
    }
    let is_balanced = text.matches('`').count().is_multiple_of(2);
    // An odd mark at the end belongs to the text.
    if !is_balanced {
        return words(text);
    }
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    parts
        .map(|(at, part)| if at % 2 == 1 { Bit::Code(part.to_owned()) } else { Bit::Text(part.to_owned()) })
        .collect()
}

/// The names in a report that have backticks themselves.
pub(super) fn odd_names(report: &RunReport) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for phase in &report.phases {
        names.push(phase.status.name.clone());
        names.extend(phase.roles.iter().map(|(role, _)| role.clone()));
        names.extend(
            phase.sign_offs.iter().flat_map(|sign_off| [sign_off.role.clone(), sign_off.actor.clone()]),
        );
        names.extend(phase.sign_offs.iter().filter_map(|sign_off| sign_off.person.clone()));
        names.extend(phase.checks.iter().map(|check| check.name.clone()));
        names.extend(phase.open_checks.iter().map(|(name, ..)| name.clone()));
        if let Some(Ok(files)) = phase.candidate.as_ref().map(|candidate| &candidate.files) {
            let lists = [&files.added, &files.removed, &files.changed, &files.metadata];
            names.extend(lists.into_iter().flat_map(|named| named.names.iter().cloned()));
        }
    }
    names.extend(report.managed.iter().map(|(path, _)| path.clone()));
    names.retain(|name| name.contains('`'));
    names.sort();
    names.dedup();
    names
}

/// A duration in at most two units.
pub(super) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    match seconds {
        0 if milliseconds == 0 => "under 1 ms".to_owned(),
        0 => format!("{milliseconds} ms"),
        1..60 => format!("{seconds}.{} s", milliseconds % 1_000 / 100),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// A moment for a person: whole seconds, UTC. A text that is no moment stays as it is.
pub(super) fn moment(time: &str) -> String {
    let seconds = time.split(['.', 'Z']).next().unwrap_or(time);
    match seconds.split_once('T') {
        Some((date, clock)) if time.ends_with('Z') => format!("{date} {clock} UTC"),
        _ => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_at_most_two_units() {
        for (milliseconds, shown) in [
            (0, "under 1 ms"),
            (999, "999 ms"),
            (1_050, "1.0 s"),
            (59_999, "59.9 s"),
            (61_000, "1 min 1 s"),
            (3_660_000, "1 h 1 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(duration(milliseconds), shown);
        }
    }

    #[test]
    fn moments_are_shown_to_the_second() {
        assert_eq!(moment("2026-01-12T20:00:05.123456789Z"), "2026-01-12 20:00:05 UTC");
        assert_eq!(moment("2026-01-12T20:00:05Z"), "2026-01-12 20:00:05 UTC");
        assert_eq!(moment("?"), "?");
    }

    #[test]
    fn names_in_backticks_are_code_and_an_odd_mark_is_text() {
        assert_eq!(
            marked("the check `a b` says no", &[]),
            [Bit::Text("the check ".into()), Bit::Code("a b".into()), Bit::Text(" says no".into())]
        );
        assert_eq!(marked("an ` alone", &[]), [Bit::Text("an ` alone".into())]);
        let odd = ["`x`".to_owned(), "a`b".to_owned()];
        assert_eq!(
            marked("role ``x``: 0 of `a`b` and `c`", &odd),
            [
                Bit::Text("role ".into()),
                Bit::Code("`x`".into()),
                Bit::Text(": 0 of ".into()),
                Bit::Code("a`b".into()),
                Bit::Text(" and ".into()),
                Bit::Code("c".into())
            ]
        );
    }
}
