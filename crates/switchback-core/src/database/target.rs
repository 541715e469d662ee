//! A database that is changed where it is: what opens it, what copies it first, and what commands around it are told.

use std::path::{Path, PathBuf};

use super::source::{Database, Place, Source, clean, kind_of};
use super::{Kind, Saved, Why, save};
use crate::phase::redact::Redactor;
use crate::port::{PortError, SchemaPlace};
use crate::world::World;

/// A database with what is known of it before it is opened.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    source: Source,
    kind: Kind,
}

impl Target {
    /// What `database` leads to. A file that is not there is taken when it may be made and its kind is said.
    pub(crate) fn of(
        world: &World,
        root: &Path,
        database: &Database,
        is_made: bool,
    ) -> Result<Self, PortError> {
        let redactor = Redactor::new(world.surroundings.as_ref());
        let failed = |why: Why| {
            let message = format!("could not open the database `{}`", database.shown());
            why.failed(message, |text| redactor.clean(text))
        };
        let source = database.source(world.surroundings.as_ref(), root).map_err(failed)?;
        let kind = match &source.place {
            Place::Server(_) => Kind::Postgresql,
            Place::File(path, said) => {
                let is_there = world.disk.look(path).map_err(|error| failed(error.into()))?.is_some();
                match said {
                    Some(said) if is_made && !is_there => *said,
                    _ if !is_there => {
                        let why = Why::new(format!("there is no file `{}`", path.display()));
                        return Err(failed(why.hinted(
                            "correct its name; `switchback schema deploy --create` with `sqlite:FILE` or `duckdb:FILE` makes a new one",
                        )));
                    }
                    said => kind_of(world, path, *said).map_err(failed)?,
                }
            }
        };
        Ok(Self { source, kind })
    }

    pub(crate) fn name(&self) -> &str {
        &self.source.name
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn source_place(&self) -> &Place {
        &self.source.place
    }

    /// Which database it is: a file, or server and database, without user and password.
    pub(crate) fn which(&self) -> String {
        match &self.source.place {
            Place::Server(_) => self.source.name.clone(),
            Place::File(path, _) => clean(path).display().to_string(),
        }
    }

    /// What a driver is given.
    pub(crate) fn place(&self, is_read_only: bool, is_made: bool) -> SchemaPlace {
        let location = match &self.source.place {
            Place::Server(address) => address.whole(),
            Place::File(path, _) => path.display().to_string(),
        };
        SchemaPlace { name: self.source.name.clone(), kind: self.kind, location, is_read_only, is_made }
    }

    /// Its file, where it is one.
    pub(crate) fn file(&self) -> Option<&PathBuf> {
        match &self.source.place {
            Place::File(path, _) => Some(path),
            Place::Server(_) => None,
        }
    }

    /// A text of somebody else without the password of this database.
    pub(crate) fn clean(&self, text: &str) -> String {
        match &self.source.place {
            Place::Server(address) => address.clean(text),
            Place::File(..) => text.to_owned(),
        }
    }

    /// What commands of steps find in their environment.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let name = "SWITCHBACK_DATABASE".to_owned();
        match &self.source.place {
            Place::Server(address) => {
                let mut variables = address.variables();
                variables.push((name, address.without_password()));
                variables
            }
            Place::File(path, _) => vec![(name, path.display().to_string())],
        }
    }

    /// Copies it, in one consistent state, into the folder `into`, which exists.
    pub(crate) fn copy(&self, world: &World, into: &Path) -> Result<Saved, PortError> {
        let redactor = Redactor::new(world.surroundings.as_ref());
        save::copied(world, &redactor, 1, &self.source, into)
    }
}
