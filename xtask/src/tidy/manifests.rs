//! Dependencies: which crate may carry the heavy ones, and how many packages the project has in all.

use crate::tidy::{Finding, Source};

/// The most packages that `Cargo.lock` may hold. Raised on purpose, in the commit that needs it, never in passing:
/// each package is code that somebody has to trust, build and update.
pub const PACKAGES_MAX: usize = 675;

/// What a name begins with, and the only crates whose manifests may name it.
const HEAVY: &[(&str, &[&str])] = &[
    ("datafusion", &["switchback-sql"]),
    ("ballista", &["switchback-sql"]),
    // The engine computes on what the comparison reads.
    ("arrow", &["switchback-compare", "switchback-databases", "switchback-sql"]),
    ("parquet", &["switchback-compare"]),
    ("adbc", &["switchback-databases"]),
    ("postgres", &["switchback-databases"]),
    ("rustic_", &["switchback-snapshot"]),
    ("ruff_", &["switchback-python"]),
    ("jaq-", &["switchback-documents"]),
    ("jsonschema", &["switchback-documents"]),
    ("ssh-key", &["switchback-signature"]),
    ("ed25519-dalek", &["switchback-signature"]),
];

/// Engines that not even a test of another crate may use.
const ENGINES: &[&str] = &["datafusion", "ballista"];

/// Heavy dependencies stay in the crate that is there for them, so that the others build without.
pub fn heavy(sources: &[Source]) -> Vec<Finding> {
    let manifests = sources.iter().filter(|source| source.path.ends_with("/Cargo.toml"));
    manifests.flat_map(heavy_of).collect()
}

fn heavy_of(source: &Source) -> Vec<Finding> {
    let home = source.path.trim_start_matches("crates/").trim_end_matches("/Cargo.toml");
    let manifest: toml::Table = match source.text.parse() {
        Ok(manifest) => manifest,
        Err(fault) => return vec![source.finding(1, format!("not a manifest: {fault}"))],
    };
    let mut findings = Vec::new();
    for (kind, name) in dependencies(&manifest) {
        let Some((heavy, allowed)) = HEAVY.iter().find(|(heavy, _)| name.starts_with(heavy)) else {
            continue;
        };
        let only_tests = kind == "dev-dependencies" && !ENGINES.contains(heavy);
        if !allowed.contains(&home) && !only_tests {
            let line = source.lines().find(|(_, line)| line.contains(&name)).map_or(1, |(number, _)| number);
            findings
                .push(source.finding(line, format!("`{name}` belongs to `{}` alone", allowed.join("`, `"))));
        }
    }
    findings
}

/// Kind and name of every dependency, those of single targets too. A renamed one goes by its package's name.
fn dependencies(manifest: &toml::Table) -> Vec<(&'static str, String)> {
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let tables = targets.into_iter().flat_map(|targets| targets.values().filter_map(toml::Value::as_table));
    let mut found = Vec::new();
    for table in std::iter::once(manifest).chain(tables) {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let named = table.get(kind).and_then(toml::Value::as_table);
            for (name, value) in named.into_iter().flatten() {
                let package = value.get("package").and_then(toml::Value::as_str).unwrap_or(name);
                found.push((kind, package.to_owned()));
            }
        }
    }
    found
}

/// The number of packages stays at or below [`PACKAGES_MAX`].
pub fn lock_size(sources: &[Source]) -> Vec<Finding> {
    let Some(lock) = sources.iter().find(|source| source.path == "Cargo.lock") else {
        return vec![
            Source::new("Cargo.lock", "").finding(1, "it is not tracked, so nothing pins what is built"),
        ];
    };
    let packages = lock.lines().filter(|(_, line)| *line == "[[package]]").count();
    if packages <= PACKAGES_MAX {
        return Vec::new();
    }
    vec![lock.finding(
        1,
        format!("{packages} packages, {PACKAGES_MAX} is the most: drop one, or raise PACKAGES_MAX"),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caught(path: &str, manifest: &str) -> usize {
        heavy(&[Source::new(path, manifest)]).len()
    }

    #[test]
    fn a_heavy_dependency_elsewhere_is_caught() {
        let core = "crates/switchback-core/Cargo.toml";
        assert_eq!(caught(core, "[dependencies]\ndatafusion.workspace = true\n"), 1);
        assert_eq!(
            caught(core, "[dependencies]\ntables = { package = \"datafusion-common\", version = \"1\" }\n"),
            1
        );
        assert_eq!(caught(core, "[target.'cfg(unix)'.dependencies]\nruff_python_ast = \"1\"\n"), 1);
        assert_eq!(caught(core, "[dev-dependencies]\nballista = \"1\"\n"), 1);
        assert_eq!(caught(core, "[dev-dependencies]\nparquet = \"1\"\n"), 0, "a test may write a file");
        assert_eq!(caught(core, "[dependencies]\nserde = \"1\"\n"), 0);
        assert_eq!(caught(core, "not a manifest"), 1);
    }

    #[test]
    fn at_home_it_is_not() {
        assert_eq!(caught("crates/switchback-sql/Cargo.toml", "[dependencies]\ndatafusion = \"1\"\n"), 0);
        assert_eq!(caught("crates/switchback-compare/Cargo.toml", "[dependencies]\narrow = \"1\"\n"), 0);
    }

    #[test]
    fn a_lock_file_above_its_ceiling_is_caught() {
        let lock = |packages: usize| [Source::new("Cargo.lock", &"[[package]]\n".repeat(packages))];
        assert_eq!(lock_size(&lock(PACKAGES_MAX)), []);
        assert_eq!(lock_size(&lock(PACKAGES_MAX + 1)).len(), 1);
        assert_eq!(lock_size(&[]).len(), 1);
    }
}
