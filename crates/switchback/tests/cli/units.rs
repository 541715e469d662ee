//! Units of systemd that `watch --write-unit` writes: read back by the rules of systemd, and what they start really started.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::ground::{Ground, Seen};

/// A project whose folder has everything in its name that a unit could read as something else.
fn odd(ground: &Ground) -> PathBuf {
    let root = ground.at("../50% of \"the\" shop's \\ $HOME #1;");
    std::fs::create_dir_all(root.join("src")).unwrap();
    std::fs::write(root.join("src/app.py"), "VERSION = 1\n").unwrap();
    let plan = ground.read("switchback.toml").replace("name = \"shop\"", "name = \"50 % shop\"");
    std::fs::write(root.join("switchback.toml"), plan).unwrap();
    root
}

fn shop() -> Ground {
    Ground::shop(
        "[[check]]\nname = \"it\"\nkind = \"command\"\ncommand = \"test -e src/app.py\"\nat = [\"live\", \"+1s\"]\n\n\
         [[notify]]\nwebhook = \"${HOOK}\"\non = [\"roll-back\"]\n",
    )
}

fn write(ground: &Ground, root: &Path, more: &[&str]) -> Seen {
    let folder = ground.at("../units");
    let start = ["-C", root.to_str().unwrap(), "watch", "--write-unit", folder.to_str().unwrap()];
    ground.run_arguments(&[&start[..], more].concat())
}

/// The files in the folder, by their endings.
fn unit(ground: &Ground, ending: &str) -> (PathBuf, String) {
    let mut found: Vec<PathBuf> = std::fs::read_dir(ground.at("../units"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == ending))
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    let path = found.remove(0);
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

/// What may stand in a unit of ours: a word too many, or in another section, is a mistake.
const KEYS: &[(&str, &[&str])] = &[
    ("Unit", &["Description", "Wants", "After", "StartLimitIntervalSec", "StartLimitBurst"]),
    (
        "Service",
        &[
            "Type",
            "SuccessExitStatus",
            "Restart",
            "RestartSec",
            "RestartPreventExitStatus",
            "ExecStart",
            "User",
            "Group",
            "Environment",
            "EnvironmentFile",
            "KillMode",
            "OOMPolicy",
            "LimitCORE",
        ],
    ),
    ("Timer", &["OnCalendar", "AccuracySec", "Persistent"]),
    ("Install", &["WantedBy"]),
];

/// A unit, read strictly: sections, and one `Key=value` a line.
fn read(text: &str) -> Vec<(String, String, String)> {
    let mut section: Option<&(&str, &[&str])> = None;
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        assert!(!line.ends_with('\\') && !line.chars().any(char::is_control), "{line:?}");
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = KEYS.iter().find(|(known, _)| *known == name);
            assert!(section.is_some(), "{line}");
            continue;
        }
        let (key, value) = line.split_once('=').unwrap();
        let (name, keys) = section.unwrap();
        assert!(keys.contains(&key), "{key} in {name}\n{text}");
        assert!(!found.iter().any(|(_, known, _)| known == key), "{key} twice\n{text}");
        found.push(((*name).to_owned(), key.to_owned(), value.to_owned()));
    }
    found
}

fn value<'a>(read: &'a [(String, String, String)], key: &str) -> &'a str {
    &read.iter().find(|(_, known, _)| known == key).unwrap_or_else(|| panic!("no {key}: {read:?}")).2
}

/// A value as words, by the rules of systemd: quotes, escapes of C, and `%%`.
fn words(value: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = value.chars().peekable();
    while let Some(first) = rest.next() {
        if first == ' ' {
            continue;
        }
        let (mut word, is_quoted) = (Vec::new(), first == '"');
        let mut next = if is_quoted { rest.next() } else { Some(first) };
        while let Some(character) = next {
            match character {
                '"' if is_quoted => break,
                ' ' if !is_quoted => break,
                '%' => {
                    let after = rest.next();
                    assert!(after == Some('%'), "a specifier: {value}");
                    word.push(b'%');
                }
                '\\' => match rest.next() {
                    Some('x') => {
                        let digits: String = [rest.next().unwrap(), rest.next().unwrap()].iter().collect();
                        word.push(u8::from_str_radix(&digits, 16).unwrap());
                    }
                    Some(escaped @ ('"' | '\\')) => word.push(escaped as u8),
                    other => panic!("{other:?} in {value}"),
                },
                character => word.extend(character.to_string().as_bytes()),
            }
            next = rest.next();
        }
        words.push(String::from_utf8(word).unwrap());
    }
    words
}

// rows: PC-8
#[test]
fn what_a_service_starts_is_the_watch_of_this_project_wherever_it_is() {
    let ground = shop();
    let root = odd(&ground);
    let seen = write(&ground, &root, &[]);
    assert_eq!(seen.code, 0, "{seen}");
    assert!(seen.out.starts_with("written "), "{seen}");
    assert!(
        seen.err.contains(
            "the plan uses HOOK: write them into `%h/.config/switchback/switchback-watch-50---shop-"
        ),
        "{seen}"
    );
    let (path, text) = unit(&ground, "service");
    let service = read(&text);
    let enable = format!("`systemctl --user enable --now {}`", path.file_name().unwrap().to_str().unwrap());
    assert!(seen.err.contains("systemctl --user link '") && seen.err.contains(&enable), "{seen}");
    assert_eq!(value(&service, "Description"), "Watch of 50 %% shop by Switchback");
    assert_eq!((value(&service, "Restart"), value(&service, "WantedBy")), ("on-failure", "default.target"));
    let start = value(&service, "ExecStart").strip_prefix(':').unwrap();
    let argv = words(start);
    assert!(Path::new(&argv[0]).is_absolute(), "{argv:?}");
    assert_eq!(argv[1..], ["--project", root.to_str().unwrap(), "watch"]);
    let environment = words(value(&service, "Environment"));
    assert_eq!(environment, [format!("PATH={}", std::env::var("PATH").unwrap())]);
    // It is really started as systemd would start it: from another folder, with next to nothing in its environment.
    let start = |argv: &[String]| {
        let mut command = Command::new(&argv[0]);
        let path = environment[0].strip_prefix("PATH=").unwrap();
        command
            .args(&argv[1..])
            .current_dir("/")
            .env_clear()
            .env("PATH", path)
            .env("HOOK", "http://127.0.0.1:9/none");
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, words) = start(&argv);
    assert_eq!((code, words.contains("nothing is live that could be watched")), (Some(2), true), "{words}");
    let until: Vec<String> =
        [&argv[..3], &["run".to_owned(), "--until".to_owned(), "live".to_owned()]].concat();
    assert_eq!(start(&until).0, Some(0));
    let (code, words) = start(&argv);
    assert_eq!((code, words.contains("check it at +1s: yes")), (Some(0), true), "{words}");
}

// rows: PC-8
#[test]
fn a_timer_starts_a_service_that_looks_once() {
    let ground = shop();
    let root = ground.at("");
    let seen = write(&ground, &root, &["--once", "--system", "--json"]);
    let document = seen.json();
    assert_eq!(document["schema"], "switchback/watch-unit/1");
    assert_eq!(document["files"].as_array().unwrap().len(), 2, "{document:#}");
    let (_, text) = unit(&ground, "service");
    let service = read(&text);
    assert!(value(&service, "ExecStart").ends_with(" watch --once"), "{text}");
    assert_eq!(value(&service, "SuccessExitStatus"), "2");
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&root).unwrap());
    assert_eq!(value(&service, "User"), owner.to_string());
    assert!(!service.iter().any(|(section, ..)| section == "Install"), "{text}");
    let (path, text) = unit(&ground, "timer");
    let timer = read(&text);
    assert_eq!((value(&timer, "Persistent"), value(&timer, "OnCalendar")), ("true", "*-*-* *:*:00"));
    assert_eq!(document["enabled"], path.file_name().unwrap().to_str().unwrap());
    let next = document["next"].as_array().unwrap();
    assert!(next.iter().all(|line| line.as_str().unwrap().starts_with("systemctl ")), "{next:?}");
}

// rows: PC-8
#[test]
fn no_secret_gets_into_a_unit() {
    let mut ground = shop();
    ground.set("HOOK", "https://hooks.example.org/services/T0/B0/geheim123456");
    ground.set("DATABASE_PASSWORD", "correct-horse-battery");
    let root = ground.at("");
    assert_eq!(write(&ground, &root, &[]).code, 0);
    let (_, text) = unit(&ground, "service");
    assert!(!text.contains("geheim") && !text.contains("correct-horse"), "{text}");
    assert!(text.contains("# The plan uses HOOK: "), "{text}");
    // What looks like one is not written, wherever it stands.
    let ground = shop();
    let path = std::env::var("PATH").unwrap();
    let mut ground = ground;
    ground.set("PATH", &format!("/opt/ghp_1234567890abcdefghijABCDEFGHIJ123456:{path}"));
    let seen = write(&ground, &ground.at(""), &[]);
    assert!(seen.err.contains("warning: `PATH` is not in the unit"), "{seen}");
    assert!(!unit(&ground, "service").1.contains("ghp_"), "{seen}");
}

// rows: PC-8
#[test]
fn a_unit_that_says_something_else_is_not_written_over() {
    let ground = shop();
    let root = ground.at("");
    let seen = write(&ground, &root, &[]);
    assert_eq!(seen.code, 0, "{seen}");
    let (path, text) = unit(&ground, "service");
    let seen = write(&ground, &root, &[]);
    assert!(seen.code == 0 && seen.out.starts_with("unchanged "), "{seen}");
    std::fs::write(&path, format!("{text}Nice=5\n")).unwrap();
    let seen = write(&ground, &root, &[]);
    assert_eq!(seen.code, 2, "{seen}");
    assert!(seen.err.contains("is there, and says something else") && seen.err.contains("--force"), "{seen}");
    assert!(std::fs::read_to_string(&path).unwrap().ends_with("Nice=5\n"));
    // Of two files both are written, or neither.
    assert_eq!(write(&ground, &root, &["--once"]).code, 2);
    assert!(!path.with_extension("timer").exists());
    let seen = write(&ground, &root, &["--force"]);
    assert!(seen.code == 0 && seen.out.starts_with("replaced "), "{seen}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    // A masked unit stays masked.
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/null", &path).unwrap();
    let seen = write(&ground, &root, &["--force"]);
    assert!(seen.code == 2 && seen.err.contains("is no unit that was written"), "{seen}");
    assert!(path.symlink_metadata().unwrap().is_symlink());
    // Its words go with `--write-unit` alone.
    assert_eq!(ground.run("watch --force").code, 2);
    assert_eq!(ground.run("watch --system").code, 2);
}

// rows: PC-8
#[test]
fn needs_systemd_it_finds_nothing_to_complain_of() {
    for more in [&[][..], &["--once"], &["--system"], &["--once", "--system"]] {
        let ground = shop();
        let root = odd(&ground);
        assert_eq!(write(&ground, &root, more).code, 0);
        let files: Vec<PathBuf> =
            std::fs::read_dir(ground.at("../units")).unwrap().map(|entry| entry.unwrap().path()).collect();
        let mut command = Command::new("systemd-analyze");
        command.args(["verify", "--man=no"]);
        if !more.contains(&"--system") {
            command.arg("--user");
        }
        // A manager for users asks where they keep what runs.
        command.env("XDG_RUNTIME_DIR", ground.at("../tmp"));
        let output = command.args(&files).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        let name = "switchback-watch-";
        let complaints: Vec<&str> = words.lines().filter(|line| line.contains(name)).collect();
        assert!(output.status.success() && complaints.is_empty(), "{more:?}: {words}");
        // It is not asleep: a key that is none is told.
        let service = files.iter().find(|path| path.extension().unwrap() == "service").unwrap();
        let text = std::fs::read_to_string(service).unwrap();
        std::fs::write(service, text.replace("KillMode=", "KillMood=")).unwrap();
        let output = command.output().unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).contains("KillMood"), "{more:?}");
    }
}
