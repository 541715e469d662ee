//! The reference pages hold what the program holds: every key, command and event is named, and every example is read.
//!
//! `UPDATE_DOCS=1` writes `docs/cli-reference.md` anew.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use regex::Regex;
use serde_json::{Value, json};
use switchback_core::plan::{Key, Shape, json_schema, plan_keys};
use switchback_core::{change, check};

use super::ground::Ground;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// The text from a heading (or an anchor) to the next heading.
fn section<'p>(page: &'p str, title: &str) -> &'p str {
    let start =
        page.find(&format!("{title}\n")).unwrap_or_else(|| panic!("no section `{title}`")) + title.len();
    let rest = &page[start..];
    &rest[..rest.find("\n#").unwrap_or(rest.len())]
}

/// What a row of a section says about a key: its meaning and its default.
fn row<'p>(section: &'p str, name: &str) -> Option<Vec<&'p str>> {
    let start = format!("| `{name}` | ");
    let line = section.lines().find(|line| line.starts_with(&start))?;
    Some(line[start.len()..].trim_end_matches(" |").rsplitn(2, " | ").collect())
}

/// Every key of the plan with the title of the section that must name it; not built ones go into the last section.
fn all_keys() -> Vec<(String, Key)> {
    let mut found = Vec::new();
    collect("## The plan", plan_keys(), &mut found);
    for kind in change::KINDS {
        collect(&format!("### A change of the kind `{}`", kind.word), kind.keys, &mut found);
    }
    for kind in check::KINDS {
        collect(&format!("### A check of the kind `{}`", kind.word), kind.keys, &mut found);
    }
    found
}

fn collect(title: &str, keys: &[Key], found: &mut Vec<(String, Key)>) {
    for key in keys {
        let inner = match (title, key.name) {
            ("## The plan", name) => match key.shape {
                Shape::Table(_) => format!("## `[{name}]`"),
                _ => format!("## `[[{name}]]`"),
            },
            ("## `[[phase]]`", "change") => "## `[[phase.change]]`".to_owned(),
            ("## `[[shadow]]`", "old" | "new") => "### Side of a shadow".to_owned(),
            (_, "managed") => "### An item of `managed`".to_owned(),
            (_, "old" | "new" | "tolerance" | "columns" | "image") => {
                "### A check of the kind `equivalence`".to_owned()
            }
            (_, "whole" | "stopped" | "resumed" | "migrate") => {
                "### A check of the kind `restart`".to_owned()
            }
            (_, "shims") => "### A change of the kind `move`".to_owned(),
            (_, "constraints") => "### A check of the kind `constraint`".to_owned(),
            (_, "tables") => "### An item of `tables`".to_owned(),
            (_, "worse_than" | "off_by") => "### `when`".to_owned(),
            (_, name) => format!("### `{name}`"),
        };
        match key.shape {
            Shape::Table(keys)
            | Shape::Tables(keys)
            | Shape::Named(keys)
            | Shape::TextsOrTables(keys)
            | Shape::TextOrTable(keys)
            | Shape::TextsOrTable(keys)
            | Shape::Kinds(keys, _) => collect(&inner, keys, found),
            _ => {}
        }
        found.push((documented_in(title, key).to_owned(), *key));
    }
}

/// Kinds that compare results share the keys that say what is the same, and these are explained once.
fn documented_in<'t>(title: &'t str, key: &Key) -> &'t str {
    let equivalence = check::KINDS.iter().find(|kind| kind.word == "equivalence").unwrap();
    let compares = ["fixture", "requests", "restart", "scenarios"]
        .iter()
        .any(|kind| title.ends_with(&format!("kind `{kind}`")));
    let shares = compares || title == "## `[[shadow]]`";
    let is_shared = equivalence.keys.iter().any(|shared| shared.name == key.name && !shared.required);
    if shares && is_shared { "### A check of the kind `equivalence`" } else { title }
}

#[test]
fn every_key_of_the_plan_is_documented_with_meaning_and_default() {
    let page = page("plan-file.md");
    let keys = all_keys();
    assert!(keys.len() > 60, "only {} keys were found", keys.len());
    for (title, key) in keys {
        if !key.is_built() {
            assert!(section(&page, "## Not built yet").contains(&format!("`{}`", key.name)), "{}", key.name);
            continue;
        }
        let cells = row(section(&page, &title), key.name);
        let cells = cells.unwrap_or_else(|| panic!("`{}` is missing in `{title}`", key.name));
        assert_eq!(cells.len(), 2, "`{}` in `{title}` has no default", key.name);
        assert!(cells[1].len() > 5, "`{}` in `{title}` says nothing", key.name);
        if cells[0] == "required" {
            assert!(key.required, "`{}` in `{title}` is not required", key.name);
        } else {
            assert!(!key.required, "`{}` in `{title}` is required", key.name);
        }
    }
    for word in change::NOT_BUILT.iter().chain(check::NOT_BUILT) {
        assert!(section(&page, "## Not built yet").contains(&format!("`{word}`")), "{word}");
    }
}

/// The plans of the page: whole ones as they are, the others behind a small plan.
fn example_plans() -> Vec<String> {
    let base = "version = 1\n[project]\nname = \"shop\"\nmanaged = [\"src\"]\n[[phase]]\nname = \"first\"\n\
                [[phase.change]]\nkind = \"files\"\nfrom = \"../new\"\n";
    let page = page("plan-file.md");
    let blocks = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let whole =
        |text: &str| if text.starts_with("version") { text.to_owned() } else { format!("{base}{text}") };
    let mut plans: Vec<String> = blocks.map(whole).collect();
    assert!(plans.len() > 9, "only {} examples were found", plans.len());
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let folder = entry.unwrap().path();
        for place in ["", "live", "production"] {
            plans.extend(fs::read_to_string(folder.join(place).join("switchback.toml")).ok());
        }
    }
    plans
}

#[test]
fn every_example_is_a_plan_without_a_finding() {
    let ground = Ground::shop("");
    for plan in example_plans() {
        ground.write("switchback.toml", &plan);
        let seen = ground.run("status --json");
        assert_eq!(seen.json()["schema"], "switchback/status/1", "{plan}\n{seen}");
    }
}

/// The first place where a value does not follow a schema; `None` when it does. It knows the words that ours uses, and
/// stops at any other.
fn violation(schema: &Value, value: &Value, place: &str) -> Option<String> {
    for (word, wanted) in schema.as_object().unwrap() {
        let fits = match word.as_str() {
            "$schema" | "title" | "description" | "properties" | "items" => true,
            "type" => match wanted.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_i64(),
                "number" => value.is_number(),
                "boolean" => value.is_boolean(),
                other => panic!("the type `{other}` is not known here"),
            },
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap()),
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= wanted.as_u64().unwrap()),
            "required" => {
                wanted.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some())
            }
            "oneOf" => {
                let fitting =
                    wanted.as_array().unwrap().iter().filter(|one| violation(one, value, place).is_none());
                fitting.count() == 1
            }
            "additionalProperties" => value.as_object().is_none_or(|fields| {
                let known = &schema["properties"];
                fields
                    .iter()
                    .filter(|(name, _)| known.get(name.as_str()).is_none())
                    .all(|(_, field)| wanted.is_object() && violation(wanted, field, place).is_none())
            }),
            other => panic!("the word `{other}` is not known here"),
        };
        if !fits {
            return Some(format!("{place}: `{word}` {wanted}"));
        }
    }
    let mut fields = value.as_object().into_iter().flatten();
    let in_fields = fields.find_map(|(name, field)| {
        violation(schema.get("properties")?.get(name)?, field, &format!("{place}.{name}"))
    });
    in_fields.or_else(|| {
        let items = schema.get("items")?;
        value.as_array()?.iter().find_map(|item| violation(items, item, &format!("{place}[]")))
    })
}

#[test]
fn the_schema_accepts_every_example_and_refuses_what_the_reader_refuses() {
    let printed: Value = serde_json::from_str(&Ground::new().expect(0, "plan --schema").out).unwrap();
    assert_eq!(printed, json_schema());
    for plan in example_plans() {
        let value: Value = toml::from_str(&plan).unwrap();
        assert_eq!(violation(&printed, &value, "plan"), None, "{plan}");
    }
    let good: Value = toml::from_str(&example_plans()[0]).unwrap();
    for (place, value) in [
        ("/colour", json!("blue")),
        ("/version", json!(2)),
        ("/project/nmae", json!("shop")),
        ("/project/managed", json!("src")),
        ("/project/mechanism", json!("magic")),
        ("/phase/0/approve/who", json!("risk")),
        ("/phase/0/change/0/form", json!("../new")),
        ("/phase/0/change/0/kind", json!("merge")),
        ("/check/0/minimun", json!(3)),
        ("/check/0/minimum", json!(-1)),
        ("/check/0/url", json!("http://localhost")),
        ("/trigger/0/do", json!("rollback")),
        ("/trigger/0/when/worse_than/of", json!("after")),
        ("/window", json!({"minutes": "sixty"})),
        ("/shadow", json!({"for": "24h"})),
        ("/phase", json!([])),
    ] {
        let mut bad = good.clone();
        let (parent, name) = place.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).unwrap()[name] = value;
        assert!(violation(&printed, &bad, "plan").is_some(), "{place}");
    }
    for name in ["version", "project", "phase"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(name);
        assert!(violation(&printed, &bad, "plan").is_some(), "without {name}");
    }
}

/// The reference of all commands, from what clap knows.
fn reference() -> String {
    let mut program = switchback_cli::Cli::command().term_width(100);
    program.build();
    let mut parts = vec![String::from(
        "# Command line reference\n\nWritten from `--help` of every command by a test of the program; \
         `UPDATE_DOCS=1 cargo test -p switchback --test cli documentation` writes it anew.\n\n\
         Exit codes, everywhere: `0` yes (equal, done, holds), `1` no (different, refused, does not hold), `2` could not \
         tell (bad arguments, bad input, an error, or not over yet).\n",
    )];
    describe(&mut program, "switchback", &mut parts);
    parts.concat()
}

fn describe(command: &mut clap::Command, name: &str, parts: &mut Vec<String>) {
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    parts.push(format!("\n## `{name}`\n\n```text\n{}\n```\n", lines.join("\n").trim_end()));
    for inner in
        command.get_subcommands_mut().filter(|inner| inner.get_name() != "help" && !inner.is_hide_set())
    {
        let name = format!("{name} {}", inner.get_name());
        describe(inner, &name, parts);
    }
}

#[test]
fn the_command_line_reference_is_what_help_says() {
    let wanted = reference();
    let path = root().join("docs/cli-reference.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    assert!(
        page("cli-reference.md") == wanted,
        "docs/cli-reference.md is stale: UPDATE_DOCS=1 writes it anew"
    );
    for command in [
        "init",
        "plan",
        "run",
        "status",
        "check",
        "approve",
        "reject",
        "shadow",
        "watch",
        "rollback",
        "log",
        "log verify",
        "report",
        "snapshot",
        "snapshot create",
        "snapshot list",
        "snapshot show",
        "snapshot check",
        "snapshot restore",
        "compare",
        "bench run",
        "bench compare",
        "bench update",
        "bisect",
        "distribution",
    ] {
        assert!(wanted.contains(&format!("\n## `switchback {command}`\n")), "{command}");
    }
}

#[test]
fn every_command_has_examples_in_its_help_and_says_what_it_does() {
    let mut program = switchback_cli::Cli::command();
    program.build();
    for command in
        program.get_subcommands().filter(|command| command.get_name() != "help" && !command.is_hide_set())
    {
        let name = command.get_name();
        assert!(command.get_about().is_some(), "{name}");
        let examples =
            command.get_after_help().unwrap_or_else(|| panic!("{name} has no examples")).to_string();
        assert!(examples.contains(&format!("  switchback {name}")), "{name}: {examples}");
    }
}

#[test]
fn every_event_and_each_of_its_fields_is_documented() {
    let source = fs::read_to_string(root().join("crates/switchback-core/src/journal/event.rs")).unwrap();
    let page = page("journal-format.md");
    let events = section(&page, "### Events");
    let definition = source.split("pub enum Event {").nth(1).unwrap().split("\n}\n").next().unwrap();
    let variant = Regex::new(r"(?m)^    ([A-Z][A-Za-z]+) \{([^}]*)\}").unwrap();
    let field = Regex::new(r"\b([a-z_]+): ").unwrap();
    let capital = Regex::new("([a-z])([A-Z])").unwrap();
    let mut count = 0;
    for found in variant.captures_iter(definition) {
        count += 1;
        let word = capital.replace_all(&found[1], "$1-$2").to_lowercase();
        let row = events.lines().find(|line| line.starts_with(&format!("| `{word}` |")));
        let row = row.unwrap_or_else(|| panic!("the event `{word}` is not documented"));
        for name in field.captures_iter(&found[2]) {
            assert!(row.contains(&format!("`{}`", &name[1])), "the field `{}` of `{word}`", &name[1]);
        }
    }
    assert_eq!(count, 50, "events were found");
    let binding = source.split("pub struct Binding {").nth(1).unwrap().split("\n}\n").next().unwrap();
    for name in Regex::new(r"pub ([a-z_]+): ").unwrap().captures_iter(binding) {
        assert!(events.contains(&format!("`{}`", &name[1])), "the field `{}` of a binding", &name[1]);
    }
}

#[test]
fn the_journal_of_a_real_run_holds_nothing_that_is_not_documented() {
    let ground = Ground::shop(
        "[[check]]\nname = \"there\"\nkind = \"files\"\nexist = [\"src\"]\nat = [\"staged\", \"live\"]\n",
    );
    ground.expect(0, "run");
    ground.expect(0, "rollback");
    let page = page("journal-format.md");
    for line in ground.expect(0, "log --json").out.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let start = format!("| `{}` |", event["event"].as_str().unwrap());
        let row = page.lines().find(|line| line.starts_with(&start)).unwrap();
        for name in event["body"].as_object().unwrap().keys() {
            assert!(row.contains(&format!("`{name}`")), "{name} in {line}");
        }
    }
}
