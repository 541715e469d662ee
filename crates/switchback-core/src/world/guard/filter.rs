//! The system calls at which a guarded command is stopped: those that could change a file, reach another process, or start a program.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

/// `fchmodat2`, newer than the table of numbers.
pub(super) const FCHMODAT2: i64 = 452;
/// `setxattrat` and `removexattrat`.
pub(super) const SETXATTRAT: i64 = 463;
pub(super) const REMOVEXATTRAT: i64 = 466;
/// `file_setattr`.
pub(super) const FILE_SETATTR: i64 = 469;

/// Calls that are always looked at, with their names.
pub(super) const ALWAYS: &[(i64, &str)] = &[
    (libc::SYS_creat, "creat"),
    (libc::SYS_openat2, "openat2"),
    (libc::SYS_truncate, "truncate"),
    (libc::SYS_mkdir, "mkdir"),
    (libc::SYS_mkdirat, "mkdirat"),
    (libc::SYS_mknod, "mknod"),
    (libc::SYS_mknodat, "mknodat"),
    (libc::SYS_unlink, "unlink"),
    (libc::SYS_unlinkat, "unlinkat"),
    (libc::SYS_rmdir, "rmdir"),
    (libc::SYS_rename, "rename"),
    (libc::SYS_renameat, "renameat"),
    (libc::SYS_renameat2, "renameat2"),
    (libc::SYS_link, "link"),
    (libc::SYS_linkat, "linkat"),
    (libc::SYS_symlink, "symlink"),
    (libc::SYS_symlinkat, "symlinkat"),
    (libc::SYS_chmod, "chmod"),
    (libc::SYS_fchmod, "fchmod"),
    (libc::SYS_fchmodat, "fchmodat"),
    (FCHMODAT2, "fchmodat2"),
    (libc::SYS_chown, "chown"),
    (libc::SYS_lchown, "lchown"),
    (libc::SYS_fchown, "fchown"),
    (libc::SYS_fchownat, "fchownat"),
    (libc::SYS_utime, "utime"),
    (libc::SYS_utimes, "utimes"),
    (libc::SYS_futimesat, "futimesat"),
    (libc::SYS_utimensat, "utimensat"),
    (libc::SYS_setxattr, "setxattr"),
    (libc::SYS_lsetxattr, "lsetxattr"),
    (libc::SYS_fsetxattr, "fsetxattr"),
    (libc::SYS_removexattr, "removexattr"),
    (libc::SYS_lremovexattr, "lremovexattr"),
    (libc::SYS_fremovexattr, "fremovexattr"),
    (SETXATTRAT, "setxattrat"),
    (REMOVEXATTRAT, "removexattrat"),
    (FILE_SETATTR, "file_setattr"),
    (libc::SYS_connect, "connect"),
    (libc::SYS_sendmsg, "sendmsg"),
    (libc::SYS_sendmmsg, "sendmmsg"),
    (libc::SYS_execve, "execve"),
    (libc::SYS_execveat, "execveat"),
    // What these do happens elsewhere, where nobody is stopped.
    (libc::SYS_io_uring_setup, "io_uring_setup"),
    (libc::SYS_mount, "mount"),
    (libc::SYS_ptrace, "ptrace"),
];

/// The flags of `open` that change something: writing, creating, truncating.
const WRITES: [i32; 4] = [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC];

/// Flags as they stand in a register.
pub(super) fn bits(flags: i32) -> u64 {
    u64::from(flags.cast_unsigned())
}

/// Whether a file that is opened so may be changed.
pub(super) fn writes(flags: u64) -> bool {
    WRITES.iter().any(|flag| flags & bits(*flag) != 0)
}

/// The name of a call that the filter stops.
pub(super) fn name(number: i64) -> &'static str {
    match number {
        libc::SYS_open => "open",
        libc::SYS_openat => "openat",
        libc::SYS_sendto => "sendto",
        number => ALWAYS.iter().find(|(known, _)| *known == number).map_or("?", |(_, name)| name),
    }
}

/// Holds this process, and all that it starts, to the filter, for good.
pub(super) fn apply() -> Result<(), String> {
    let program = program().map_err(|error| error.to_string())?;
    seccompiler::apply_filter(&program).map_err(|error| error.to_string())
}

fn program() -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALWAYS.iter().map(|(number, _)| (*number, Vec::new())).collect();
    for (number, argument) in [(libc::SYS_open, 1), (libc::SYS_openat, 2)] {
        let writes = WRITES.iter().map(|flag| {
            let flag = bits(*flag);
            let set = SeccompCmpOp::MaskedEq(flag);
            SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, set, flag)?])
        });
        rules.insert(number, writes.collect::<Result<_, _>>()?);
    }
    // Without an address it goes where the socket was connected to, which was looked at then.
    let to_somebody = SeccompCondition::new(4, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)?;
    rules.insert(libc::SYS_sendto, vec![SeccompRule::new(vec![to_somebody])?]);
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Trace(0), TargetArch::x86_64)?.try_into()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_filter_can_be_made_and_every_call_has_a_name() {
        assert!(super::program().unwrap().len() > super::ALWAYS.len());
        assert_eq!(super::name(nix::libc::SYS_openat), "openat");
        assert_eq!(super::name(nix::libc::SYS_connect), "connect");
    }
}
