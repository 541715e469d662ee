//! What a side of a shadow tries to reach outside is refused and named: files, connections, mails.

use std::net::{TcpListener, UdpSocket};

use super::{OLD, events, evidence, input, shadowed, told};
use crate::ground::Ground;

/// Runs one input with a new side that does this first; what was said of it.
fn tried(ground: &Ground) -> String {
    input(ground, "a", 1.0);
    let seen = ground.expect(1, "run");
    assert_eq!(told(ground)["verdict"], "no", "{seen}");
    let body = &events(ground, "shadow-input-ended")[0];
    assert_eq!(body["outcome"], "reaches-outside", "{seen}");
    body["summary"].as_str().unwrap().to_owned()
}

fn first(lines: &str) -> String {
    format!("{lines}\n{OLD}")
}

// rows: PC-5
#[test]
fn a_write_outside_is_refused_and_named() {
    let ground = shadowed("", OLD);
    let outside = ground.at("../outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("kept"), "as it was").unwrap();
    let place = outside.display();
    for (line, path) in [
        (format!("echo x > {place}/new 2>/dev/null"), "outside/new"),
        (format!("echo x >> {place}/kept 2>/dev/null"), "outside/kept"),
        (format!("rm -f {place}/kept 2>/dev/null"), "outside/kept"),
        (format!("mv {place}/kept {place}/gone 2>/dev/null"), "outside/kept"),
        (format!("mkdir {place}/folder 2>/dev/null"), "outside/folder"),
        (format!("chmod 600 {place}/kept 2>/dev/null"), "outside/kept"),
        (format!("touch -d 2001-01-01 {place}/kept 2>/dev/null"), "outside/kept"),
        (format!("ln -s {place}/kept link; echo x > link 2>/dev/null"), "outside/kept"),
        (format!("cd {place}; (echo x > below) 2>/dev/null; cd - >/dev/null"), "outside/below"),
        ("echo x > \"$OLDPWD_OF_TEST/data/raw/planted.csv\" 2>/dev/null".to_owned(), "data/raw/planted.csv"),
    ] {
        let line = line.replace("$OLDPWD_OF_TEST", &ground.at("").display().to_string());
        ground.write("../new/src/kpi.sh", first(&line));
        drop(std::fs::remove_dir_all(ground.at(".switchback")));
        let before = std::fs::symlink_metadata(outside.join("kept")).unwrap();
        let said = tried(&ground);
        assert!(said.contains("new tried a write to `") && said.contains(path), "{line}: {said}");
        let after = std::fs::symlink_metadata(outside.join("kept")).unwrap();
        assert_eq!(
            (before.modified().unwrap(), before.permissions()),
            (after.modified().unwrap(), after.permissions())
        );
        assert_eq!(std::fs::read_to_string(outside.join("kept")).unwrap(), "as it was");
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1, "{line}");
    }
    let body = &events(&ground, "shadow-input-ended")[0];
    let report = evidence(&ground, &body["evidence"]);
    assert_eq!(report["details"]["new"]["tried"][0]["kind"], "write", "{report:#}");
    assert_eq!(report["details"]["old"]["tried"], serde_json::json!([]));
}

// rows: PC-5
#[test]
fn what_stays_inside_is_no_attempt() {
    let inside = "echo x > here; mkdir -p deep; mv here deep/there; rm deep/there; T=$(mktemp); echo y > \"$T\"; \
                  chmod 600 \"$T\"; echo z >&2; echo w > /dev/null; echo v > /dev/stderr; (sleep 0; true) & wait; \
                  cp \"$1\" \"$2/../seen\"; cat src/app.py > /dev/null; rm \"$1\" && cp \"$2/../seen\" \"$1\"";
    let ground = shadowed("", &first(inside));
    input(&ground, "a", 1.0);
    let seen = ground.expect(0, "run --until approved");
    assert!(seen.err.contains("1 input, 1 equal"), "{seen}");
    assert_eq!(ground.read("data/raw/a.csv"), "id,value\na,1\n", "each side has a copy of its own");
}

// rows: PC-5
#[test]
fn needs_python3_a_connection_is_refused_and_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    receiver.set_nonblocking(true).unwrap();
    let (tcp, udp) = (listener.local_addr().unwrap().port(), receiver.local_addr().unwrap().port());
    let connects = |code: &str| first(&format!("python3 - <<'END' 2>/dev/null\nimport socket\n{code}\nEND"));
    for (code, words) in [
        (
            format!("socket.create_connection(('127.0.0.1', {tcp}))"),
            format!("a connection to `127.0.0.1:{tcp}`"),
        ),
        (
            format!("socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {udp}))"),
            format!("a connection to `127.0.0.1:{udp}`"),
        ),
        (
            format!("socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('127.0.0.1', {udp}))"),
            format!("a connection to `127.0.0.1:{udp}`"),
        ),
        (
            "socket.create_connection(('192.0.2.1', 443), 2)".to_owned(),
            "a connection to `192.0.2.1:443`".to_owned(),
        ),
        (
            "socket.create_connection(('2001:db8::1', 443), 2)".to_owned(),
            "a connection to `[2001:db8::1]:443`".to_owned(),
        ),
        (
            "s = socket.socket(socket.AF_UNIX); s.connect('\\0planted')".to_owned(),
            "a connection to `@planted`".to_owned(),
        ),
    ] {
        let ground = shadowed("", &connects(&code));
        let said = tried(&ground);
        assert!(said.contains(&words), "{code}: {said}");
    }
    assert!(listener.accept().is_err(), "nobody came");
    assert!(receiver.recv(&mut [0; 8]).is_err(), "nothing came");
    // A server that a side starts for itself is nobody outside.
    let own = "a = socket.create_server(('127.0.0.1', 0)); b = socket.create_connection(a.getsockname()); b.sendall(b'x')";
    let ground = shadowed("", &connects(own));
    input(&ground, "a", 1.0);
    ground.expect(0, "run --until approved");
}

// rows: PC-5
#[test]
fn needs_python3_a_mail_is_refused_and_named() {
    let ground = shadowed("", OLD);
    let mailer = ground.at("../bin/sendmail");
    ground.write("../bin/sendmail", format!("#!/bin/sh\ncat > {}\n", ground.at("../sent").display()));
    ground.tool("chmod", &["755", mailer.to_str().unwrap()]);
    ground.write(
        "../new/src/kpi.sh",
        first(&format!("echo hello | {} risk@example.org 2>/dev/null", mailer.display())),
    );
    let said = tried(&ground);
    assert!(said.contains("new tried a mail by `") && said.contains("bin/sendmail"), "{said}");
    assert!(!ground.at("../sent").exists());

    let smtp = "python3 -c 'import smtplib; smtplib.SMTP(\"192.0.2.1\", 25, timeout=2)' 2>/dev/null";
    let said = tried(&shadowed("", &first(smtp)));
    assert!(said.contains("a mail by `192.0.2.1:25`"), "{said}");
}

// rows: PC-5
#[test]
fn needs_python3_what_is_allowed_is_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let ground = Ground::new();
    let (kept, mailer) = (ground.at("../kept"), ground.at("../bin/sendmail"));
    std::fs::create_dir(&kept).unwrap();
    let kept = kept.canonicalize().unwrap();
    ground.write("../bin/sendmail", "#!/bin/sh\nexit 0\n");
    ground.tool("chmod", &["755", mailer.to_str().unwrap()]);
    let does = format!(
        "echo x > {}/written\npython3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}))' || exit 9\n{} you || exit 8",
        kept.display(),
        mailer.display()
    );
    let allow = format!(
        "allow = {{ paths = [\"{}\"], hosts = [\"127.0.0.1:{port}\"], programs = [\"sendmail\"] }}",
        kept.display()
    );
    let shadow = shadowed(&allow, &first(&does));
    input(&shadow, "a", 1.0);
    let seen = shadow.expect(0, "run --until approved");
    assert!(seen.err.contains("1 input, 1 equal"), "{seen}");
    assert!(kept.join("written").exists());
    assert!(listener.accept().is_ok());
}

// rows: PC-5
#[test]
fn what_old_tries_makes_its_results_unsure() {
    let ground = shadowed("", OLD);
    let outside = ground.at("../ledger");
    ground.write("src/kpi.sh", first(&format!("echo x 2>/dev/null >> {}", outside.display())));
    input(&ground, "a", 1.0);
    let seen = ground.expect(2, "run");
    assert!(seen.out.starts_with("could not tell") && seen.err.contains("old tried a write to `"), "{seen}");
    assert!(!outside.exists());
}
