//! A file system in a file, on a loop device, that can be cut off from power at any moment.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileSystem {
    Ext4,
    Xfs,
    Btrfs,
}

impl FileSystem {
    /// The smallest size that its own program makes, with room for the project.
    fn mebibytes(self) -> u64 {
        match self {
            Self::Ext4 => 64,
            Self::Xfs => 304,
            Self::Btrfs => 160,
        }
    }

    fn make(self) -> &'static [&'static str] {
        match self {
            // Nothing is left for the kernel to write by itself after the first mount.
            Self::Ext4 => {
                &["mkfs.ext4", "-q", "-F", "-J", "size=4", "-E", "lazy_itable_init=0,lazy_journal_init=0"]
            }
            Self::Xfs => &["mkfs.xfs", "-q", "-f"],
            Self::Btrfs => &["mkfs.btrfs", "-q", "-f"],
        }
    }

    /// The kernel is to write nothing by itself while a scenario lasts.
    fn options(self) -> &'static str {
        match self {
            Self::Ext4 | Self::Btrfs => "loop,commit=300",
            // Two copies of one file system are mounted side by side.
            Self::Xfs => "loop,nouuid",
        }
    }

    /// Whether two copies of one file system can be mounted at the same time.
    pub(super) fn can_be_mounted_twice(self) -> bool {
        self != Self::Btrfs
    }
}

/// A file system in a file.
#[derive(Debug, Clone)]
pub(super) struct Image {
    file: PathBuf,
    pub(super) kind: FileSystem,
}

impl Image {
    /// An empty file system.
    pub(super) fn make(kind: FileSystem, file: &Path) -> Self {
        File::create(file).unwrap().set_len(kind.mebibytes() << 20).unwrap();
        let (program, options) = kind.make().split_first().unwrap();
        succeed(Command::new(program).args(options).arg(file));
        Self { file: file.to_owned(), kind }
    }

    /// What has reached the device at this moment, and nothing that still waits in memory: after a power cut, the disk.
    pub(super) fn cut(&self, to: &Path) -> Self {
        succeed(Command::new("cp").args(["--sparse=always", "--reflink=auto"]).arg(&self.file).arg(to));
        Self { file: to.to_owned(), kind: self.kind }
    }

    /// Mounts it at a folder, which is made.
    pub(super) fn mount(&self, at: &Path) -> Mounted {
        std::fs::create_dir_all(at).unwrap();
        succeed(Command::new("mount").args(["-o", self.kind.options()]).arg(&self.file).arg(at));
        Mounted { at: at.to_owned() }
    }
}

/// A mounted file system; dropped, it is unmounted.
#[derive(Debug)]
pub(super) struct Mounted {
    at: PathBuf,
}

impl Mounted {
    /// A file system in memory with room for so many bytes.
    pub(super) fn in_memory(at: &Path, bytes: u64) -> Self {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={bytes}");
        succeed(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at));
        Self { at: at.to_owned() }
    }

    /// A writable layer over the folder `lower`; what is written goes to the folder `above`.
    pub(super) fn layered(at: &Path, lower: &Path, above: &Path) -> Self {
        let [upper, work] = ["upper", "work"].map(|name| above.join(name));
        for folder in [at, &upper, &work] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let (lower, upper, work) = (lower.display(), upper.display(), work.display());
        let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
        succeed(Command::new("mount").args(["-t", "overlay", "-o", &options, "overlay"]).arg(at));
        Self { at: at.to_owned() }
    }

    /// Where it is mounted.
    pub(super) fn at(&self) -> &Path {
        &self.at
    }

    /// Changes a mount option.
    pub(super) fn remount(&self, option: &str) {
        succeed(Command::new("mount").args(["-o", &format!("remount,{option}")]).arg(&self.at));
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily, so that a failed test leaves nothing mounted either.
        drop(Command::new("umount").arg("-l").arg(&self.at).output());
    }
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
