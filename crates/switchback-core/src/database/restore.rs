//! One database out of a snapshot, into a place where nothing is yet, and the proof that it is what was saved.

use std::path::{Path, PathBuf};

use super::format::{Facts, Kind, Saved, Table};
use super::postgresql::Server;
use super::source::{Database, Place, beside, told};
use super::{FACTS_BYTES_MAX, Why, facts_file, folder, sqlite};
use crate::manifest::to_hex;
use crate::phase::redact::Redactor;
use crate::phase::{Project, StepError};
use crate::port::{PortError, SnapshotReader, SnapshotRecord};
use crate::tree::copy::{make_directories, remove_tree};

/// How many tables that differ are named.
const LISTED_MAX: usize = 10;

/// What a restore brought back.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The snapshot that it came from.
    pub record: SnapshotRecord,
    /// The database as it was saved.
    pub saved: Saved,
    /// Where it is now, as it may be shown.
    pub into: String,
}

/// The facts of a snapshot; `None` when it has none.
///
/// # Errors
///
/// When they cannot be read.
pub fn facts_of(vault: &dyn SnapshotReader, id: &str) -> Result<Option<Facts>, PortError> {
    let (record, manifest) = vault.show(id)?;
    if manifest.get(&facts_file()).is_none() {
        return Ok(None);
    }
    let bytes = vault.read(&record.id, &facts_file(), FACTS_BYTES_MAX)?;
    let facts = Facts::from_bytes(&bytes).map_err(|why| {
        PortError::new(format!("could not read the facts of snapshot `{id}`"), vec![why])
            .hinted("`switchback snapshot check` says whether the snapshot is damaged")
    })?;
    Ok(Some(facts))
}

/// Brings the database `name` of a snapshot, read from wherever it is kept, back into `into`: an address of PostgreSQL whose database is empty or does not
/// exist, or a file that does not exist. `has_owners`: with owners and grants, as they were.
///
/// # Errors
///
/// When there is something at `into`, when it could not be brought back in full, and when it is not what was saved. Then
/// nothing is left of it, as far as it was made here.
pub fn restore(
    project: &Project,
    vault: &dyn SnapshotReader,
    id: &str,
    name: &str,
    into: &str,
    has_owners: bool,
) -> Result<Restored, StepError> {
    let (record, _) = vault.show(id)?;
    let saved = found(facts_of(vault, id)?.as_ref(), id, name)?.clone();
    let redactor = Redactor::new(project.ports.world.surroundings.as_ref());
    let target =
        Database::parse(into).map_err(|(message, help)| PortError::new(message, Vec::new()).hinted(help))?;
    let shown = target.shown();
    let message = format!("could not restore {} into `{shown}`", told(&saved));
    let source = target
        .source(project.ports.world.surroundings.as_ref(), &project.root)
        .map_err(|why| why.failed(message.clone(), |text| redactor.clean(text)))?;
    let clean = |text: &str| match &source.place {
        Place::Server(address) => redactor.clean(&address.clean(text)),
        Place::File(..) => redactor.clean(text),
    };
    let disk = project.ports.world.disk.as_ref();
    let failed = |why: Why| why.failed(message.clone(), clean);
    let work = project.state().join("work");
    make_directories(disk, &project.root, &work)?;
    let scratch = work.join(format!("restored-{}", project.ports.world.surroundings.process_id()));
    remove_tree_if_there(project, &scratch)?;
    let files: Vec<PathBuf> = saved.files.iter().map(|file| folder().join(&file.name)).collect();
    vault.restore(&record.id, &files, &scratch)?;
    let job = Job { project, saved: &saved, from: scratch.join(folder()) };
    let done = job.looked_at().and_then(|()| match &source.place {
        Place::Server(address) => {
            let world = &project.ports.world;
            job.bring_to_server(&Server { world, address, folder: &scratch }, has_owners)
        }
        Place::File(path, _) => job.bring_to_file(path),
    });
    remove_tree_if_there(project, &scratch)?;
    done.map_err(failed)?;
    Ok(Restored { record, saved, into: source.name })
}

fn found<'f>(facts: Option<&'f Facts>, id: &str, name: &str) -> Result<&'f Saved, PortError> {
    let message = format!("could not restore the database `{name}` of snapshot `{id}`");
    let Some(facts) = facts else {
        return Err(PortError::new(message, vec!["the snapshot holds no database".to_owned()])
            .hinted("name databases in `[snapshot] databases` of the plan: the next snapshot holds them"));
    };
    facts.database(name).ok_or_else(|| {
        let names = facts.databases.iter().map(|saved| format!("it holds `{}`", saved.name)).collect();
        PortError::new(message, names)
            .hinted("name one of those, in full or by a last part that only one has")
    })
}

fn remove_tree_if_there(project: &Project, path: &Path) -> Result<(), StepError> {
    let disk = project.ports.world.disk.as_ref();
    if disk.look(path)?.is_some() {
        remove_tree(disk, path)?;
    }
    Ok(())
}

/// A database on its way from the snapshot to its place.
struct Job<'a> {
    project: &'a Project,
    saved: &'a Saved,
    from: PathBuf,
}

impl Job<'_> {
    /// Whether what came out of the snapshot is what the facts say.
    fn looked_at(&self) -> Result<(), Why> {
        let disk = self.project.ports.world.disk.as_ref();
        for file in &self.saved.files {
            if to_hex(&disk.hash(&self.from.join(&file.name))?) != file.blake3 {
                return Err(Why::new(format!("`{}` of the snapshot is not what its facts say", file.name))
                    .hinted("`switchback snapshot check` says what is damaged"));
            }
        }
        Ok(())
    }

    fn first(&self) -> Result<PathBuf, Why> {
        let first = self.saved.files.first().ok_or_else(|| Why::new("its facts name no file"))?;
        Ok(self.from.join(&first.name))
    }

    fn bring_to_server(&self, server: &Server<'_>, has_owners: bool) -> Result<(), Why> {
        if self.saved.kind != Kind::Postgresql {
            return Err(Why::new(format!(
                "a file of {} does not go into PostgreSQL",
                self.saved.kind.word()
            ))
            .hinted("name a file that does not exist yet"));
        }
        let is_new = server.restore(self.saved, &self.first()?, has_owners)?;
        let proved = server.tell(None).and_then(|told| same(&self.saved.tables, &told.tables));
        proved.map_err(|why| server.given_up(why, is_new))
    }

    fn bring_to_file(&self, path: &Path) -> Result<(), Why> {
        if self.saved.kind == Kind::Postgresql {
            return Err(Why::new("a dump of PostgreSQL goes into a server").hinted(
                "name it as `postgresql://USER@HOST/DATABASE`; the dump itself comes with `switchback snapshot restore`, \
                 without `--database`",
            ));
        }
        let disk = self.project.ports.world.disk.as_ref();
        // A log of SQLite or DuckDB that is there would be taken for one of the restored file.
        for suffix in ["", "-wal", "-journal", "-shm", ".wal"] {
            let there = beside(path, suffix);
            if disk.look(&there)?.is_some() {
                return Err(Why::new(format!("`{}` exists already", there.display()))
                    .hinted("name a file that does not exist yet: a restore never writes over anything"));
            }
        }
        let mut made = Vec::new();
        let done = self.copied(path, &mut made);
        if done.is_err() {
            // The error tells; half a database must not be taken for a whole one.
            for path in &made {
                drop(disk.remove_file(path));
            }
        }
        done
    }

    fn copied(&self, path: &Path, made: &mut Vec<PathBuf>) -> Result<(), Why> {
        let disk = self.project.ports.world.disk.as_ref();
        let first = self.saved.files.first().map_or("", |file| file.name.as_str());
        // The log first: a file that is there without its log would be opened as an older state.
        for file in self.saved.files.iter().rev() {
            let to = beside(path, file.name.strip_prefix(first).unwrap_or_default());
            let from = self.from.join(&file.name);
            let mode = disk.look(&from)?.map_or(0o600, |meta| meta.mode & 0o777);
            disk.copy(&from, &to, mode)?;
            made.push(to.clone());
            disk.sync_file(&to)?;
            if to_hex(&disk.hash(&to)?) != file.blake3 {
                return Err(Why::new(format!("`{}` is not what was written to it", to.display())));
            }
        }
        if let Some(parent) = path.parent() {
            disk.sync_directory(parent)?;
        }
        if self.saved.kind == Kind::Sqlite {
            return same(&self.saved.tables, &sqlite::look(&self.project.ports.world, path)?);
        }
        Ok(())
    }
}

/// Whether the tables are those that were saved, with as many rows and, where that is known, the same content.
fn same(saved: &[Table], now: &[Table]) -> Result<(), Why> {
    let differences = super::difference::of_tables(saved, now);
    if differences.is_empty() {
        return Ok(());
    }
    let mut causes = vec!["what was restored is not what was saved".to_owned()];
    causes.extend(differences.iter().take(LISTED_MAX).cloned());
    if differences.len() > LISTED_MAX {
        causes.push(format!("and {} more", differences.len() - LISTED_MAX));
    }
    Err(Why {
        causes,
        hint: Some("restore into another server, or of another version, and compare".to_owned()),
    })
}
