//! What a guarded command may reach, and whether a call goes beyond that.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use nix::unistd::Pid;

use super::call::{Address, Caller, Demand};
use super::filter;
use super::told::{Attempt, AttemptKind};
use super::{Confinement, Guard, listening};
use crate::world::confinement::DEVICES;

/// Devices that are the command's own, by other names.
const OWN_DEVICES: &[&str] = &["/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/fd"];
/// Programs that hand over mail.
const MAILERS: &[&str] = &[
    "sendmail",
    "mail",
    "mailx",
    "Mail",
    "s-nail",
    "nail",
    "msmtp",
    "ssmtp",
    "esmtp",
    "mutt",
    "neomutt",
    "swaks",
    "exim",
    "exim4",
    "postdrop",
    "qmail-inject",
    "nullmailer-inject",
];
/// Ports at which mail is taken.
const MAIL_PORTS: &[u16] = &[25, 465, 587, 2525];
/// The port of name servers.
const NAMES_PORT: u16 = 53;
/// Sockets of this machine's own directories of names and users. Libraries ask them in passing and go on without: they are refused, and
/// that is no attempt of the program.
const DIRECTORIES: &[&str] = &[
    "/run/nscd/socket",
    "/var/run/nscd/socket",
    "/run/systemd/userdb",
    "/run/systemd/resolve",
    "/run/dbus/system_bus_socket",
    "/var/lib/sss/pipes",
];

/// What is to be done about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// It goes on.
    Goes,
    /// It fails as if it were not permitted, and that is told.
    Refused(Attempt),
    /// It fails, and nobody needs to know.
    RefusedInPassing,
}

/// What a command may reach.
#[derive(Debug)]
pub(super) struct Bounds {
    /// Folders and files that it may write to, without links.
    open: Vec<PathBuf>,
    addresses: Vec<(IpAddr, Option<u16>)>,
    sockets: Vec<PathBuf>,
    /// Whether a host is allowed by its name, so that names have to be looked up.
    has_names: bool,
    programs: Vec<String>,
}

impl Bounds {
    pub(super) fn new(confinement: &Confinement, guard: &Guard) -> Result<Self, String> {
        let real = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let mut bounds = Self {
            open: confinement.open.iter().map(real).collect(),
            addresses: Vec::new(),
            sockets: Vec::new(),
            has_names: false,
            programs: guard.programs.clone(),
        };
        for host in &guard.hosts {
            if host.starts_with('/') {
                bounds.sockets.push(real(&PathBuf::from(host)));
                continue;
            }
            let (name, port) = host_and_port(host);
            let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
            if let Ok(address) = address {
                bounds.addresses.push((address, port));
                continue;
            }
            bounds.has_names = true;
            let found = (name, port.unwrap_or(0)).to_socket_addrs();
            let found = found
                .map_err(|error| format!("the host `{host}`, which is allowed, is not known: {error}"))?;
            bounds.addresses.extend(found.map(|address| (address.ip(), port)));
        }
        Ok(bounds)
    }

    /// What is to be done about the call. `family`: the command, and all that it started.
    pub(super) fn decide(&self, caller: &Caller<'_>, family: &dyn Fn() -> Vec<Pid>) -> Decision {
        let call = filter::name(caller.number()).to_owned();
        let refused = |kind, what: String| Decision::Refused(Attempt { kind, what, call: call.clone() });
        match caller.demand() {
            Demand::Nothing => Decision::Goes,
            Demand::Write(paths) => match paths.iter().find(|path| !self.may_write(path)) {
                Some(path) => refused(AttemptKind::Write, path.display().to_string()),
                None => Decision::Goes,
            },
            Demand::Run(program) => {
                let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let is_there = || std::fs::metadata(&program).is_ok();
                if MAILERS.contains(&name.as_str()) && !self.programs.contains(&name) && is_there() {
                    return refused(AttemptKind::Mail, program.display().to_string());
                }
                Decision::Goes
            }
            Demand::Reach(addresses) => {
                let decided = addresses.iter().map(|address| self.about(address, &call, family));
                decided.into_iter().find(|decision| *decision != Decision::Goes).unwrap_or(Decision::Goes)
            }
            Demand::Hidden => refused(AttemptKind::Call, call.clone()),
        }
    }

    fn may_write(&self, path: &Path) -> bool {
        let is_below = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
        if let Ok(rest) = path.strip_prefix("/proc") {
            // What is known of processes, and no settings of the kernel.
            let first = rest.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
            return first.is_some_and(|first| first.bytes().all(|byte| byte.is_ascii_digit()));
        }
        is_below(DEVICES) || is_below(OWN_DEVICES) || self.open.iter().any(|open| path.starts_with(open))
    }

    fn about(&self, address: &Address, call: &str, family: &dyn Fn() -> Vec<Pid>) -> Decision {
        let refused = |kind, what: String| Decision::Refused(Attempt { kind, what, call: call.to_owned() });
        match address {
            Address::Internet(address) => {
                if self.may_reach(address) || listening::is_own(address, family) {
                    return Decision::Goes;
                }
                let is_mail = MAIL_PORTS.contains(&address.port());
                refused(
                    if is_mail { AttemptKind::Mail } else { AttemptKind::Connection },
                    address.to_string(),
                )
            }
            Address::Path(path) => {
                let own = self.open.iter().chain(&self.sockets);
                if own.into_iter().any(|own| path.starts_with(own)) {
                    return Decision::Goes;
                }
                if DIRECTORIES.iter().any(|known| path.starts_with(known)) || std::fs::metadata(path).is_err()
                {
                    return Decision::RefusedInPassing;
                }
                refused(AttemptKind::Connection, path.display().to_string())
            }
            Address::Abstract(name) => refused(AttemptKind::Connection, format!("@{name}")),
            Address::Other(family) => refused(AttemptKind::Connection, format!("address family {family}")),
        }
    }

    fn may_reach(&self, address: &SocketAddr) -> bool {
        let fits = |(ip, port): &(IpAddr, Option<u16>)| {
            *ip == address.ip() && port.is_none_or(|port| port == address.port())
        };
        (self.has_names && address.port() == NAMES_PORT) || self.addresses.iter().any(fits)
    }
}

/// `host:port`, `[::1]:port`, or a host alone.
fn host_and_port(text: &str) -> (&str, Option<u16>) {
    match text.rsplit_once(':') {
        // An address of version 6 without brackets has more than one colon.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (text, None),
        },
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_with_and_without_ports() {
        for (text, host, port) in [
            ("db:5432", "db", Some(5432)),
            ("db", "db", None),
            ("10.0.0.1:80", "10.0.0.1", Some(80)),
            ("::1", "::1", None),
            ("[::1]:80", "[::1]", Some(80)),
        ] {
            assert_eq!(host_and_port(text), (host, port));
        }
    }

    #[test]
    fn only_what_is_allowed_may_be_reached() {
        let guard = Guard { hosts: vec!["10.0.0.1:80".into(), "[::1]".into()], ..Guard::default() };
        let bounds = Bounds::new(&Confinement::default(), &guard).unwrap();
        let may = |text: &str| bounds.may_reach(&text.parse().unwrap());
        assert!(may("10.0.0.1:80") && may("[::1]:7"));
        assert!(!may("10.0.0.1:81") && !may("10.0.0.2:80") && !may("10.0.0.2:53"));
    }
}
