//! A copy of a database to try things on: a file beside what else is thrown away, or a database of its own on the same server.

use std::path::Path;

use super::Why;
use super::postgresql::Server;
use super::source::{Database, Place};
use super::target::Target;
use crate::phase::redact::Redactor;
use crate::port::PortError;
use crate::world::World;

impl Target {
    /// Copies the database into the folder `into`, which exists, or into a database `name` of the same server, which is
    /// made anew, and which [`Target::drop_copy`] takes away again.
    pub(crate) fn scratch(&self, world: &World, into: &Path, name: &str) -> Result<Database, PortError> {
        let redactor = Redactor::new(world.surroundings.as_ref());
        let saved = self.copy(world, into)?;
        let failed = |why: Why| {
            let message = format!("could not lay a copy of `{}` to rehearse on", self.name());
            why.failed(message, |text| redactor.clean(&self.clean(text)))
        };
        let first = saved.files.first().ok_or_else(|| failed(Why::new("nothing was copied")))?;
        let file = into.join(&first.name);
        let Place::Server(address) = self.source_place() else {
            return Ok(Database::of_file(self.kind(), &file));
        };
        let copy = address.with_database(name);
        let server = Server { world, address: &copy, folder: into };
        server.restore(&saved, &file, false).map_err(|mut why| {
            let hint = "whoever is named in the address has to be allowed to make a database (`CREATEDB`)";
            why.hint.get_or_insert_with(|| hint.to_owned());
            failed(why)
        })?;
        Ok(Database::of_server(&copy))
    }

    /// Drops the database `name` of the same server, where this is one of a server.
    pub(crate) fn drop_copy(&self, world: &World, name: &str, folder: &Path) -> Result<(), PortError> {
        let Place::Server(address) = self.source_place() else { return Ok(()) };
        let redactor = Redactor::new(world.surroundings.as_ref());
        let copy = address.with_database(name);
        Server { world, address: &copy, folder }.drop_if_there().map_err(|why| {
            let message = format!("could not drop the copy `{name}` that was rehearsed on");
            why.failed(message, |text| redactor.clean(&self.clean(text)))
        })
    }
}
