//! The distributions that a project says it needs.

use std::collections::BTreeMap;

use crate::syntax::values::{Deed, Expression, Form, Statement, values};
use crate::tree::{File, Tree, has_extension};

/// Distributions whose modules are called otherwise, as their own documentation says.
const OTHERWISE: &[(&str, &str)] = &[
    ("attrs", "attr"),
    ("beautifulsoup4", "bs4"),
    ("djangorestframework", "rest_framework"),
    ("factory_boy", "factory"),
    ("google_api_python_client", "googleapiclient"),
    ("gitpython", "git"),
    ("msgpack_python", "msgpack"),
    ("mysqlclient", "MySQLdb"),
    ("opencv_python", "cv2"),
    ("opencv_python_headless", "cv2"),
    ("pillow", "PIL"),
    ("protobuf", "google"),
    ("psycopg2_binary", "psycopg2"),
    ("pycryptodome", "Crypto"),
    ("pyjwt", "jwt"),
    ("pymysql", "pymysql"),
    ("pyserial", "serial"),
    ("python_dateutil", "dateutil"),
    ("python_dotenv", "dotenv"),
    ("python_jose", "jose"),
    ("python_multipart", "multipart"),
    ("python_slugify", "slugify"),
    ("pyyaml", "yaml"),
    ("pyzmq", "zmq"),
    ("scikit_image", "skimage"),
    ("scikit_learn", "sklearn"),
    ("sentry_sdk", "sentry_sdk"),
    ("setuptools", "pkg_resources"),
    ("typing_extensions", "typing_extensions"),
];

/// The name of a distribution as names are compared (PEP 503), with underscores.
pub(super) fn normal(name: &str) -> String {
    let mut normal = String::new();
    for letter in name.trim().chars() {
        if matches!(letter, '-' | '_' | '.') {
            if !normal.ends_with('_') {
                normal.push('_');
            }
        } else {
            normal.extend(letter.to_lowercase());
        }
    }
    normal
}

/// Whether the modules of a distribution are called so, as far as its name says.
pub(super) fn offers(distribution: &str, module: &str) -> bool {
    let own = normal(distribution);
    let top = module.split('.').next().unwrap_or(module);
    let bare = own.strip_prefix("python_").unwrap_or(&own);
    // `google-cloud-storage` brings `google.cloud.storage`.
    let whole = format!("{}_", normal(module));
    own == normal(top)
        || bare == normal(top)
        || whole.starts_with(&format!("{own}_"))
        || OTHERWISE.iter().any(|(name, module)| *name == own && *module == top)
}

/// Every distribution that the project names, with the file that does.
pub(super) fn declared(tree: &Tree) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for file in &tree.files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let folder = file.path.rsplit('/').nth(1).unwrap_or_default();
        let requirements = match name {
            "pyproject.toml" | "Pipfile" => text(tree, file).map(|text| of_toml(&text)),
            "setup.cfg" => text(tree, file).map(|text| of_ini(&text)),
            "setup.py" => text(tree, file).map(|text| of_setup(&values(text.as_bytes()))),
            name if has_extension(name, "txt") || has_extension(name, "in") => {
                let is_one = ["requirements", "constraints", "deps"].iter().any(|word| name.contains(word))
                    || matches!(folder, "requirements" | "reqs");
                is_one.then(|| text(tree, file).map(|text| of_lines(&text))).flatten()
            }
            _ => None,
        };
        for requirement in requirements.unwrap_or_default() {
            if let Some(name) = name_of(&requirement) {
                found.entry(name).or_insert_with(|| file.path.clone());
            }
        }
    }
    found
}

fn text(tree: &Tree, file: &File) -> Option<String> {
    let bytes = tree.content(file).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The name that a requirement begins with (PEP 508).
fn name_of(requirement: &str) -> Option<String> {
    let name: String = requirement
        .trim()
        .chars()
        .take_while(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.'))
        .collect();
    let is_name = name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    is_name.then_some(name)
}

fn of_lines(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', '-']))
        .map(|line| match line.split_once("#egg=") {
            Some((_, name)) => name.to_owned(),
            None => line.to_owned(),
        })
        .collect()
}

fn of_toml(text: &str) -> Vec<String> {
    let Ok(table) = text.parse::<toml::Table>() else { return Vec::new() };
    let mut found = Vec::new();
    let at = |path: &[&str]| {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(table.get(*first)?, |value, key| value.get(key))
    };
    let mut lists = vec![at(&["project", "dependencies"]), at(&["build-system", "requires"])];
    for tables in [at(&["project", "optional-dependencies"]), at(&["dependency-groups"])] {
        lists
            .extend(tables.and_then(toml::Value::as_table).into_iter().flatten().map(|(_, list)| Some(list)));
    }
    for list in lists.into_iter().flatten() {
        let items = list.as_array().into_iter().flatten();
        found.extend(items.filter_map(toml::Value::as_str).map(ToOwned::to_owned));
    }
    let mut tables = vec![
        at(&["tool", "poetry", "dependencies"]),
        at(&["tool", "poetry", "dev-dependencies"]),
        at(&["packages"]),
        at(&["dev-packages"]),
    ];
    if let Some(groups) = at(&["tool", "poetry", "group"]).and_then(toml::Value::as_table) {
        tables.extend(groups.iter().map(|(_, group)| group.get("dependencies")));
    }
    for table in tables.into_iter().flatten().filter_map(toml::Value::as_table) {
        found.extend(table.keys().filter(|key| *key != "python").cloned());
    }
    found
}

/// `install_requires`, `setup_requires`, `tests_require` and the extras of `setup.cfg`.
fn of_ini(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut section = "";
    let mut is_list = false;
    for line in text.lines() {
        if line.trim_start().starts_with(['#', ';']) || line.trim().is_empty() {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            section = name.split(']').next().unwrap_or_default();
            is_list = false;
            continue;
        }
        if !line.starts_with([' ', '\t']) {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            let key = key.trim();
            is_list = section == "options.extras_require"
                || (section == "options"
                    && matches!(key, "install_requires" | "setup_requires" | "tests_require"));
            if is_list {
                found.extend(
                    value.split(';').next().map(ToOwned::to_owned).filter(|value| !value.trim().is_empty()),
                );
            }
        } else if is_list {
            found.push(line.trim().to_owned());
        }
    }
    found
}

/// The literal lists that `setup(…)` is called with.
fn of_setup(statements: &[Statement]) -> Vec<String> {
    let mut found = Vec::new();
    let mut lists: BTreeMap<&str, &Expression> = BTreeMap::new();
    for statement in statements {
        match &statement.deed {
            Deed::Assign(targets, value) => {
                for target in targets {
                    if let Form::Name(name) = &target.form {
                        lists.insert(name, value);
                    }
                }
            }
            Deed::Express(Expression { form: Form::Call(_, arguments), .. }) => {
                for argument in arguments {
                    let is_one = matches!(
                        argument.name.as_deref(),
                        Some("install_requires" | "setup_requires" | "tests_require" | "extras_require")
                    );
                    if is_one {
                        texts(&argument.value, &lists, 0, &mut found);
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn texts(value: &Expression, lists: &BTreeMap<&str, &Expression>, depth: usize, found: &mut Vec<String>) {
    if depth > 8 {
        return;
    }
    match &value.form {
        Form::Text(text) => found.push(text.clone()),
        Form::List(items) => items.iter().for_each(|item| texts(item, lists, depth + 1, found)),
        Form::Mapping(pairs) => pairs.iter().for_each(|(_, item)| texts(item, lists, depth + 1, found)),
        Form::Name(name) => {
            if let Some(value) = lists.get(name.as_str()) {
                texts(value, lists, depth + 1, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_distributions_and_modules_meet() {
        assert!(offers("PyYAML", "yaml"));
        assert!(offers("scikit-learn", "sklearn"));
        assert!(offers("My.Package", "my_package"));
        assert!(offers("python-slugify", "slugify"));
        assert!(offers("azure-mgmt-cdn", "azure.mgmt.cdn.models"));
        assert!(!offers("azure-mgmt-cdn", "azure.mgmt"));
        assert!(!offers("PyYAML", "yam"));
        assert_eq!(name_of("uvicorn[standard]>=0.2; python_version > '3'").as_deref(), Some("uvicorn"));
        assert_eq!(name_of("-r other.txt"), None);
    }
}
