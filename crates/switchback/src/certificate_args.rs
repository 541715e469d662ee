//! What can be typed after `certificate`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::key_args::KeyArgs;

/// What is done with a certificate.
#[derive(Debug, Subcommand)]
pub enum CertificateCommand {
    /// Write the certificate of a phase: both trees, inputs, tolerances, method, verdicts, rehearsal and approvals
    ///
    /// It is taken from the journal and its evidence. Where the phase is staged, everything has to hold as it has to before a
    /// cutover. Exits with what the certificate says: 0 for yes.
    #[command(
        after_help = "Examples:\n  switchback certificate create --key ~/.ssh/id_ed25519 --output unify.certificate.json\n  switchback certificate create --phase unify > statement.json"
    )]
    Create(CreateArgs),
    /// Verify a certificate: signature, format, and that nothing in it contradicts itself
    ///
    /// Needs neither the data nor the project nor the network, and says what it verified and what it did not.
    #[command(
        after_help = "Examples:\n  switchback certificate verify unify.certificate.json --key ana.pub\n  switchback certificate verify unify.certificate.json --key ana.pub --tree ../checkout --json"
    )]
    Verify(VerifyArgs),
}

/// `certificate create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// This phase; the one that was staged last when left out
    #[arg(long)]
    pub phase: Option<String>,
    /// The key that signs it; without one the bare statement is written, which proves nothing by itself
    #[command(flatten)]
    pub key: KeyArgs,
    /// Write it to this file; to standard output when left out
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `certificate verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The certificate
    pub file: PathBuf,
    /// A public key that counts: a file of them, or the line itself; the one that the certificate names when left out
    #[arg(long = "key", value_name = "PUBLIC")]
    pub keys: Vec<String>,
    /// A tree that has to be the old or the new one: the folder that holds the managed paths
    #[arg(long, value_name = "DIR")]
    pub tree: Option<PathBuf>,
}
