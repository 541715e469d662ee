//! `[[anchor]]`: where the head of the journal is kept outside, and after which turns.

use std::path::{Component, Path, PathBuf};

use super::fields::{Fields, advise, shown};
use super::finding::Findings;
use super::key::{Key, Shape};
use super::server::SftpAddress;
use crate::journal::AnchorTurn;

/// The word for a note of git.
const GIT_NOTE: &str = "git-note";

/// The keys of `[[anchor]]`.
pub(super) const ANCHOR: &[Key] = &[
    Key::required(
        "to",
        Shape::Text,
        "where: `git-note`, a file outside of the project, `s3://bucket/folder`, or `sftp:user@host:folder`",
    ),
    Key::optional(
        "on",
        Shape::Texts,
        "the turns after which: sign-off, live, watched, finished, rolled-back; live, finished and rolled-back when left out",
    ),
];

/// A place outside that keeps heads of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// As the plan says it: the journal knows it by that.
    pub to: String,
    /// What that is.
    pub place: AnchorPlace,
    /// The turns after which the head is brought there.
    pub on: Vec<AnchorTurn>,
}

/// Where heads are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnchorPlace {
    /// Notes of git, at the commit that is checked out.
    GitNote,
    /// A file that is only ever appended to: relative to the root or absolute.
    File(PathBuf),
    /// The address of a folder elsewhere.
    Elsewhere(String),
}

impl AnchorPlace {
    /// Reads `to`, of the project at `root`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and the next move.
    pub fn parse(text: &str, root: &Path) -> Result<Self, (String, &'static str)> {
        if text == GIT_NOTE {
            return Ok(Self::GitNote);
        }
        if let Some(rest) = text.strip_prefix("s3://") {
            if rest.split('/').next().unwrap_or_default().is_empty() || rest.contains(['@', '?', '#']) {
                return Err((
                    format!("`{}` is no address of S3", shown(text)),
                    "write `s3://bucket/folder`; credentials are taken from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`",
                ));
            }
            return Ok(Self::Elsewhere(text.trim_end_matches('/').to_owned()));
        }
        if text.starts_with("sftp:") {
            return match SftpAddress::parse(text) {
                Ok(_) => Ok(Self::Elsewhere(text.to_owned())),
                Err(why) => Err((
                    format!("`{}` is no address of SFTP: {why}", shown(text)),
                    "e.g. `sftp:audit@store:/srv/heads`",
                )),
            };
        }
        let help =
            "use `git-note`, a file outside of the project, `s3://bucket/folder` or `sftp:user@host:folder`";
        if text.contains("://") {
            return Err((format!("heads cannot be kept at `{}`", shown(text)), help));
        }
        if text.trim().is_empty() || text.ends_with('/') || text.chars().any(char::is_control) {
            return Err((format!("`{}` is no name of a file", shown(text)), help));
        }
        let path = PathBuf::from(text);
        if plain(&root.join(&path)).starts_with(plain(root)) {
            return Err((
                format!(
                    "`{}` is in the project, where whoever alters the journal can alter it as well",
                    shown(text)
                ),
                help,
            ));
        }
        Ok(Self::File(path))
    }
}

/// A path without `.` and `..`, by its words alone.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// Reads all `[[anchor]]`s.
pub(super) fn read_all<'a>(plan: &Fields<'a>, root: &Path, findings: &'a Findings<'a>) -> Vec<Anchor> {
    let mut anchors: Vec<Anchor> = Vec::new();
    for (offset, table) in plan.tables("anchor") {
        let fields = Fields::new(table, offset, "`[[anchor]]`", ANCHOR, findings);
        let on = read_turns(&fields);
        let Some(to) = fields.filled_text("to") else { continue };
        if anchors.iter().any(|anchor| anchor.to == to) {
            fields.find("to", format!("two anchors are at `{}`", shown(&to)), "take one of them out");
            continue;
        }
        match AnchorPlace::parse(&to, root) {
            Ok(place) => anchors.push(Anchor { to, place, on }),
            Err((message, help)) => fields.find("to", message, help),
        }
    }
    anchors
}

fn read_turns(fields: &Fields<'_>) -> Vec<AnchorTurn> {
    let Some(texts) = fields.placed_texts("on") else { return AnchorTurn::DEFAULT.to_vec() };
    if texts.is_empty() {
        fields.find("on", "`on` is empty: nothing would be kept", "name a turn, e.g. `live`, or take it out");
    }
    let mut turns = Vec::new();
    for (offset, text) in texts {
        match AnchorTurn::from_word(&text) {
            Some(turn) => turns.push(turn),
            None => fields.findings().add(
                offset,
                format!("unknown turn `{}` in `on`", shown(&text)),
                advise(&text, AnchorTurn::words()),
            ),
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_outside_of_the_project_or_none() {
        let root = Path::new("/srv/shop");
        let parsed = |text: &str| AnchorPlace::parse(text, root);
        assert_eq!(parsed("git-note"), Ok(AnchorPlace::GitNote));
        for text in ["../heads", "/var/audit/shop.heads", "../shop2/heads"] {
            assert_eq!(parsed(text), Ok(AnchorPlace::File(text.into())), "{text}");
        }
        assert_eq!(parsed("s3://audit/shop/"), Ok(AnchorPlace::Elsewhere("s3://audit/shop".into())));
        for text in [
            "heads",
            "../shop/heads",
            "/srv/shop/.switchback/heads",
            "../x/../shop/heads",
            "../heads/",
            " ",
            "s3://",
            "s3://key@bucket",
            "https://example.org/heads",
            "sftp:",
        ] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }
}
