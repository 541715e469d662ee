//! YAML as the program's own Python loader reads it: PyYAML's `safe_load` (YAML 1.1), or ruamel.yaml's safe loader (YAML 1.2).
//!
//! The grammar is that of libyaml, which PyYAML wraps and which both loaders' own scanners follow; `scalar` has the rules by
//! which each of them makes a value of a scalar; `loader` puts them together as their constructors do; `remarks` finds the
//! comments, which no loader keeps.

pub(crate) mod loader;
pub(crate) mod remarks;
pub(crate) mod scalar;

/// Whose rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Loader {
    /// PyYAML's `safe_load`: YAML 1.1, `no` is a boolean, `010` is eight, the last of two equal keys wins.
    #[default]
    PyYaml,
    /// ruamel.yaml, `YAML(typ="safe")`: YAML 1.2, `no` is text, `010` is ten, equal keys are an error.
    Ruamel,
}

impl Loader {
    /// Its word in plans and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::PyYaml => "pyyaml",
            Self::Ruamel => "ruamel",
        }
    }

    /// The loader of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::PyYaml, Self::Ruamel].into_iter().find(|loader| loader.word() == word)
    }
}
