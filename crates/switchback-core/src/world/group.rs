//! The processes of a command as one: what they are sent, and whether one of them is still there.

use super::process::Signal;

/// So often the processes are looked for again that came while the others were sent a signal.
const LOOKS_MAX: usize = 10;

/// Ends all of it at once.
pub(super) fn kill(leader: u32) {
    send_to_all(leader, Signal::Kill);
}

/// Sends a signal to a command. Where it is a line of shell, whose shell still waits for what it started, the shell is left to say
/// how that ended: it would be gone otherwise, and the program with its exit code still be at work. `argv` is the command.
pub(super) fn interrupt(leader: u32, argv: &[String], signal: Signal) {
    if signal == Signal::Kill || !is_still(leader, argv) {
        return send_to_all(leader, signal);
    }
    let mut sent = Vec::new();
    for _ in 0..LOOKS_MAX {
        let others =
            living(leader).into_iter().filter(|process| *process != leader && !sent.contains(process));
        let others: Vec<u32> = others.collect();
        if others.is_empty() {
            break;
        }
        for process in &others {
            if let Some(process) = id(*process) {
                // It may have ended by itself in the meantime.
                let _ = rustix::process::kill_process(process, number(signal));
            }
        }
        sent.extend(others);
    }
    if sent.is_empty() {
        send_to_all(leader, signal);
    }
}

/// Whether a process of the command is still at work, the first one apart, which was waited for.
pub(super) fn is_alive(leader: u32) -> bool {
    living(leader).iter().any(|process| *process != leader)
}

fn send_to_all(leader: u32, signal: Signal) {
    if let Some(group) = id(leader) {
        // It may have ended by itself in the meantime: then there is nothing left to send anything to.
        let _ = rustix::process::kill_process_group(group, number(signal));
    }
}

fn id(process: u32) -> Option<rustix::process::Pid> {
    i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw)
}

fn number(signal: Signal) -> rustix::process::Signal {
    use rustix::process::Signal as Number;
    match signal {
        Signal::Kill => Number::KILL,
        Signal::Terminate => Number::TERM,
        Signal::Interrupt => Number::INT,
    }
}

/// Whether a process is still the shell that it was started as, and not the program that a shell becomes for its last command.
#[expect(clippy::disallowed_methods, reason = "processes are looked at behind this door")]
fn is_still(process: u32, argv: &[String]) -> bool {
    let Ok(line) = std::fs::read(format!("/proc/{process}/cmdline")) else { return false };
    let words = line.strip_suffix(b"\0").unwrap_or(&line).split(|byte| *byte == 0);
    argv.get(1).is_some_and(|second| second == "-c") && words.eq(argv.iter().map(String::as_bytes))
}

/// The processes of a group that have not ended. Where there is no `/proc`, none is known.
#[expect(clippy::disallowed_methods, reason = "processes are looked at behind this door")]
fn living(group: u32) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let is_living = |process: &u32| {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { return false };
        // Behind the name, which may hold anything: state, parent, group.
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let state = fields.next();
        let its_group = fields.nth(1).and_then(|field| field.parse().ok());
        its_group == Some(group) && !matches!(state, None | Some("Z" | "X"))
    };
    numbers.filter(is_living).collect()
}
