//! The arguments of `switchback snapshot`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// `snapshot`.
#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
    /// Make a snapshot of everything that the plan names, and verify it
    Create {
        /// What it is for
        #[arg(long, default_value = "by hand")]
        label: String,
    },
    /// List all snapshots
    List {
        /// The project's own, or their copies elsewhere
        #[arg(long, value_enum, value_name = "local|remote", default_value = "local")]
        from: Kept,
    },
    /// Show one snapshot and what it holds
    Show {
        /// Its id, or the beginning of it
        id: String,
        /// The project's own, or its copy elsewhere
        #[arg(long, value_enum, value_name = "local|remote", default_value = "local")]
        from: Kept,
    },
    /// Read the content of one snapshot, or of all, again
    Check {
        /// Its id, or the beginning of it; all when left out
        id: Option<String>,
        /// The project's own, or their copies elsewhere
        #[arg(long, value_enum, value_name = "local|remote", default_value = "local")]
        from: Kept,
    },
    /// Write a snapshot into a fresh folder, exactly as it was, or one of its databases into a fresh place
    Restore {
        /// Its id, or the beginning of it
        id: String,
        /// Only these paths
        #[arg(conflicts_with = "database")]
        paths: Vec<PathBuf>,
        /// The folder, which must not exist yet; of a database the file, which must not exist yet, or an address of PostgreSQL
        /// whose database is empty or is made
        #[arg(long, value_name = "TARGET")]
        into: PathBuf,
        /// Only this database: its name as `snapshot show` has it, or the last part of that
        #[arg(long, value_name = "NAME")]
        database: Option<String>,
        /// All that is in the database belongs to whoever restores, and there are no grants
        #[arg(long, requires = "database")]
        no_owner: bool,
        /// The project's own, or its copy elsewhere
        #[arg(long, value_enum, value_name = "local|remote", default_value = "local")]
        from: Kept,
    },
    /// Tell what is different between two snapshots, or between one and what is live
    Diff {
        /// The older one: its id, or the beginning of it
        id: String,
        /// The newer one; what is live when left out
        other: Option<String>,
    },
    /// Remove snapshots, and what no other one holds; never the newest, nor what an open phase may need
    Forget {
        /// Their ids, or the beginnings of them
        #[arg(required_unless_present = "keep_last", conflicts_with = "keep_last")]
        ids: Vec<String>,
        /// All but so many of the newest
        #[arg(long, value_name = "N")]
        keep_last: Option<usize>,
        /// Show what would be removed, and touch nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Which copy of the snapshots is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kept {
    /// The project's own repository
    Local,
    /// The second one, elsewhere
    Remote,
}
