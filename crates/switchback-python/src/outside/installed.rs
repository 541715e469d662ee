//! What is installed in an environment: its distributions, by the modules that they brought.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use switchback_core::world::{Disk, DiskError, FileKind};

use crate::tree::has_extension;

/// The largest `RECORD` or `METADATA` that is read, in bytes.
const RECORD_BYTES_MAX: u64 = 16 << 20;

/// The distributions of some environments.
#[derive(Debug)]
pub(super) struct Installed {
    disk: Arc<dyn Disk>,
    /// The folders that modules are found in.
    folders: Vec<PathBuf>,
    /// By the first name of a module: its distribution.
    tops: BTreeMap<String, String>,
}

/// What was found of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// It is there, brought by this distribution.
    Module(String),
    /// Only stubs of it are, brought by this one.
    Stub(String),
    /// The distribution is there, and has no such module.
    Lacking(String),
    /// Nothing of it is there.
    Nothing,
}

impl Installed {
    /// Reads environments: folders `site-packages`, or virtual environments that hold one.
    pub(super) fn read(disk: &Arc<dyn Disk>, environments: &[PathBuf]) -> Result<Self, DiskError> {
        let mut found = Self { disk: disk.clone(), folders: Vec::new(), tops: BTreeMap::new() };
        for environment in environments {
            if !found.is_directory(environment)? {
                let why = std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such environment");
                return Err(DiskError::new("look through", environment, why));
            }
            for folder in found.packages_of(environment)? {
                found.folder(&folder)?;
            }
        }
        Ok(found)
    }

    fn is_directory(&self, path: &Path) -> Result<bool, DiskError> {
        Ok(self.disk.look(path)?.is_some_and(|meta| meta.kind == FileKind::Directory))
    }

    /// The folders `site-packages` of an environment; itself when it has none.
    fn packages_of(&self, environment: &Path) -> Result<Vec<PathBuf>, DiskError> {
        let mut found = Vec::new();
        for lib in ["lib", "lib64", "Lib"] {
            let lib = environment.join(lib);
            if !self.is_directory(&lib)? {
                continue;
            }
            let direct = lib.join("site-packages");
            if self.is_directory(&direct)? {
                found.push(direct);
            }
            for name in self.disk.list(&lib)? {
                let below = lib.join(&name).join("site-packages");
                if name.to_string_lossy().starts_with("python") && self.is_directory(&below)? {
                    found.push(below);
                }
            }
        }
        if found.is_empty() {
            found.push(environment.to_owned());
        }
        Ok(found)
    }

    fn folder(&mut self, folder: &Path) -> Result<(), DiskError> {
        for name in self.disk.list(folder)? {
            let name = name.to_string_lossy().into_owned();
            let Some(stem) = name.strip_suffix(".dist-info") else { continue };
            let place = folder.join(&name);
            let distribution = self
                .text(&place.join("METADATA"))
                .and_then(|text| {
                    text.lines().find_map(|line| line.strip_prefix("Name: ").map(ToOwned::to_owned))
                })
                .unwrap_or_else(|| stem.rsplit_once('-').map_or(stem, |(name, _)| name).to_owned());
            let mut tops: Vec<String> = Vec::new();
            if let Some(text) = self.text(&place.join("top_level.txt")) {
                tops.extend(
                    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(ToOwned::to_owned),
                );
            }
            if let Some(text) = self.text(&place.join("RECORD")) {
                tops.extend(text.lines().filter_map(top_of_record));
            }
            for top in tops {
                self.tops.entry(top).or_insert_with(|| distribution.clone());
            }
        }
        self.folders.push(folder.to_owned());
        Ok(())
    }

    /// A file that may be missing.
    fn text(&self, path: &Path) -> Option<String> {
        let is_there = self.disk.look(path).ok()?.is_some_and(|meta| meta.kind == FileKind::File);
        let bytes = is_there.then(|| self.disk.read(path, RECORD_BYTES_MAX).ok()).flatten()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Looks for a module.
    pub(super) fn find(&self, dotted: &str) -> Place {
        let top = dotted.split('.').next().unwrap_or_default();
        let stubs = format!("{top}-stubs");
        let distribution = self.tops.get(top);
        if self.is_module(dotted, top) {
            return Place::Module(distribution.cloned().unwrap_or_else(|| "no distribution".to_owned()));
        }
        if self.is_module(dotted, &stubs) {
            let by = self.tops.get(&stubs).cloned().unwrap_or_else(|| "no distribution".to_owned());
            return Place::Stub(by);
        }
        match distribution {
            Some(distribution) => Place::Lacking(distribution.clone()),
            None => Place::Nothing,
        }
    }

    /// Whether a folder has the module as a file or folder; `top` is what its first name is called there.
    fn is_module(&self, dotted: &str, top: &str) -> bool {
        let rest = dotted.split_once('.').map_or("", |(_, rest)| rest).replace('.', "/");
        let path = if rest.is_empty() { top.to_owned() } else { format!("{top}/{rest}") };
        self.folders.iter().any(|folder| {
            let at = |end: &str| folder.join(format!("{path}{end}"));
            let is_there = |path: &Path| self.disk.look(path).ok().flatten().is_some();
            if is_there(&at(".py")) || is_there(&at(".pyi")) || self.is_directory(&at("")).unwrap_or(false) {
                return true;
            }
            // Compiled modules carry the version in their name.
            let Some((around, name)) = at("")
                .parent()
                .zip(at("").file_name())
                .map(|(around, name)| (around.to_owned(), format!("{}.", name.to_string_lossy())))
            else {
                return false;
            };
            self.is_directory(&around).unwrap_or(false)
                && self.disk.list(&around).unwrap_or_default().iter().any(|entry| {
                    let entry = entry.to_string_lossy();
                    entry.starts_with(&name) && (entry.ends_with(".so") || entry.ends_with(".pyd"))
                })
        })
    }
}

/// The module that a line of `RECORD` is a part of (*Recording installed projects*, the Python Packaging Authority).
fn top_of_record(line: &str) -> Option<String> {
    let path = line.split(',').next()?.trim_matches('"');
    let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    if first.starts_with('.')
        || has_extension(first, "dist-info")
        || has_extension(first, "data")
        || first == "__pycache__"
    {
        return None;
    }
    let is_module = ["py", "pyi", "so", "pyd"].iter().any(|extension| has_extension(first, extension));
    if rest.is_some() {
        Some(first.to_owned())
    } else {
        is_module.then(|| first.split('.').next().unwrap_or(first).to_owned())
    }
}
