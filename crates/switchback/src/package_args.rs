//! What can be typed after `package`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::key_args::KeyArgs;

/// What is done with a package.
#[derive(Debug, Subcommand)]
pub enum PackageCommand {
    /// Pack the change of a phase: candidate, change log, readiness report, evidence, plan and dependency files
    ///
    /// Everything comes from the candidate, the journal and the evidence: the same phase gives the same bytes. A change that may not
    /// go is not packed, and every reason is named. Exits with 0 when it may go, 1 when it may not.
    #[command(
        after_help = "Examples:\n  switchback package create --key ~/.ssh/id_ed25519\n  switchback package create --phase unify --format tar.zst --output unify.tar.zst\n  switchback package create --draft"
    )]
    Create(PackageCreateArgs),
    /// List what is in a package, with hashes
    #[command(after_help = "Example:\n  switchback package list shop-3.zip")]
    List(PackageListArgs),
    /// Verify a package: every byte of it, and who signed it
    ///
    /// Needs neither project nor network, writes nothing, and says what it verified and what it did not.
    #[command(
        after_help = "Examples:\n  switchback package verify shop-3.zip --key ana.pub\n  switchback package verify shop-3.zip --key ana.pub --json"
    )]
    Verify(PackageVerifyArgs),
    /// Take a package as the candidate of a phase: verified, newer than the last one, and shown
    ///
    /// Nothing goes live by that: `switchback run` stages, checks and rehearses it, and `switchback approve` decides.
    #[command(
        after_help = "Examples:\n  switchback package receive shop-3.zip --key ana.pub\n  switchback package receive shop-3.zip --key ana.pub --into incoming/change.zip"
    )]
    Receive(PackageReceiveArgs),
    /// Copy a package to a folder, a bucket or a server, and read the copy back; nothing there is written over
    ///
    /// A bucket is reached with `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, a server with the program `ssh` as it is configured here.
    #[command(
        after_help = "Examples:\n  switchback package send shop-3.zip /mnt/handover\n  switchback package send shop-3.zip s3://bucket/handover\n  switchback package send shop-3.zip sftp:ana@store:/srv/handover"
    )]
    Send(PackageSendArgs),
    /// Commit what a phase brought, the managed paths alone, with a message made from the evidence
    ///
    /// What is live has to be what was proved, to the byte, and every check has to hold. The index has to be empty of what somebody prepared.
    /// Branch and index are led to the commit once the journal says so; nothing is committed twice.
    #[command(
        after_help = "Examples:\n  switchback package commit --dry-run\n  switchback package commit\n  switchback package commit --phase unify --certificate unify.certificate.json"
    )]
    Commit(PackageCommitArgs),
    /// Put what is known of a phase that is over into one folder with hashes, then clean up
    ///
    /// Package, plan, report, journal, evidence and both manifests. Typed again, it looks whether the archive is whole. Nothing that a
    /// rollback needs is removed.
    #[command(
        after_help = "Examples:\n  switchback package archive\n  switchback package archive --phase unify --json"
    )]
    Archive(PackageArchiveArgs),
}

/// `package create`.
#[derive(Debug, Args)]
pub struct PackageCreateArgs {
    /// This phase; the one that was staged last when left out
    #[arg(long)]
    pub phase: Option<String>,
    /// Write it to this file; to `NAME-NUMBER.zip` in the present folder when left out
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How it is packed
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "zip")]
    pub format: PackageFormat,
    /// The key that signs it; without one nobody can tell who made it
    #[command(flatten)]
    pub key: KeyArgs,
    /// Its number, where it is not to be the next one; whoever received a higher one refuses it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub sequence: Option<u64>,
    /// A certificate that goes with it
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// Pack it although it may not go; the package says so, and is not received unless that is asked for
    #[arg(long)]
    pub draft: bool,
}

/// How a package is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PackageFormat {
    /// Zip
    Zip,
    /// Tar, compressed with zstd
    #[value(name = "tar.zst")]
    TarZst,
}

/// `package list`.
#[derive(Debug, Args)]
pub struct PackageListArgs {
    /// The package
    pub file: PathBuf,
}

/// `package verify`.
#[derive(Debug, Args)]
pub struct PackageVerifyArgs {
    /// The package
    pub file: PathBuf,
    /// A public key that counts: a file of them, or the line itself; the one that the package names when left out
    #[arg(long = "key", value_name = "PUBLIC")]
    pub keys: Vec<String>,
}

/// `package receive`.
#[derive(Debug, Args)]
pub struct PackageReceiveArgs {
    /// The package
    pub file: PathBuf,
    /// A public key that counts: a file of them, or the line itself
    #[arg(long = "key", value_name = "PUBLIC", required = true)]
    pub keys: Vec<String>,
    /// The phase that takes it; the one that takes its candidate from an archive when left out
    #[arg(long)]
    pub phase: Option<String>,
    /// Put it there, relative to the project; where the phase takes its candidate from when left out
    #[arg(long, value_name = "PATH")]
    pub into: Option<PathBuf>,
    /// Take it although it may not go, by its own readiness report
    #[arg(long)]
    pub draft: bool,
}

/// `package send`.
#[derive(Debug, Args)]
pub struct PackageSendArgs {
    /// The package
    pub file: PathBuf,
    /// Where it is copied to: a folder, `s3://bucket/folder`, or `sftp:user@host:folder`
    #[arg(value_name = "FOLDER|ADDRESS")]
    pub to: String,
}

/// `package commit`.
#[derive(Debug, Args)]
pub struct PackageCommitArgs {
    /// This phase; the one that went live last when left out
    #[arg(long)]
    pub phase: Option<String>,
    /// A certificate that the message names by its hash; that of the package when left out
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// Show message and paths, and commit nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `package archive`.
#[derive(Debug, Args)]
pub struct PackageArchiveArgs {
    /// This phase; the last one that is over when left out
    #[arg(long)]
    pub phase: Option<String>,
}
