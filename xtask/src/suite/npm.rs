//! What tests need that only npm has: versions and hashes stand in `xtask/npm`, and `npm ci` holds what it gets to them.

use std::fs;
use std::path::Path;

use super::needs::Need;
use crate::problem::Problem;
use crate::program::Call;
use crate::workspace::Workspace;

/// Where the versions and hashes stand, from the root.
const LISTED: &str = "xtask/npm";

/// Where packages are laid out, from the root; tests look for them there.
const LAID_OUT: &str = "target/needs";

/// The files that say what is laid out.
const FILES: &[&str] = &["package.json", "package-lock.json"];

/// The machines that all packages are there for.
const MACHINE: &str = "x86_64";

/// The packages; `probe` names a file of each, from the folder `node_modules`.
pub const NEEDS: &[Need] = &[
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

/// Lays out what is missing, when it may. Returns what is missing still: when it may not, or on another machine.
pub fn provide(workspace: &Workspace, install: bool) -> Result<Vec<&'static Need>, Problem> {
    let folder = workspace.root.join(LAID_OUT);
    let is_there =
        |need: &&Need| need.probe.iter().all(|file| folder.join("node_modules").join(file).exists());
    let is_current = is_current(&workspace.root.join(LISTED), &folder);
    let missing = || NEEDS.iter().filter(|need| !is_current || !is_there(need)).collect::<Vec<_>>();
    if missing().is_empty() || !install || std::env::consts::ARCH != MACHINE {
        return Ok(missing());
    }
    lay_out(&workspace.root.join(LISTED), &folder)?;
    let still: Vec<&Need> = NEEDS.iter().filter(|need| !is_there(need)).collect();
    if still.is_empty() {
        return Ok(still);
    }
    let names: Vec<&str> = still.iter().map(|need| need.package).collect();
    Err(Problem::new("could not provide what tests need", format!("npm laid out no {}", names.join(", ")))
        .hint("leave these tests out with `--no-install`"))
}

/// Whether what is laid out is what is listed.
fn is_current(listed: &Path, folder: &Path) -> bool {
    // What cannot be read is laid out anew, and that says why it cannot be.
    FILES.iter().all(|file| match (fs::read(listed.join(file)), fs::read(folder.join(file))) {
        (Ok(listed), Ok(found)) => listed == found,
        _ => false,
    })
}

fn lay_out(listed: &Path, folder: &Path) -> Result<(), Problem> {
    fs::create_dir_all(folder).map_err(|source| Problem::at("make the folder", folder, source))?;
    for file in FILES.iter().rev() {
        fs::copy(listed.join(file), folder.join(file))
            .map_err(|source| Problem::at("copy", &listed.join(file), source))?;
    }
    // No package runs anything of its own.
    let call = Call::new("npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).within(folder);
    println!("> {call}");
    let status = call.show()?;
    if status.success() {
        return Ok(());
    }
    Err(Problem::new(format!("could not run `{call}`"), status)
        .hint("check the network, or leave these tests out with `--no-install`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_otherwise_is_laid_out_anew() {
        let root = tempfile::tempdir().unwrap();
        let (listed, folder) = (root.path().join("listed"), root.path().join("laid-out"));
        for place in [&listed, &folder] {
            fs::create_dir(place).unwrap();
            for file in FILES {
                fs::write(place.join(file), file).unwrap();
            }
        }
        assert!(is_current(&listed, &folder));
        fs::write(listed.join("package-lock.json"), "newer").unwrap();
        assert!(!is_current(&listed, &folder));
    }

    #[test]
    fn every_package_is_listed_with_its_hash() {
        let workspace = Workspace::find().unwrap();
        let lock = fs::read_to_string(workspace.root.join(LISTED).join("package-lock.json")).unwrap();
        let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
        for need in NEEDS {
            let package = &lock["packages"][format!("node_modules/{}", need.package)];
            assert!(package["integrity"].as_str().unwrap().starts_with("sha512-"), "{}", need.package);
        }
    }
}
