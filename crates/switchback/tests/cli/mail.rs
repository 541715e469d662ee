//! Mail: what a real server of SMTP on this machine gets, refuses, and is not told.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::ground::{Ground, packages};
use super::s3::{START_SECONDS_MAX, free_port};

/// Keeps each message as a line of JSON; `gone@` is refused for good, `busy@` for now, and who `jo` is has to be proved.
const SERVER: &str = r"
import asyncio, email, email.policy, json, sys
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('gone@'):
            return '550 5.1.1 no such mailbox'
        if address.startswith('busy@'):
            return '451 4.3.0 try again later'
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        kept = {'to': envelope.rcpt_tos, 'from': envelope.mail_from, 'subject': message['subject'],
                'id': message['message-id'], 'body': message.get_content()}
        with open(sys.argv[2], 'a') as file:
            file.write(json.dumps(kept) + '\n')
        return '250 OK'

def who(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b'jo', b'geheim123456'), handled=False)

controller = Controller(Handler(), hostname='127.0.0.1', port=int(sys.argv[1]),
                        authenticator=who, auth_required=True, auth_require_tls=False)
controller.start()
asyncio.new_event_loop().run_forever()
";

struct Server {
    child: Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "python3", "-c", SERVER, &port.to_string()])
            .arg(directory.path().join("got"))
            .env("PYTHONPATH", packages())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(START_SECONDS_MAX), "it does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { child, port, directory }
    }

    fn address(&self, password: &str) -> String {
        format!("smtp://jo:{password}@127.0.0.1:{}", self.port)
    }

    /// What it got since it was asked last.
    fn got(&self) -> Vec<Value> {
        let file: PathBuf = self.directory.path().join("got");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        drop(std::fs::remove_file(file));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn told(server: &Server, to: &str, password: &str) -> Ground {
    let mut ground = Ground::shop(&format!(
        "[[notify]]\nmail = [\"{to}\", \"Ana <ana@shop.example>\"]\nfrom = \"Switchback <switchback@shop.example>\"\non = [\"cut-over\", \"roll-back\"]\n"
    ));
    ground.set("SMTP_URL", &server.address(password));
    ground
}

// rows: PC-13
#[test]
fn needs_aiosmtpd_each_turn_is_a_mail_to_everybody() {
    let server = Server::start();
    let ground = told(&server, "risk@shop.example", "geheim123456");
    let seen = ground.expect(0, "run");
    let got = server.got();
    assert_eq!(got.len(), 1, "{got:#?}\n{seen}");
    assert_eq!(got[0]["to"], serde_json::json!(["risk@shop.example", "ana@shop.example"]));
    assert_eq!(got[0]["from"], "switchback@shop.example");
    assert_eq!(got[0]["subject"], "[info] shop, phase unify: cut-over: generation 1 is live");
    let body = got[0]["body"].as_str().unwrap();
    assert!(body.contains("generation 1 is live") && body.contains("phase    unify"), "{body}");
    ground.expect(0, "rollback");
    let got = server.got();
    assert!(
        got[0]["subject"].as_str().unwrap().starts_with("[critical] shop, phase unify: roll-back: "),
        "{got:#?}"
    );
    assert!(got[0]["id"].as_str().unwrap().ends_with("@switchback.invalid>"), "{got:#?}");
    assert!(!ground.expect(0, "log").out.contains("geheim"));
}

// rows: PC-13
#[test]
fn needs_aiosmtpd_what_a_server_refuses_is_said_without_its_password() {
    let server = Server::start();
    for (to, password, said) in [
        ("gone@shop.example", "geheim123456", "no such mailbox"),
        ("risk@shop.example", "verborgen99", "Authentication credentials invalid"),
        ("busy@shop.example", "geheim123456", "try again later"),
    ] {
        let ground = told(&server, to, password);
        let seen = ground.expect(0, "run");
        assert!(seen.err.contains("`mail 1` was not told of event") && seen.err.contains(said), "{seen}");
        assert!(!seen.err.contains(password), "{seen}");
        assert_eq!(server.got(), [Value::Null; 0]);
        assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    }
    let mut ground = told(&server, "risk@shop.example", "geheim123456");
    ground.set("SMTP_URL", &server.address("geheim123456").replace("smtp:", "smtps:"));
    let seen = ground.expect(0, "run");
    assert!(seen.err.contains("`mail 1` was not told of event") && !seen.err.contains("geheim"), "{seen}");
    // Once it can be reached, what was not told is told.
    ground.set("SMTP_URL", &server.address("geheim123456"));
    ground.expect(0, "rollback");
    let subjects: Vec<_> = server.got().iter().map(|mail| mail["subject"].to_string()).collect();
    assert_eq!(subjects.len(), 2, "{subjects:#?}");
    assert!(subjects[0].contains("cut-over") && subjects[1].contains("roll-back"), "{subjects:#?}");
}
