//! `config`, as it is typed and as a plan carries it out.

use std::fmt::Write as _;

use super::ground::Ground;

const MERGE: &str =
    "config merge config --master config/pipeline.yml --environments config/environments/{name}.yml";

fn pipeline() -> Ground {
    let ground = Ground::new();
    ground.write(
        "config/base.yml",
        "# The pipeline\nname: loans\ndb:\n  port: 5432  # as ever\n  pool: 5\nretries: 3\n",
    );
    ground.write("config/kpis.yaml", "kpis:\n  par_90: {warning: 3.0}\n");
    ground.write("config/dev.yml", "db: {host: localhost}\nretries: 0\n");
    ground.write("config/prod.yml", "db: {host: db1, pool: 20}\n");
    ground.write("load.py", "config['kpis']['par_90']\nconfig['db']['host'], config['db']['port'], config['db']['pool']\nconfig['name']\n");
    ground
}

// rows: PC-2
#[test]
fn fragments_become_a_master_and_overrides_with_proof() {
    let ground = pipeline();
    let before = ground.listing();
    let seen = ground.expect(0, MERGE);
    insta::assert_snapshot!(seen, @r"
    $ switchback config merge config --master config/pipeline.yml --environments config/environments/{name}.yml
    --- stdout
    config/dev.yml: holds in `dev` only, by its name
    config/prod.yml: holds in `prod` only, by its name
    unused `kpis.par_90.warning`: no code names it
    unused `retries`: no code names it
    --- config/pipeline.yml
    # The pipeline
    name: loans
    db:
      port: 5432  # as ever
    kpis:
      par_90: {warning: 3.0}
    --- config/environments/dev.yml
    db:
      pool: 5
      host: localhost
    retries: 0
    --- config/environments/prod.yml
    db:
      pool: 20
      host: db1
    retries: 3
    --- stderr
    yes: 4 fragments become 3 files; 6 keys, 0 conflicts, 0 duplicates, 0 secrets; 2 of 2 environments proved equal; nothing was touched; `--write` writes it
    --- exit 0
    ");
    assert_eq!(ground.listing(), before);
    ground.expect(0, &format!("{MERGE} --write --remove-fragments"));
    assert!(!ground.at("config/base.yml").exists());
    assert_eq!(ground.read("config/environments/dev.yml"), "db:\n  pool: 5\n  host: localhost\nretries: 0\n");
    let seen = ground.expect(0, "config resolve config/pipeline.yml --environment prod --show-origin");
    insta::assert_snapshot!(seen, @r#"
    $ switchback config resolve config/pipeline.yml --environment prod --show-origin
    --- stdout
    name = "loans"  # config/pipeline.yml:2
    db.port = 5432  # config/pipeline.yml:4
    db.pool = 20  # config/environments/prod.yml:2
    db.host = "db1"  # config/environments/prod.yml:3
    kpis.par_90.warning = 3.0  # config/pipeline.yml:6
    retries = 3  # config/environments/prod.yml:4
    --- stderr
    yes: 6 keys
    --- exit 0
    "#);
    let seen = ground.expect(0, "config explain db.pool --master config/pipeline.yml --environment prod");
    insta::assert_snapshot!(seen, @r"
    $ switchback config explain db.pool --master config/pipeline.yml --environment prod
    --- stdout
    config/environments/prod.yml:2: 20 (integer)
    db.pool = 20  # config/environments/prod.yml:2
    --- exit 0
    ");
    ground.expect(0, "undo");
    assert_eq!(files(&ground.listing()), files(&before));
}

/// The files of a listing but those of Switchback.
fn files(listing: &str) -> Vec<String> {
    let is_file = |line: &&str| line.starts_with('f') && !line.contains("/.switchback/");
    listing.lines().filter(is_file).map(str::to_owned).collect()
}

#[test]
fn the_document_of_a_merge_holds_to_the_contract() {
    let ground = pipeline();
    let seen = ground.expect(0, &format!("{MERGE} --json")).json();
    assert_eq!(
        (seen["schema"].as_str(), seen["verdict"].as_str()),
        (Some("switchback/config/1"), Some("yes"))
    );
    assert_eq!(
        (seen["conflicts"].as_array().unwrap().len(), seen["duplicates"].as_array().unwrap().len()),
        (0, 0)
    );
    let proof: Vec<(&str, &str, u64)> = seen["proof"]
        .as_array()
        .unwrap()
        .iter()
        .map(|proof| {
            (
                proof["environment"].as_str().unwrap(),
                proof["verdict"].as_str().unwrap(),
                proof["keys"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(proof, [("dev", "yes", 6), ("prod", "yes", 6)]);
    let key = &seen["keys"][0];
    assert_eq!(
        (key["key"].as_str(), key["path"].as_str(), key["line"].as_u64()),
        (Some("name"), Some("config/base.yml"), Some(2))
    );
    assert_eq!(seen["unused"]["keys"], serde_json::json!(["kpis.par_90.warning", "retries"]));
}

// rows: PC-2
#[test]
fn a_conflict_is_never_decided_silently() {
    let ground = pipeline();
    ground.write("config/kpis2.yml", "kpis:\n  par_90: {warning: 3}\nname: loans\n");
    let seen = ground.expect(1, &format!("{MERGE} --write"));
    assert!(seen.out.contains("conflict `kpis.par_90.warning`: config/kpis.yaml:2 says 3.0 (float), config/kpis2.yml:2 says 3 (integer)"), "{seen}");
    assert!(seen.out.contains("duplicate `name`"), "{seen}");
    assert!(
        seen.err.contains("1 conflicts are not decided") && seen.err.contains("nothing was written"),
        "{seen}"
    );
    assert!(!ground.at("config/pipeline.yml").exists());
    ground.write(
        "rules.toml",
        "[[fragment]]\npath = \"config\"\n[[decide]]\nkey = \"kpis\"\ntake = \"config/kpis2.yml\"\n",
    );
    let merge = "config merge --rules rules.toml --master config/pipeline.yml --environments config/environments/{name}.yml";
    let seen = ground.expect(0, &format!("{merge} --json --write")).json();
    assert_eq!(seen["conflicts"][0]["decided"], "rules.toml:3");
    assert!(ground.read("config/pipeline.yml").contains("par_90: {warning: 3}\n"));
    ground
        .write("rules.toml", "[[fragment]]\npath = \"config/*.yaml\"\n[[decide]]\nkey = \"x\"\nvalue = 1\n");
    let seen = ground.expect(2, merge);
    assert!(seen.err.contains("rules.toml:3: the decision on `x` decides nothing"), "{seen}");
    // Nothing of it is for an environment, and that is what is said.
    ground.write("rules.toml", "[[fragment]]\npath = \"config/*.yaml\"\n");
    let seen = ground.expect(2, "config resolve rules.toml --environment production");
    assert!(seen.err.contains("there is no environment `production`: it names none"), "{seen}");
}

// rows: PC-3
#[test]
fn a_literal_secret_becomes_a_placeholder_and_is_never_printed() {
    let mut ground = pipeline();
    ground.write(
        "config/secrets.yml",
        "db:\n  password: h4rd-to-guess\napi:\n  url: https://me:sw0rdfish@example.org/\n",
    );
    for line in [MERGE, &format!("{MERGE} --json"), &format!("{MERGE} --write")] {
        let seen = ground.expect(0, line);
        assert!(!seen.out.contains("h4rd-to-guess") && !seen.err.contains("h4rd-to-guess"), "{seen}");
        assert!(!seen.out.contains("sw0rdfish"), "{seen}");
        assert!(seen.out.contains("DB_PASSWORD"), "{seen}");
    }
    assert!(ground.read("config/pipeline.yml").contains("password: \"${DB_PASSWORD}\""));
    let resolve = "config resolve config/pipeline.yml --environment dev";
    let seen = ground.expect(2, resolve);
    assert!(
        seen.err.contains("config/pipeline.yml:")
            && seen.err.contains("`db.password` cannot be filled in: `DB_PASSWORD`"),
        "{seen}"
    );
    ground.set("DB_PASSWORD", "h4rd-to-guess");
    ground.set("API_URL", "https://me:sw0rdfish@example.org/");
    let seen = ground.expect(0, &format!("{resolve} --json"));
    assert!(!seen.out.contains("h4rd-to-guess") && !seen.out.contains("sw0rdfish"), "{seen}");
    assert_eq!(seen.json()["values"]["db"]["password"], "***");
}

// rows: OM-3
#[test]
fn an_old_configuration_is_held_against_what_a_new_program_needs() {
    let ground = Ground::new();
    ground.write("old.yaml", "start_year: 2024\nthreads: '8'\nlegacy: true\n");
    ground.write("new.yaml", "start_year: 2025\nthreads: 4\nscenario_id: base\n");
    let seen = ground.expect(1, "config check old.yaml --against new.yaml");
    insta::assert_snapshot!(seen, @r"
    $ switchback config check old.yaml --against new.yaml
    --- stdout
    lacks `scenario_id`
    `threads` at old.yaml:2 is text, and integer is needed
    `legacy` is in excess
    --- stderr
    no: 3 keys looked at
    --- exit 1
    ");
    ground.expect(0, "config check new.yaml --against new.yaml");
    ground.write(
        "schema.json",
        r#"{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["scenario_id"],
            "properties": {"start_year": {"type": "integer", "minimum": 2025}, "threads": {"type": "integer"}, "scenario_id": {}}}"#,
    );
    let seen = ground.expect(1, "config check old.yaml --against schema.json --json").json();
    assert_eq!(seen["lacking"][0]["key"], "");
    assert_eq!(seen["types"][0]["key"], "/threads");
    assert_eq!(seen["violations"][0]["keyword"], "minimum");
    assert_eq!(seen["excess"], serde_json::json!(["/legacy"]));
    ground.expect(0, "config check new.yaml --against schema.json");
    ground.write("schema.json", r#"{"$schema": "x", "$ref": "https://example.org/other.json"}"#);
    let seen = ground.expect(2, "config check new.yaml --against schema.json");
    assert!(seen.err.contains("schema.json: "), "{seen}");
    ground.expect(1, "config diff old.yaml new.yaml");
    ground.expect(0, "config diff old.yaml old.yaml");
}

#[test]
fn bad_input_is_one_error_with_its_place() {
    let ground = Ground::new();
    for (text, wanted) in [
        ("a: [1\n", "config/a.yml:2:"),
        (
            "a: !!python/object:os.system x\n",
            "config/a.yml:1:4: it cannot be read as YAML: the loader knows no tag `!!python/object:os.system`",
        ),
        ("a: 1\n---\nb: 2\n", "config/a.yml:2:1: it cannot be read as YAML: a second document begins here"),
        ("- 1\n", "config/a.yml: as a whole it is a list"),
        ("a: 2024-02-30\n", "it is written like a day that there is not"),
    ] {
        ground.write("config/a.yml", text);
        let seen = ground.expect(2, "config merge config/a.yml --master m.yml --environments e/{name}.yml");
        assert!(seen.err.contains(wanted), "{text}: {seen}");
    }
    for (line, wanted) in [
        ("config merge nowhere.yml --master m.yml", "nowhere.yml: it does not exist"),
        ("config merge config/a.yml --master m.txt", "m.txt: its name says no format"),
        ("config merge config/a.yml --master m.yml --environments e.yml", "it has no `{name}`"),
        ("config resolve config/a.yml --environment prod", "config/a.yml:1:4"),
        ("config explain a..b --master config/a.yml", "`a..b` names no key"),
        ("config merge --master m.yml", "no fragment was named"),
    ] {
        let seen = ground.expect(2, line);
        assert!(seen.err.contains(wanted), "{line}: {seen}");
    }
}

#[test]
fn a_document_that_would_fill_the_memory_is_refused() {
    let ground = Ground::new();
    let mut laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for pair in ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"] {
        let (from, to) = pair.split_at(1);
        let aliases = vec![format!("*{from}"); 9].join(", ");
        writeln!(laughs, "{to}: &{to} [{aliases}]").unwrap();
    }
    ground.write("laughs.yml", laughs);
    let seen = ground.expect(2, "config resolve laughs.yml");
    assert!(seen.err.contains("the aliases up to here stand for more than 1000000 values"), "{seen}");
    ground.write("deep.yml", format!("a: {}{}\n", "[".repeat(100_000), "]".repeat(100_000)));
    let seen = ground.expect(2, "config resolve deep.yml");
    assert!(seen.err.contains("deep.yml:1:"), "{seen}");
}

// rows: PC-2
#[test]
fn a_plan_consolidates_checks_and_takes_back() {
    let ground = pipeline();
    ground.write(
        "switchback.toml",
        "version = 1\n\n[project]\nname = \"loans\"\nmanaged = [\"config\"]\n\n[[phase]]\nname = \"unify\"\n\n\
         [[phase.change]]\nkind = \"config\"\nfragments = [\"config\"]\nmaster = \"config/pipeline.yml\"\n\
         environments = \"config/environments/{name}.yml\"\nremove = true\n\n\
         [[check]]\nname = \"same\"\nkind = \"config\"\nold = \"config\"\nnew = \"config/pipeline.yml\"\n\
         names = [\"dev\", \"prod\"]\nat = [\"staged\", \"live\"]\n",
    );
    let before = ground.read("config/base.yml");
    let seen = ground.expect(0, "run");
    assert!(seen.err.contains("dev: 6 keys, 0 differences; prod: 6 keys, 0 differences"), "{seen}");
    assert!(!ground.at("config/base.yml").exists() && ground.at("config/environments/prod.yml").exists());
    ground.expect(0, "rollback");
    assert_eq!(ground.read("config/base.yml"), before);
    assert!(!ground.at("config/pipeline.yml").exists());
}

/// Decisions hold among fragments of one level; what an environment says itself stays, and so does what others say beside a map.
#[test]
fn a_decision_takes_nothing_from_an_environment_nor_from_a_third_fragment() {
    let ground = Ground::new();
    let rules = |fragments: &[&str], decision: &str| {
        let named: Vec<String> = fragments
            .iter()
            .map(|path| {
                format!(
                    "[[fragment]]
path = \"{path}\"
"
                )
            })
            .collect();
        let named = named.concat();
        format!("{named}[[decide]]\nkey = \"x\"\n{decision}\n")
    };
    let merge = "config merge --rules r.toml --master m.yml --environments e/{name}.yml";
    for (path, text) in
        [("a.yml", "x: 1\n"), ("b.yml", "x: 2\n"), ("prod.yml", "x: 1\n"), ("dev.yml", "y: 0\n")]
    {
        ground.write(path, text);
    }
    ground.write("r.toml", rules(&["a.yml", "b.yml", "prod.yml", "dev.yml"], "take = \"b.yml\""));
    let seen = ground.expect(0, merge);
    assert!(
        seen.out.contains("--- e/prod.yml\nx: 1\n") && seen.out.contains("--- e/dev.yml\nx: 2\n"),
        "{seen}"
    );
    ground.write("b.yml", "x: {p: 1}\n");
    ground.write("c.yml", "x: {q: 2}\n");
    ground.write("r.toml", rules(&["a.yml", "b.yml", "c.yml"], "take = \"b.yml\""));
    let seen = ground.expect(0, &format!("{merge} --json")).json();
    let keys: Vec<&str> =
        seen["keys"].as_array().unwrap().iter().map(|key| key["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["x.p", "x.q"]);
}

#[test]
fn what_would_be_mixed_up_or_lost_is_refused() {
    let ground = Ground::new();
    ground.write("a/base.yml", "k: 1\n");
    ground.write("a/prod.yml", "x: 1\n");
    let seen = ground.expect(2, "config diff a a");
    assert!(seen.err.contains("it is another one in each environment: prod"), "{seen}");
    ground.write("e/prod.yml", "port: 5\n");
    let seen = ground.expect(2, "config merge a --master m.yml --environments e/{name}.yml --write");
    assert!(seen.err.contains("e/prod.yml: a file that is no fragment stands there"), "{seen}");
    assert_eq!(ground.read("e/prod.yml"), "port: 5\n");
    ground.write("pin.yml", "pin: 1234\n");
    let seen = ground.expect(1, "config merge pin.yml --master m.yml --environments f/{name}.yml");
    assert!(seen.err.contains("`pin` would not be what it was (type)"), "{seen}");
    let seen = ground.expect(2, "config merge base.yml --master m.yml");
    assert!(seen.err.contains("base.yml: it does not exist"), "{seen}");
    for (text, wanted) in [
        (format!("a: \"{}x{}\"\n", "${A:-".repeat(300), "}".repeat(300)), "nested deeper than 100"),
        ("password: !!int hunter2\n".to_owned(), "it looks like an integer"),
    ] {
        ground.write("p.yml", text);
        let seen = ground.expect(2, "config resolve p.yml");
        assert!(seen.err.contains(wanted) && !seen.err.contains("hunter2"), "{seen}");
    }
    ground.write("p.yml", "db: {password: \"${DB_PASSWORD:-hunter2}\"}\nurl: \"mysql://root:${PW:-hunter2}@h/d\"\ncopy: \"${db.password}\"\n");
    for line in
        ["config resolve p.yml", "config explain copy --master p.yml", "config merge p.yml --master m.yml"]
    {
        let seen = ground.run(line);
        assert!(!seen.out.contains("hunter2") && !seen.err.contains("hunter2"), "{line}: {seen}");
    }
}

// rows: PC-2
#[test]
fn a_decision_may_hold_in_one_environment_only() {
    let ground = Ground::new();
    ground.write("config/one.yml", "db: {timeout: 30, pool: 5}\n");
    ground.write("config/two.yml", "db: {timeout: 60, pool: 9}\n");
    ground.write("config/dev.yml", "name: dev\n");
    ground.write("config/prod.yml", "name: prod\n");
    let merge = format!("{} --rules rules.toml --write", MERGE.replacen("merge config", "merge", 1));
    let rules = |decisions: &str| {
        ground.write("rules.toml", format!("[[fragment]]\npath = \"config/*.yml\"\n{decisions}"));
    };
    let decide = |key: &str, what: &str, environment: &str| {
        let environment = match environment {
            "" => String::new(),
            name => format!("environment = \"{name}\"\n"),
        };
        format!("[[decide]]\nkey = \"{key}\"\n{what}\n{environment}")
    };
    let one = "take = \"config/one.yml\"";
    // Decided in one environment, it is open in the other one.
    rules(&decide("db", one, "prod"));
    let seen = ground.expect(1, &merge);
    assert!(seen.out.contains("conflict `db.timeout` in `prod`: "), "{seen}");
    assert!(seen.out.contains("60 (integer); decided at rules.toml:3"), "{seen}");
    assert!(seen.err.contains("2 conflicts are not decided"), "{seen}");
    // A decision for one environment holds before one for all; one for none is a mistake.
    let all = decide("db", "take = \"config/two.yml\"", "");
    rules(&format!("{all}{}", decide("db.timeout", "value = 45", "staging")));
    let seen = ground.expect(2, &merge);
    assert!(seen.err.contains("the decision on `db.timeout` in `staging` decides nothing"), "{seen}");
    rules(&format!("{all}{}{}", decide("db", one, "prod"), decide("db.timeout", "value = 45", "dev")));
    ground.expect(0, &merge);
    let resolved = |environment: &str| {
        let values = ground
            .run(&format!("config resolve config/pipeline.yml --environment {environment} --json"))
            .json();
        values["values"]["db"].to_string()
    };
    assert_eq!(resolved("dev"), r#"{"pool":9,"timeout":45}"#);
    assert_eq!(resolved("prod"), r#"{"pool":5,"timeout":30}"#);
    let seen = ground.expect(0, "config resolve rules.toml --environment dev --json");
    assert_eq!(seen.json()["values"]["db"]["timeout"], 45, "{seen}");
}

// rows: PC-3
#[cfg(unix)]
#[test]
fn what_is_written_is_as_private_as_the_most_private_fragment_of_it() {
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    let ground = pipeline();
    let allow = |path: &str, mode: u32| {
        set_permissions(ground.at(path), Permissions::from_mode(mode)).unwrap();
    };
    let mode = |path: &str| metadata(ground.at(path)).unwrap().permissions().mode() & 0o777;
    allow("config/kpis.yaml", 0o640);
    allow("config/prod.yml", 0o600);
    ground.expect(0, &format!("{MERGE} --write"));
    assert_eq!(mode("config/pipeline.yml"), 0o600);
    assert_eq!(mode("config/environments/prod.yml"), 0o600);
    assert_eq!(mode("config/environments/dev.yml"), 0o640);
    // A fragment that the master is written over is closed, and opened again by the undo.
    ground.expect(0, "undo");
    allow("config/base.yml", 0o664);
    ground.expect(0, &format!("{} --write", MERGE.replace("config/pipeline.yml", "config/base.yml")));
    assert_eq!(mode("config/base.yml"), 0o600);
    ground.expect(0, "undo");
    assert_eq!(mode("config/base.yml"), 0o664);
}

#[test]
fn keys_of_two_types_are_two_keys_in_every_output() {
    let ground = Ground::new();
    ground.write("a.yml", "limits: {1: whole, '1': text}\n");
    let document = ground.expect(0, "config resolve a.yml --json").json();
    assert_eq!(document["values"]["limits"].to_string(), r#"{"1":"text","1 (integer)":"whole"}"#);
    let keys = document["keys"].as_array().unwrap().iter().map(|key| key["key"].as_str().unwrap());
    assert_eq!(keys.collect::<Vec<_>>(), ["limits.1", "limits.\"1\""]);
    for (key, value) in [("limits.1", "whole"), ("limits.\"1\"", "text")] {
        let explained =
            ground.run_arguments(&["config", "explain", key, "--master", "a.yml", "--json"]).json();
        assert_eq!(explained["value"], value, "{explained}");
    }
}

#[test]
fn what_is_wrong_with_the_arguments_is_a_document_that_says_all_of_it() {
    let ground = Ground::new();
    for (line, message, cause, hint) in [
        (
            "config merge --json",
            "the following required arguments were not provided",
            "--master <F>",
            "`switchback config merge --help` shows what can be typed",
        ),
        (
            "config merge a.yml --master b.yml --wirte --json",
            "unexpected argument '--wirte' found",
            "",
            "a similar argument exists: '--write'",
        ),
        (
            "config merge a.yml --master b.yml --json=1",
            "unexpected value '1' for '--json' found",
            "",
            "`switchback",
        ),
    ] {
        let seen = ground.expect(2, line);
        let document = seen.json();
        assert_eq!(
            (&document["schema"], &document["verdict"]),
            (&"switchback/error/1".into(), &"unknown".into())
        );
        let error = &document["error"];
        assert!(error["message"].as_str().unwrap().starts_with(message), "{seen}");
        assert!(error["causes"].to_string().contains(cause), "{seen}");
        assert!(error["hint"].as_str().unwrap().starts_with(hint), "{seen}");
        assert!(!seen.err.contains("error:"), "{seen}");
    }
}

// rows: PC-2
#[test]
fn days_and_times_of_toml_are_those_of_yaml_and_a_time_of_day_is_neither() {
    let ground = Ground::new();
    ground
        .write("old.toml", "start = 1979-05-27T07:32:00Z\nday = 1979-05-27\nlocal = 1979-05-27 07:32:00.5\n");
    ground
        .write("new.yml", "start: 1979-05-27 07:32:00 Z\nday: 1979-05-27\nlocal: 1979-05-27T07:32:00.500\n");
    ground.expect(0, "config diff old.toml new.yml");
    ground
        .write("new.yml", "start: 1979-05-27 07:32:00\nday: '1979-05-27'\nlocal: 1979-05-27T07:32:00.500\n");
    let seen = ground.expect(1, "config diff old.toml new.yml");
    assert!(
        seen.out.contains("start: ") && seen.out.contains("day: ") && !seen.out.contains("local: "),
        "{seen}"
    );
    ground.write("at.toml", "at = 17:32:00\n");
    ground.write("at.yml", "at: 17:32:00\n");
    let seen = ground.expect(1, "config diff at.toml at.yml");
    assert!(seen.out.contains("(time of day) → ") && seen.out.contains("63120 (integer)"), "{seen}");
}

// rows: PC-2
#[cfg(target_os = "linux")]
#[test]
fn a_large_file_takes_a_few_times_its_size_of_memory() {
    const MIB: u64 = 1024 * 1024;
    let ground = Ground::new();
    let mut text = String::from("services:\n");
    for number in 0..25_000 {
        writeln!(text, "  service_{number}:  # the service {number}\n    host: host-{number}.example.org")
            .unwrap();
        writeln!(text, "    note: '{}'\n    weights: [1, {number}]", "quick and brown ".repeat(16)).unwrap();
    }
    let bytes = text.len() as u64;
    assert!(bytes > 8 * MIB, "{bytes}");
    ground.write("big.yml", text);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_switchback"));
    child.current_dir(ground.at("")).args([
        "config",
        "explain",
        "services.service_7.host",
        "--master",
        "big.yml",
    ]);
    let mut child = child.spawn().unwrap();
    // What the kernel says when it has ended counts the memory of the process that it came from as well.
    let peak_of = |id: u32| -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
    };
    let mut peak = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        peak = peak_of(child.id()).unwrap_or(0).max(peak);
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    assert!(ended.success());
    assert!(peak > bytes / 2, "{peak} bytes were seen: too few to be true");
    assert!(peak < 8 * bytes + 64 * MIB, "{bytes} bytes took {} MiB", peak / MIB);
}
