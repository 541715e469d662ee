//! Two answers to one request: whether they are equal, by status, chosen headers and body.

use std::path::PathBuf;

use regex::Regex;
use serde_json::{Value, json};

use super::super::equivalence::report;
use super::super::scenarios::first_line;
use super::recorded::Recorded;
use crate::plan::shown;
use crate::port::{Comparer, PortError};
use crate::rule::{Pairing, Rule};
use crate::secret::{clean_text, is_secret_name};
use crate::tree::copy::remove_tree;
use crate::verdict::Verdict;
use crate::world::{Disk, HttpAnswer, NetworkError};

/// The largest body that is compared, in bytes.
pub(super) const BODY_BYTES_MAX: u64 = 64 << 20;
/// From this status on, a server says that it failed.
const FAILED: u16 = 500;
/// From this status on, a request was not answered with what it asked for.
const REFUSED: u16 = 400;
/// With this status, a server says that nothing changed since, and no more.
const NOT_MODIFIED: u16 = 304;
/// So many differences of one answer are kept.
const DIFFERENCES_MAX: usize = 20;
/// Of so many answers that are not alike the differences are kept, of the first ones.
const DETAILED_MAX: usize = 100;
/// And so many that are not alike are told of at all.
pub(super) const NAMED_MAX: usize = 1_000;
/// So many of the things that were left out are named.
const LEFT_OUT_MAX: usize = 3;
/// A value of a difference that is longer, in bytes of JSON, is cut.
const VALUE_BYTES_MAX: usize = 2_000;

/// What one side said, and on which port.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) port: u16,
    pub(super) answer: Result<HttpAnswer, NetworkError>,
}

/// What came of one request.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    /// Nothing where both answers are equal.
    pub(super) why: String,
    /// Whether it was answered with what it asked for: not refused, or as it says.
    pub(super) is_met: bool,
    pub(super) evidence: Value,
}

impl Judged {
    /// Lets go of what nobody will be shown. `apart`: how many are not alike with this one.
    pub(super) fn shorten(&mut self, apart: usize) {
        if apart > NAMED_MAX {
            self.evidence = Value::Null;
        } else if apart > DETAILED_MAX
            && let Some(evidence) = self.evidence.as_object_mut()
            && evidence.remove("differences").is_some()
        {
            evidence.insert("differences_left_out".to_owned(), json!(true));
        }
    }
}

/// Judges answers.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    pub(super) comparer: &'a dyn Comparer,
    pub(super) disk: &'a dyn Disk,
    /// Where bodies lie while they are compared.
    pub(super) folder: PathBuf,
    pub(super) rule: &'a Rule,
    pub(super) masks: &'a [Regex],
    /// In lower case.
    pub(super) headers: &'a [String],
}

/// A verdict with its reason; nothing of it where the answers are equal.
type Part = Option<(Verdict, String)>;

impl Judge<'_> {
    /// Judges what both sides said to a request.
    pub(super) fn judge(&self, request: &Recorded, old: &Asked, new: &Asked) -> Judged {
        let mut evidence = json!({
            "request": request.number, "method": request.method, "path": request.route_path(),
        });
        if let Some(name) = &request.name {
            evidence["name"] = json!(name);
        }
        let part = self.part(request, old, new, &mut evidence);
        let (verdict, why) = part.unwrap_or((Verdict::Yes, String::new()));
        evidence["verdict"] = json!(verdict.word());
        if verdict != Verdict::Yes {
            evidence["why"] = json!(why);
        }
        let is_met = match (&old.answer, request.status) {
            (Ok(answer), Some(status)) => answer.status == status,
            (Ok(answer), None) => answer.status < REFUSED,
            (Err(_), _) => false,
        };
        Judged { verdict, why, is_met, evidence }
    }

    fn part(&self, request: &Recorded, old: &Asked, new: &Asked, evidence: &mut Value) -> Part {
        let unknown = |why: String| Some((Verdict::Unknown, why));
        let (one, other) = match (&old.answer, &new.answer) {
            (Ok(one), Ok(other)) => (one, other),
            (Err(error), _) => return unknown(format!("old does not answer: {error}")),
            (Ok(_), Err(NetworkError::Silent(why))) => {
                return Some((Verdict::No, format!("new does not answer, and old does: {why}")));
            }
            (Ok(_), Err(error)) => return unknown(format!("new: {error}")),
        };
        evidence["status"] = json!({"old": one.status, "new": other.status});
        let milliseconds = |answer: &HttpAnswer| answer.elapsed.as_secs_f64() * 1_000.0;
        evidence["milliseconds"] = json!({"old": milliseconds(one), "new": milliseconds(other)});
        if let Some(status) = request.status.filter(|status| one.status != *status) {
            return unknown(format!(
                "old answers with status {}, where the request says {status}",
                one.status
            ));
        }
        if one.status != other.status {
            let why = format!("status {} became {}", one.status, other.status);
            return Some((Verdict::No, why));
        }
        if one.status >= FAILED && request.status.is_none() {
            let why = format!("both fail with status {}, which proves nothing of either", one.status);
            return unknown(why);
        }
        for (name, answer) in [("old", one), ("new", other)] {
            if answer.body.len() as u64 > BODY_BYTES_MAX {
                return unknown(format!("the answer of {name} has more than {} MiB", BODY_BYTES_MAX >> 20));
            }
        }
        let alike = self.headers((one, old.port), (other, new.port)).or_else(|| {
            let old_body = Body::of(one, old.port);
            self.bodies(&old_body, &Body::of(other, new.port), evidence)
        });
        let is_bare = one.status == NOT_MODIFIED && request.status.is_none() && !self.rule.allow_empty;
        alike.or_else(|| {
            let why = "both say that nothing changed since (status 304), and send no body to compare; take `If-None-Match` and \
                       `If-Modified-Since` out of the request, or say that this `status` is meant";
            is_bare.then(|| (Verdict::Unknown, why.to_owned()))
        })
    }

    fn headers(&self, (one, one_port): (&HttpAnswer, u16), (other, other_port): (&HttpAnswer, u16)) -> Part {
        let values = |answer: &HttpAnswer, port: u16, name: &str| -> Vec<String> {
            let same = answer.headers.iter().filter(|(other, _)| other == name);
            same.map(|(_, value)| self.masked(&without_address(value, port))).collect()
        };
        self.headers.iter().find_map(|name| {
            let (was, is) = (values(one, one_port, name), values(other, other_port, name));
            if was == is {
                return None;
            }
            let said = |values: &[String]| match values {
                [] => "missing".to_owned(),
                _ if is_secret_header(name) => "another value".to_owned(),
                values => format!("`{}`", shown(&values.join(", "))),
            };
            Some((Verdict::No, format!("the header `{name}` was {}, is {}", said(&was), said(&is))))
        })
    }

    fn bodies(&self, old: &Body, new: &Body, evidence: &mut Value) -> Part {
        // A value that is not equal to itself has to be looked at.
        let is_reflexive = self.rule.nan == Pairing::Equal && self.rule.null == Pairing::Equal;
        if old.bytes == new.bytes && (is_reflexive || old.form == Form::Other) {
            return None;
        }
        match (old.form, new.form) {
            (Form::Json, Form::Json) | (Form::Table, Form::Table) => self.compared(old, new, evidence),
            (Form::Json, _) => Some((Verdict::No, "its body was JSON, and is none".to_owned())),
            _ => self.texts(old, new),
        }
    }

    /// Texts after masks; what is no text, byte by byte.
    fn texts(&self, old: &Body, new: &Body) -> Part {
        let (Ok(one), Ok(other)) = (std::str::from_utf8(&old.bytes), std::str::from_utf8(&new.bytes)) else {
            let (was, is) = (old.bytes.len(), new.bytes.len());
            return Some((
                Verdict::No,
                format!("its body differs: {was} bytes became {is}, which are no text"),
            ));
        };
        let (one, other) = (self.masked(one), self.masked(other));
        if one == other {
            let is_nothing = one.trim().is_empty() && !self.rule.allow_empty;
            let why = "nothing of its body was compared: the masks leave nothing of it";
            return is_nothing.then(|| (Verdict::Unknown, why.to_owned()));
        }
        let why = match first_line(&one, &other) {
            Some((line, was, is)) => {
                let (was, is) = around(was, is);
                format!("line {line} of its body was `{was}`, is `{is}`")
            }
            None => "the line ends of its body differ".to_owned(),
        };
        Some((Verdict::No, why))
    }

    fn masked(&self, text: &str) -> String {
        self.masks.iter().fold(text.to_owned(), |text, mask| mask.replace_all(&text, "").into_owned())
    }

    /// What the comparison of documents and tables says.
    fn compared(&self, old: &Body, new: &Body, evidence: &mut Value) -> Part {
        let compared = self.laid_out(old, new);
        let (verdict, summary, report) = match compared {
            Ok(compared) => compared,
            Err(why) => return Some((Verdict::Unknown, why)),
        };
        let item = &report["items"][0];
        if let Some(left_out) = item["not_compared"].as_array().filter(|left_out| !left_out.is_empty()) {
            evidence["not_compared"] = json!(left_out);
        }
        if verdict == Verdict::Yes {
            return None;
        }
        if verdict == Verdict::Unknown {
            return Some((verdict, nothing_compared(&item["not_compared"])));
        }
        let Some(first) = item["differences"].get(0) else { return Some((verdict, summary)) };
        let kept = item["differences"].as_array().into_iter().flatten().take(DIFFERENCES_MAX);
        evidence["differences"] = kept.map(|one| cut(without_secret(one))).collect();
        let first = without_secret(first);
        let path = first["path"].as_str().filter(|path| !path.is_empty()).unwrap_or("/");
        let value =
            |side: &str| first.get(side).map_or("missing".to_owned(), |value| shown(&value.to_string()));
        let more = item["differences_total"].as_u64().unwrap_or(1).saturating_sub(1);
        let more = if more == 0 { String::new() } else { format!(" ({more} more)") };
        Some((verdict, format!("`{path}` was {}, is {}{more}", value("old"), value("new"))))
    }

    /// The verdict, its words and the report, of two bodies that lie on the disk for as long as it takes.
    fn laid_out(&self, old: &Body, new: &Body) -> Result<(Verdict, String, Value), String> {
        let name = if old.form == Form::Json { "answer.json" } else { "answer.csv" };
        let paths = ["old", "new"].map(|side| self.folder.join(side).join(name));
        let mut rule =
            if old.form == Form::Table { of_table(self.rule, &old.bytes) } else { self.rule.clone() };
        // Two bodies that are the same to the byte were compared, also where there is not one value in them.
        rule.allow_empty |= old.bytes == new.bytes;
        let compared = || {
            self.disk.make_directory(&self.folder, 0o700)?;
            for (path, body) in paths.iter().zip([old, new]) {
                if let Some(folder) = path.parent() {
                    self.disk.make_directory(folder, 0o700)?;
                }
                self.disk.write_new(path, 0o600, &mut body.bytes.as_slice())?;
            }
            Ok(self.comparer.compare(&paths[0], &paths[1], &rule))
        };
        let compared = compared().map_err(|error: crate::world::DiskError| error.to_string());
        remove_tree(self.disk, &self.folder).map_err(|error| error.to_string())?;
        // Where the bodies lay for a moment says nothing to anybody.
        let place = format!("{}/", self.folder.display());
        let failed = |error: PortError| error.told().replace(&place, "");
        let compared =
            compared?.map_err(|error| format!("its body could not be compared: {}", failed(error)))?;
        Ok((compared.verdict, compared.summary.clone(), report(compared)))
    }
}

/// The rule for a table: names that are members of some other answer are no columns of this one.
fn of_table(rule: &Rule, content: &[u8]) -> Rule {
    let heading = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let heading = String::from_utf8_lossy(heading).into_owned();
    let is_column =
        |name: &str| heading.split([',', ';', '\t']).any(|column| column.trim().trim_matches('"') == name);
    let mut rule = rule.clone();
    rule.exclude.retain(|name| is_column(name));
    rule.column_tolerance.retain(|name, _| is_column(name));
    rule
}

/// What a body is compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    /// Comma-separated values.
    Table,
    /// Text after masks, or bytes.
    Other,
}

/// A body, without the address of the server that sent it.
#[derive(Debug)]
struct Body {
    form: Form,
    bytes: Vec<u8>,
}

impl Body {
    fn of(answer: &HttpAnswer, port: u16) -> Self {
        let bytes = match std::str::from_utf8(&answer.body) {
            Ok(text) => without_address(text, port).into_bytes(),
            Err(_) => answer.body.clone(),
        };
        let kind = answer.headers.iter().find(|(name, _)| name == "content-type");
        let kind =
            kind.map(|(_, kind)| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        let form = match kind.as_deref() {
            _ if bytes.is_empty() => Form::Other,
            Some("text/csv") => Form::Table,
            Some(kind) if !(kind.ends_with("/json") || kind.ends_with("+json")) => Form::Other,
            _ if is_json(&bytes) => Form::Json,
            _ => Form::Other,
        };
        Self { form, bytes }
    }
}

/// Whether bytes are JSON, also with numbers that JSON does not know and Python writes all the same.
fn is_json(bytes: &[u8]) -> bool {
    let parses = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    std::str::from_utf8(bytes).is_ok_and(|text| {
        let has_more = text.contains("NaN") || text.contains("Infinity");
        let known = || text.replace("-Infinity", "0").replace("Infinity", "0").replace("NaN", "0");
        parses(text) || has_more && parses(&known())
    })
}

/// A text without the address of the server that sent it: each has a port of its own.
fn without_address(text: &str, port: u16) -> String {
    const HOSTS: &[&str] = &["127.0.0.1", "localhost", "0.0.0.0", "[::1]"];
    let mut text = text.to_owned();
    for host in HOSTS {
        let address = format!("{host}:{port}");
        let (mut done, mut rest) = (String::with_capacity(text.len()), text.as_str());
        while let Some((before, behind)) = rest.split_once(&address) {
            done.push_str(before);
            // A longer number is another port.
            let is_longer = behind.starts_with(|letter: char| letter.is_ascii_digit());
            done.push_str(if is_longer { &address } else { "{server}" });
            rest = behind;
        }
        done.push_str(rest);
        text = done;
    }
    text
}

/// Whether the value of a header is a secret, whatever it looks like.
pub(super) fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    is_secret_name(&name) || ["auth", "cookie", "session", "csrf"].iter().any(|part| name.contains(part))
}

/// A difference without values that stand under the name of a secret.
fn without_secret(difference: &Value) -> Value {
    let mut difference = difference.clone();
    let path = difference["path"].as_str().unwrap_or_default().to_owned();
    if path.split('/').any(is_secret_name) {
        for side in ["old", "new"] {
            if difference.get(side).is_some() {
                difference[side] = json!(crate::secret::MASK);
            }
        }
    }
    difference
}

/// That nothing was compared, and what was left out.
fn nothing_compared(left_out: &Value) -> String {
    let left_out = left_out.as_array().map_or(&[][..], Vec::as_slice);
    let named: Vec<&str> = left_out.iter().filter_map(Value::as_str).take(LEFT_OUT_MAX).collect();
    let more = left_out.len() - named.len();
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    let why = if named.is_empty() { "there is no value in it".to_owned() } else { named.join(", ") };
    format!("nothing of its body was compared: {why}{more}")
}

/// A difference whose values are short enough to be kept.
fn cut(mut difference: Value) -> Value {
    for side in ["old", "new"] {
        let Some(value) = difference.get(side) else { continue };
        let text = value.to_string();
        if text.len() <= VALUE_BYTES_MAX {
            continue;
        }
        // What looks like a secret is blanked before it is cut, and no word is cut: half of a secret would not be known as one.
        let begin = |text: &str, bytes_max: usize| {
            let end = text.floor_char_boundary(bytes_max.min(text.len()));
            text.get(..end).unwrap_or_default().to_owned()
        };
        let start = begin(&clean_text(&begin(&text, 4 * VALUE_BYTES_MAX)), VALUE_BYTES_MAX);
        let is_between = |letter: char| letter.is_whitespace() || matches!(letter, '"' | ',');
        let start = start.get(..start.rfind(is_between).unwrap_or(0)).unwrap_or_default();
        difference[side] = json!(format!("{start}… (cut: {} bytes of JSON)", text.len()));
        difference["cut"] = json!(true);
    }
    difference
}

/// Letters of a line before the first difference that are shown.
const BEFORE: usize = 20;

/// Two lines from shortly before the place where they part, from the begin of a word: half a secret would not be known as one.
fn around(old: &str, new: &str) -> (String, String) {
    let same = old.chars().zip(new.chars()).take_while(|(one, other)| one == other).count();
    let skip = same.saturating_sub(BEFORE);
    let gap = old.chars().take(skip).enumerate().filter(|(_, letter)| letter.is_whitespace()).last();
    let start = gap.map_or(0, |(at, _)| at + 1);
    let cut = |line: &str| {
        let rest: String = line.chars().skip(start).collect();
        shown(&if start == 0 { rest } else { format!("… {rest}") })
    };
    (cut(old), cut(new))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answer(kind: &str, body: &str) -> HttpAnswer {
        HttpAnswer {
            status: 200,
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            body: body.as_bytes().to_vec(),
            elapsed: Duration::ZERO,
        }
    }

    #[test]
    fn a_body_is_taken_for_what_it_says_and_is() {
        for (kind, body, form) in [
            ("application/json", "{\"a\": 1}", Form::Json),
            ("application/problem+json; charset=utf-8", "[]", Form::Json),
            ("application/json", "{\"a\": ", Form::Other),
            ("application/json", "", Form::Other),
            ("application/json", "[NaN, -Infinity]", Form::Json),
            ("application/json", "[NaNs]", Form::Other),
            ("text/html", "1", Form::Other),
            ("Text/CSV", "a,b\n1,2\n", Form::Table),
        ] {
            assert_eq!(Body::of(&answer(kind, body), 1).form, form, "{kind} {body}");
        }
        let plain = HttpAnswer { headers: Vec::new(), ..answer("", "{\"a\": 1}") };
        assert_eq!(Body::of(&plain, 1).form, Form::Json);
    }

    #[test]
    fn the_address_of_a_server_is_no_difference_and_nothing_like_it_is_touched() {
        let text = "http://127.0.0.1:8080/a localhost:8080 127.0.0.1:80801 http://shop:8080";
        assert_eq!(
            without_address(text, 8080),
            "http://{server}/a {server} 127.0.0.1:80801 http://shop:8080"
        );
    }

    #[test]
    fn a_rule_for_a_table_names_no_column_that_it_has_not() {
        let exclude = ["stamp", "generated_at", "/items/*/id"].map(str::to_owned).to_vec();
        let rule = Rule { exclude, ..Rule::default() };
        assert_eq!(of_table(&rule, b"id,\"stamp\"\r\n1,2\n").exclude, ["stamp"]);
    }

    #[test]
    fn two_lines_are_shown_from_shortly_before_they_part() {
        let (old, new) = around(
            "a long line with words before the total of 100",
            "a long line with words before the total of 200",
        );
        assert_eq!((old.as_str(), new.as_str()), ("… before the total of 100", "… before the total of 200"));
        assert_eq!(around("a", "b"), ("a".to_owned(), "b".to_owned()));
        assert_eq!(around("", "b"), (String::new(), "b".to_owned()));
    }

    #[test]
    fn values_of_differences_are_cut_between_words_and_say_so() {
        let short = json!({"path": "/a", "old": "one two", "new": 7});
        assert_eq!(cut(short.clone()), short);
        let words: Vec<String> = (0..2_000).map(|number| format!("word{number}")).collect();
        let long = cut(json!({"path": "/a", "new": {"words": words, "password": "tiger-lily"}}));
        let kept = long["new"].as_str().unwrap();
        assert!(kept.len() < VALUE_BYTES_MAX + 50 && kept.contains("\"word7\""), "{kept}");
        assert!(kept.ends_with("… (cut: 20925 bytes of JSON)") && long["cut"] == true, "{kept}");
        assert!(!kept.contains("lily"), "{kept}");
        // One word is shown whole or not at all.
        let one = cut(json!({"path": "/a", "old": "é".repeat(5_000)}));
        assert_eq!(one["old"], "… (cut: 10002 bytes of JSON)");
    }

    #[test]
    fn differences_are_kept_of_the_first_answers_alone() {
        let judged = |apart: usize| {
            let evidence = json!({"request": apart, "why": "w", "differences": [1]});
            let mut one = Judged { verdict: Verdict::No, why: "w".to_owned(), is_met: true, evidence };
            one.shorten(apart);
            one.evidence
        };
        assert_eq!(judged(DETAILED_MAX)["differences"], json!([1]));
        let later = judged(DETAILED_MAX + 1);
        assert_eq!((&later["differences"], &later["why"]), (&Value::Null, &json!("w")));
        assert_eq!(judged(NAMED_MAX + 1), Value::Null);
    }

    #[test]
    fn values_of_secrets_are_not_shown() {
        let shown = without_secret(&json!({"path": "/user/password", "old": "a", "new": "b"}));
        assert_eq!(shown, json!({"path": "/user/password", "old": "***", "new": "***"}));
        assert!(
            is_secret_header("Authorization")
                && is_secret_header("set-cookie")
                && is_secret_header("X-Api-Key")
        );
        assert!(!is_secret_header("content-type") && !is_secret_header("location"));
    }
}
