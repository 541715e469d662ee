//! What tests need that only PyPI has: versions and hashes stand in `xtask/python`, and `pip` holds what it gets to them.

use std::fs;
use std::path::Path;

use super::needs::Need;
use crate::problem::Problem;
use crate::program::Call;
use crate::workspace::Workspace;

/// Where the versions and hashes stand, from the root.
const LISTED: &str = "xtask/python/requirements.txt";

/// The environment that they are installed into, from the root; tests run its Python.
const LAID_OUT: &str = "target/needs/python";

/// What is written into the environment once all of it is there.
const DONE: &str = "requirements.txt";

/// The packages; `probe` names them as they are listed.
pub const NEEDS: &[Need] = &[Need {
    name: "in_toto",
    probe: &["in-toto-attestation", "securesystemslib"],
    package: "in-toto-attestation securesystemslib",
    depends_on_machine: false,
    used_by: "certificates, read and verified by another implementation of in-toto and DSSE",
}];

/// Installs what is missing, when it may. Returns what is missing still: when it may not.
pub fn provide(workspace: &Workspace, install: bool) -> Result<Vec<&'static Need>, Problem> {
    let (listed, folder) = (workspace.root.join(LISTED), workspace.root.join(LAID_OUT));
    if is_current(&listed, &folder) {
        return Ok(Vec::new());
    }
    if !install {
        return Ok(NEEDS.iter().collect());
    }
    lay_out(&listed, &folder)?;
    Ok(Vec::new())
}

/// Whether what is installed is what is listed.
fn is_current(listed: &Path, folder: &Path) -> bool {
    match (fs::read(listed), fs::read(folder.join(DONE))) {
        (Ok(listed), Ok(found)) => listed == found,
        _ => false,
    }
}

fn lay_out(listed: &Path, folder: &Path) -> Result<(), Problem> {
    let (listed_name, folder_name) = (listed.display().to_string(), folder.display().to_string());
    run(Call::new("python3", &["-m", "venv", "--clear", folder_name.as_str()]))?;
    let python = folder.join("bin/python3").display().to_string();
    // Nothing is built, and nothing comes along that is not listed.
    let only = ["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"];
    let of = ["--platform", "any", "--target"];
    let packages = packages_folder(folder)?;
    let arguments: Vec<&str> =
        only.iter().chain(&of).copied().chain([packages.as_str(), "-r", listed_name.as_str()]).collect();
    run(Call::new(&python, &arguments))?;
    fs::copy(listed, folder.join(DONE)).map_err(|source| Problem::at("copy", listed, source))?;
    Ok(())
}

/// Where an environment keeps packages: its own Python says so by the name of a folder.
fn packages_folder(folder: &Path) -> Result<String, Problem> {
    let library = folder.join("lib");
    let entries = fs::read_dir(&library).map_err(|source| Problem::at("list", &library, source))?;
    let mut found = entries.filter_map(Result::ok).map(|entry| entry.path().join("site-packages"));
    let packages = found.find(|packages| packages.is_dir());
    let none = || Problem::new("could not install what tests need", "the environment has no `site-packages`");
    Ok(packages.ok_or_else(none)?.display().to_string())
}

fn run(call: Call) -> Result<(), Problem> {
    println!("> {call}");
    let status = call.show()?;
    if status.success() {
        return Ok(());
    }
    Err(Problem::new("could not provide what tests need", status)
        .hint("check the network and `python3-venv`, or leave these tests out with `--no-install`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_listed_with_its_hash() {
        let workspace = Workspace::find().unwrap();
        let listed = fs::read_to_string(workspace.root.join(LISTED)).unwrap();
        for package in NEEDS.iter().flat_map(|need| need.probe) {
            let line = listed.lines().position(|line| line.starts_with(&format!("{package}=="))).unwrap();
            let hash = listed.lines().nth(line + 1).unwrap().trim();
            assert!(hash.starts_with("--hash=sha256:") && hash.len() == 78, "{package}");
        }
    }

    #[test]
    fn what_is_listed_otherwise_is_installed_anew() {
        let root = tempfile::tempdir().unwrap();
        let listed = root.path().join("listed.txt");
        fs::write(&listed, "one").unwrap();
        assert!(!is_current(&listed, root.path()));
        fs::copy(&listed, root.path().join(DONE)).unwrap();
        assert!(is_current(&listed, root.path()));
        fs::write(&listed, "two").unwrap();
        assert!(!is_current(&listed, root.path()));
    }
}
