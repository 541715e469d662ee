//! What the name of a file or folder says about it.

/// What a file is, going by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Python,
    Sql,
    /// Source of any other language, templates and scripts included.
    Source,
    Notebook,
    Config,
    /// What the project is built from and depends on.
    Dependencies,
    Database,
    Data,
    Docs,
    Other,
}

/// A larger JSON or XML file is data, whatever it is called.
const CONFIG_BYTES_MAX: u64 = 1024 * 1024;

const SOURCE: &[&str] = &[
    "pyi", "pyx", "pxd", "js", "mjs", "cjs", "jsx", "ts", "tsx", "vue", "css", "scss", "less", "html", "htm",
    "jinja", "jinja2", "j2", "mako", "tmpl", "sh", "bash", "ps1", "bat", "r", "jl", "scala", "java", "kt",
    "go", "rs", "c", "h", "cc", "cpp", "hpp", "cs", "rb", "php", "pl", "lua", "proto", "graphql", "tf",
    "hql",
];
const CONFIG: &[&str] = &["yaml", "yml", "toml", "ini", "cfg", "conf", "json", "properties", "xml"];
const DATABASE: &[&str] = &["duckdb", "sqlite", "sqlite3", "db", "db3"];
const DATA: &[&str] = &[
    "csv",
    "tsv",
    "psv",
    "parquet",
    "feather",
    "arrow",
    "orc",
    "avro",
    "jsonl",
    "ndjson",
    "geojson",
    "xlsx",
    "xls",
    "xlsm",
    "ods",
    "h5",
    "hdf5",
    "npz",
    "npy",
    "pkl",
    "pickle",
    "joblib",
    "pt",
    "pth",
    "onnx",
    "safetensors",
    "bin",
    "dat",
    "gz",
    "bz2",
    "xz",
    "zst",
    "zip",
    "tar",
    "tgz",
    "7z",
    "nc",
    "grib",
    "tif",
    "tiff",
    "wav",
    "mp3",
    "mp4",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "log",
    "dta",
    "sav",
    "sas7bdat",
    "rds",
    "rda",
    "rdata",
    "shp",
    "dbf",
    "wal",
];
const DOCS: &[&str] = &["md", "rst", "txt", "adoc", "pdf", "docx", "pptx", "tex"];
const DEPENDENCIES: &[&str] = &[
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "pipfile",
    "pipfile.lock",
    "poetry.lock",
    "pdm.lock",
    "uv.lock",
    "environment.yml",
    "environment.yaml",
    "package.json",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "cargo.toml",
    "cargo.lock",
    "go.mod",
    "go.sum",
    "gemfile",
    "gemfile.lock",
];
const BUILD: &[&str] = &["makefile", "dockerfile", "procfile", "justfile", "manifest.in", "snakefile"];

/// Folders that are made anew by tools, or belong to them. `build` and its like count only without an `__init__.py`.
const TOOL_FOLDERS: &[&str] = &["__pycache__", "node_modules", "bower_components", "htmlcov", "wheelhouse"];
const OUTPUT_FOLDERS: &[&str] = &["build", "dist", "target", "site", "_build"];
/// Folders that hold data by their name.
const DATA_FOLDERS: &[&str] = &[
    "data",
    "datasets",
    "dataset",
    "raw",
    "input",
    "inputs",
    "output",
    "outputs",
    "out",
    "results",
    "artifacts",
    "logs",
    "log",
    "tmp",
    "temp",
    "cache",
    "checkpoints",
    "mlruns",
    "exports",
    "dumps",
    "backup",
    "backups",
    "figures",
    "plots",
];
const DOCS_FOLDERS: &[&str] = &["docs", "doc", "documentation", "licenses", "reports"];
const TEST_FOLDERS: &[&str] = &["tests", "test"];
/// The folders of a dbt project.
const DBT_FOLDERS: &[&str] =
    &["models", "seeds", "macros", "analyses", "analysis", "snapshots", "tests", "functions"];

/// The class of a file of that many bytes.
pub(super) fn class(name: &str, bytes: u64) -> Class {
    let is_python = module(name).is_some();
    let name = name.to_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_requirements = ["requirements", "constraints"].iter().any(|word| name.contains(word))
        && matches!(ending, "txt" | "in" | "lock");
    if is_requirements || DEPENDENCIES.contains(&name.as_str()) {
        Class::Dependencies
    } else if BUILD.contains(&name.as_str()) || BUILD.contains(&stem) {
        Class::Config
    } else if is_python {
        Class::Python
    } else if ending == "sql" {
        Class::Sql
    } else if ending == "ipynb" {
        Class::Notebook
    } else if DATABASE.contains(&ending) {
        Class::Database
    } else if CONFIG.contains(&ending) {
        let can_be_data = matches!(ending, "json" | "xml") && bytes > CONFIG_BYTES_MAX;
        if can_be_data { Class::Data } else { Class::Config }
    } else if SOURCE.contains(&ending) {
        Class::Source
    } else if DATA.contains(&ending) {
        Class::Data
    } else if DOCS.contains(&ending) {
        Class::Docs
    } else {
        Class::Other
    }
}

/// The name of the module that a Python file is; nothing for any other file.
pub(super) fn module(path: &str) -> Option<&str> {
    base(path).strip_suffix(".py")
}

/// Whether a folder of that name is hidden, or made by a tool.
pub(super) fn is_tool_folder(name: &str) -> bool {
    let is_metadata = [".egg-info", ".dist-info"].iter().any(|ending| name.ends_with(ending));
    name.starts_with('.') || is_metadata || TOOL_FOLDERS.contains(&name)
}

/// Whether a folder of that name holds what a build makes, unless it is a package.
pub(super) fn is_output_folder(name: &str) -> bool {
    OUTPUT_FOLDERS.contains(&name)
}

pub(super) fn is_data_folder(name: &str) -> bool {
    DATA_FOLDERS.contains(&name.to_lowercase().as_str())
}

pub(super) fn is_docs_folder(name: &str) -> bool {
    DOCS_FOLDERS.contains(&name.to_lowercase().as_str())
}

pub(super) fn is_test_folder(name: &str) -> bool {
    TEST_FOLDERS.contains(&name.to_lowercase().as_str())
}

pub(super) fn is_dbt_folder(name: &str) -> bool {
    DBT_FOLDERS.contains(&name)
}

/// The last part of a path.
pub(super) fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder of a path; empty for what stands at the root.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Whether `path` is `folder` or stands below it. The root is the empty path.
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are() {
        for (name, bytes, wanted) in [
            ("app.py", 1, Class::Python),
            ("requirements-dev.txt", 1, Class::Dependencies),
            ("notes.txt", 1, Class::Docs),
            ("PyProject.toml", 1, Class::Dependencies),
            ("Dockerfile.prod", 1, Class::Config),
            ("rates.json", 1, Class::Config),
            ("rates.json", CONFIG_BYTES_MAX + 1, Class::Data),
            ("state.duckdb", 1, Class::Database),
            ("orders.csv.gz", 1, Class::Data),
            ("LICENSE", 1, Class::Other),
        ] {
            assert_eq!(class(name, bytes), wanted, "{name}");
        }
    }

    #[test]
    fn a_path_is_below_whole_names_only() {
        assert!(is_below("src/app.py", "src"));
        assert!(is_below("src", "src"));
        assert!(is_below("src", ""));
        assert!(!is_below("src2/app.py", "src"));
    }
}
