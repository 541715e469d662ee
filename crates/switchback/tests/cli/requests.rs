//! The same requests replayed to the servers of both trees: real servers, real sockets, and nothing left of them afterwards.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::ground::{Ground, Seen};

/// A shop that keeps its items in memory, and writes down who serves where.
const SERVER: &str = r#"
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

PORT = int(sys.argv[1])
TOTAL = 100.0
ITEMS = [{"id": 1, "name": "tea"}]

class Shop(BaseHTTPRequestHandler):
    def say(self, status, body, kind="application/json", **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/health":
            self.say(200, {"ok": True})
        elif path == "/items":
            self.say(200, {"items": ITEMS, "generated_at": time.time_ns()})
        elif path == "/items/1":
            self.say(200, ITEMS[0])
        elif path == "/prices":
            self.say(200, {"currency": "EUR", "rows": [{"total": TOTAL, "stamp": time.time_ns()}]})
        elif path == "/page":
            self.say(200, f"<p>tea</p>\n<p>token {time.time_ns()}</p>\n".encode(), "text/html")
        elif path == "/table":
            self.say(200, f"item,total\ntea,{TOTAL}\n".encode(), "text/csv")
        elif path == "/logo":
            self.say(200, bytes([0x89, 0xff, 0x00]), "image/png")
        elif path == "/moved":
            self.say(302, b"", "text/plain", Location=f"http://127.0.0.1:{PORT}/items")
        elif path == "/fails":
            self.say(500, {"error": "broken"})
        elif path == "/whoami":
            self.say(200, {"you": self.headers.get("Authorization", ""), "tree": TOTAL})
        elif path == "/cached":
            self.say(304, b"") if "If-None-Match" in self.headers else self.say(200, {"total": TOTAL})
        elif path == "/slow":
            time.sleep(60)
        elif path == "/drop":
            self.say(200, {})
        else:
            self.say(404, {"error": "no such thing"})

    do_HEAD = do_GET

    def do_POST(self):
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        ITEMS.append({"id": len(ITEMS) + 1, **content})
        self.say(201, ITEMS[-1], Location=f"/items/{len(ITEMS)}")

    def log_message(self, *words):
        pass

server = HTTPServer(("127.0.0.1", PORT), Shop)
if "PIDS" in os.environ:
    with open(os.environ["PIDS"], "a") as pids:
        pids.write(f"{os.getpid()}\n")
server.serve_forever()
"#;

const COMMAND: &str = "python3 src/server.py {port}";

fn check(more: &str) -> String {
    format!(
        "[[check]]\nname = \"same\"\nkind = \"requests\"\ncommand = \"{COMMAND}\"\nrequests = \"requests.jsonl\"\n\
         ready = \"/health\"\n{more}\n"
    )
}

/// A project whose trees hold the same server, and these requests.
fn shop(more: &str, requests: &str) -> Ground {
    let mut ground = Ground::shop(&check(more));
    ground.write("src/server.py", SERVER);
    ground.write("../new/src/server.py", SERVER);
    ground.write("requests.jsonl", requests);
    let pids = ground.at("../home/pids").display().to_string();
    ground.set("PIDS", &pids);
    ground
}

/// The new server with something of it written otherwise.
fn change(ground: &Ground, from: &str, to: &str) {
    assert!(SERVER.contains(from), "{from}");
    ground.write("../new/src/server.py", SERVER.replace(from, to));
}

/// What the check says, which begins its line and holds these words; and no server is left.
fn says(ground: &Ground, code: i32, words: &str) -> Seen {
    let seen = ground.expect(code, "run --until staged --restage");
    assert!(seen.err.contains(words), "{words}: {}\n{seen}", seen.err);
    assert_eq!(left(ground), Vec::<String>::new(), "{seen}");
    seen
}

/// The process ids of the servers that still live. Their ports say nothing: another test may have them by now.
fn left(ground: &Ground) -> Vec<String> {
    let Ok(text) = fs::read_to_string(ground.at("../home/pids")) else { return Vec::new() };
    text.lines().filter(|pid| is_alive(pid)).map(str::to_owned).collect()
}

fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

fn details(ground: &Ground) -> Value {
    let document = ground.run("status --json").json();
    let checks = document["checks"].as_array().unwrap();
    let evidence = checks.iter().find(|check| check["name"] == "same").unwrap()["evidence"].clone();
    let hash = evidence.as_str().unwrap().trim_start_matches("blake3:").to_owned();
    let mut found = Vec::new();
    find_files(&ground.at(".switchback/evidence"), &mut found);
    let path = found.into_iter().find(|path| path.replace('/', "").contains(&hash)).unwrap();
    serde_json::from_str::<Value>(&fs::read_to_string(path).unwrap()).unwrap()["details"].clone()
}

fn find_files(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find_files(&path, found);
        } else {
            found.push(path.display().to_string());
        }
    }
}

const MIXED: &str = r#"{"path": "/items/1", "name": "one item"}
{"path": "/table"}
{"path": "/logo"}
{"path": "/moved"}
{"method": "HEAD", "path": "/items"}
{"method": "POST", "path": "/items", "json": {"name": "milk"}}
{"path": "/nothing", "status": 404}
{"path": "/prices?day=1", "name": "prices of today"}
"#;
const NO_STAMPS: &str = "exclude = [\"generated_at\", \"/rows/*/stamp\"]";

// rows: TM-14
#[test]
fn needs_python3_the_same_requests_are_answered_alike_by_both_servers() {
    let ground = shop(NO_STAMPS, MIXED);
    let seen = says(&ground, 0, "check same at staged: yes: ");
    insta::assert_snapshot!(seen, @r"
    $ switchback run --until staged --restage
    --- stdout
    yes: phase unify is staged; generation 0 is live
    --- stderr
      unify: snapshot [ID] verified: 2 files, 2581 bytes
      unify: candidate staged: 0 added, 0 removed, 1 changed
      check same at staged: yes: 8 requests, all answered alike; left out: `generated_at`, `/rows/*/stamp`
    --- exit 0
    ");
    let details = details(&ground);
    assert_eq!((&details["sent"], &details["alike"]), (&Value::from(8), &Value::from(8)));
    assert_eq!(details["answers"][3]["status"], serde_json::json!({"old": 302, "new": 302}), "{details:#}");
    assert_eq!(details["old"]["ending"], "ended by the check");
}

// rows: TM-14
#[test]
fn needs_python3_a_figure_that_is_off_is_found_with_its_request_and_place() {
    let ground = shop(NO_STAMPS, MIXED);
    change(&ground, "TOTAL = 100.0", "TOTAL = 100.1");
    let seen = says(&ground, 1, "2 of 8 requests answered otherwise; first request 2 (`GET /table`): ");
    let row = "8        GET /prices  no       `/rows/0/total` was 100.0, is 100.1";
    assert!(seen.err.contains(row), "{seen}");
    assert_eq!(details(&ground)["answers"][7]["name"], "prices of today");
    let tolerant =
        |tolerance: &str| ground.plan("", &check(&format!("{NO_STAMPS}\ntolerance = {tolerance}")));
    tolerant("{ relative = 0.01 }");
    says(&ground, 0, "8 requests, all answered alike");
    tolerant("{ absolute = 0.01 }");
    says(&ground, 1, "2 of 8 requests answered otherwise");
    // What does not count is told, and nothing else is passed over with it.
    ground.plan("", &check("exclude = [\"generated_at\", \"/rows/*/total\"]"));
    says(&ground, 1, "was ");
    assert_eq!(details(&ground)["answers"][7]["differences"][0]["path"], "/rows/0/stamp");
}

// rows: TM-14
#[test]
fn needs_python3_a_lost_route_a_changed_header_and_a_dropped_connection_are_a_no() {
    let requests = "{\"path\": \"/health\"}\n{\"path\": \"/items/1\", \"name\": \"one item\"}\n\
                    {\"path\": \"/moved\"}\n{\"path\": \"/drop\"}\n";
    let ground = shop("", requests);
    for (from, to, words) in [
        (
            "== \"/items/1\"",
            "== \"/item/1\"",
            "request 2 (`GET /items/1`, \"one item\"): status 200 became 404",
        ),
        (
            "{PORT}/items",
            "{PORT}/health",
            "the header `location` was `http://{server}/items`, is `http://{server}/health`",
        ),
        (
            ", Location=f\"http",
            ", Place=f\"http",
            "the header `location` was `http://{server}/items`, is missing",
        ),
        (
            "kind=\"application/json\"",
            "kind=\"text/json\"",
            "the header `content-type` was `application/json`, is `text/json`",
        ),
        ("self.say(200, {})", "os._exit(3)", "request 4 (`GET /drop`): new does not answer, and old does"),
        (
            "self.say(200, {})",
            "self.say(200, b'{')",
            "request 4 (`GET /drop`): its body was JSON, and is none",
        ),
    ] {
        change(&ground, from, to);
        says(&ground, 1, words);
    }
    change(&ground, "self.say(200, {})", "self.say(200, {}); os._exit(3)");
    says(&ground, 1, "the new server ended by itself, with exit code 3");
    // A header that nobody named does not count.
    ground.plan("", &check("headers = [\"location\"]"));
    change(&ground, "kind=\"application/json\"", "kind=\"text/json\"");
    says(&ground, 0, "4 requests, all answered alike");
}

#[test]
fn needs_python3_texts_are_compared_after_masks_and_bytes_as_they_are() {
    let ground = shop("mask = [\"token \\\\d+\"]", "{\"path\": \"/page\"}\n{\"path\": \"/logo\"}\n");
    says(&ground, 0, "2 requests, all answered alike");
    change(&ground, "<p>tea</p>", "<p>milk</p>");
    says(&ground, 1, "request 1 (`GET /page`): line 1 of its body was `<p>tea</p>`, is `<p>milk</p>`");
    change(&ground, "0xff, 0x00", "0xff, 0x01");
    says(&ground, 1, "request 2 (`GET /logo`): its body differs: 3 bytes became 3, which are no text");
}

// rows: TM-14
#[test]
fn needs_python3_one_request_sees_what_the_one_before_it_did() {
    let requests = "{\"method\": \"POST\", \"path\": \"/items\", \"json\": {\"name\": \"milk\"}}\n{\"path\": \"/items\"}\n";
    let ground = shop("exclude = [\"generated_at\"]", requests);
    says(&ground, 0, "2 requests, all answered alike");
    // What is posted is answered, and then forgotten.
    change(&ground, "self.say(201, ITEMS[-1]", "self.say(201, ITEMS.pop()");
    says(&ground, 1, "the header `location` was `/items/2`, is `/items/1`");
    change(&ground, "{\"items\": ITEMS,", "{\"items\": ITEMS[:1],");
    says(&ground, 1, "first request 2 (`GET /items`): `/items/1` was ");
}

// rows: TM-14
#[test]
fn needs_python3_what_proves_nothing_is_could_not_tell() {
    let ground = shop("", "{\"path\": \"/health\"}\n{\"path\": \"/fails\"}\n");
    says(&ground, 2, "request 2 (`GET /fails`): both fail with status 500, which proves nothing of either");
    for (requests, words) in [
        ("{\"path\": \"/a\"}\n{\"path\": \"/b\"}\n", "every request was refused"),
        (
            "{\"path\": \"/health\", \"status\": 201}\n",
            "old answers with status 200, where the request says 201",
        ),
        ("\n", "`requests.jsonl`: it holds no request: nothing would be compared"),
        (
            "{\"path\": \"/health\"}\n{\"path\": \"health\"}\n",
            "`requests.jsonl`: line 2: `health` is no path",
        ),
        (
            "{\"path\": \"/health\", \"headers\": {\"X-Tenant\": \"${TENANT}\"}}\n",
            "request 1, header `X-Tenant`: the environment variable `TENANT` is not set",
        ),
    ] {
        ground.write("requests.jsonl", requests);
        says(&ground, 2, words);
    }
    ground.write("requests.jsonl", "{\"path\": \"/fails\", \"status\": 500}\n");
    says(&ground, 0, "1 request, all answered alike");
    fs::remove_file(ground.at("requests.jsonl")).unwrap();
    says(&ground, 2, "the input `requests.jsonl` of the check `same` does not exist");
    // An answer that does not come in time proves nothing of the old server, which gives none either.
    ground.write("requests.jsonl", "{\"path\": \"/slow\"}\n");
    ground.plan("", &check("request_timeout_ms = 300"));
    says(&ground, 2, "request 1 (`GET /slow`): old does not answer");
}

// rows: TM-14
#[test]
fn needs_python3_a_server_that_does_not_start_is_told_with_its_last_words() {
    let ground = shop("", "{\"path\": \"/health\"}\n");
    let broken = SERVER.replace("TOTAL = 100.0", "raise RuntimeError('no rates for today')");
    ground.write("../new/src/server.py", &broken);
    says(
        &ground,
        1,
        "the new server does not start: it ended before it was ready, with exit code 1: RuntimeError: no rates for today",
    );
    // What could not be run at all says nothing about the candidate.
    ground.write("../new/src/server.py", "def x(:\n");
    says(&ground, 2, "the new server does not start: it never began: SyntaxError");
    ground.write("../new/src/server.py", SERVER);
    ground.write("src/server.py", &broken);
    says(
        &ground,
        2,
        "the old server does not start: it ended before it was ready, with exit code 1: RuntimeError",
    );
    ground.write("src/server.py", SERVER);
    ground.plan("", &check("start_s = 6").replace("/health", "/fails"));
    says(
        &ground,
        2,
        "the old server does not start: it was not ready within 6 s: `/fails` answers with status 500",
    );
    ground.plan("", &check("").replace(COMMAND, "no-such-server --port {port}"));
    says(&ground, 2, "the old server does not start: it never began: ");
}

#[test]
fn needs_python3_each_tree_may_have_a_command_of_its_own_and_a_taken_port_is_tried_again() {
    let ground = shop("", "{\"path\": \"/health\"}\n");
    // The first time it is as if somebody else had taken the port in between.
    let taken = "test -e {out}/once || { touch {out}/once; echo 'OSError: [Errno 98] Address already in use'; exit 1; }";
    let sides = format!(
        "old = {{ tree = \"live\", command = \"{taken}; python3 src/server.py {{port}}\" }}\n\
         new = {{ tree = \"candidate\", command = \"cd src && exec python3 serve.py {{port}}\" }}\n"
    );
    fs::remove_file(ground.at("../new/src/server.py")).unwrap();
    ground.write("../new/src/serve.py", SERVER);
    // Without `ready`, an open port has to do.
    let plan = check("").replace("ready = \"/health\"\n", "");
    ground.plan("", &plan.replace(&format!("command = \"{COMMAND}\"\n"), &sides));
    says(&ground, 0, "1 request, all answered alike");
}

const ROUTES: &str = "from fastapi import FastAPI\napp = FastAPI()\n\n@app.get('/health')\ndef health(): ...\n\n\
    @app.get('/items/{item_id}')\ndef item(item_id: int): ...\n\n@app.post('/items')\ndef add(): ...\n";

// rows: TM-14
#[test]
fn needs_python3_routes_that_no_request_asks_for_are_told() {
    let ground = shop("", "{\"path\": \"/health\"}\n{\"path\": \"/items/1\"}\n");
    ground.write("src/api.py", ROUTES);
    ground.write("../new/src/api.py", ROUTES);
    says(
        &ground,
        0,
        "2 requests, all answered alike; 1 of 3 routes of the old tree without a request: `POST /items`",
    );
    assert_eq!(details(&ground)["routes"]["without_request"], serde_json::json!(["POST /items"]));
    ground.plan("", &check("every_route = true"));
    says(
        &ground,
        2,
        "not every route is asked for; 1 of 3 routes of the old tree without a request: `POST /items`",
    );
    ground.plan("", &check("every_route = true\nroutes_left_out = [\"POST /items\"]"));
    says(&ground, 0, "2 requests, all answered alike; 2 routes of the old tree, none without a request");
    ground.plan("", &check("every_route = true\nroutes_left_out = [\"POST /item\"]"));
    says(&ground, 2, "`POST /item` of `routes_left_out` is no route of the old tree");
    ground.write("src/api.py", "VERSION = 1\n");
    ground.plan("", &check("every_route = true"));
    says(&ground, 2, "not every route is known to be asked for: no route was found in the old tree");
}

#[test]
fn needs_python3_an_archive_of_a_browser_is_replayed() {
    let ground = shop("", "");
    // The browser had it already; whoever asks so is not told what there is to compare.
    let known = "{\"name\": \"If-None-Match\", \"value\": \"7\"}";
    let entry = |address: &str| {
        format!("{{\"request\": {{\"method\": \"GET\", \"url\": \"{address}\", \"headers\": [{known}]}}}}")
    };
    let entries = [entry("https://shop.example/cached?a=b"), entry("https://cdn.example/logo")].join(",");
    ground.write("visit.har", format!("{{\"log\": {{\"entries\": [{entries}]}}}}"));
    ground.plan("", &check("").replace("requests.jsonl", "visit.har"));
    says(&ground, 0, "1 request, all answered alike");
    assert_eq!(details(&ground)["requests_to_other_hosts"], 1);
    change(&ground, "TOTAL = 100.0", "TOTAL = 100.1");
    says(&ground, 1, "request 1 (`GET /cached`): `/total` was 100.0, is 100.1");
}

// rows: TM-14
#[test]
fn needs_python3_answers_of_which_nothing_is_compared_are_could_not_tell() {
    let ground = shop("", "");
    let cached = "{\"path\": \"/cached\", \"headers\": {\"If-None-Match\": \"7\"}}\n";
    for (requests, more, words) in [
        (
            "{\"path\": \"/items/1\"}\n",
            "exclude = [\"id\", \"name\"]",
            "1 of 1 request not compared; first request 1 (`GET /items/1`): nothing of its body was compared: `/id` is \
             excluded, `/name` is excluded",
        ),
        (
            "{\"path\": \"/table\"}\n",
            "exclude = [\"item\", \"total\"]",
            "request 1 (`GET /table`): nothing of its body was compared",
        ),
        ("{\"path\": \"/page\"}\n", "mask = [\"<p>.*</p>\"]", "the masks leave nothing of it"),
        (cached, "", "both say that nothing changed since (status 304)"),
    ] {
        ground.write("requests.jsonl", requests);
        // What is not the same to the byte: of that which is, everything was compared.
        change(
            &ground,
            "TOTAL = 100.0\nITEMS = [{\"id\": 1, \"name\": \"tea\"}]",
            "TOTAL = 100.1\nITEMS = [{\"id\": 2}]",
        );
        ground.plan("", &check(more));
        says(&ground, 2, words);
        ground.plan("", &check(&format!("{more}\nallow_empty = true")));
        says(&ground, 0, "1 request, all answered alike");
    }
    // One that says that it is meant to be answered so.
    ground.plan("", &check(""));
    ground.write("requests.jsonl", cached.replace("\"headers\"", "\"status\": 304, \"headers\""));
    says(&ground, 0, "1 request, all answered alike");
    // Among others, one of which nothing is compared is told.
    ground.plan("", &check("exclude = [\"id\", \"name\"]"));
    ground.write("requests.jsonl", "{\"path\": \"/health\"}\n{\"path\": \"/items/1\"}\n");
    says(&ground, 2, "1 of 2 requests not compared; first request 2 (`GET /items/1`)");
    ground.write("../new/src/server.py", SERVER);
    says(&ground, 0, "2 requests, all answered alike");
}

// rows: TM-14
#[test]
fn needs_python3_a_time_that_is_up_is_could_not_tell() {
    let ground = shop("timeout_s = 8", "{\"path\": \"/slow\"}\n");
    // The new server is killed over a request that the old one answered.
    ground.write("src/server.py", SERVER.replace("time.sleep(60)", "self.say(200, {})"));
    says(&ground, 2, "only 0 of 1 requests were answered in the time");
    // And before it is ready.
    ground.plan("", &check("timeout_s = 8\nstart_s = 60"));
    change(&ground, "TOTAL = 100.0", "TOTAL = time.sleep(60)");
    says(
        &ground,
        2,
        "the new server does not start: it was not ready when the time of the check (`timeout_s`) was up",
    );
}

// rows: TM-14
#[test]
fn needs_python3_a_port_that_both_servers_want_is_could_not_tell() {
    let mut ground = shop("", "{\"path\": \"/health\"}\n");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    ground.set("METRICS", &free.to_string());
    let metrics =
        "metrics = HTTPServer((\"127.0.0.1\", int(os.environ[\"METRICS\"])), Shop)\nserver = HTTPServer(";
    let server = SERVER.replace("server = HTTPServer(", metrics);
    ground.write("src/server.py", &server);
    ground.write("../new/src/server.py", &server);
    says(
        &ground,
        2,
        "the new server does not start: it ended before it was ready, with exit code 1: OSError",
    );
    says(&ground, 2, "a port that it listens on is taken: the old and the new server run at the same time");
    let found = server.replace("int(os.environ[\"METRICS\"])", "0");
    ground.write("src/server.py", &found);
    ground.write("../new/src/server.py", &found);
    says(&ground, 0, "1 request, all answered alike");
}

#[test]
fn needs_python3_a_secret_that_is_sent_is_nowhere_to_be_read() {
    let requests = "{\"path\": \"/whoami\", \"headers\": {\"Authorization\": \"Bearer ${SHOP_ACCESS}\"}}\n";
    let mut ground = shop("", requests);
    ground.set("SHOP_ACCESS", "tiger-lily-in-may");
    change(
        &ground,
        "\"you\": self.headers.get(\"Authorization\", \"\")",
        "\"you\": self.headers[\"Authorization\"] + \"!\"",
    );
    let seen = says(&ground, 1, "`/you` was ");
    assert!(!seen.err.contains("tiger-lily") && !seen.out.contains("tiger-lily"), "{seen}");
    let mut files = Vec::new();
    find_files(&ground.at(".switchback"), &mut files);
    for file in files {
        let content = fs::read(&file).unwrap();
        assert!(!content.windows(10).any(|window| window == b"tiger-lily"), "{file}");
    }
    // The control: without a header it is an ordinary word, and shown.
    change(&ground, "self.headers.get(\"Authorization\", \"\")", "\"tiger-lily-of-old\"");
    let seen = ground.run("run --until staged --restage");
    assert!(seen.err.contains("tiger-lily-of-old"), "{seen}");
}

#[test]
fn needs_python3_what_a_server_leaves_behind_is_ended_or_told() {
    let ground = shop("", "{\"path\": \"/health\"}\n");
    // In the background of its shell, which is gone at once.
    let background = "python3 src/server.py {port} & while ! test -s $PIDS; do sleep 0.05; done; exit 0";
    ground.plan("", &check("").replace(COMMAND, background).replace("/health", "/fails"));
    says(&ground, 2, "the old server does not start: it ended before it was ready, with exit code 0");
    assert!(!ground.read("../home/pids").is_empty());
    // In a session of its own, where no signal to the command reaches it.
    let fork = "if os.fork():\n    time.sleep(60)\nos.setsid()\nserver = HTTPServer";
    ground.write("src/server.py", SERVER.replace("server = HTTPServer", fork));
    ground.plan("", &check(""));
    let seen = ground.expect(2, "run --until staged --restage");
    assert!(
        seen.err.contains("something that the old server started goes on, and answers on its port"),
        "{seen}"
    );
    let stray = left(&ground);
    assert_eq!(stray.len(), 1, "{stray:?}");
    ground.tool("kill", &["-9", &stray[0]]);
}

#[test]
fn needs_python3_servers_do_not_outlive_a_check_that_is_killed() {
    let ground = shop("", "{\"path\": \"/slow\"}\n");
    let mut child = ground.spawn("run --until staged");
    let started = Instant::now();
    while left(&ground).len() < 2 {
        assert!(started.elapsed() < Duration::from_mins(1), "they never started");
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let killed = Instant::now();
    while !left(&ground).is_empty() {
        assert!(killed.elapsed() < Duration::from_secs(20), "{:?}", left(&ground));
        std::thread::sleep(Duration::from_millis(100));
    }
}
