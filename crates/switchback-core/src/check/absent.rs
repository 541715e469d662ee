//! `absent`: text that must not stand in the files of the project, such as paths of fixtures in production code (RE-13).

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use encoding_rs::Encoding;
use regex::Regex;
use serde_json::json;

use super::found::{Found, Search, Searched};
use super::{Check, Kind, Looked, Scene};
use crate::pattern;
use crate::plan::{Fields, Key, Shape, shown};
use crate::quantity::counted;
use crate::verdict::Verdict;
use crate::world::Disk;

/// A larger file is not looked into.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// More files than that are a pattern that was not meant.
const FILES_MAX: usize = 100_000;
/// Folders within folders.
const DEPTH_MAX: usize = 64;
/// How many places are named in a summary, and how many in the evidence.
const NAMED_MAX: usize = 3;
const KEPT_MAX: usize = 1_000;
/// Folders whose files are nobody's: those of tools, and of environments.
const FOREIGN: &[&str] = &[".git", ".switchback", ".venv", "venv", "node_modules", "__pycache__"];

/// The kind `absent`.
pub(super) static KIND: Kind = Kind {
    word: "absent",
    doc: "text that must not stand in the files of the project",
    keys: &[
        Key::required("patterns", Shape::Texts, "regular expressions; no line may match any of them"),
        Key::required(
            "paths",
            Shape::Texts,
            "the files that are looked at: paths, in which `*` and `?` may stand",
        ),
        Key::optional("except", Shape::Texts, "files among these that may hold it"),
    ],
    read,
};

#[derive(Debug)]
struct AbsentCheck {
    patterns: Vec<Regex>,
    paths: Vec<String>,
    except: Vec<String>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let mut patterns = Vec::new();
    for (offset, text) in fields.placed_texts("patterns").unwrap_or_default() {
        match Regex::new(&text) {
            Ok(pattern) => patterns.push(pattern),
            Err(_) => fields.findings().add(
                offset,
                format!("`{}` is no regular expression", shown(&text)),
                "correct it; a point and a bracket are written `\\.` and `\\[`",
            ),
        }
    }
    for name in ["patterns", "paths"] {
        if fields.is_empty_list(name) {
            fields.find(
                name,
                format!("`{name}` in {} is empty: nothing would be looked for", fields.title()),
                "name one",
            );
        }
    }
    let paths = fields.texts("paths");
    let except = fields.texts("except").unwrap_or_default();
    Some(Box::new(AbsentCheck { patterns, paths: paths?, except }))
}

/// A line that matches.
struct Match {
    place: String,
    pattern: String,
    line: String,
}

/// What was looked through.
#[derive(Default)]
struct Looks {
    /// How many text files were looked into.
    files: u64,
    /// Every line that matches.
    found: Vec<Match>,
    /// Files that are too large.
    large: Vec<String>,
    /// Files that hold a NUL and are no text of two bytes a letter.
    no_text: Vec<String>,
    /// Folders that are too deep.
    deep: Vec<String>,
}

impl Check for AbsentCheck {
    fn finds_logs(&self) -> bool {
        true
    }

    fn look(&self, scene: &Scene<'_>) -> Looked {
        let looked = scene.trees.here().and_then(|tree| self.look_through(scene.world.disk.as_ref(), &tree));
        let looks = match looked {
            Ok(looks) => looks,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let Looks { files, found, large, no_text, deep } = looks;
        let listed = found.iter().take(KEPT_MAX);
        let listed = listed.map(|one| json!({"place": one.place, "pattern": one.pattern, "line": one.line}));
        let kept = |names: &[String]| names.iter().take(KEPT_MAX).cloned().collect::<Vec<_>>();
        let mut details = json!({"files": files, "skipped": kept(&large), "no_text": kept(&no_text), "too_deep": kept(&deep),
                                  "found": listed.collect::<Vec<_>>()});
        if found.len() > KEPT_MAX {
            details["found_left_out"] = json!(found.len() - KEPT_MAX);
        }
        let looked_at = counted(files, "file");
        if !found.is_empty() {
            let mut named: Vec<String> =
                found.iter().take(NAMED_MAX).map(|one| format!("{}: {}", one.place, one.line)).collect();
            if found.len() > NAMED_MAX {
                named.push(format!("and {} more", found.len() - NAMED_MAX));
            }
            return Looked::new(Verdict::No, format!("{looked_at}; {}", named.join("; ")), details);
        }
        if let Some(first) = deep.first() {
            let why = format!("`{first}` lies deeper than {DEPTH_MAX} folders, and was not looked into");
            return Looked::unknown(why, details);
        }
        if files == 0 {
            return Looked::unknown(format!("no text file fits {}", self.paths.join(", ")), details);
        }
        if let Some(first) = large.first() {
            return Looked::unknown(format!("`{first}` is too large to be looked into"), details);
        }
        let passed = match no_text.first() {
            None => String::new(),
            Some(first) => {
                format!(
                    "; {} not looked into because it is no text: `{first}`",
                    counted(no_text.len() as u64, "file")
                )
            }
        };
        let patterns = counted(self.patterns.len() as u64, "pattern");
        Looked::new(Verdict::Yes, format!("{looked_at}, none of {patterns} in them{passed}"), details)
    }

    fn finds(
        &self,
        disk: &dyn Disk,
        tree: &Path,
        enters: &dyn Fn(&Path) -> bool,
    ) -> Result<Vec<Found>, String> {
        Ok(self.files(disk, tree, enters)?.files)
    }
}

impl AbsentCheck {
    fn look_through(&self, disk: &dyn Disk, tree: &Path) -> Result<Looks, String> {
        let mut looks = Looks::default();
        let searched = self.files(disk, tree, &|_| true)?;
        looks.deep = searched.deep.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        for file in searched.files {
            let name = file.path.to_string_lossy().into_owned();
            if file.meta.size > FILE_BYTES_MAX {
                looks.large.push(name);
                continue;
            }
            let bytes = disk.read(&file.real, FILE_BYTES_MAX).map_err(|error| error.to_string())?;
            let Some(text) = text_of(&bytes) else {
                looks.no_text.push(name);
                continue;
            };
            looks.files += 1;
            for (number, line) in text.lines().enumerate() {
                if let Some(pattern) = self.patterns.iter().find(|pattern| pattern.is_match(line)) {
                    looks.found.push(Match {
                        place: format!("{name}:{}", number + 1),
                        pattern: pattern.as_str().to_owned(),
                        line: shown(line.trim()),
                    });
                }
            }
        }
        Ok(looks)
    }

    /// The files that are meant, in every folder that a path or a pattern can mean.
    fn files(
        &self,
        disk: &dyn Disk,
        tree: &Path,
        enters: &dyn Fn(&Path) -> bool,
    ) -> Result<Searched, String> {
        let is_foreign = |path: &Path| {
            path.iter().any(|part| FOREIGN.iter().any(|foreign| part.to_str() == Some(*foreign)))
        };
        let search = Search {
            disk,
            tree,
            enters: &|path| !is_foreign(path) && enters(path),
            means: &|path| self.means(path) && !path.parent().is_some_and(is_foreign),
            depth_max: DEPTH_MAX,
            files_max: FILES_MAX,
        };
        let (mut files, mut deep) = (BTreeMap::new(), Vec::new());
        for root in self.roots() {
            let searched = search.below(&root)?;
            files.extend(searched.files.into_iter().map(|file| (file.path.clone(), file)));
            deep.extend(searched.deep.into_iter().filter(|path| !self.is_excepted(path)));
        }
        deep.sort();
        deep.dedup();
        if files.len() > FILES_MAX {
            return Err(format!("more than {FILES_MAX} files fit {}", self.paths.join(", ")));
        }
        Ok(Searched { files: files.into_values().collect(), deep })
    }

    /// The folders that the first `*` or `?` of each path stands in; a path without any is one itself. None lies in another.
    fn roots(&self) -> Vec<PathBuf> {
        let is_wild = |part: &Component<'_>| part.as_os_str().to_string_lossy().contains(['*', '?']);
        let in_tree = |path: &&String| {
            Path::new(path.as_str()).components().all(|part| matches!(part, Component::Normal(_)))
        };
        let roots = self.paths.iter().filter(in_tree);
        let roots =
            roots.map(|path| Path::new(path).components().take_while(|part| !is_wild(part)).collect());
        let mut roots: Vec<PathBuf> = roots.collect();
        roots.sort();
        roots.dedup();
        let all = roots.clone();
        roots.retain(|root| !all.iter().any(|other| other != root && root.starts_with(other)));
        roots
    }

    fn means(&self, path: &Path) -> bool {
        self.paths.iter().any(|wanted| fits(wanted, path)) && !self.is_excepted(path)
    }

    fn is_excepted(&self, path: &Path) -> bool {
        self.except.iter().any(|wanted| fits(wanted, path))
    }
}

/// Whether a path is what the plan names, lies below it, or fits it.
fn fits(wanted: &str, path: &Path) -> bool {
    let (wanted, name) = (wanted.trim_end_matches('/'), path.to_string_lossy());
    pattern::fits(wanted, &name) || name.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('/'))
}

/// The text of a file: UTF-8, or UTF-16 that says so with its first two bytes. What else holds a NUL is no text.
fn text_of(bytes: &[u8]) -> Option<String> {
    let (encoding, mark_bytes) = Encoding::for_bom(bytes).unwrap_or((encoding_rs::UTF_8, 0));
    let text = &bytes[mark_bytes..];
    if encoding == encoding_rs::UTF_8 && text.contains(&0) {
        return None;
    }
    Some(encoding.decode_without_bom_handling(text).0.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_two_bytes_a_letter_is_text() {
        let little: Vec<u8> = "a.ä\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "a.ä\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(text_of(&[&[0xff, 0xfe][..], &little[..]].concat()).unwrap(), "a.ä\n");
        assert_eq!(text_of(&[&[0xfe, 0xff][..], &big[..]].concat()).unwrap(), "a.ä\n");
        assert_eq!(text_of(&little), None);
        assert_eq!(text_of(&[0xff, 0xfe, b'a']).unwrap(), "\u{fffd}");
        assert_eq!(text_of("ä".as_bytes()).unwrap(), "ä");
    }

    #[test]
    fn it_is_looked_where_paths_and_patterns_can_be() {
        let paths = ["src/*.py", "src/more", "tests/a?/x", "src", "../out", "/abs", "docs/"];
        let check = AbsentCheck {
            patterns: Vec::new(),
            paths: paths.map(str::to_owned).to_vec(),
            except: vec!["src/old".to_owned()],
        };
        assert_eq!(check.roots(), ["docs", "src", "tests"].map(PathBuf::from));
        let means = |path: &str| check.means(Path::new(path));
        assert!(means("src/a.py") && means("src/in/a.py") && means("docs/a") && means("tests/ab/x"));
        assert!(!means("src/old/a.py") && !means("srcs/a.py") && !means("tests/x"));
        let all = AbsentCheck { paths: vec!["*.py".to_owned(), "src".to_owned()], ..check };
        assert_eq!(all.roots(), [PathBuf::new()]);
    }
}
