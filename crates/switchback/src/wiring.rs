//! Which crate implements which port.

use std::path::Path;
use std::sync::Arc;

use switchback_compare::TableComparer;
use switchback_core::phase::Ports;
use switchback_core::port::{Vault, Vaults};
use switchback_core::world::World;
use switchback_snapshot::RusticVault;

/// Everything that a project needs from outside.
pub fn ports(world: World) -> Ports {
    Ports {
        comparer: Arc::new(comparer(&world)),
        vaults: Arc::new(RusticVaults { world: world.clone() }),
        world,
    }
}

#[cfg(feature = "databases")]
fn comparer(world: &World) -> TableComparer {
    let stores = switchback_databases::Databases::new(world.surroundings.clone());
    TableComparer::new(world.disk.clone()).with_stores(Arc::new(stores))
}

/// Without databases, their addresses are an error that says so.
#[cfg(not(feature = "databases"))]
fn comparer(world: &World) -> TableComparer {
    TableComparer::new(world.disk.clone())
}

#[derive(Debug)]
struct RusticVaults {
    world: World,
}

impl Vaults for RusticVaults {
    fn open(&self, repository: &Path) -> Box<dyn Vault> {
        Box::new(RusticVault::new(self.world.clone(), repository, password_file(repository)))
    }
}

/// The password stands beside the repository, so that `restic` can open it too.
fn password_file(repository: &Path) -> std::path::PathBuf {
    let mut name = repository.file_name().unwrap_or_default().to_owned();
    name.push(".password");
    repository.with_file_name(name)
}
