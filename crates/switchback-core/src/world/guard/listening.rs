//! Whether an address of this machine is one at which the command itself listens: a server that it started, and nobody outside.

use std::collections::HashSet;
use std::net::SocketAddr;

use nix::unistd::Pid;

/// The tables of sockets, as `proc(5)` describes them.
const TABLES: &[&str] = &["tcp", "tcp6", "udp", "udp6"];
/// The state of a socket of TCP that listens, and of one of UDP that is bound.
const LISTENS: &[&str] = &["0A", "07"];

/// Whether somebody of the family listens there.
pub(super) fn is_own(address: &SocketAddr, family: &dyn Fn() -> Vec<Pid>) -> bool {
    if !(address.ip().is_loopback() || address.ip().is_unspecified()) {
        return false;
    }
    let sockets: HashSet<String> = TABLES.iter().flat_map(|table| listening(table, address.port())).collect();
    !sockets.is_empty() && family().into_iter().any(|process| holds_one(process, &sockets))
}

/// The sockets that listen at a port, as the links of descriptors name them.
#[expect(clippy::disallowed_methods, reason = "processes are looked at behind this door")]
fn listening(table: &str, port: u16) -> Vec<String> {
    let text = std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
    let wanted = format!("{port:04X}");
    let found = text.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_whitespace();
        let (local, state) = (fields.nth(1)?, fields.nth(1)?);
        let inode = fields.nth(5)?;
        let is_it = local.rsplit_once(':')?.1 == wanted && LISTENS.contains(&state);
        is_it.then(|| format!("socket:[{inode}]"))
    });
    found.collect()
}

#[expect(clippy::disallowed_methods, reason = "processes are looked at behind this door")]
fn holds_one(process: Pid, sockets: &HashSet<String>) -> bool {
    let Ok(descriptors) = std::fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    let links = descriptors.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    links.into_iter().any(|link| link.to_str().is_some_and(|link| sockets.contains(link)))
}
