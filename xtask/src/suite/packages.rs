//! What tests need that only npm or `PyPI` has: versions and hashes stand in `xtask/npm` and `xtask/pip`, and the installers
//! hold what they get to them.

use std::fs;
use std::path::Path;

use super::needs::{Need, carried_out};
use crate::problem::Problem;
use crate::program::Call;
use crate::workspace::Workspace;

/// Where packages come from, and how they are laid out.
struct Registry {
    /// Where the versions and hashes stand, from the root.
    listed: &'static str,
    /// The files in there that say what is laid out.
    files: &'static [&'static str],
    /// Where packages are laid out, from the root; tests look for them there.
    laid_out: &'static str,
    /// Where packages lie in there: what a need's probe is relative to.
    packages: &'static str,
    needs: &'static [Need],
    /// Lays out all that is listed in the folder.
    lay_out: fn(&Path) -> Result<(), Problem>,
}

/// The machines that all packages are there for.
const MACHINE: &str = "x86_64";

/// The next move where an installer fails.
const NO_INSTALLER: &str = "check the network, or leave these tests out with `--no-install`";

const REGISTRIES: &[Registry] = &[
    Registry {
        listed: "xtask/npm",
        files: &["package.json", "package-lock.json"],
        laid_out: "target/needs",
        packages: "node_modules",
        needs: NPM,
        lay_out: with_npm,
    },
    Registry {
        listed: "xtask/pip",
        files: &["requirements.txt"],
        laid_out: "target/needs/python",
        packages: "packages",
        needs: PYPI,
        lay_out: with_pip,
    },
];

/// The packages; `probe` names a file or folder of each, from where packages lie.
const NPM: &[Need] = &[
    Need {
        name: "duckdb",
        probe: &["@duckdb/node-bindings-linux-x64/libduckdb.so"],
        package: "@duckdb/node-bindings-linux-x64",
        depends_on_machine: false,
        used_by: "tables of DuckDB, through its own library",
    },
    Need {
        name: "s3rver",
        probe: &["s3rver/bin/s3rver.js"],
        package: "s3rver",
        depends_on_machine: false,
        used_by: "objects of S3, from a server that speaks its protocol",
    },
];

const PYPI: &[Need] = &[
    Need {
        name: "pypi_duckdb",
        probe: &["duckdb/__init__.py"],
        package: "duckdb",
        depends_on_machine: false,
        used_by: "Python programs with a database of DuckDB",
    },
    Need {
        name: "in_toto",
        probe: &["in_toto_attestation", "google/protobuf", "securesystemslib"],
        package: "in-toto-attestation, protobuf, securesystemslib",
        depends_on_machine: false,
        used_by: "certificates, read and verified by another implementation of in-toto and DSSE",
    },
    Need {
        name: "aiosmtpd",
        probe: &["aiosmtpd", "public", "attr"],
        package: "aiosmtpd, atpublic, attrs",
        depends_on_machine: false,
        used_by: "mail, which a server of SMTP takes",
    },
    Need {
        name: "pypi_pytest_benchmark",
        probe: &["pytest_benchmark", "cpuinfo", "pytest", "iniconfig", "packaging", "pluggy", "pygments"],
        package: "pytest-benchmark, py-cpuinfo2, pytest, iniconfig, packaging, pluggy, pygments",
        depends_on_machine: false,
        used_by: "measurements, held against each other by a tool that users have",
    },
];

/// Lays out what is missing, when it may. Returns what is missing still: when it may not, or on another machine.
pub fn provide(workspace: &Workspace, install: bool) -> Result<Vec<&'static Need>, Problem> {
    let mut missing = Vec::new();
    for registry in REGISTRIES {
        missing.extend(registry.provide(workspace, install)?);
    }
    Ok(missing)
}

impl Registry {
    fn provide(&self, workspace: &Workspace, install: bool) -> Result<Vec<&'static Need>, Problem> {
        let (listed, folder) = (workspace.root.join(self.listed), workspace.root.join(self.laid_out));
        let is_there =
            |need: &&Need| need.probe.iter().all(|file| folder.join(self.packages).join(file).exists());
        let is_current = self.is_current(&listed, &folder);
        let missing: Vec<&Need> = self.needs.iter().filter(|need| !is_current || !is_there(need)).collect();
        if missing.is_empty() || !install || std::env::consts::ARCH != MACHINE {
            return Ok(missing);
        }
        fs::create_dir_all(&folder).map_err(|source| Problem::at("make the folder", &folder, source))?;
        for file in self.files.iter().rev() {
            fs::copy(listed.join(file), folder.join(file))
                .map_err(|source| Problem::at("copy", &listed.join(file), source))?;
        }
        (self.lay_out)(&folder)?;
        let still: Vec<&Need> = self.needs.iter().filter(|need| !is_there(need)).collect();
        if still.is_empty() {
            return Ok(still);
        }
        let names: Vec<&str> = still.iter().map(|need| need.package).collect();
        let cause = format!("what {} lists was laid out without {}", self.listed, names.join(", "));
        Err(Problem::new("could not provide what tests need", cause)
            .hint("leave these tests out with `--no-install`"))
    }

    /// Whether what is laid out is what is listed.
    fn is_current(&self, listed: &Path, folder: &Path) -> bool {
        // What cannot be read is laid out anew, and that says why it cannot be.
        self.files.iter().all(|file| match (fs::read(listed.join(file)), fs::read(folder.join(file))) {
            (Ok(listed), Ok(found)) => listed == found,
            _ => false,
        })
    }
}

fn with_npm(folder: &Path) -> Result<(), Problem> {
    // No package runs anything of its own.
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    carried_out(&Call::new("npm", &arguments).within(folder), NO_INSTALLER)
}

fn with_pip(folder: &Path) -> Result<(), Problem> {
    // Debian's own Python has no pip; an environment brings one. Programs find the packages by `PYTHONPATH`.
    carried_out(
        &Call::new("python3", &["-m", "venv", "--clear", "environment"]).within(folder),
        NO_INSTALLER,
    )?;
    let packages = folder.join("packages");
    if packages.exists() {
        fs::remove_dir_all(&packages).map_err(|source| Problem::at("remove", &packages, source))?;
    }
    // Wheels alone: no package runs anything of its own.
    let arguments =
        ["-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:", "--no-deps"];
    let python = folder.join("environment/bin/python");
    let call = Call::new(&python.display().to_string(), &arguments).within(folder);
    let call = ["--target", "packages", "-r", "requirements.txt"].into_iter().fold(call, Call::argument);
    carried_out(&call, NO_INSTALLER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_otherwise_is_laid_out_anew() {
        for registry in REGISTRIES {
            let root = tempfile::tempdir().unwrap();
            let (listed, folder) = (root.path().join("listed"), root.path().join("laid-out"));
            for place in [&listed, &folder] {
                fs::create_dir(place).unwrap();
                for file in registry.files {
                    fs::write(place.join(file), file).unwrap();
                }
            }
            assert!(registry.is_current(&listed, &folder));
            fs::write(listed.join(registry.files.last().unwrap()), "newer").unwrap();
            assert!(!registry.is_current(&listed, &folder));
        }
    }

    #[test]
    fn every_package_is_listed_with_its_hash() {
        let workspace = Workspace::find().unwrap();
        let lock = fs::read_to_string(workspace.root.join("xtask/npm/package-lock.json")).unwrap();
        let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
        for need in NPM {
            let package = &lock["packages"][format!("node_modules/{}", need.package)];
            assert!(package["integrity"].as_str().unwrap().starts_with("sha512-"), "{}", need.package);
        }
        let requirements = fs::read_to_string(workspace.root.join("xtask/pip/requirements.txt")).unwrap();
        for package in PYPI.iter().flat_map(|need| need.package.split(", ")) {
            let (_, after) = requirements.split_once(&format!("\n{package}==")).unwrap();
            assert!(after.lines().nth(1).unwrap().trim().starts_with("--hash=sha256:"), "{package}");
        }
    }

    #[test]
    fn the_driver_of_python_is_as_new_as_the_library() {
        let read = |path: &str| fs::read_to_string(Workspace::find().unwrap().root.join(path)).unwrap();
        let library: serde_json::Value = serde_json::from_str(&read("xtask/npm/package.json")).unwrap();
        let library = library["dependencies"]["@duckdb/node-bindings-linux-x64"].as_str().unwrap().to_owned();
        let (version, _) = library.split_once('-').unwrap();
        assert!(read("xtask/pip/requirements.txt").contains(&format!("\nduckdb=={version} ")), "{version}");
    }
}
