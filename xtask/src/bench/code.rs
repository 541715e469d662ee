//! Moves in a large Python code base, its imports and its surface: Switchback and what people would use instead.

use std::path::{Path, PathBuf};

use crate::bench::contest::{Contender, Contest, Sample, Unit};
use crate::bench::peer::{self, environment, measured, samples, shown};
use crate::bench::{Benchmark, Setting};
use crate::problem::Problem;
use crate::program::Call;
use crate::workspace::{Workspace, read_text, write_text};

const RUNS: usize = 7;
const WARMUPS: usize = 1;
/// The slow peers take minutes a turn.
const SLOW_RUNS: usize = 1;
/// Scripts, and what is required, from the root.
const SCRIPTS: &str = "xtask/bench/code";
/// What stands in the tree.
const PACKAGES: &[&str] = &["django", "pandas", "sympy"];
/// The tree that the packages stand in as they are installed.
const INSTALLED: &str = "old";
/// A code base of about 3,000 files, with its tests: the source distribution of the first package. The targets are for a
/// tree of that size.
const CODE_BASE: &str = "project";
/// A move in the code base is to take no longer.
const MOVE_MS: f64 = 1_000.0;
/// To resolve all imports of the code base is to take no longer.
const IMPORTS_MS: f64 = 500.0;
/// A move is to take at most this share of what a peer takes.
const PEER_SHARE: f64 = 1.0 / 50.0;
/// A function whose signature is made narrower in the second tree.
const NARROWED: (&str, &str, &str) =
    ("django/utils/text.py", "def slugify(value, allow_unicode=False):", "def slugify(value):");

/// A move that all make.
struct Move {
    name: &'static str,
    old: &'static str,
    new: &'static str,
    /// How many files it has to change at least: who changes nothing is quick, too.
    files_min: f64,
    /// Whether rope can make it: it ends with an error where its own parser fails on one of the files.
    is_for_rope: bool,
}

const MOVES: &[Move] = &[
    Move {
        name: "one module that is imported all over",
        old: "django.utils.functional",
        new: "django.utils.lazily",
        files_min: 80.0,
        is_for_rope: true,
    },
    Move {
        name: "a package that is used all over",
        old: "django.db",
        new: "django.database",
        files_min: 250.0,
        is_for_rope: false,
    },
    Move {
        name: "a module that nobody imports",
        old: "django.unused",
        new: "django.unneeded",
        files_min: 2.0,
        is_for_rope: true,
    },
];

/// What takes part, and on what.
struct Ground {
    switchback: PathBuf,
    scripts: PathBuf,
    programs: PathBuf,
    scratch: PathBuf,
}

/// Lays out the trees.
pub fn lay_out(setting: &Setting) -> Result<Benchmark, Problem> {
    let ground = Ground::lay(setting)?;
    let (runs, slow_runs) = (setting.runs.unwrap_or(RUNS), setting.runs.unwrap_or(SLOW_RUNS));
    let contest = |name: &str, runs: usize, contenders: Vec<Contender>| {
        let warmups = if runs == SLOW_RUNS { 0 } else { WARMUPS };
        Contest { name: name.to_owned(), warmups, runs, contenders }
    };
    let mut contests = Vec::new();
    for one in MOVES {
        let ours = ground.ours(CODE_BASE, one)?.held_to("wall", MOVE_MS);
        contests.push(contest(&format!("in a code base: {}", one.name), runs, vec![ours]));
    }
    contests.push(contest("in a code base: every import resolved", runs, ground.imports(CODE_BASE)?));
    for one in MOVES {
        contests.push(contest(one.name, runs, vec![ground.ours(INSTALLED, one)?]));
        let mut ours = ground.ours(INSTALLED, one)?.held_to_times("wall", PEER_SHARE, "libcst");
        let mut peers = vec![ground.libcst(one)?];
        if one.is_for_rope {
            ours = ours.held_to_times("wall", PEER_SHARE, "rope");
            peers.push(ground.rope(one)?);
        }
        let contenders = std::iter::once(ours).chain(peers).collect();
        contests.push(contest(&format!("{}, beside the peers", one.name), slow_runs, contenders));
    }
    contests.push(contest("every import resolved", runs, ground.imports(INSTALLED)?));
    contests.push(contest(
        "the public surface of Django, compared",
        setting.runs.unwrap_or(3),
        ground.surfaces()?,
    ));
    Ok(Benchmark {
        name: "code",
        about: format!(
            "The packages {} as they are installed, in one tree: {}. *In a code base*: in the source distribution of the \
             first of them, with its tests: {}. Every move is written, Switchback's after its \
             proof, and each turn begins with the tree as it was. libcst is given the files that name the last part \
             of the old name, and renames imports alone; rope renames the module, and \
             has no row where it cannot: on `django.db` it ends with an `AttributeError` of its own (`patchedast`); grimp is given the packages, without tests \
             beside them. *Files* are those that differ \
             afterwards.",
            read_text(&ground.scripts.join("packages.txt"))?.trim().replace('\n', ", "),
            ground.size(INSTALLED)?,
            ground.size(CODE_BASE)?
        ),
        versions: vec![
            vec![shown(&ground.switchback), "--version".to_owned()],
            peer::versions(&ground.programs, "rope libcst ruff grimp griffe"),
            vec!["python3".to_owned(), "--version".to_owned()],
        ],
        contests,
    })
}

impl Ground {
    fn lay(setting: &Setting) -> Result<Self, Problem> {
        let workspace = Workspace::find()?;
        let scripts = workspace.root.join(SCRIPTS);
        let environments = workspace.target_directory()?.join("bench-environments");
        let programs = environment(&environments.join("code"), &scripts.join("requirements.txt"))?;
        let ground = Self {
            switchback: setting.switchback.clone(),
            scripts,
            programs,
            scratch: setting.scratch.clone(),
        };
        let old = ground.tree("old");
        let packages = shown(&ground.scripts.join("packages.txt"));
        let arguments = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--target"];
        let pip = Call::new(&shown(&ground.programs.join("python")), &arguments);
        pip.argument(shown(&old)).argument("-r").argument(packages).output()?;
        ground.unpack_code_base()?;
        for tree in [INSTALLED, CODE_BASE] {
            write_text(&ground.tree(tree).join("django/unused.py"), "\"\"\"Nobody imports it.\"\"\"\n")?;
        }
        let new = ground.tree("new");
        Call::new("cp", &["-r", &shown(&old), &shown(&new)]).output()?;
        let (path, wide, narrow) = NARROWED;
        let text = read_text(&new.join(path))?;
        if !text.contains(wide) {
            return Err(Problem::new(format!("could not change `{path}`"), format!("it has no `{wide}`")));
        }
        write_text(&new.join(path), &text.replace(wide, narrow))?;
        Ok(ground)
    }

    /// The source distribution of the first package, as its authors keep it.
    fn unpack_code_base(&self) -> Result<(), Problem> {
        let packages = read_text(&self.scripts.join("packages.txt"))?;
        let package = packages.lines().next().unwrap_or_default();
        let archives = self.scratch.join("archives");
        let arguments = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest"];
        let pip = Call::new(&shown(&self.programs.join("python")), &arguments);
        pip.argument(shown(&archives)).argument(package.to_owned()).output()?;
        let tree = self.tree(CODE_BASE);
        let unpack = format!(
            "mkdir -p '{0}' && tar -xzf '{1}'/*.tar.gz -C '{0}' --strip-components 1",
            shown(&tree),
            shown(&archives)
        );
        Call::new("sh", &["-c", &unpack]).output()?;
        Ok(())
    }

    fn tree(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// How many Python files and lines the tree has.
    fn size(&self, tree: &str) -> Result<String, Problem> {
        let count = "find . -name '*.py' -print0 | xargs -0 cat | wc -l; find . -name '*.py' | wc -l";
        let counted = Call::new("sh", &["-c", count]).within(&self.tree(tree)).output()?;
        let mut numbers = counted.split_whitespace();
        let (lines, files) = (numbers.next().unwrap_or("?"), numbers.next().unwrap_or("?"));
        Ok(format!("{files} Python files with {lines} lines"))
    }

    /// A contender that moves in a tree of its own, which is made as it was before each turn.
    fn mover(
        &self,
        name: &'static str,
        tree: &str,
        one: &Move,
        command: &[String],
    ) -> Result<Contender, Problem> {
        let (old, live) = (self.tree(tree), self.tree(name));
        let (moved, files_min) = (one.new.replace('.', "/"), one.files_min);
        let call = measured(command)?;
        let turn = move || {
            reset(&old, &live)?;
            let mut found = samples(&call)?;
            let files = files_changed(&old, &live)?;
            let is_there = live.join(&moved).is_dir() || live.join(format!("{moved}.py")).is_file();
            if files < files_min || !is_there {
                let cause = format!("{files} files were changed, and `{moved}` is there: {is_there}");
                return Err(Problem::new(format!("could not trust a move by {name}"), cause));
            }
            found.push(Sample { step: "files changed".to_owned(), value: files, unit: Unit::Files });
            Ok(found)
        };
        Ok(Contender::new(name, &[&peer::line(command, &self.scratch)], Box::new(turn)))
    }

    fn ours(&self, base: &str, one: &Move) -> Result<Contender, Problem> {
        let name = "switchback";
        let tree = shown(&self.tree(name));
        let command = words(&[&shown(&self.switchback), "-C", &tree, "move", one.old, one.new, "--write"]);
        self.mover(name, base, one, &command)
    }

    fn libcst(&self, one: &Move) -> Result<Contender, Problem> {
        let name = "libcst";
        let (python, script) = (self.programs.join("python"), self.scripts.join("libcst_rename.sh"));
        let tree = shown(&self.tree(name));
        let mut command = words(&["sh", &shown(&script), &shown(&python), &tree, one.old, one.new]);
        command.extend(words(PACKAGES));
        self.mover(name, INSTALLED, one, &command)
    }

    fn rope(&self, one: &Move) -> Result<Contender, Problem> {
        let name = "rope";
        let path = one.old.replace('.', "/");
        let path = if self.tree("old").join(&path).is_dir() { path } else { format!("{path}.py") };
        let new = one.new.rsplit('.').next().unwrap_or(one.new);
        let tree = shown(&self.tree(name));
        let command = self.script("rope_rename.py", &[&tree, &path, new]);
        self.mover(name, INSTALLED, one, &command)
    }

    fn script(&self, script: &str, arguments: &[&str]) -> Vec<String> {
        let mut command = words(&[&shown(&self.programs.join("python")), &shown(&self.scripts.join(script))]);
        command.extend(words(arguments));
        command
    }

    fn reader(&self, name: &str, command: &[String]) -> Result<Contender, Problem> {
        let call = measured(command)?;
        let line = peer::line(command, &self.scratch);
        Ok(Contender::new(name, &[&line], Box::new(move || samples(&call))))
    }

    fn imports(&self, base: &str) -> Result<Vec<Contender>, Problem> {
        let tree = shown(&self.tree(base));
        let ours = words(&[&shown(&self.switchback), "-C", &tree, "imports"]);
        let ruff = shown(&self.programs.join("ruff"));
        let lint = words(&[
            &ruff,
            "check",
            "--isolated",
            "--no-cache",
            "--quiet",
            "--select",
            "F401,E402",
            "--exit-zero",
            &tree,
        ]);
        let graph = words(&[&ruff, "analyze", "graph", "--isolated", "--preview", &tree]);
        let mut packages = vec![tree.as_str()];
        let (is_code_base, ours) = (base == CODE_BASE, self.reader("switchback", &ours)?);
        packages.extend(if is_code_base { &PACKAGES[..1] } else { PACKAGES });
        Ok(vec![
            if is_code_base { ours.held_to("wall", IMPORTS_MS) } else { ours },
            self.reader("ruff check", &lint)?,
            self.reader("ruff analyze graph", &graph)?,
            self.reader("grimp", &self.script("grimp_graph.py", &packages))?,
        ])
    }

    fn surfaces(&self) -> Result<Vec<Contender>, Problem> {
        let (old, new) = (self.tree("old"), self.tree("new"));
        let sides = [shown(&old.join("django")), shown(&new.join("django"))];
        let ours = words(&[&shown(&self.switchback), "api", &sides[0], &sides[1]]);
        let status = measured(&ours)?.output()?;
        if peer::json(&status)?["code"] != 1 {
            return Err(Problem::new("could not trust the surface", "the narrower signature was not found"));
        }
        let griffe = self.script("griffe_surface.py", &[&shown(&old), &shown(&new), "django"]);
        Ok(vec![self.reader("switchback", &ours)?, self.reader("griffe", &griffe)?])
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Makes `live` what `old` is.
fn reset(old: &Path, live: &Path) -> Result<(), Problem> {
    Call::new("rsync", &["-a", "--delete", &format!("{}/", shown(old)), &format!("{}/", shown(live))])
        .output()?;
    Ok(())
}

/// How many files of the two trees differ, one-sided ones included.
fn files_changed(old: &Path, live: &Path) -> Result<f64, Problem> {
    let arguments = ["-rlcn", "--delete", "--exclude", ".switchback", "--out-format", "%n"];
    let call = Call::new("rsync", &arguments);
    let listed = call.argument(format!("{}/", shown(old))).argument(format!("{}/", shown(live))).output()?;
    let files = listed.lines().filter(|line| !line.ends_with('/')).count();
    Ok(f64::from(u32::try_from(files).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_rsync_a_tree_is_made_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (old, live) = (folder.path().join("old"), folder.path().join("live"));
        write_text(&old.join("a/one.py"), "1\n").unwrap();
        write_text(&old.join("two.py"), "2\n").unwrap();
        reset(&old, &live).unwrap();
        assert!(files_changed(&old, &live).unwrap() < 0.5);
        write_text(&live.join("a/one.py"), "one\n").unwrap();
        write_text(&live.join("three.py"), "3\n").unwrap();
        std::fs::remove_file(live.join("two.py")).unwrap();
        assert!((files_changed(&old, &live).unwrap() - 3.0).abs() < 0.5);
        reset(&old, &live).unwrap();
        assert!(files_changed(&old, &live).unwrap() < 0.5);
    }
}
