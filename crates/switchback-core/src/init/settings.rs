//! What a project's own settings say: its name, where imports start, how pytest is set up.

use std::path::Path;

use super::listing::Listing;
use crate::world::Disk;

const SETTINGS_BYTES_MAX: u64 = 1024 * 1024;
/// pytest's own order: the first file that speaks of pytest is the only one it reads.
const PYTEST_FILES: [(&str, &str); 6] = [
    ("pytest.ini", "pytest"),
    (".pytest.ini", "pytest"),
    ("pyproject.toml", "tool.pytest.ini_options"),
    ("tox.ini", "pytest"),
    ("setup.cfg", "tool:pytest"),
    ("pytest.toml", "pytest"),
];

/// What the settings say.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// The project's name, and the file that says so.
    pub(super) name: Option<(String, &'static str)>,
    /// Folders from which imports start.
    pub(super) source_roots: Vec<String>,
    pub(super) pytest: Option<Pytest>,
    /// Files that could not be read as what they are.
    pub(super) damaged: Vec<String>,
}

/// How pytest is set up.
#[derive(Debug, Clone, Default)]
pub(super) struct Pytest {
    /// The file that says so.
    pub(super) file: &'static str,
    pub(super) testpaths: Vec<String>,
    /// Patterns of names; pytest's own when empty.
    pub(super) python_files: Vec<String>,
    pub(super) addopts: String,
    /// The names of all its settings.
    pub(super) keys: Vec<String>,
}

/// Sections of names and values, as in an INI file.
type Sections = Vec<(String, Vec<(String, String)>)>;

/// Reads the settings of the project at `root`.
pub(super) fn read(disk: &dyn Disk, root: &Path, listing: &Listing) -> Settings {
    let mut settings = Settings::default();
    let mut text = |name: &'static str| -> Option<String> {
        if !listing.has_file(name) {
            return None;
        }
        let read = disk.read(&root.join(name), SETTINGS_BYTES_MAX).ok();
        let read = read.and_then(|bytes| String::from_utf8(bytes).ok());
        if read.is_none() {
            settings.damaged.push(name.to_owned());
        }
        read
    };
    let pyproject = text("pyproject.toml").map(|text| text.parse::<toml::Table>());
    let mut inis: Vec<(&'static str, Sections)> = Vec::new();
    for name in ["pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg"] {
        if let Some(text) = text(name) {
            inis.push((name, sections(&text)));
        }
    }
    let pyproject = match pyproject {
        Some(Ok(table)) => Some(table),
        Some(Err(_)) => {
            settings.damaged.push("pyproject.toml".to_owned());
            None
        }
        None => None,
    };
    let setup = inis.iter().find(|(name, _)| *name == "setup.cfg").map(|(_, sections)| sections);
    settings.name = pyproject
        .as_ref()
        .and_then(name_of)
        .map(|name| (name, "pyproject.toml"))
        .or_else(|| Some((value(setup?, "metadata", "name")?.to_owned(), "setup.cfg")));
    settings.source_roots = pyproject.as_ref().map(roots_of).unwrap_or_default();
    settings.source_roots.extend(setup.map(roots_of_setup).unwrap_or_default());
    settings.pytest = PYTEST_FILES.iter().find_map(|(file, section)| match *file {
        "pyproject.toml" => pytest_of(pyproject.as_ref()?),
        file => {
            let (_, sections) = inis.iter().find(|(name, _)| *name == file)?;
            let has_section = sections.iter().any(|(name, _)| name == section);
            // An empty `pytest.ini` counts all the same; the other files must speak of pytest.
            (has_section || file.ends_with("pytest.ini")).then(|| pytest_of_ini(file, section, sections))
        }
    });
    settings
}

fn at<'t>(table: &'t toml::Table, path: &str) -> Option<&'t toml::Value> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let value = table.get(first)?;
    if rest.is_empty() { Some(value) } else { at(value.as_table()?, rest) }
}

fn name_of(pyproject: &toml::Table) -> Option<String> {
    let places = ["project.name", "tool.poetry.name", "tool.flit.metadata.module"];
    places.iter().find_map(|place| at(pyproject, place)?.as_str().map(str::to_owned))
}

/// Where setuptools, poetry, hatch, pdm and pytest are told that imports start.
fn roots_of(pyproject: &toml::Table) -> Vec<String> {
    let mut found = Vec::new();
    for place in ["tool.setuptools.packages.find.where", "tool.pytest.ini_options.pythonpath"] {
        found.extend(at(pyproject, place).map(words).unwrap_or_default());
    }
    for place in ["tool.setuptools.package-dir", "tool.pdm.build.package-dir"] {
        let folder = at(pyproject, place);
        let root = folder.and_then(|value| value.as_str().or_else(|| value.as_table()?.get("")?.as_str()));
        found.extend(root.map(str::to_owned));
    }
    let poetry = at(pyproject, "tool.poetry.packages").and_then(toml::Value::as_array);
    let from = |package: &toml::Value| Some(package.as_table()?.get("from")?.as_str()?.to_owned());
    found.extend(poetry.into_iter().flatten().filter_map(from));
    let hatch = at(pyproject, "tool.hatch.build.targets.wheel.packages").map(words).unwrap_or_default();
    found.extend(hatch.iter().filter_map(|path| Some(path.rsplit_once('/')?.0.to_owned())));
    cleaned(&found)
}

fn roots_of_setup(sections: &Sections) -> Vec<String> {
    let mut found: Vec<String> = value(sections, "options", "package_dir")
        .into_iter()
        .flat_map(str::lines)
        .filter_map(|line| line.trim().strip_prefix('=').map(|root| root.trim().to_owned()))
        .collect();
    found.extend(value(sections, "options.packages.find", "where").map(str::to_owned));
    cleaned(&found)
}

/// Paths as a listing has them; the root itself is no news.
fn cleaned(paths: &[String]) -> Vec<String> {
    let paths =
        paths.iter().map(|path| path.trim().trim_start_matches("./").trim_end_matches('/').to_owned());
    paths.filter(|path| !path.is_empty() && path != ".").collect()
}

fn pytest_of(pyproject: &toml::Table) -> Option<Pytest> {
    let place = ["tool.pytest.ini_options", "tool.pytest"];
    let table = place.iter().find_map(|place| at(pyproject, place)?.as_table())?;
    let list = |key: &str| table.get(key).map(words).unwrap_or_default();
    Some(Pytest {
        file: "pyproject.toml",
        testpaths: cleaned(&list("testpaths")),
        python_files: list("python_files"),
        addopts: list("addopts").join(" "),
        keys: table.keys().cloned().collect(),
    })
}

fn pytest_of_ini(file: &'static str, section: &str, sections: &Sections) -> Pytest {
    let text = |key: &str| value(sections, section, key).unwrap_or_default().to_owned();
    let list = |key: &str| text(key).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let entries = sections.iter().filter(|(name, _)| name == section).flat_map(|(_, entries)| entries);
    Pytest {
        file,
        testpaths: cleaned(&list("testpaths")),
        python_files: list("python_files"),
        addopts: text("addopts"),
        keys: entries.map(|(key, _)| key.clone()).collect(),
    }
}

/// The words of a text, or of a list of texts.
fn words(value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        toml::Value::Array(items) => {
            items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

fn value<'s>(sections: &'s Sections, section: &str, key: &str) -> Option<&'s str> {
    let (_, entries) = sections.iter().find(|(name, _)| name == section)?;
    entries.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

/// Reads what Python's `configparser` reads: sections, `key = value`, and indented lines that go on with a value.
fn sections(text: &str) -> Sections {
    let mut found: Sections = Vec::new();
    for line in text.lines() {
        let is_inner = line.starts_with([' ', '\t']);
        let line = line.trim_end();
        let words = line.trim_start();
        if words.is_empty() || words.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) =
            words.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|_| !is_inner)
        {
            found.push((name.trim().to_owned(), Vec::new()));
            continue;
        }
        let Some((_, entries)) = found.last_mut() else { continue };
        match entries.last_mut() {
            Some((_, value)) if is_inner => {
                value.push('\n');
                value.push_str(words);
            }
            _ => {
                let (key, value) = words.split_once(['=', ':']).unwrap_or((words, ""));
                entries.push((key.trim().to_lowercase(), value.trim().to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ini_file_is_read_with_values_of_several_lines() {
        let text = "# top\n[metadata]\nname = shop\n[options]\npackage_dir =\n    =lib\n[tool:pytest]\naddopts = -q\n  --cov=shop\ntestpaths: tests more\n";
        let read = sections(text);
        assert_eq!(value(&read, "metadata", "name"), Some("shop"));
        assert_eq!(roots_of_setup(&read), ["lib"]);
        let pytest = pytest_of_ini("setup.cfg", "tool:pytest", &read);
        assert_eq!(pytest.testpaths, ["tests", "more"]);
        assert_eq!(pytest.addopts, "-q\n--cov=shop");
    }

    #[test]
    fn source_roots_are_found_wherever_a_build_tool_is_told_them() {
        for (text, wanted) in [
            ("[tool.setuptools.packages.find]\nwhere = [\"lib\"]", "lib"),
            ("[tool.setuptools.package-dir]\n\"\" = \"code/\"", "code"),
            ("[tool.poetry]\npackages = [{ include = \"shop\", from = \"py\" }]", "py"),
            ("[tool.hatch.build.targets.wheel]\npackages = [\"src/shop\"]", "src"),
            ("[tool.pytest.ini_options]\npythonpath = \"./app\"", "app"),
        ] {
            assert_eq!(roots_of(&text.parse().unwrap()), [wanted], "{text}");
        }
    }
}
