//! `requests`: the same requests are sent to the servers of the old and the new tree, and are answered alike (TM-14).
//!
//! The requests come from a file (`recorded`). Both servers are started in copies of their own (`server`) and asked one request
//! after the other, each of them both, because what one request does the next one sees. Two answers are held against each other
//! (`answer`), the routes that nothing asked for are listed (`touched`), and `outcome` says what came of it all.

mod answer;
mod outcome;
mod recorded;
mod server;
mod touched;

use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::Regex;
use serde_json::{Value, json};

use self::answer::{Asked, BODY_BYTES_MAX, Judge, Judged};
use self::outcome::{Coverage, Outcome, Secrets};
use self::recorded::{Recorded, Recording};
use self::server::{NotStarted, Program, Server, Starting};
use super::shell::Runner;
use super::side::{Program as SideProgram, TREES};
use super::{Check, Kind, Looked, Scene, Which, rule_keys};
use crate::code::SOURCE_ROOTS;
use crate::plan::{Fields, Key, Shape, relative, shown};
use crate::rule::Rule;
use crate::verdict::Verdict;
use crate::world::HttpRequest;

/// The largest file of requests that is read, in bytes.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// A server is given up that is not ready after so long, in seconds, when the plan does not say.
const START_S: u64 = 30;
/// The longest that it can be given: a day.
const START_S_MAX: u64 = 86_400;
const REQUEST_TIMEOUT_MS: u64 = 10_000;
/// The headers of an answer that count, when the plan does not say.
const HEADERS: &[&str] = &["content-type", "location"];
/// What a command is told its port by.
const PORT: &str = "{port}";

const PROGRAM: &[Key] = &[
    Key::required("tree", TREES, "`live`: the tree before this phase; `candidate`: the tree with it"),
    Key::optional("command", Shape::Text, "a line of shell that serves on `{port}` until it is ended"),
];
const OWN: [Key; 13] = [
    Key::optional("command", Shape::Text, "a line of shell that serves on `{port}` in either tree"),
    Key::optional("old", Shape::Table(PROGRAM), "instead of `command`: the old server"),
    Key::optional("new", Shape::Table(PROGRAM), "instead of `command`: the new server"),
    Key::required(
        "requests",
        Shape::Text,
        "a file of the old tree: a JSON object a line, or a HAR (`….har`) that a browser wrote",
    ),
    Key::optional(
        "ready",
        Shape::Text,
        "a path that a server which is ready answers, with a status below 500; that its port is open when left out",
    ),
    Key::optional(
        "start_s",
        Shape::Whole,
        "a server is given up that is not ready after so many seconds; 30 when left out",
    ),
    Key::optional("request_timeout_ms", Shape::Whole, "how long one request may take; 10000 when left out"),
    Key::optional(
        "headers",
        Shape::Texts,
        "headers of the answers that count; `content-type` and `location` when left out",
    ),
    Key::optional(
        "every_route",
        Shape::Flag,
        "`true`: a route of the old code that no request asks for is could not tell",
    ),
    Key::optional(
        "routes_left_out",
        Shape::Texts,
        "routes that no request has to ask for, as they are listed: `GET /health`",
    ),
    SOURCE_ROOTS,
    Key::optional(
        "exclude",
        Shape::Texts,
        "members of JSON that do not count, by name or by JSON pointer, in which `*` is any step",
    ),
    Key::optional(
        "allow_empty",
        Shape::Flag,
        "`true`: two answers of whose bodies nothing is left to compare are alike",
    ),
];
const KEYS: [Key; 25] = rule_keys::joined(&[&OWN, &[rule_keys::COLUMNS], &rule_keys::VALUES]);

/// The kind `requests`.
pub(super) static KIND: Kind = Kind {
    word: "requests",
    doc: "the same requests, sent to the servers of the old and the new tree, are answered alike",
    keys: &KEYS,
    read,
};

#[derive(Debug)]
struct RequestsCheck {
    old: (Which, String),
    new: (Which, String),
    requests: PathBuf,
    ready: Option<String>,
    start: Duration,
    request_timeout: Duration,
    /// In lower case.
    headers: Vec<String>,
    every_route: bool,
    routes_left_out: Vec<String>,
    source_roots: Vec<String>,
    rule: Rule,
    masks: Vec<Regex>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let rule = rule_keys::read(fields);
    let programs = read_programs(fields);
    let path = |text: String| relative(&text, fields.offset_of("requests"), "the file", fields.findings());
    let requests = fields.filled_text("requests").and_then(path);
    let ready = fields.filled_text("ready");
    if let Some(path) = ready.as_ref().filter(|path| !path.starts_with('/')) {
        fields.find("ready", format!("`ready` is `{}`, which is no path", shown(path)), "begin it with `/`");
    }
    for (name, most) in [("start_s", START_S_MAX), ("request_timeout_ms", START_S_MAX * 1_000)] {
        if fields.whole(name).is_some_and(|given| !(1..=most).contains(&given)) {
            fields.find(name, format!("`{name}` has to be between 1 and {most}"), "correct the number");
        }
    }
    let is_header =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    for (offset, name) in fields.placed_texts("headers").unwrap_or_default() {
        if name.is_empty() || !is_header(&name) {
            let message = format!("`{}` is no name of a header", shown(&name));
            fields.findings().add(offset, message, "e.g. `content-type`");
        }
    }
    let headers = fields.texts("headers");
    let headers = headers.unwrap_or_else(|| HEADERS.iter().map(|name| (*name).to_owned()).collect());
    let (old, new) = programs?;
    Some(Box::new(RequestsCheck {
        old,
        new,
        requests: requests?,
        ready,
        start: Duration::from_secs(fields.whole("start_s").unwrap_or(START_S)),
        request_timeout: Duration::from_millis(
            fields.whole("request_timeout_ms").unwrap_or(REQUEST_TIMEOUT_MS),
        ),
        headers: headers.into_iter().map(|name| name.to_ascii_lowercase()).collect(),
        every_route: fields.flag("every_route").unwrap_or(false),
        routes_left_out: fields.texts("routes_left_out").unwrap_or_default(),
        source_roots: fields.texts("source_roots").unwrap_or_default(),
        // Each was looked at when the rule was read.
        masks: rule.text.masks.iter().filter_map(|mask| Regex::new(mask).ok()).collect(),
        rule,
    }))
}

type Programs = ((Which, String), (Which, String));

fn read_programs(fields: &Fields<'_>) -> Option<Programs> {
    let (has_old, has_new) = (fields.has("old"), fields.has("new"));
    let example = "e.g. `command = \"python3 -m shop.server --port {port}\"`";
    if fields.has("command") {
        if has_old || has_new {
            let message = format!("{} has `command` beside `old` or `new`", fields.title());
            fields.find("command", message, "name one line for both trees, or one for each");
        }
        let command = fields.filled_text("command")?;
        look_for_port(fields, &command);
        return Some(((Which::Old, command.clone()), (Which::New, command)));
    }
    if !has_old || !has_new {
        let message = format!("{} does not say how the servers are started", fields.title());
        let help = format!("add `command`, or both `old` and `new`: {example}");
        fields.findings().add(fields.offset(), message, help);
    }
    let program = |name: &str| {
        let table = fields.table(name)?;
        let program = SideProgram::of(&table, fields.title(), name)?;
        look_for_port(&table, &program.command);
        Some((program.which, program.command))
    };
    let (old, new) = (program("old"), program("new"));
    Some((old?, new?))
}

fn look_for_port(fields: &Fields<'_>, command: &str) {
    if !command.contains(PORT) {
        let message =
            format!("`command` does not name `{PORT}`, the free port that its server is to listen on");
        fields.find("command", message, "e.g. `python3 -m shop.server --port {port}`");
    }
}

impl Check for RequestsCheck {
    fn counts_samples(&self) -> bool {
        true
    }

    fn look(&self, scene: &Scene<'_>) -> Looked {
        let mut evidence = json!({"requests": self.requests.display().to_string()});
        let mut secrets = Secrets::default();
        let looked = match self.replay(scene, &mut evidence, &mut secrets) {
            Ok(outcome) => outcome.looked(evidence),
            Err((verdict, why)) => Looked::new(verdict, why, evidence),
        };
        secrets.blanked(looked)
    }

    fn reads(&self) -> Vec<PathBuf> {
        vec![self.requests.clone()]
    }
}

/// A verdict that stands before every request was answered, and why.
type Early = (Verdict, String);

fn unknown(why: impl Into<String>) -> Early {
    (Verdict::Unknown, why.into())
}

impl RequestsCheck {
    fn replay(
        &self,
        scene: &Scene<'_>,
        evidence: &mut Value,
        secrets: &mut Secrets,
    ) -> Result<Outcome<'_>, Early> {
        let (old, new) = (program(scene, "old", &self.old)?, program(scene, "new", &self.new)?);
        let Recording { mut requests, elsewhere } = self.recording(scene, &old.tree)?;
        if elsewhere > 0 {
            evidence["requests_to_other_hosts"] = json!(elsewhere);
        }
        fill(scene, &mut requests, secrets)?;
        // Before anything runs in the copy: what a server leaves there is no code of the project.
        let listed = scene.inspector.listed_routes(&old.tree, &self.source_roots);
        let (judged, stopped) = self.send_all(scene, &requests, &old, &new, evidence)?;
        let coverage = Coverage::of(listed, &self.routes_left_out, &requests);
        let excluded = &self.rule.exclude;
        Ok(Outcome { judged, requests, stopped, coverage, every_route: self.every_route, excluded })
    }

    fn recording(&self, scene: &Scene<'_>, tree: &Path) -> Result<Recording, Early> {
        let (disk, name) = (scene.world.disk.as_ref(), self.requests.display());
        let path = tree.join(&self.requests);
        match disk.look(&path) {
            Ok(Some(_)) => {}
            Ok(None) => return Err(unknown(format!("there is no `{name}` in the old tree"))),
            Err(error) => return Err(unknown(error.to_string())),
        }
        let bytes = disk.read(&path, FILE_BYTES_MAX).map_err(|error| unknown(error.to_string()))?;
        let is_archive = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("har"));
        recorded::read(&bytes, is_archive).map_err(|why| unknown(format!("`{name}`: {why}")))
    }

    /// Starts both servers, sends every request to both, and ends them. What speaks against the whole, beside the answers, comes back
    /// with them.
    fn send_all(
        &self,
        scene: &Scene<'_>,
        requests: &[Recorded],
        old: &Program<'_>,
        new: &Program<'_>,
        evidence: &mut Value,
    ) -> Result<(Vec<Judged>, Vec<Early>), Early> {
        let starting =
            Starting { runner: Runner::of(scene), ready: self.ready.as_deref(), start: self.start };
        let clock = scene.world.clock.as_ref();
        let until = clock.monotonic().saturating_add(scene.timeout);
        std::thread::scope(|scope| {
            let not_started = |program: &Program<'_>, error: NotStarted, evidence: &mut Value| {
                evidence[program.name] = error.evidence;
                let why = format!("the {} server does not start: {}", program.name, error.why);
                // A new server that fails where the old one does not is a difference; one that cannot be run says nothing.
                let is_new = program.name == "new" && error.is_of_program;
                (if is_new { Verdict::No } else { Verdict::Unknown }, why)
            };
            let one =
                server::start(scope, &starting, old).map_err(|error| not_started(old, error, evidence))?;
            let other = match server::start(scope, &starting, new) {
                Ok(other) => other,
                Err(error) => {
                    evidence["old"] = one.end().evidence;
                    return Err(not_started(new, error, evidence));
                }
            };
            let (judged, mut stopped) = self.ask_all(scene, requests, [&one, &other], until);
            end_both(one, other, evidence, &mut stopped);
            Ok((judged, stopped))
        })
    }

    /// What came of each request, in order, and why they stopped before the last one, where they did.
    fn ask_all(
        &self,
        scene: &Scene<'_>,
        requests: &[Recorded],
        servers: [&Server<'_>; 2],
        until: Duration,
    ) -> (Vec<Judged>, Vec<Early>) {
        let judge = Judge {
            comparer: scene.comparer,
            disk: scene.world.disk.as_ref(),
            folder: scene.out.join("answers"),
            rule: &self.rule,
            masks: &self.masks,
            headers: &self.headers,
        };
        let is_over = || scene.world.clock.monotonic() >= until;
        let (mut judged, mut apart) = (Vec::new(), 0);
        for request in requests {
            let asked = (!is_over()).then(|| servers.map(|server| self.ask(scene, request, server)));
            // Each server is killed when its time is up, one before the other: what they answer then, or do not, says nothing.
            let Some([old, new]) = asked.filter(|_| !is_over()) else {
                let (answered, all) = (judged.len(), requests.len());
                let why = format!("only {answered} of {all} requests were answered in the time");
                return (judged, vec![unknown(why)]);
            };
            let mut one = judge.judge(request, &old, &new);
            if one.verdict != Verdict::Yes {
                apart += 1;
                one.shorten(apart);
            }
            judged.push(one);
        }
        (judged, Vec::new())
    }

    fn ask(&self, scene: &Scene<'_>, request: &Recorded, server: &Server<'_>) -> Asked {
        let answer = scene.world.network.ask(&HttpRequest {
            url: server.address(&request.path),
            method: request.method.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            timeout: self.request_timeout,
            // One byte more than may be there, so that what is too large is known.
            body_bytes_max: BODY_BYTES_MAX + 1,
            is_direct: true,
        });
        Asked { port: server.port, answer }
    }
}

/// A server's command, with a copy of its tree that nobody else looks at.
fn program<'c>(
    scene: &Scene<'_>,
    name: &'static str,
    (which, command): &'c (Which, String),
) -> Result<Program<'c>, Early> {
    let (tree, out) = (scene.out.join(format!("{name}-tree")), scene.out.join(name));
    scene.trees.copy(*which, &tree).map_err(|why| unknown(format!("{name}: {why}")))?;
    let made = scene.world.disk.make_directory(&out, 0o755);
    made.map_err(|error| unknown(error.to_string()))?;
    Ok(Program { name, command, tree, out })
}

/// Ends both servers; what is to be said of how they ended.
fn end_both(old: Server<'_>, new: Server<'_>, evidence: &mut Value, stopped: &mut Vec<Early>) {
    old.settle();
    new.settle();
    for (name, server) in [("old", old), ("new", new)] {
        let ended = server.end();
        if let Some(ending) = ended.by_itself {
            let verdict = if name == "new" && stopped.is_empty() { Verdict::No } else { Verdict::Unknown };
            stopped.push((verdict, format!("the {name} server ended by itself, with {ending}")));
        }
        if ended.is_left {
            let why = format!("something that the {name} server started goes on, and answers on its port");
            stopped.push(unknown(format!("{why}; it has to stay in the foreground")));
        }
        evidence[name] = ended.evidence;
    }
}

/// Fills in the variables of headers, and keeps in mind what is secret in them.
fn fill(scene: &Scene<'_>, requests: &mut [Recorded], secrets: &mut Secrets) -> Result<(), Early> {
    for request in requests {
        for (name, value) in &mut request.headers {
            let filled = scene.world.surroundings.filled(value);
            *value = filled
                .map_err(|why| unknown(format!("request {}, header `{name}`: {why}", request.number)))?;
            if answer::is_secret_header(name) {
                secrets.know(value);
            }
        }
    }
    Ok(())
}
