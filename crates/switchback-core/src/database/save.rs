//! Every database that the plan names, and the facts, laid out in the folder that the vault takes.

use std::path::{Path, PathBuf};

use super::format::{Facts, Kind, Saved, SavedFile};
use super::postgresql::Server;
use super::source::{Database, Place, Source, file_name, kind_of};
use super::{FACTS_FILE, Why, duckdb, facts, folder, sqlite};
use crate::manifest::to_hex;
use crate::phase::redact::Redactor;
use crate::plan::Plan;
use crate::port::PortError;
use crate::tree::copy::{make_directories, remove_tree};
use crate::world::{Disk, DiskError, World};

/// What is needed to lay databases out.
#[derive(Debug, Clone, Copy)]
pub struct Saver<'a> {
    /// The only door to the outside.
    pub world: &'a World,
    /// The plan, which names them.
    pub plan: &'a Plan,
    /// Takes secrets out of the words of programs.
    pub redactor: &'a Redactor,
}

/// Whether the plan asks for databases or facts in its snapshots.
pub fn is_asked_for(plan: &Plan) -> bool {
    plan.snapshot.facts || !plan.snapshot.databases.is_empty()
}

/// Takes the folder away that [`save`] makes, also one that a killed process left.
///
/// # Errors
///
/// When the disk says no.
pub fn remove(disk: &dyn Disk, root: &Path) -> Result<(), DiskError> {
    let path = root.join(folder());
    if disk.look(&path)?.is_none() {
        return Ok(());
    }
    remove_tree(disk, &path)
}

/// Copies each database into [`folder`], with the facts beside them. What was there before is removed; on an error nothing is
/// left.
///
/// # Errors
///
/// When one of them could not be read in full: it is named, without its password.
pub fn save(saver: &Saver<'_>) -> Result<Facts, PortError> {
    let disk = saver.world.disk.as_ref();
    let root = &saver.plan.root;
    let failed = |why: Why| {
        why.failed("could not save the databases of the plan".to_owned(), |text| saver.redactor.clean(text))
    };
    remove(disk, root).map_err(|error| failed(error.into()))?;
    let saved = saver.all();
    if saved.is_err() {
        // The first error is the one that tells; what is left now is removed by the next snapshot.
        drop(remove(disk, root));
    }
    saved
}

impl Saver<'_> {
    fn all(&self) -> Result<Facts, PortError> {
        let laying = |why: Why| {
            why.failed("could not save the facts of the project".to_owned(), |text| self.redactor.clean(text))
        };
        let into = self.plan.root.join(folder());
        let disk = self.world.disk.as_ref();
        self.make(&into).map_err(|error| laying(error.into()))?;
        let mut saved: Vec<Saved> = Vec::new();
        for (at, database) in self.plan.snapshot.databases.iter().enumerate() {
            let one = self.one(at + 1, database, &into)?;
            if saved.iter().any(|other| other.name == one.name) {
                let why =
                    Why::new("the plan names it twice").hinted("take it out of `[snapshot] databases` once");
                return Err(why.failed(format!("could not save the database `{}`", one.name), str::to_owned));
            }
            saved.push(one);
        }
        let facts = facts::gather(self.world, &self.plan.root, self.plan.environment.as_deref(), saved);
        let text = facts.to_text().map_err(|error| laying(Why::new(error.to_string())))?;
        let path = into.join(FACTS_FILE);
        disk.write_new(&path, 0o600, &mut text.as_bytes())
            .and_then(|()| disk.sync_file(&path))
            .and_then(|()| disk.sync_directory(&into))
            .map_err(|error| laying(error.into()))?;
        Ok(facts)
    }

    fn make(&self, into: &Path) -> Result<(), DiskError> {
        let disk = self.world.disk.as_ref();
        make_directories(disk, &self.plan.root, &self.plan.state())?;
        // Dumps are not for everybody.
        disk.make_directory(into, 0o700)
    }

    fn one(&self, number: usize, database: &Database, into: &Path) -> Result<Saved, PortError> {
        let source = database.source(self.world.surroundings.as_ref(), &self.plan.root).map_err(|why| {
            let message = format!("could not save the database `{}`", database.shown());
            why.failed(message, |text| self.redactor.clean(text))
        })?;
        copied(self.world, self.redactor, number, &source, into)
    }
}

/// Copies one database into the folder `into`, where its file's name begins with `number`.
///
/// # Errors
///
/// When it could not be read in full.
pub(super) fn copied(
    world: &World,
    redactor: &Redactor,
    number: usize,
    source: &Source,
    into: &Path,
) -> Result<Saved, PortError> {
    let named = |why: Why, clean: &dyn Fn(&str) -> String| {
        why.failed(format!("could not save the database `{}`", source.name), |text| {
            redactor.clean(&clean(text))
        })
    };
    match &source.place {
        Place::Server(address) => {
            let server = Server { world, address, folder: into };
            of_server(number, source, &server).map_err(|why| named(why, &|text| address.clean(text)))
        }
        Place::File(path, kind) => {
            of_file(world, number, source, (path, *kind), into).map_err(|why| named(why, &str::to_owned))
        }
    }
}

fn of_server(number: usize, source: &Source, server: &Server<'_>) -> Result<Saved, Why> {
    let read_by = server.reader()?;
    let file = server.folder.join(file_name(number, &source.name, ".dump"));
    let told = server.dump(&file)?;
    let disk = server.world.disk.as_ref();
    disk.set_mode(&file, 0o600)?;
    Ok(Saved {
        name: source.name.clone(),
        kind: Kind::Postgresql,
        files: files(disk, &[file])?,
        read_by,
        server: Some(told.server),
        locale: told.locale,
        tables: told.tables,
    })
}

fn of_file(
    world: &World,
    number: usize,
    source: &Source,
    (path, said): (&Path, Option<Kind>),
    into: &Path,
) -> Result<Saved, Why> {
    let kind = kind_of(world, path, said)?;
    let to = into.join(file_name(number, &source.name, ""));
    let disk = world.disk.as_ref();
    let (copies, tables, read_by) = if kind == Kind::Sqlite {
        let tables = sqlite::copy(world, path, &to)?;
        (vec![to], tables, sqlite::reader())
    } else {
        (duckdb::copy(disk, path, &to)?, Vec::new(), duckdb::READER.to_owned())
    };
    Ok(Saved {
        name: source.name.clone(),
        kind,
        files: files(disk, &copies)?,
        read_by,
        server: None,
        locale: None,
        tables,
    })
}

/// What the facts say of files, once they are on the disk.
fn files(disk: &dyn Disk, paths: &[PathBuf]) -> Result<Vec<SavedFile>, Why> {
    let mut files = Vec::new();
    for path in paths {
        disk.sync_file(path)?;
        let meta =
            disk.look(path)?.ok_or_else(|| Why::new(format!("`{}` was not written", path.display())))?;
        files.push(SavedFile {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            bytes: meta.size,
            blake3: to_hex(&disk.hash(path)?),
        });
    }
    Ok(files)
}
