//! Secrets stay where they are: a token that a check prints reaches no file and no screen.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::ground::{Ground, Seen};

const SECRETS: [(&str, &str); 4] = [
    ("SHOP_API_TOKEN", "tk-7f3a9c1e5b"),
    ("DB_PASSWORD", "quo\"te\\slash-é"),
    ("DEPLOY_KEY", "-----BEGIN KEY-----\nabcdefgh\n-----END KEY-----"),
    ("HOOK_SECRET", "a-secret-that-is-so-long-that-it-reaches-over-the-end-of-a-line-that-is-cut-off"),
];

/// Whether the text holds a secret, as it is or as it stands inside JSON, or more than ten characters of one.
fn leak(text: &str) -> Option<&'static str> {
    let found = SECRETS.into_iter().find(|(_, secret)| {
        let escaped = serde_json::to_string(secret).unwrap();
        let start: String = secret.chars().take(11).collect();
        text.contains(secret)
            || text.contains(escaped.trim_matches('"'))
            || secret.len() > 11 && text.contains(&start)
    });
    found.map(|(name, _)| name)
}

fn files_with_leaks(folder: &Path, found: &mut Vec<String>, count: &mut u32) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            files_with_leaks(&path, found, count);
        } else if let Ok(bytes) = fs::read(&path) {
            *count += 1;
            found.extend(
                leak(&String::from_utf8_lossy(&bytes)).map(|name| format!("{name} in {}", path.display())),
            );
        }
    }
}

fn looked_at(seen: &Seen) {
    assert_eq!(leak(&seen.out), None, "{seen}");
    assert_eq!(leak(&seen.err), None, "{seen}");
}

fn ground(more: &str) -> Ground {
    let mut ground = Ground::shop(more);
    for (name, value) in SECRETS {
        ground.set(name, value);
    }
    ground
}

// rows: PC-3
#[test]
fn a_secret_that_a_check_prints_reaches_no_file_and_no_screen() {
    let print = "printenv SHOP_API_TOKEN DB_PASSWORD DEPLOY_KEY HOOK_SECRET";
    let padding = "x".repeat(120);
    let checks = format!(
        "[[check]]\nname = \"out\"\nkind = \"command\"\ncommand = \"{print}\"\n\n\
         [[check]]\nname = \"err\"\nkind = \"command\"\ncommand = \"{print} >&2; exit 1\"\n\n\
         [[check]]\nname = \"last\"\nkind = \"command\"\ncommand = \"echo {padding} $HOOK_SECRET; exit 1\"\n\n\
         [[check]]\nname = \"url\"\nkind = \"command\"\ncommand = \"echo postgresql://shop:s3cr3t-pw@localhost/shop; exit 1\"\n"
    );
    let ground = ground(&checks);
    for line in ["run", "status", "status --json", "log", "log --json", "check", "run --json"] {
        looked_at(&ground.run(line));
    }
    let (mut found, mut count) = (Vec::new(), 0);
    files_with_leaks(&ground.at(".switchback"), &mut found, &mut count);
    assert!(found.is_empty(), "{found:?}");
    assert!(count > 8, "only {count} files were looked at");
    let status = ground.run("status --json");
    assert!(
        status.out.contains("[SHOP_API_TOKEN]")
            || status.out.contains("[HOOK_SECRET]")
            || status.out.contains("[DEPLOY_KEY]"),
        "{status}"
    );
    assert!(!status.out.contains("s3cr3t-pw"), "{status}");
}

// rows: PC-3
#[test]
fn a_secret_in_the_words_of_a_change_that_fails_is_blanked_too() {
    let ground = ground("");
    let plan = ground.read("switchback.toml");
    let command = "kind = \"command\"\ncommand = \"echo token $SHOP_API_TOKEN >&2; exit 1\"";
    ground.write("switchback.toml", plan.replace("kind = \"files\"\nfrom = \"../new\"", command));
    for line in ["run", "run --json", "status", "log"] {
        looked_at(&ground.run(line));
    }
    let seen = ground.run("run");
    assert!(seen.err.contains("token [SHOP_API_TOKEN]"), "{seen}");
}

/// Fifty secrets as programs print them when they fail: half of a form that is known, half behind a name, nested, or random.
fn planted() -> Vec<(String, String)> {
    const LETTERS: &[u8] = b"aZ3kQ9xW7bT1mR5vL8cY2nP6dS4fG0hJjK";
    let random = |length: usize| -> String {
        (0..length).map(|at| char::from(LETTERS[(at * 7 + length) % LETTERS.len()])).collect()
    };
    let known = [
        ("ghp_", 36),
        ("gho_", 36),
        ("github_pat_", 60),
        ("glpat-", 20),
        ("xoxb-", 24),
        ("xoxp-", 30),
        ("sk_live_", 24),
        ("rk_live_", 24),
        ("AIza", 35),
        ("npm_", 36),
        ("pypi-", 60),
        ("sk-proj-", 40),
        ("sk-ant-", 40),
        ("hf_", 34),
        ("hvs.", 28),
        ("ya29.", 40),
        ("GOCSPX-", 28),
        ("whsec_", 32),
        ("https://hooks.slack.com/services/T02AB3CD4/B05EF6GH7/", 24),
    ];
    let mut planted: Vec<(String, String)> = known
        .iter()
        .map(|(prefix, length)| (format!("using {prefix}{}", random(*length)), random(*length)))
        .collect();
    for scheme in ["postgresql", "mysql", "amqp", "redis", "https", "mongodb"] {
        let password = format!("pw-{}", random(9));
        planted.push((format!("cannot reach {scheme}://loans:{password}@db.example.org/loans"), password));
    }
    let named = [
        "DB_PASSWORD=",
        "password: ",
        "\"password\": \"",
        "--password ",
        "--token=",
        "api_key = ",
        "apiKey: '",
        "client_secret=",
        "CLIENT-SECRET: ",
        "passphrase=",
        "session_cookie: ",
        "SECRET_KEY=",
        "secret_access_key = ",
        "account_key=",
        "webhook: ",
        "access-token ",
        "Authorization: Bearer ",
    ];
    for (number, name) in named.iter().enumerate() {
        let value = format!("v{number}-{}", random(11));
        planted.push((format!("failed with {name}{value}"), value));
    }
    for number in 0..8 {
        let value = random(24 + number);
        planted.push((format!("{{\"settings\": {{\"deep\": [\"{value}\"]}}}}"), value));
    }
    planted
}

/// Secrets in command lines, in sentences, and in a key without its frame.
fn said() -> Vec<(String, String)> {
    let lines = [
        "+ mysql -u root -p{} loans",
        "+ curl -su loans:{} https://example.org/api",
        "+ curl --user loans:{} https://example.org/api",
        "+ loader --password {} --verbose",
        "+ sshpass -p {} ssh db",
        "+ sqlplus loans/{}@db",
        "the password is {}",
        "could not log in as loans with password '{}'",
    ];
    let mut said: Vec<(String, String)> = lines
        .iter()
        .enumerate()
        .map(|(number, line)| {
            let secret = format!("hunter2{number}");
            (line.replace("{}", &secret), secret)
        })
        .collect();
    let body = [
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB",
        "zEfYyjiWA4R4ha2yx9fFvmT4dqYxFm5kkTFazsAmcdFyrk0OkQbdHgvVdNN0QHjc",
        "qcbnpZvXdHiWkZbEoqQ9g==",
    ];
    said.extend(body.map(|line| (line.to_owned(), line[..12].to_owned())));
    said
}

// rows: PC-3
#[test]
fn fifty_secrets_on_the_output_of_a_failed_command_reach_no_file_and_no_screen() {
    let mut planted = planted();
    assert_eq!(planted.len(), 50);
    planted.extend(said());
    let scripts = tempfile::tempdir().unwrap();
    let lines: Vec<&str> = planted.iter().map(|(line, _)| line.as_str()).collect();
    let lines = format!("{}\n", lines.join("\n"));
    let file = scripts.path().join("said.txt");
    fs::write(&file, lines).unwrap();
    let says = format!("cat {} >&2; tail -n 1 {} ; exit 1", file.display(), file.display());
    let ground = Ground::shop(&format!(
        "[[check]]\nname = \"fails\"\nkind = \"command\"\ncommand = \"{says}\"\nat = [\"before\", \"staged\"]\n"
    ));
    let mut told = String::new();
    for line in [
        "run",
        "status",
        "status --json",
        "log",
        "log --json",
        "check",
        "run --json",
        "report --format markdown",
        "doctor",
    ] {
        let seen = ground.run(line);
        told.push_str(&seen.out);
        told.push_str(&seen.err);
    }
    let mut files = Vec::new();
    texts(&ground.at(".switchback"), &mut files);
    assert!(files.len() > 8, "only {} files were looked at", files.len());
    assert!(
        files.iter().any(|(_, text)| text.contains("failed with DB_PASSWORD=***")),
        "the output is evidence"
    );
    for (line, secret) in &planted {
        assert!(!told.contains(secret), "`{line}` is told");
        let within: Vec<&String> =
            files.iter().filter(|(_, text)| text.contains(secret)).map(|(path, _)| path).collect();
        assert!(within.is_empty(), "`{line}` stands in {within:?}");
    }
}

/// Every program that a command of Switchback starts, with its arguments, as `ps` would show it.
fn started(ground: &Ground, line: &str) -> String {
    let log = ground.at("../strace.log");
    // Any exit code is an answer; what was started is looked at.
    let traced = format!(
        "strace -f -qq -s 1000000 -e trace=execve -o {} {} {line}; test $? -lt 3",
        log.display(),
        env!("CARGO_BIN_EXE_switchback")
    );
    ground.tool("sh", &["-c", &traced]);
    fs::read_to_string(&log).unwrap()
}

// rows: PC-3
#[test]
fn needs_strace_no_planted_secret_is_among_the_arguments_of_any_program() {
    let planted = planted();
    let uses = "[[check]]\nname = \"uses\"\nkind = \"command\"\ncommand = \"test -n \\\"$PLANTED_0\\\" && printenv PLANTED_1 PLANTED_49\"\n\
                at = [\"before\", \"staged\", \"live\"]\n";
    let mut ground = Ground::shop(uses);
    let mut fragment = String::from("name: loans\n");
    for (number, (_, secret)) in planted.iter().enumerate() {
        ground.set(&format!("PLANTED_{number}"), secret);
        writeln!(fragment, "password_{number}: '{secret}'").unwrap();
    }
    ground.write("config/base.yml", fragment);
    ground.write("config/prod.yml", "name: loans-prod\n");
    let mut all = String::new();
    for line in [
        "config merge config/base.yml config/prod.yml --master config/master.yml --write --allow-dirty",
        "undo",
        "snapshot create",
        "run",
        "check",
        "rollback --yes",
        "report --format markdown --output ../report.md",
        "status",
        "doctor",
    ] {
        all.push_str(&started(&ground, line));
    }
    let count = all.lines().filter(|line| line.contains("execve(")).count();
    assert!(count > 12 && all.contains("printenv"), "{count} programs were looked at: {all}");
    for (line, secret) in &planted {
        let seen = all.lines().find(|started| started.contains(secret));
        assert!(seen.is_none(), "`{line}`: {seen:?}");
    }
}

fn texts(folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            texts(&path, files);
        } else if let Ok(bytes) = fs::read(&path) {
            files.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

// rows: PC-13, PC-3
#[test]
fn an_address_that_the_plan_takes_from_a_variable_is_a_secret_whatever_it_is_called() {
    let mut ground = Ground::shop(
        "[[check]]\nname = \"there\"\nkind = \"command\"\ncommand = \"echo told $OPS_HOOK; false\"\nat = [\"staged\"]\n\n\
         [[notify]]\nwebhook = \"${OPS_HOOK}\"\non = [\"failed\"]\n",
    );
    let address = "http://127.0.0.1:9/hooks/ops-of-the-shop";
    ground.set("OPS_HOOK", address);
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("[OPS_HOOK]") && !seen.to_string().contains("ops-of-the-shop"), "{seen}");
    for line in ["log --json", "report --format json", "status"] {
        assert!(!ground.run(line).to_string().contains("ops-of-the-shop"), "{line}");
    }
}
