//! Units of systemd that carry on a watch: a service that stays, or one that a timer starts again and again.
//!
//! The text is made from the plan and from where things stand, never from the value of a variable but `PATH`, so that no secret
//! gets into it.

mod text;

use std::path::{Path, PathBuf};

use regex::Regex;

use crate::phase::{Project, StepError};
use crate::plan::{PLAN_BYTES_MAX, STATE_FOLDER};
use crate::secret;
use crate::tree::copy::make_directories;
use crate::world::{Disk, DiskError, FileKind};

/// A unit longer than this is none of ours.
const UNIT_BYTES_MAX: u64 = 1024 * 1024;

/// How the watch is carried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By a service that stays until the watch is over.
    Stays,
    /// By a timer, which starts a service that carries out what is due and ends.
    Once,
}

/// What somebody asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Where the units go, absolute.
    pub folder: &'a Path,
    /// How the watch is carried on.
    pub kind: Kind,
    /// Whether they are for the service manager of the system; else for that of a user.
    pub is_system: bool,
    /// Whether a unit that is there and says something else is written over.
    pub is_forced: bool,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where it is.
    pub path: PathBuf,
    /// `written`, `replaced`, or `unchanged`: it was there, and says the same.
    pub state: &'static str,
}

/// The units that were written, and what they are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Units {
    /// The files.
    pub written: Vec<Written>,
    /// The one that is enabled: the timer where there is one.
    pub enabled: String,
    /// Variables that the plan names.
    pub variables: Vec<String>,
    /// The file that brings them, as the unit names it: `%h` is the user's home.
    pub environment_file: String,
    /// Whether `PATH` is not in them, because it is not set, or something in it looks like a secret.
    pub is_path_left_out: bool,
}

/// What the text of a unit is made from.
struct Unit<'a> {
    kind: Kind,
    name: &'a str,
    project: &'a str,
    program: &'a Path,
    root: &'a Path,
    /// Of the system: who owns the project's state, as numbers.
    owner: Option<(u32, u32)>,
    path: Option<&'a str>,
    variables: &'a [String],
}

impl Unit<'_> {
    /// The file with the variables. What a unit calls it is never anything but letters, digits, `-`, `_`.
    fn environment_file(&self) -> String {
        let folder = if self.owner.is_some() { "/etc" } else { "%h/.config" };
        format!("{folder}/switchback/{}.env", self.name)
    }
}

/// Writes the units of a project's watch.
///
/// # Errors
///
/// When one is there that says something else and nobody said to write over it, then nothing is written; when the program
/// cannot be found; and when the disk says no.
pub fn write(project: &Project, wanted: Wanted<'_>) -> Result<Units, StepError> {
    let disk = project.ports.world.disk.as_ref();
    let program = program(disk)?;
    let name = format!("switchback-watch-{}", text::part_of_name(&project.plan.project.name, &project.root));
    let variables = variables(disk, &project.plan.path)?;
    let path = project.ports.world.surroundings.variable("PATH").filter(|path| !path.is_empty());
    let is_secret = |path: &str| secret::clean_output(path) != path;
    let is_path_left_out = path.as_deref().is_none_or(is_secret);
    let unit = Unit {
        kind: wanted.kind,
        name: &name,
        project: &project.plan.project.name,
        program: &program,
        root: &project.root,
        owner: if wanted.is_system { Some(owner(disk, &project.root)?) } else { None },
        path: path.as_deref().filter(|path| !is_secret(path)),
        variables: &variables,
    };
    let mut files = vec![(format!("{name}.service"), text::service(&unit))];
    if wanted.kind == Kind::Once {
        files.push((format!("{name}.timer"), text::timer(&unit)));
    }
    let mut meant = Vec::new();
    for (name, text) in &files {
        let path = wanted.folder.join(name);
        let state = state(disk, &path, text)?;
        if state == "replaced" && !wanted.is_forced {
            return Err(StepError::not_now(
                format!("`{}` is there, and says something else", path.display()),
                "look at what was changed in it; `--force` writes over it, and what `systemctl edit` made stays",
            ));
        }
        meant.push((Written { path, state }, text));
    }
    make_directories(disk, Path::new("/"), wanted.folder)?;
    for (written, text) in meant.iter().filter(|(written, _)| written.state != "unchanged") {
        publish(disk, &written.path, text, project.ports.world.surroundings.process_id())?;
    }
    let enabled = files.last().map(|(name, _)| name.clone()).unwrap_or_default();
    let environment_file = unit.environment_file();
    let written = meant.into_iter().map(|(written, _)| written).collect();
    Ok(Units { written, enabled, variables, environment_file, is_path_left_out })
}

/// What becomes of a file that is to say `text`.
fn state(disk: &dyn Disk, path: &Path, text: &str) -> Result<&'static str, StepError> {
    Ok(match disk.look(path)? {
        None => "written",
        Some(meta) if meta.kind == FileKind::File && meta.size <= UNIT_BYTES_MAX => {
            if disk.read(path, UNIT_BYTES_MAX)? == text.as_bytes() { "unchanged" } else { "replaced" }
        }
        // A link to nowhere masks a unit, and one to somewhere is somebody's own.
        Some(_) => {
            return Err(StepError::not_now(
                format!("`{}` is there, and is no unit that was written", path.display()),
                "look at it, and remove it; or name another folder",
            ));
        }
    })
}

/// The whole of it, or what was there before.
fn publish(disk: &dyn Disk, path: &Path, text: &str, process_id: u32) -> Result<(), DiskError> {
    let unfinished = path.with_extension(format!("unfinished-{process_id}"));
    let published = disk
        .write_new(&unfinished, 0o644, &mut text.as_bytes())
        .and_then(|()| disk.sync_file(&unfinished))
        .and_then(|()| disk.rename_over(&unfinished, path));
    if published.is_err() {
        drop(disk.remove_file(&unfinished));
    }
    published
}

/// This program, as the kernel found it.
fn program(disk: &dyn Disk) -> Result<PathBuf, StepError> {
    let program = disk.read_link(Path::new("/proc/self/exe"))?;
    let is_there = program.is_absolute() && disk.look(&program)?.is_some();
    if is_there {
        return Ok(program);
    }
    Err(StepError::not_now(
        format!("the program is no longer at `{}`, where a unit would start it", program.display()),
        "install it again, then write the unit",
    ))
}

/// Who owns what Switchback keeps of a project, else the project.
fn owner(disk: &dyn Disk, root: &Path) -> Result<(u32, u32), StepError> {
    let state = disk.look(&root.join(STATE_FOLDER))?;
    let meta = match state {
        Some(meta) => Some(meta),
        None => disk.look(root)?,
    };
    let meta =
        meta.ok_or_else(|| StepError::not_now("the project is gone", "name another one with `--project`"))?;
    Ok((meta.uid, meta.gid))
}

/// The names of the variables that a plan asks for as `${NAME}`, each once.
fn variables(disk: &dyn Disk, plan: &Path) -> Result<Vec<String>, StepError> {
    let text = String::from_utf8_lossy(&disk.read(plan, PLAN_BYTES_MAX)?).into_owned();
    let Ok(named) = Regex::new(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}") else { return Ok(Vec::new()) };
    let mut names: Vec<String> = named.captures_iter(&text).map(|found| found[1].to_owned()).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit<'a>(program: &'a Path, root: &'a Path) -> Unit<'a> {
        Unit {
            kind: Kind::Stays,
            name: "switchback-watch-shop-123abc",
            project: "50 % \\ shop",
            program,
            root,
            owner: None,
            path: None,
            variables: &[],
        }
    }

    #[test]
    fn a_word_is_read_back_as_it_was() {
        for (bytes, wanted) in [
            (b"/srv/shop".as_slice(), r#""/srv/shop""#),
            (b"/srv/the shop", r#""/srv/the shop""#),
            (b"/srv/50%", r#""/srv/50%%""#),
            (b"/srv/a\"b'c", r#""/srv/a\"b'c""#),
            (b"/srv/a\\b\n", r#""/srv/a\\b\x0a""#),
            (b"/srv/$HOME;#", r#""/srv/$HOME;#""#),
            ("/srv/größe".as_bytes(), r#""/srv/größe""#),
            (b"/srv/\xff\xfeend", r#""/srv/\xff\xfeend""#),
            (b"/srv/cut\xc3", r#""/srv/cut\xc3""#),
        ] {
            assert_eq!(text::word(bytes), wanted);
        }
    }

    #[test]
    fn a_name_is_one_of_a_unit_and_differs_from_checkout_to_checkout() {
        let one = text::part_of_name("loans / 50 %", Path::new("/srv/one"));
        let other = text::part_of_name("loans / 50 %", Path::new("/srv/two"));
        assert!(one.starts_with("loans---50---") && one != other, "{one} {other}");
        assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        let long = text::part_of_name(&"x".repeat(300), Path::new("/"));
        assert!(format!("switchback-watch-{long}.service").len() < 256);
    }

    #[test]
    fn a_service_and_its_timer_say_what_they_should() {
        let variables = ["HOOK".to_owned()];
        let (program, root) = (Path::new("/opt/sw itch/switchback"), Path::new("/srv/50%"));
        let stays = Unit { path: Some("/usr/bin:/bin"), variables: &variables, ..unit(program, root) };
        let text = text::service(&stays);
        for line in [
            "Description=Watch of 50 %%   shop by Switchback",
            "ExecStart=:\"/opt/sw itch/switchback\" --project \"/srv/50%%\" watch",
            "Environment=\"PATH=/usr/bin:/bin\"",
            "EnvironmentFile=-%h/.config/switchback/switchback-watch-shop-123abc.env",
            "Restart=on-failure",
            "RestartPreventExitStatus=1",
            "KillMode=process",
            "WantedBy=default.target",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
        assert!(!text.contains("User="), "{text}");
        let once = Unit { kind: Kind::Once, owner: Some((1000, 100)), ..unit(program, root) };
        let text = text::service(&once);
        assert!(text.contains(" watch --once\nUser=1000\nGroup=100\n"), "{text}");
        assert!(text.contains("SuccessExitStatus=2") && !text.contains("[Install]"), "{text}");
        let timer = text::timer(&once);
        assert!(timer.contains("\nPersistent=true\n") && timer.contains("WantedBy=timers.target"), "{timer}");
    }
}
