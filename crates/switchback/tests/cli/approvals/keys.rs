//! Keys on the command line: locked ones, wrong ones, and passphrases that are nowhere afterwards.

use super::{approver, of_risk, rehearsed};

#[test]
fn a_locked_key_is_opened_by_a_command_or_a_variable_and_its_passphrase_is_nowhere() {
    let mut ground = rehearsed("roles = [\"risk\"]", &approver("Dee", "\"risk\"", "locked"));
    let line = "approve unify --role risk --key ../keys/locked";
    insta::assert_snapshot!(ground.run(line), @r#"
    $ switchback approve unify --role risk --key ../keys/locked
    --- stderr
    error: could not open the key `../keys/locked`
      caused by: it is locked with a passphrase

    hint: name what knows it: `--passphrase-command CMD` or `--passphrase-variable NAME`
    --- exit 2
    "#);
    let command = |command: &str| {
        let mut words: Vec<&str> = line.split(' ').collect();
        words.extend(["--passphrase-command", command]);
        ground.run_arguments(&words)
    };
    insta::assert_snapshot!(command("echo the-wrong-one"), @r#"
    $ switchback approve unify --role risk --key ../keys/locked --passphrase-command 'echo the-wrong-one'
    --- stderr
    error: could not open the key `../keys/locked`
      caused by: the passphrase does not open it

    hint: name what knows it: `--passphrase-command CMD` or `--passphrase-variable NAME`
    --- exit 2
    "#);
    insta::assert_snapshot!(command("echo the-wrong-one >&2; exit 7"), @r#"
    $ switchback approve unify --role risk --key ../keys/locked --passphrase-command 'echo the-wrong-one >&2; exit 7'
    --- stderr
    error: could not open the key `../keys/locked`
      caused by: the command that prints the passphrase failed: exit code 7

    hint: name what knows it: `--passphrase-command CMD` or `--passphrase-variable NAME`
    --- exit 2
    "#);
    let seen = command("echo 'correct horse'");
    assert_eq!(seen.code, 0, "{seen}");
    ground.set("KEY_PHRASE", "correct horse");
    let seen = ground.expect(0, &format!("{line} --passphrase-variable KEY_PHRASE"));
    let journal = std::fs::read(ground.at(".switchback/journal.db")).unwrap();
    for text in
        [seen.out, seen.err, ground.run("log --json").out, String::from_utf8_lossy(&journal).into_owned()]
    {
        assert!(!text.contains("correct horse") && !text.contains("PRIVATE KEY"));
    }
    let seen = ground.expect(2, &format!("{line} --passphrase-variable NOT_SET"));
    assert!(seen.err.contains("the variable `NOT_SET` holds no passphrase"), "{seen}");
    let seen = ground.expect(2, "approve unify --role risk --passphrase-variable KEY_PHRASE");
    assert!(seen.err.contains("--key"), "{seen}");
    ground.expect(0, "run");
}

#[test]
fn what_is_no_key_is_an_error_and_approves_nothing() {
    let ground = rehearsed("roles = [\"risk\"]", &of_risk());
    let events = ground.run("log --json").out.lines().count();
    for (file, why) in [
        ("../keys/nobody", "could not read"),
        ("../keys/ecdsa", "it is not a private key of the kind `ssh-ed25519`"),
        ("rules.txt", "it is not a private key"),
        ("../keys", "could not read"),
    ] {
        let seen = ground.expect(2, &format!("approve unify --role risk --key {file}"));
        assert!(seen.err.contains(why), "{file}: {seen}");
        assert!(seen.err.contains("hint: name the private key"), "{file}: {seen}");
        let seen = ground.expect(2, &format!("approve unify --role risk --key {file} --json"));
        assert_eq!(seen.json()["schema"], "switchback/error/1", "{file}");
    }
    assert_eq!(ground.run("log --json").out.lines().count(), events, "nothing was written down");
}

#[test]
fn a_key_that_others_may_read_is_told_of() {
    use std::os::unix::fs::PermissionsExt;

    let ground = rehearsed("roles = [\"risk\"]", &of_risk());
    std::fs::set_permissions(ground.at("../keys/ana"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let seen = ground.expect(0, "approve unify --role risk --key ../keys/ana");
    assert!(seen.err.contains("warning: the key `../keys/ana` may be read by others (mode 644)"), "{seen}");
}
