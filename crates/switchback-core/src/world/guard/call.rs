//! One stopped system call: what it asks for, read from the memory of the process that makes it.

use std::fs::{File, OpenOptions};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::libc::{self, user_regs_struct};
use nix::unistd::Pid;

use super::filter;

/// The longest path that the kernel takes.
const PATH_BYTES_MAX: usize = 4096;
/// So many messages of one `sendmmsg` are looked at.
const MESSAGES_MAX: u64 = 64;
/// So many links at the end of a path are followed.
const LINKS_MAX: u32 = 16;

/// What a call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Demand {
    /// Nothing that reaches outside.
    Nothing,
    /// These files would be made, changed, or removed.
    Write(Vec<PathBuf>),
    /// A packet, or a connection, would go there.
    Reach(Vec<Address>),
    /// This program would be started.
    Run(PathBuf),
    /// What it does cannot be looked into.
    Hidden,
}

/// Where a connection goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    Internet(SocketAddr),
    /// A socket with a path.
    Path(PathBuf),
    /// A socket without one.
    Abstract(String),
    /// Another family of addresses.
    Other(u16),
}

/// The process that makes it, and its registers.
#[derive(Debug)]
pub(super) struct Caller<'r> {
    pub(super) pid: Pid,
    pub(super) registers: &'r user_regs_struct,
}

/// How the last part of a path is taken, where it is a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Followed,
    Itself,
}

impl Caller<'_> {
    /// The number of the call.
    #[expect(clippy::cast_possible_wrap, reason = "numbers of calls are small")]
    pub(super) fn number(&self) -> i64 {
        self.registers.orig_rax as i64
    }

    fn argument(&self, at: usize) -> u64 {
        let registers = self.registers;
        [registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9]
            .get(at)
            .copied()
            .unwrap_or_default()
    }

    /// What the call asks for. What cannot be read there makes the call fail by itself.
    pub(super) fn demand(&self) -> Demand {
        use Last::{Followed, Itself};
        let write = |paths: &[Option<PathBuf>]| Demand::Write(paths.iter().flatten().cloned().collect());
        match self.number() {
            libc::SYS_open => write(&[self.path(0, opened(self.argument(1)))]),
            libc::SYS_openat => write(&[self.path_at(0, 1, opened(self.argument(2)))]),
            libc::SYS_openat2 => self.open_how(),
            libc::SYS_creat
            | libc::SYS_truncate
            | libc::SYS_chmod
            | libc::SYS_chown
            | libc::SYS_utime
            | libc::SYS_utimes
            | libc::SYS_setxattr
            | libc::SYS_removexattr => write(&[self.path(0, Followed)]),
            libc::SYS_mkdir
            | libc::SYS_mknod
            | libc::SYS_unlink
            | libc::SYS_rmdir
            | libc::SYS_lchown
            | libc::SYS_lsetxattr
            | libc::SYS_lremovexattr => write(&[self.path(0, Itself)]),
            libc::SYS_mkdirat | libc::SYS_mknodat | libc::SYS_unlinkat => {
                write(&[self.path_at(0, 1, Itself)])
            }
            libc::SYS_fchmodat | libc::SYS_futimesat => write(&[self.path_at(0, 1, Followed)]),
            filter::SETXATTRAT | filter::REMOVEXATTRAT => write(&[self.path_at(0, 1, self.flagged(2))]),
            filter::FCHMODAT2 | libc::SYS_utimensat => write(&[self.path_at(0, 1, self.flagged(3))]),
            libc::SYS_fchownat | filter::FILE_SETATTR => write(&[self.path_at(0, 1, self.flagged(4))]),
            libc::SYS_fchmod | libc::SYS_fchown | libc::SYS_fsetxattr | libc::SYS_fremovexattr => {
                write(&[self.descriptor(0)])
            }
            libc::SYS_rename => write(&[self.path(0, Itself), self.path(1, Itself)]),
            libc::SYS_renameat | libc::SYS_renameat2 => {
                write(&[self.path_at(0, 1, Itself), self.path_at(2, 3, Itself)])
            }
            libc::SYS_link | libc::SYS_symlink => write(&[self.path(1, Itself)]),
            libc::SYS_linkat => write(&[self.path_at(2, 3, Itself)]),
            libc::SYS_symlinkat => write(&[self.path_at(1, 2, Itself)]),
            libc::SYS_connect => self.reach(&[(self.argument(1), self.argument(2))]),
            libc::SYS_sendto => self.reach(&[(self.argument(4), self.argument(5))]),
            libc::SYS_sendmsg => self.reach(&[self.receiver(self.argument(1))]),
            libc::SYS_sendmmsg => {
                // One header is 56 bytes, behind it stands how much was sent.
                let count = self.argument(2).min(MESSAGES_MAX);
                let headers = (0..count).map(|at| self.receiver(self.argument(1) + at * 64));
                self.reach(&headers.collect::<Vec<_>>())
            }
            libc::SYS_execve => self.path(0, Followed).map_or(Demand::Nothing, Demand::Run),
            libc::SYS_execveat => self.path_at(0, 1, Followed).map_or(Demand::Nothing, Demand::Run),
            libc::SYS_ptrace if self.argument(0) == 0 => Demand::Nothing,
            libc::SYS_io_uring_setup | libc::SYS_mount | libc::SYS_ptrace => Demand::Hidden,
            _ => Demand::Nothing,
        }
    }

    fn flagged(&self, at: usize) -> Last {
        if self.argument(at) & filter::bits(libc::AT_SYMLINK_NOFOLLOW) == 0 {
            Last::Followed
        } else {
            Last::Itself
        }
    }

    fn open_how(&self) -> Demand {
        let Some(flags) = self.word(self.argument(2)) else { return Demand::Nothing };
        if !filter::writes(flags) {
            return Demand::Nothing;
        }
        Demand::Write(self.path_at(0, 1, opened(flags)).into_iter().collect())
    }

    /// The receiver in the header of a message: where its address is, and how long.
    fn receiver(&self, header: u64) -> (u64, u64) {
        let length = self.word(header + 8).map_or(0, |length| length & 0xffff_ffff);
        (self.word(header).unwrap_or(0), length)
    }

    fn reach(&self, addresses: &[(u64, u64)]) -> Demand {
        let read =
            addresses.iter().filter(|(at, _)| *at != 0).filter_map(|(at, length)| self.address(*at, *length));
        let read: Vec<Address> = read.collect();
        if read.is_empty() { Demand::Nothing } else { Demand::Reach(read) }
    }

    /// An address; nothing for one that leads to the kernel, or nowhere.
    fn address(&self, at: u64, length: u64) -> Option<Address> {
        let bytes = self.bytes(at, usize::try_from(length).unwrap_or(usize::MAX).min(128))?;
        let family = u16::from_ne_bytes([*bytes.first()?, *bytes.get(1)?]);
        let port = || Some(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]));
        match i32::from(family) {
            libc::AF_UNSPEC | libc::AF_NETLINK | libc::AF_ALG => None,
            libc::AF_INET => {
                let address: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
                Some(Address::Internet(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(address)), port()?)))
            }
            libc::AF_INET6 => {
                let address: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
                let address = Ipv6Addr::from(address);
                let address = address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4);
                Some(Address::Internet(SocketAddr::new(address, port()?)))
            }
            libc::AF_UNIX => {
                let name = bytes.get(2..)?;
                if name.first().is_none_or(|first| *first == 0) {
                    let name = String::from_utf8_lossy(name.get(1..).unwrap_or_default()).into_owned();
                    return Some(Address::Abstract(name.trim_end_matches('\0').to_owned()));
                }
                let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
                let path = Path::new(std::ffi::OsStr::from_bytes(&name[..end]));
                Some(Address::Path(resolved(&self.folder()?.join(path), Last::Followed)))
            }
            _ => Some(Address::Other(family)),
        }
    }

    /// The path in an argument.
    fn path(&self, at: usize, last: Last) -> Option<PathBuf> {
        let text = self.text(self.argument(at))?;
        Some(resolved(&self.owned(&self.folder()?.join(text)), last))
    }

    /// The path in an argument, from the folder in another one; the folder itself where there is no path.
    fn path_at(&self, folder: usize, at: usize, last: Last) -> Option<PathBuf> {
        if self.argument(at) == 0 {
            return self.descriptor(folder);
        }
        let text = self.text(self.argument(at))?;
        if text.is_absolute() {
            return Some(resolved(&self.owned(&text), last));
        }
        #[expect(clippy::cast_possible_truncation, reason = "a descriptor is the lower half of its register")]
        let is_here = self.argument(folder) as i32 == libc::AT_FDCWD;
        let base = if is_here { self.folder()? } else { self.descriptor(folder)? };
        if text.as_os_str().is_empty() {
            return Some(base);
        }
        Some(resolved(&self.owned(&base.join(text)), last))
    }

    /// What `/proc/self` means for whoever makes the call.
    fn owned(&self, path: &Path) -> PathBuf {
        match path.strip_prefix("/proc/self") {
            Ok(rest) => PathBuf::from(format!("/proc/{}", self.pid)).join(rest),
            Err(_) => path.to_owned(),
        }
    }

    fn folder(&self) -> Option<PathBuf> {
        std::fs::read_link(format!("/proc/{}/cwd", self.pid)).ok()
    }

    fn descriptor(&self, at: usize) -> Option<PathBuf> {
        #[expect(clippy::cast_possible_truncation, reason = "a descriptor is the lower half of its register")]
        let number = self.argument(at) as i32;
        let path = std::fs::read_link(format!("/proc/{}/fd/{number}", self.pid)).ok()?;
        // A pipe or a socket is no file.
        path.is_absolute().then_some(path)
    }

    fn memory(&self) -> Option<File> {
        OpenOptions::new().read(true).open(format!("/proc/{}/mem", self.pid)).ok()
    }

    fn bytes(&self, at: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.memory()?.read_exact_at(&mut bytes, at).ok()?;
        Some(bytes)
    }

    fn word(&self, at: u64) -> Option<u64> {
        Some(u64::from_ne_bytes(self.bytes(at, 8)?.try_into().ok()?))
    }

    fn text(&self, at: u64) -> Option<PathBuf> {
        let mut bytes = vec![0; PATH_BYTES_MAX];
        let memory = self.memory()?;
        let mut length = 0;
        while length < bytes.len() {
            // What follows may not be there: a read never goes beyond the page that it begins in.
            let page = 4096 - usize::try_from((at + length as u64) % 4096).ok()?;
            let end = (length + page).min(bytes.len());
            let count = memory.read_at(&mut bytes[length..end], at + length as u64).ok()?;
            if let Some(zero) = bytes[length..length + count].iter().position(|byte| *byte == 0) {
                bytes.truncate(length + zero);
                return Some(PathBuf::from(std::ffi::OsStr::from_bytes(&bytes)));
            }
            if count == 0 {
                return None;
            }
            length += count;
        }
        None
    }
}

/// How the last part of a path is taken by a call that opens it.
fn opened(flags: u64) -> Last {
    if flags & filter::bits(libc::O_NOFOLLOW) == 0 { Last::Followed } else { Last::Itself }
}

/// Where a path leads, without links on the way, and at its end where that one is followed. What is not there yet stays as it is said.
fn resolved(path: &Path, last: Last) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        if last == Last::Followed
            && let Ok(found) = std::fs::canonicalize(&path)
        {
            return found;
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return std::fs::canonicalize(&path).unwrap_or(path);
        };
        let whole = std::fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned()).join(name);
        match std::fs::read_link(&whole) {
            // It leads to what is not there yet, and would be made there.
            Ok(target) if last == Last::Followed => {
                path = whole.parent().unwrap_or(Path::new("/")).join(target);
            }
            _ => return whole,
        }
    }
    path
}
