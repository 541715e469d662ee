//! What tests need beside the toolchain: how each tool is found, how it is installed, and which tests use it.
//!
//! A test that cannot do without a tool has `needs_<tool>` in its path, as in `rsync::needs_rsync_to_compare`.

use crate::problem::Problem;
use crate::program::{self, Call};

/// A tool that tests use.
#[derive(Debug, PartialEq, Eq)]
pub struct Need {
    /// What it is called, also in the names of the tests that need it.
    pub name: &'static str,
    /// A command that succeeds when it is there and good enough.
    pub probe: &'static [&'static str],
    /// The Debian packages that bring it, with spaces between.
    pub package: &'static str,
    /// Whether it also takes what no package brings: rights, devices, a kernel that has it. Where that is missing, its
    /// tests are left out and named, and nothing else fails for it.
    pub depends_on_machine: bool,
    /// Which tests use it.
    pub used_by: &'static str,
}

/// Mounts a new file system of one kind on a loop device, where root, the kernel and its modules allow it.
macro_rules! mounts {
    ($kind:literal, $make:literal, $mebibytes:literal) => {
        &[
            "sh",
            "-c",
            concat!(
                "PATH=$PATH:/usr/sbin:/sbin; folder=$(mktemp -d) || exit 1; ",
                "truncate -s ",
                $mebibytes,
                "M $folder/image && ",
                $make,
                " $folder/image && mkdir $folder/at && ",
                "mount -t ",
                $kind,
                " -o loop $folder/image $folder/at && umount $folder/at; ",
                "code=$?; rm -rf --one-file-system $folder; exit $code"
            ),
        ]
    };
}

/// All tools that tests use.
pub const NEEDS: &[Need] = &[
    Need {
        name: "python3",
        probe: &[
            "python3",
            "-c",
            "import sys, json, csv, sqlite3, unittest; sys.exit(sys.version_info < (3, 9))",
        ],
        package: "python3",
        depends_on_machine: false,
        used_by: "demo projects and commands of plans, with its standard library alone",
    },
    Need {
        name: "venv",
        probe: &["python3", "-c", "import ensurepip, venv"],
        package: "python3-venv",
        used_by: "dependency environments: built with Python's own `venv` and the `pip` that it brings",
        depends_on_machine: false,
    },
    Need {
        name: "pytest",
        probe: &["/usr/bin/python3", "-m", "pytest", "--version"],
        package: "python3 python3-pytest",
        depends_on_machine: false,
        used_by: "tests of projects, run by the runner that most of them have",
    },
    Need {
        name: "git",
        probe: &["git", "--version"],
        package: "git",
        depends_on_machine: false,
        used_by: "projects under git, and the house rules, which read what is tracked",
    },
    Need {
        name: "rsync",
        probe: &["rsync", "--version"],
        package: "rsync",
        depends_on_machine: false,
        used_by: "trees that are compared with what a second program made, and the benchmarks",
    },
    Need {
        name: "restic",
        probe: &["restic", "version"],
        package: "restic",
        used_by: "snapshots that stock restic checks and restores, and the benchmarks",
        depends_on_machine: false,
    },
    Need {
        name: "borg",
        probe: &["borg", "--version"],
        package: "borgbackup",
        used_by: "the benchmarks",
        depends_on_machine: false,
    },
    Need {
        name: "strace",
        probe: &["strace", "-V"],
        package: "strace",
        depends_on_machine: false,
        used_by: "the order of writes and syncs, as the kernel saw it",
    },
    Need {
        name: "chromium",
        probe: &["chromium", "--version"],
        package: "chromium",
        depends_on_machine: false,
        used_by: "the HTML report, opened as a reader opens it",
    },
    Need {
        name: "postgresql",
        probe: &["sh", "-c", "ls /usr/lib/postgresql/*/bin/initdb || command -v initdb"],
        package: "postgresql",
        depends_on_machine: false,
        used_by: "tables of PostgreSQL: each test makes a cluster of its own and starts it",
    },
    Need {
        name: "sshd",
        probe: &["sh", "-c", "command -v ssh && PATH=$PATH:/usr/sbin command -v sshd"],
        package: "openssh-client openssh-server",
        depends_on_machine: false,
        used_by: "a server that keeps the second copy: each test starts its own, with keys of its own",
    },
    Need {
        name: "npm",
        probe: &["npm", "--version"],
        package: "npm",
        depends_on_machine: false,
        used_by: "what tests use that only npm has: `xtask/npm/package.json`",
    },
    Need {
        name: "jupyter",
        probe: &[
            "sh",
            "-c",
            "jupyter-nbconvert --version >/dev/null && jupyter-kernelspec list | grep -q python3",
        ],
        package: "jupyter-nbconvert jupyter-client python3-ipykernel",
        depends_on_machine: false,
        used_by: "notebooks, executed for real",
    },
    Need {
        name: "yaml_loaders",
        probe: &["/usr/bin/python3", "-c", "import yaml, ruamel.yaml"],
        package: "python3 python3-yaml python3-ruamel.yaml",
        depends_on_machine: false,
        used_by: "YAML, held against what PyYAML and ruamel.yaml themselves read",
    },
    Need {
        name: "systemd",
        probe: &["systemd-analyze", "--version"],
        package: "systemd",
        depends_on_machine: false,
        used_by: "units for a watch, which systemd itself reads; no service manager has to run",
    },
    Need {
        name: "hyperfine",
        probe: &["hyperfine", "--version"],
        package: "hyperfine",
        depends_on_machine: false,
        used_by: "measurements, beside a tool that users have",
    },
    Need {
        name: "loop",
        probe: mounts!("ext4", "mkfs.ext4 -q -F", "16"),
        package: "e2fsprogs mount",
        depends_on_machine: true,
        used_by: "power cuts, full and read-only disks: root, and file systems on loop devices",
    },
    Need {
        name: "xfs",
        probe: mounts!("xfs", "mkfs.xfs -q", "304"),
        package: "xfsprogs",
        depends_on_machine: true,
        used_by: "power cuts on xfs: root, and a kernel that has it",
    },
    Need {
        name: "btrfs",
        probe: mounts!("btrfs", "mkfs.btrfs -q", "160"),
        package: "btrfs-progs",
        depends_on_machine: true,
        used_by: "power cuts on btrfs: root, and a kernel that has it",
    },
];

impl Need {
    /// What a test that needs it has in its name.
    pub fn marker(&self) -> String {
        format!("needs_{}", self.name)
    }

    /// Whether its probe succeeds.
    pub fn is_there(&self) -> Result<bool, Problem> {
        let Some((program, arguments)) = self.probe.split_first() else { return Ok(false) };
        if program::find(program).is_none() {
            return Ok(false);
        }
        Ok(Call::new(program, arguments).run()?.status.success())
    }
}

/// Installs what is missing, when it may and can. Returns what is missing still: all of it when it may not install, else
/// what the machine cannot have.
pub fn provide(
    needs: impl IntoIterator<Item = &'static Need>,
    install: bool,
) -> Result<Vec<&'static Need>, Problem> {
    let missing = missing_of(needs)?;
    if missing.is_empty() || !install {
        return Ok(missing);
    }
    let can_install = can_install()?;
    let (optional, required): (Vec<_>, Vec<_>) =
        missing.into_iter().partition(|need| need.depends_on_machine);
    if !required.is_empty() {
        if !can_install {
            return Err(refusal(&required));
        }
        apt_get_install(&required)?;
        let still = missing_of(required)?;
        if !still.is_empty() {
            return Err(refusal(&still).because("apt-get installed its package, and it is still not found"));
        }
    }
    if can_install
        && !optional.is_empty()
        && let Err(problem) = apt_get_install(&optional)
    {
        // Its tests are left out and named, as where the machine itself cannot have it.
        println!("{problem}");
    }
    missing_of(optional)
}

fn apt_get_install(needs: &[&'static Need]) -> Result<(), Problem> {
    let names: Vec<&str> = needs.iter().map(|need| need.name).collect();
    println!("{} is missing: installing with apt-get", names.join(", "));
    apt_get(&["update", "-q"])?;
    let mut arguments = vec!["install", "-q", "-y", "--no-install-recommends"];
    arguments.extend(needs.iter().flat_map(|need| need.package.split(' ')));
    apt_get(&arguments)
}

fn missing_of(needs: impl IntoIterator<Item = &'static Need>) -> Result<Vec<&'static Need>, Problem> {
    let mut missing = Vec::new();
    for need in needs {
        if !need.is_there()? {
            missing.push(need);
        }
    }
    Ok(missing)
}

/// Packages can be installed by root, where there is `apt-get`.
fn can_install() -> Result<bool, Problem> {
    Ok(program::find("apt-get").is_some() && Call::new("id", &["-u"]).output()?.trim() == "0")
}

fn refusal(missing: &[&Need]) -> Problem {
    let names: Vec<&str> = missing.iter().map(|need| need.name).collect();
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    Problem::new("could not provide what tests need", format!("{} is not there", names.join(", "))).hint(format!(
        "install it (`apt-get install {}` as root, or your system's own way), or leave its tests out with `--no-install`",
        packages.join(" ")
    ))
}

fn apt_get(arguments: &[&str]) -> Result<(), Problem> {
    // At run level 1 a package does not start its server where it asks (`invoke-rc.d`): tests start their own.
    let call =
        Call::new("apt-get", arguments).with("DEBIAN_FRONTEND", "noninteractive").with("RUNLEVEL", "1");
    carried_out(&call, "install the package by hand, or leave its tests out with `--no-install`")
}

/// Shows a call and carries it out; `hint` is the next move where it fails.
pub(super) fn carried_out(call: &Call, hint: &str) -> Result<(), Problem> {
    println!("> {call}");
    let status = call.show()?;
    if status.success() {
        return Ok(());
    }
    Err(Problem::new(format!("could not run `{call}`"), status).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABSENT: Need = Need {
        name: "absent",
        probe: &["no-such-tool-here"],
        package: "absent",
        depends_on_machine: false,
        used_by: "nothing",
    };
    const FAILING: Need = Need {
        name: "failing",
        probe: &["false"],
        package: "failing",
        depends_on_machine: false,
        used_by: "nothing",
    };
    const THERE: Need = Need {
        name: "there",
        probe: &["true"],
        package: "there",
        depends_on_machine: false,
        used_by: "nothing",
    };

    #[test]
    fn what_may_not_be_installed_is_handed_back() {
        let missing = provide(&[ABSENT, THERE, FAILING], false).unwrap();
        assert_eq!(missing, [&ABSENT, &FAILING]);
    }

    #[test]
    fn nothing_missing_needs_no_installer() {
        assert_eq!(provide(&[THERE], true).unwrap(), Vec::<&Need>::new());
    }

    #[test]
    fn a_refusal_says_what_to_install() {
        let shown = refusal(&[&ABSENT, &FAILING]).to_string();
        assert!(shown.contains("absent, failing is not there"), "{shown}");
        assert!(shown.contains("apt-get install absent failing"), "{shown}");
    }
}
