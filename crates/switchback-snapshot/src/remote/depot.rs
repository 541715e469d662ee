//! Single files elsewhere, by name: at the same kinds of places as the second copy of a repository, and through the same pieces.

use std::sync::Arc;

use switchback_core::port::{Depot, Parts, PortError};
use switchback_core::world::World;

use super::s3::Bucket;
use super::sftp::Server;
use super::shelf::PartShelf;
use crate::trouble::Trouble;

/// A place elsewhere that keeps files by name.
#[derive(Debug)]
pub struct RemoteDepot {
    shelf: Box<dyn PartShelf>,
}

impl RemoteDepot {
    /// The place at `address`: `s3://bucket/folder`, or `sftp:user@host:folder`. Nothing is connected before something is asked for.
    ///
    /// # Errors
    ///
    /// When the address, or what the environment says about the place, cannot be understood.
    pub fn new(world: &World, address: &str) -> Result<Self, PortError> {
        let (surroundings, clock) = (world.surroundings.as_ref(), Arc::clone(&world.clock));
        // The address is not repeated: somebody may have put a password into it.
        let unusable = |trouble: Trouble| trouble.failed("the address cannot be used");
        let shelf: Box<dyn PartShelf> = if let Some(rest) = address.strip_prefix("s3://") {
            let bucket = rest.split('/').next().unwrap_or_default();
            if bucket.is_empty() || rest.contains(['@', '?', '#']) {
                let trouble = Trouble::new("an address of S3 is `s3://bucket/folder`, and nothing more");
                return Err(unusable(trouble.hinted(
                    "name the bucket; credentials are taken from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`",
                )));
            }
            Box::new(Bucket::new(rest, surroundings, clock).map_err(unusable)?)
        } else {
            Box::new(Server::new(address, surroundings, clock).map_err(unusable)?.for_others())
        };
        Ok(Self { shelf })
    }

    fn failed(&self, trouble: Trouble, doing: &str, name: &str) -> PortError {
        trouble.failed(format!("could not {doing} `{name}` at `{}`", self.shelf.address()))
    }
}

impl Depot for RemoteDepot {
    fn address(&self) -> String {
        self.shelf.address()
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, PortError> {
        let found = self.shelf.list(folder).map_err(|trouble| self.failed(trouble, "list", folder))?;
        Ok(found.into_keys().collect())
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.shelf.read(name).map_err(|trouble| self.failed(trouble, "read", name))
    }

    fn put(&self, name: &str, content: &[u8]) -> Result<(), PortError> {
        self.shelf.write(name, content).map_err(|trouble| self.failed(trouble, "write", name))
    }

    fn size(&self, name: &str) -> Result<Option<u64>, PortError> {
        self.shelf.size(name).map_err(|trouble| self.failed(trouble, "look at", name))
    }

    fn get_part(&self, name: &str, at: u64, bytes: u64) -> Result<Vec<u8>, PortError> {
        self.shelf.read_part(name, at, bytes).map_err(|trouble| self.failed(trouble, "read", name))
    }

    fn put_parts(&self, name: &str, content: &dyn Parts) -> Result<(), PortError> {
        self.shelf.write_parts(name, content).map_err(|trouble| self.failed(trouble, "write", name))
    }

    fn remove(&self, name: &str) -> Result<(), PortError> {
        self.shelf.remove(name).map_err(|trouble| self.failed(trouble, "remove", name))
    }
}
