//! Secrets stay where they are: a token that a check prints reaches no file and no screen.

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
