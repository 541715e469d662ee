//! What may not be written in any text of the project.

use crate::tidy::{Finding, Source};

// Each is put together here, so that this file does not catch itself.
const MARKERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const MACHINE_PATHS: &[&str] = &[concat!("/ro", "ot/"), concat!("/wo", "rk/")];
const REGISTRY_HOSTS: &[&str] = &[
    concat!("static", ".crates.io"),
    concat!("index", ".crates.io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("registry.npm", "js.org"),
    concat!("deb", ".debian.org"),
];

/// Files whose words are not ours: written by cargo, or by those who wrote the licences.
const NOT_OURS: &[&str] = &["Cargo.lock", "LICENSE-APACHE", "LICENSE-MIT"];

/// Nothing is marked as left for later: what is not done is said where users look for it.
pub fn markers(sources: &[Source]) -> Vec<Finding> {
    find(sources, |line| {
        let word = MARKERS.iter().find(|word| has_word(line, word))?;
        Some(format!("`{word}` leaves work in the text: do it, or say in the changelog that it is not done"))
    })
}

/// No path of the machine on which something was written.
pub fn machine_paths(sources: &[Source]) -> Vec<Finding> {
    find(sources, |line| {
        let path = MACHINE_PATHS.iter().find(|path| starts_path(line, path))?;
        Some(format!("`{path}…` exists on one machine only: use a relative or a temporary path"))
    })
}

/// No host of a package registry: which one is used is the setting of whoever builds.
pub fn registry_hosts(sources: &[Source]) -> Vec<Finding> {
    find(sources, |line| {
        let host = REGISTRY_HOSTS.iter().find(|host| line.contains(*host))?;
        Some(format!("`{host}` is a registry's host: name the package alone"))
    })
}

fn find(sources: &[Source], rule: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let ours = sources.iter().filter(|source| !NOT_OURS.contains(&source.path.as_str()));
    ours.flat_map(|source| {
        source.lines().filter_map(|(number, line)| rule(line).map(|what| source.finding(number, what)))
    })
    .collect()
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let continues = |character: char| character.is_alphanumeric() || character == '_';
        !line[..start].ends_with(continues) && !line[start + word.len()..].starts_with(continues)
    })
}

/// Whether an absolute path starts in the line: a longer path, or an address, may have such a part inside.
fn starts_path(line: &str, path: &str) -> bool {
    let inside = |character: char| character.is_alphanumeric() || "._-~}*".contains(character);
    line.match_indices(path).any(|(start, _)| !line[..start].ends_with(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caught(rule: fn(&[Source]) -> Vec<Finding>, line: &str) -> bool {
        !rule(&[Source::new("a.md", &format!("first\n{line}\n"))]).is_empty()
    }

    #[test]
    fn markers_are_caught_as_words() {
        for word in MARKERS {
            assert!(caught(markers, &format!("// {word}: later")), "{word}");
            assert!(caught(markers, &format!("({word})")), "{word}");
            assert!(!caught(markers, &format!("{word}S")), "{word}");
            assert!(!caught(markers, &format!("A{word}")), "{word}");
        }
        assert!(!caught(markers, "mktemp switchback.XXXXXX"));
    }

    #[test]
    fn paths_of_a_machine_are_caught_where_they_start() {
        for path in MACHINE_PATHS {
            assert!(caught(machine_paths, &format!("see `{path}file`")), "{path}");
            assert!(caught(machine_paths, &format!("{path}file")), "{path}");
            assert!(!caught(machine_paths, &format!("home{path}file")), "{path}");
            assert!(!caught(machine_paths, &format!("${{base}}{path}file")), "{path}");
        }
    }

    #[test]
    fn registry_hosts_are_caught() {
        for host in REGISTRY_HOSTS {
            assert!(caught(registry_hosts, &format!("from https://{host}/simple")), "{host}");
        }
        assert!(!caught(registry_hosts, "from crates.io"));
    }

    #[test]
    fn a_finding_says_where() {
        let text = format!("one\ntwo {}\n", MARKERS[0]);
        let found = markers(&[Source::new("a.md", &text), Source::new("Cargo.lock", &text)]);
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().starts_with("a.md:2: "), "{}", found[0]);
    }
}
