//! The text of units, by the rules of systemd.syntax(7), systemd.unit(5) and systemd.service(5).

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{Kind, Unit};

/// After so many seconds a watch that failed is started again.
const RESTART_S: u32 = 60;
/// It is given up when it was started so often within an hour.
const STARTS_MAX: u32 = 20;

/// The service.
pub(super) fn service(unit: &Unit<'_>) -> String {
    let mut text = head(unit);
    let is_once = unit.kind == Kind::Once;
    let _ = writeln!(text, "[Unit]");
    let _ = writeln!(text, "Description=Watch of {} by Switchback", plain(unit.project));
    if unit.owner.is_some() {
        text.push_str("Wants=network-online.target\nAfter=network-online.target\n");
    }
    if !is_once {
        let _ = writeln!(text, "StartLimitIntervalSec=3600\nStartLimitBurst={STARTS_MAX}");
    }
    text.push_str("\n[Service]\n");
    if is_once {
        text.push_str(
            "Type=oneshot\n# 2: the watch goes on, or something could not be told: `switchback status` says which.\n\
             SuccessExitStatus=2\n",
        );
    } else {
        let _ = writeln!(
            text,
            "Type=exec\nRestart=on-failure\nRestartSec={RESTART_S}\n# 1: a trigger rolled back, or holds: that is for a \
             person.\nRestartPreventExitStatus=1"
        );
    }
    let once = if is_once { " --once" } else { "" };
    let (program, root) = (word(unit.program.as_os_str().as_bytes()), word(unit.root.as_os_str().as_bytes()));
    // The colon: what looks like a variable is none.
    let _ = writeln!(text, "ExecStart=:{program} --project {root} watch{once}");
    if let Some((user, group)) = unit.owner {
        let _ = writeln!(text, "User={user}\nGroup={group}");
    }
    if let Some(path) = unit.path {
        let _ = writeln!(text, "Environment={}", word(format!("PATH={path}").as_bytes()));
    }
    if !unit.variables.is_empty() {
        let _ = writeln!(
            text,
            "# The plan uses {}: they belong into this file, which only its user may read.",
            named(unit.variables)
        );
    }
    let _ = writeln!(text, "EnvironmentFile=-{}", unit.environment_file());
    text.push_str(
        "# What a rollback starts goes on when the watch is over; and what a check takes does not end the watch.\n\
         KillMode=process\nOOMPolicy=continue\n# No core file: secrets may stand in memory.\nLimitCORE=0\n",
    );
    if !is_once {
        let target = if unit.owner.is_some() { "multi-user.target" } else { "default.target" };
        let _ = write!(text, "\n[Install]\nWantedBy={target}\n");
    }
    text
}

/// The timer of a service that carries out what is due and ends.
pub(super) fn timer(unit: &Unit<'_>) -> String {
    let mut text = head(unit);
    let _ = write!(
        text,
        "[Unit]\nDescription=Watch of {} by Switchback, once a minute\n\n[Timer]\nOnCalendar=*-*-* *:*:00\nAccuracySec=1s\n\
         # What was missed while the machine was off is made up for at once.\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n",
        plain(unit.project)
    );
    text
}

fn head(unit: &Unit<'_>) -> String {
    let manager = if unit.owner.is_some() { "the system" } else { "a user" };
    format!(
        "# Written by `switchback watch --write-unit`, for the service manager of {manager}. It has no secret.\n"
    )
}

/// The first of some names, for a comment.
fn named(variables: &[String]) -> String {
    let listed: Vec<&str> = variables.iter().map(String::as_str).collect();
    listed.join(", ")
}

/// A text in a value that is taken as it stands: one line, without specifiers.
fn plain(text: &str) -> String {
    let is_odd = |character: char| character.is_control() || character == '\\';
    text.chars()
        .map(|character| if is_odd(character) { ' ' } else { character })
        .collect::<String>()
        .replace('%', "%%")
}

/// Bytes as one word: quoted, with everything escaped that systemd would read as something else.
pub(super) fn word(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    let mut rest = bytes;
    while !rest.is_empty() {
        let (valid, odd) = match std::str::from_utf8(rest) {
            Ok(valid) => (valid, 0),
            Err(error) => {
                let valid = std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default();
                (valid, error.error_len().unwrap_or(rest.len() - error.valid_up_to()))
            }
        };
        for character in valid.chars() {
            match character {
                '"' => text.push_str("\\\""),
                '\\' => text.push_str("\\\\"),
                '%' => text.push_str("%%"),
                character if character.is_ascii_control() => {
                    let _ = write!(text, "\\x{:02x}", u32::from(character));
                }
                character => text.push(character),
            }
        }
        let (invalid, after) = rest[valid.len()..].split_at(odd);
        for byte in invalid {
            let _ = write!(text, "\\x{byte:02x}");
        }
        rest = after;
    }
    text.push('"');
    text
}

/// A project's name as a part of a unit's name.
pub(super) fn part_of_name(project: &str, root: &Path) -> String {
    const CHARACTERS_MAX: usize = 60;
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    let name: String = project
        .chars()
        .map(|character| if is_plain(character) { character } else { '-' })
        .take(CHARACTERS_MAX)
        .collect();
    let hash = blake3::hash(root.as_os_str().as_bytes()).to_hex();
    // Two checkouts of one project have one name.
    format!("{name}-{}", &hash[..6])
}
