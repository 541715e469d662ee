//! `startup`: every module can be imported, each in a process of its own, and the program starts (RB-7).

use serde_json::{Value, json};

use super::{Check, Kind, Looked, Scene, shell};
use crate::code::{ModulesFound, ModulesRequest, SOURCE_ROOTS};
use crate::plan::{Fields, Key, Shape};
use crate::quantity::counted;
use crate::verdict::Verdict;
use crate::world::{DiskError, Exit};

/// The program that imports, one process for each module.
const PROGRAM: &str = include_str!("startup.py");
/// A module is given up after this long, in seconds, when the plan does not say.
const MODULE_S: u64 = 30;
/// The longest that a module can be given: a day.
const MODULE_S_MAX: u64 = 86_400;
/// The largest outcome of a worker that is read, in bytes.
const OUTCOME_BYTES_MAX: u64 = 64 << 20;
/// How many failures the evidence names.
const NAMED_MAX: usize = 1_000;

/// The kind `startup`.
pub(super) static KIND: Kind = Kind {
    word: "startup",
    doc: "every module can be imported, each in a process of its own, and the program starts",
    keys: &[
        Key::optional(
            "modules",
            Shape::Texts,
            "modules, and packages with all that is in them; every package of the tree, tests apart, when left out",
        ),
        Key::optional("python", Shape::Text, "the interpreter; `python3` when left out"),
        Key::optional(
            "module_s",
            Shape::Whole,
            "a module is given up after so many seconds; 30 when left out",
        ),
        Key::optional(
            "command",
            Shape::Text,
            "a line of shell that starts the program and ends with 0 when it came up",
        ),
        SOURCE_ROOTS,
    ],
    read,
};

#[derive(Debug)]
struct StartupCheck {
    modules: Vec<String>,
    python: String,
    module_s: u64,
    command: Option<String>,
    source_roots: Vec<String>,
}

#[expect(clippy::unnecessary_wraps, reason = "every kind is read by a function of this form")]
fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    if fields.whole("module_s").is_some_and(|seconds| !(1..=MODULE_S_MAX).contains(&seconds)) {
        fields.find(
            "module_s",
            "`module_s` has to be between 1 and 86,400",
            "30 is what it is when left out",
        );
    }
    Some(Box::new(StartupCheck {
        modules: fields.texts("modules").unwrap_or_default(),
        python: fields.filled_text("python").unwrap_or_else(|| "python3".to_owned()),
        module_s: fields.whole("module_s").unwrap_or(MODULE_S),
        command: fields.text("command"),
        source_roots: fields.texts("source_roots").unwrap_or_default(),
    }))
}

/// A module that cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failed {
    module: String,
    error: String,
    place: Option<String>,
}

impl Failed {
    fn told(&self) -> String {
        let place = self.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        format!("`{}` ({place}{})", self.module, self.error)
    }

    fn to_json(&self) -> Value {
        json!({"module": self.module, "error": self.error, "place": self.place})
    }
}

impl Check for StartupCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        match self.import_all(scene) {
            Ok((found, failed)) => self.judge(scene, &found, &failed),
            Err(looked) => *looked,
        }
    }
}

impl StartupCheck {
    /// Every module that was imported, and those that could not be.
    fn import_all(&self, scene: &Scene<'_>) -> Result<(ModulesFound, Vec<Failed>), Box<Looked>> {
        let unknown = |why: String| Box::new(Looked::unknown(why, json!({})));
        let tree = scene.trees.here().map_err(unknown)?;
        let request = ModulesRequest {
            tree: tree.clone(),
            within: self.modules.clone(),
            source_roots: self.source_roots.clone(),
        };
        let found =
            scene.inspector.modules(&request).map_err(|error| Box::new(Looked::failed(&error, json!({}))))?;
        if let Some(name) = found.missing.first() {
            return Err(unknown(format!("there is no module `{name}` in the tree")));
        }
        if found.names.is_empty() {
            return Err(unknown("the tree has no module that could be imported".to_owned()));
        }
        let given = json!({
            "roots": found.roots.iter().map(|root| root.display().to_string()).collect::<Vec<_>>(),
            "tree": tree.display().to_string(),
            "modules": found.names,
            "seconds": self.module_s,
        });
        write(scene, "startup.py", PROGRAM).map_err(|error| unknown(error.to_string()))?;
        write(scene, "given.json", &given.to_string()).map_err(|error| unknown(error.to_string()))?;
        let line = format!("{} -B {{out}}/startup.py {{out}}/given.json {{out}}/imported", self.python);
        let (_, finished) = shell::run_here(scene, &line).map_err(unknown)?;
        let details = shell::evidence(&line, &finished);
        if let Some(why) = shell::no_answer(&finished) {
            return Err(Box::new(Looked::unknown(why, details)));
        }
        if finished.exit != Exit::Code(0) {
            let why = format!(
                "the modules were not imported: {}{}",
                finished.ending(),
                shell::last_words(&finished)
            );
            return Err(Box::new(Looked::unknown(why, details)));
        }
        let failed = outcomes(scene, &found.names).map_err(unknown)?;
        Ok((found, failed))
    }

    fn judge(&self, scene: &Scene<'_>, found: &ModulesFound, failed: &[Failed]) -> Looked {
        let before = failed_before(scene.before);
        let (known, new): (Vec<&Failed>, Vec<&Failed>) =
            failed.iter().partition(|failed| before.contains(&failed.module));
        let mut details = json!({
            "imported": found.names.len(),
            "failed": failed.iter().take(NAMED_MAX).map(Failed::to_json).collect::<Vec<_>>(),
            "failed_before": known.len(),
        });
        let known_told =
            if known.is_empty() { String::new() } else { format!(", {} as before not counted", known.len()) };
        let imported = counted(found.names.len() as u64, "module");
        if let Some(first) = new.first() {
            let summary =
                format!("{imported}, {} cannot be imported{known_told}; first {}", new.len(), first.told());
            return Looked::new(Verdict::No, summary, details);
        }
        if known.len() == found.names.len() {
            return Looked::unknown(format!("none of {imported} could be imported before either"), details);
        }
        let Some(command) = &self.command else {
            return Looked::new(
                Verdict::Yes,
                format!("{imported} imported, none fails{known_told}"),
                details,
            );
        };
        let finished = match shell::run_here(scene, command) {
            Ok((_, finished)) => finished,
            Err(why) => return Looked::unknown(why, details),
        };
        details["started"] = shell::evidence(command, &finished);
        match (shell::no_answer(&finished), finished.exit) {
            // A program that does not come up in time has not started: that is an answer.
            (None | Some(_), Exit::TimedOut) => Looked::new(
                Verdict::No,
                format!("{imported} imported; the program did not start in time"),
                details,
            ),
            (Some(why), _) => Looked::unknown(why, details),
            (None, Exit::Code(0)) => {
                let seconds = finished.elapsed.as_secs_f64();
                let summary =
                    format!("{imported} imported, none fails{known_told}; started in {seconds:.1} s");
                Looked::new(Verdict::Yes, summary, details).measured(seconds)
            }
            (None, _) => {
                let said = format!("{}{}", finished.ending(), shell::last_words(&finished));
                Looked::new(
                    Verdict::No,
                    format!("{imported} imported; the program does not start: {said}"),
                    details,
                )
            }
        }
    }
}

fn write(scene: &Scene<'_>, name: &str, text: &str) -> Result<(), DiskError> {
    scene.world.disk.write_new(&scene.out.join(name), 0o644, &mut text.as_bytes())
}

/// What the workers wrote down. Each module must be told of.
fn outcomes(scene: &Scene<'_>, names: &[String]) -> Result<Vec<Failed>, String> {
    let disk = scene.world.disk.as_ref();
    let mut told: Vec<Value> = Vec::new();
    for name in disk.list(scene.out).map_err(|error| error.to_string())? {
        if !name.to_string_lossy().starts_with("imported.") {
            continue;
        }
        let bytes =
            disk.read(&scene.out.join(&name), OUTCOME_BYTES_MAX).map_err(|error| error.to_string())?;
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        told.extend(lines.filter_map(|line| serde_json::from_slice(line).ok()));
    }
    let mut failed = Vec::new();
    for name in names {
        let one = told.iter().find(|one| one["module"] == name.as_str());
        let one =
            one.ok_or_else(|| format!("nobody knows whether `{name}` can be imported: its process is gone"))?;
        if one["ok"] != true {
            failed.push(Failed {
                module: name.clone(),
                error: one["error"].as_str().unwrap_or("it failed").to_owned(),
                place: one["place"].as_str().map(ToOwned::to_owned),
            });
        }
    }
    Ok(failed)
}

fn failed_before(before: Option<&Value>) -> Vec<String> {
    let failed = before.and_then(|details| details["failed"].as_array()).into_iter().flatten();
    failed.filter_map(|one| one["module"].as_str().map(ToOwned::to_owned)).collect()
}
