//! The requests that are replayed, from a file: one JSON object a line, or an archive that a browser wrote (HAR 1.2).

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::plan::shown;

/// More requests than this are not replayed.
pub(super) const REQUESTS_MAX: usize = 10_000;
/// What a line may say.
const KEYS: &[&str] = &["name", "method", "path", "headers", "body", "json", "status"];
/// The methods that can be sent.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// Methods that say how long their body is, also where there is none.
const WITH_BODY: &[&str] = &["POST", "PUT", "PATCH"];
/// Headers that follow from the body and the connection.
const OF_THE_CONNECTION: &[&str] =
    &["content-length", "transfer-encoding", "connection", "host", "accept-encoding", "te", "upgrade"];
/// Headers by which a browser asks for a body only where it has not got it already, or for the rest of it: a server that says
/// that nothing changed sends nothing that could be compared.
const OF_THE_CACHE: &[&str] =
    &["if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "range"];
/// The same, where they may be said on purpose.
const NEVER_SAID: &[&str] = &["content-length", "transfer-encoding", "connection", "te", "upgrade"];

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorded {
    /// From 1.
    pub(super) number: usize,
    pub(super) name: Option<String>,
    pub(super) method: String,
    /// With its query, from the first `/` on.
    pub(super) path: String,
    /// In the order of the file; a value may hold `${NAME}`.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Vec<u8>>,
    /// The status that it is meant to be answered with.
    pub(super) status: Option<u16>,
}

impl Recorded {
    /// What it is called in messages. The query is left out: it may hold what nobody has to read.
    pub(super) fn told(&self) -> String {
        let name = self.name.as_ref().map(|name| format!(", \"{}\"", shown(name))).unwrap_or_default();
        format!("`{} {}`{name}", self.method, shown(self.route_path()))
    }

    /// Its path without the query.
    pub(super) fn route_path(&self) -> &str {
        self.path.split(['?', '#']).next().unwrap_or_default()
    }
}

/// The requests of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recording {
    pub(super) requests: Vec<Recorded>,
    /// How many went to another host than the first one, and are left out.
    pub(super) elsewhere: usize,
}

/// Reads the requests. `is_archive`: the file is a HAR.
pub(super) fn read(bytes: &[u8], is_archive: bool) -> Result<Recording, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("it is no UTF-8: {error}"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let recording = if is_archive { of_archive(text)? } else { of_lines(text)? };
    match recording.requests.len() {
        0 => Err("it holds no request: nothing would be compared".to_owned()),
        count if count > REQUESTS_MAX => {
            Err(format!("it holds {count} requests; at most {REQUESTS_MAX} are replayed"))
        }
        _ => Ok(recording),
    }
}

fn of_lines(text: &str) -> Result<Recording, String> {
    let mut requests = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = requests.len() + 1;
        requests.push(of_line(line, number).map_err(|why| format!("line {}: {why}", at + 1))?);
    }
    Ok(Recording { requests, elsewhere: 0 })
}

fn of_line(line: &str, number: usize) -> Result<Recorded, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| format!("it is no JSON: {error}"))?;
    let fields = value.as_object().ok_or("it is no object: `{\"method\": \"GET\", \"path\": \"/…\"}`")?;
    if let Some(stranger) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("`{}` is not known here; known are {}", shown(stranger), KEYS.join(", ")));
    }
    let method = text_of(fields, "method")?.unwrap_or_else(|| "GET".to_owned()).to_ascii_uppercase();
    let path = text_of(fields, "path")?.ok_or("it has no `path`")?;
    let mut headers = Vec::new();
    for (name, value) in object_of(fields, "headers")? {
        let value = value.as_str().ok_or_else(|| format!("the header `{}` is no text", shown(name)))?;
        headers.push((name.clone(), value.to_owned()));
    }
    if let Some((name, _)) =
        headers.iter().find(|(name, _)| NEVER_SAID.contains(&name.to_ascii_lowercase().as_str()))
    {
        return Err(format!("the header `{name}` follows from the body and the connection; take it out"));
    }
    let body = match (text_of(fields, "body")?, fields.contains_key("json")) {
        (Some(_), true) => return Err("it has both `body` and `json`".to_owned()),
        (Some(text), false) => Some(text.into_bytes()),
        (None, true) => {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
            }
            Some(as_written(line, "json")?)
        }
        (None, false) => None,
    };
    let status = match fields.get("status") {
        None => None,
        Some(status) => {
            let number = status.as_u64().filter(|status| (200..600).contains(status));
            Some(number.and_then(|number| u16::try_from(number).ok()).ok_or("`status` is not 200 to 599")?)
        }
    };
    let name = text_of(fields, "name")?;
    checked(Recorded { number, name, method, path, headers, body, status })
}

/// A member with every digit that it was written with.
fn as_written(line: &str, name: &str) -> Result<Vec<u8>, String> {
    let members: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(line).map_err(|error| format!("it is no JSON: {error}"))?;
    let raw = members.get(name).ok_or_else(|| format!("it has no `{name}`"))?;
    Ok(raw.get().as_bytes().to_vec())
}

fn text_of(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match fields.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`{name}` is no text")),
    }
}

fn object_of<'v>(
    fields: &'v Map<String, Value>,
    name: &str,
) -> Result<impl Iterator<Item = (&'v String, &'v Value)>, String> {
    let members = match fields.get(name) {
        None => None,
        Some(Value::Object(members)) => Some(members),
        Some(_) => return Err(format!("`{name}` is no object")),
    };
    Ok(members.into_iter().flatten())
}

/// A request that can be sent.
fn checked(mut request: Recorded) -> Result<Recorded, String> {
    if !METHODS.contains(&request.method.as_str()) {
        return Err(format!("`{}` is no method; known are {}", shown(&request.method), METHODS.join(", ")));
    }
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    if !request.path.starts_with('/') || !request.path.bytes().all(is_plain) {
        return Err(format!(
            "`{}` is no path: it begins with `/`, and what is no plain ASCII is written as `%20`",
            shown(request.route_path())
        ));
    }
    for (name, value) in &request.headers {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(format!("`{}` is no name of a header", shown(name)));
        }
        if value.chars().any(|letter| letter.is_control() && letter != '\t') {
            return Err(format!("the value of the header `{name}` has a control character"));
        }
    }
    if request.body.is_some() && request.method == "HEAD" {
        return Err("a HEAD has no body".to_owned());
    }
    if request.body.is_none() && WITH_BODY.contains(&request.method.as_str()) {
        request.body = Some(Vec::new());
    }
    Ok(request)
}

fn of_archive(text: &str) -> Result<Recording, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let entries = value.pointer("/log/entries").and_then(Value::as_array);
    let entries = entries.ok_or("it is no HAR: there is no list at `/log/entries`")?;
    let (mut requests, mut elsewhere, mut first_host) = (Vec::new(), 0, None);
    for (at, entry) in entries.iter().enumerate() {
        let failed = |why: String| format!("entry {}: {why}", at + 1);
        let url = entry.pointer("/request/url").and_then(Value::as_str);
        let (host, path) = url.and_then(taken_apart).ok_or_else(|| failed("it has no address".to_owned()))?;
        if *first_host.get_or_insert(host) != host {
            elsewhere += 1;
            continue;
        }
        requests.push(of_entry(&entry["request"], path, requests.len() + 1).map_err(failed)?);
    }
    Ok(Recording { requests, elsewhere })
}

/// The host of an address, and the path with its query.
fn taken_apart(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    let rest = rest.split('#').next().unwrap_or_default();
    let at = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(at);
    Some((host, if path.is_empty() { "/" } else { path }))
}

fn of_entry(request: &Value, path: &str, number: usize) -> Result<Recorded, String> {
    let method = request["method"].as_str().ok_or("it has no method")?.to_ascii_uppercase();
    let mut headers = Vec::new();
    for header in request["headers"].as_array().into_iter().flatten() {
        let (Some(name), Some(value)) = (header["name"].as_str(), header["value"].as_str()) else {
            return Err("a header has no name or no value".to_owned());
        };
        let lower = name.to_ascii_lowercase();
        // Names that begin with a colon are HTTP/2's own.
        let is_browsers =
            OF_THE_CONNECTION.contains(&lower.as_str()) || OF_THE_CACHE.contains(&lower.as_str());
        if !lower.starts_with(':') && !is_browsers {
            headers.push((lower, value.to_owned()));
        }
    }
    let posted = &request["postData"];
    let body = posted["text"].as_str().map(|text| text.as_bytes().to_vec());
    if body.is_none() && posted["params"].as_array().is_some_and(|params| !params.is_empty()) {
        return Err("its body was kept in parts, which cannot be put together again".to_owned());
    }
    let body = body.filter(|body| !(body.is_empty() && method == "HEAD"));
    checked(Recorded { number, name: None, method, path: path.to_owned(), headers, body, status: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Result<Vec<Recorded>, String> {
        read(text.as_bytes(), false).map(|recording| recording.requests)
    }

    #[test]
    fn lines_become_requests_and_a_body_keeps_every_digit() {
        let read = lines(
            "\u{feff}{\"path\": \"/a?b=1\"}\n\n\
             {\"method\": \"post\", \"path\": \"/a\", \"json\": {\"n\": 12345678901234567890.10}, \"status\": 201}\n\
             {\"method\": \"PUT\", \"path\": \"/a\", \"name\": \"x\", \"headers\": {\"X-A\": \"${A}\"}}\n",
        )
        .unwrap();
        assert_eq!((read[0].method.as_str(), read[0].route_path(), read[0].number), ("GET", "/a", 1));
        assert_eq!(read[0].body, None);
        assert_eq!(read[1].body.as_deref(), Some(&b"{\"n\": 12345678901234567890.10}"[..]));
        assert_eq!(read[1].headers, [("content-type".to_owned(), "application/json".to_owned())]);
        assert_eq!((read[1].status, read[2].number), (Some(201), 3));
        // A PUT without a body says that it has none.
        assert_eq!(read[2].body.as_deref(), Some(&[][..]));
        assert_eq!(read[2].told(), "`PUT /a`, \"x\"");
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_its_line() {
        for (text, why) in [
            ("", "holds no request"),
            ("{\"path\": \"/a\"}\nnonsense\n", "line 2: it is no JSON"),
            ("[1]", "line 1: it is no object"),
            ("{\"method\": \"GET\"}", "it has no `path`"),
            ("{\"path\": \"a\"}", "`a` is no path"),
            ("{\"path\": \"/a b\"}", "is no path"),
            ("{\"path\": \"http://else.where/a\"}", "is no path"),
            ("{\"path\": \"/a\", \"methods\": \"GET\"}", "`methods` is not known here"),
            ("{\"path\": \"/a\", \"method\": \"BREW\"}", "`BREW` is no method"),
            (
                "{\"path\": \"/a\", \"method\": \"POST\", \"body\": \"x\", \"json\": 1}",
                "both `body` and `json`",
            ),
            ("{\"path\": \"/a\", \"status\": 99}", "`status` is not 200 to 599"),
            ("{\"path\": \"/a\", \"headers\": {\"a b\": \"c\"}}", "`a b` is no name of a header"),
            ("{\"path\": \"/a\", \"headers\": {\"a\": \"c\\nd\"}}", "has a control character"),
            ("{\"path\": \"/a\", \"headers\": {\"Content-Length\": \"3\"}}", "follows from the body"),
            ("{\"path\": \"/a\", \"method\": \"HEAD\", \"body\": \"x\"}", "a HEAD has no body"),
        ] {
            let said = lines(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn an_archive_gives_the_requests_of_its_first_host() {
        let archive = r#"{"log": {"entries": [
            {"request": {"method": "GET", "url": "https://shop.example/items?page=2#top",
                         "headers": [{"name": ":authority", "value": "shop.example"}, {"name": "Accept", "value": "*/*"},
                                     {"name": "Host", "value": "shop.example"}, {"name": "If-None-Match", "value": "\"7\""},
                                     {"name": "If-Modified-Since", "value": "Sat, 29 Oct 1994 19:43:31 GMT"}]}},
            {"request": {"method": "GET", "url": "https://cdn.example/logo.png", "headers": []}},
            {"request": {"method": "POST", "url": "https://shop.example", "headers": [],
                         "postData": {"mimeType": "text/plain", "text": "hello"}}}]}}"#;
        let recording = read(archive.as_bytes(), true).unwrap();
        assert_eq!(recording.elsewhere, 1);
        let [first, second] = recording.requests.as_slice() else { panic!("{recording:?}") };
        assert_eq!(first.path, "/items?page=2");
        assert_eq!(first.headers, [("accept".to_owned(), "*/*".to_owned())]);
        assert_eq!((second.path.as_str(), second.body.as_deref()), ("/", Some(&b"hello"[..])));
        assert!(read(b"{}", true).unwrap_err().contains("no HAR"));
    }
}
