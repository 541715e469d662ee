//! Which crate implements which port.

use std::sync::Arc;

use switchback_compare::ensemble::EnsembleJudge;
use switchback_compare::{Progress, TableComparer};
use switchback_config::ports::Configurations;
#[cfg(not(feature = "sql"))]
use switchback_core::constraint::{Bounds, Constraint, ConstraintOutcome, TableFile};
use switchback_core::phase::Ports;
use switchback_core::port::{Depot, PortError, Querier, RemoteVault, Schemas, Vault, VaultPlace, Vaults};
use switchback_core::world::World;
use switchback_documents::ports::Documents;
use switchback_mail::Smtp;
use switchback_python::ports::PythonCode;
use switchback_signature::ports::OpenSsh;
use switchback_snapshot::{RemoteCopy, RemoteDepot, RusticVault};

/// Everything that a project needs from outside.
pub fn ports(world: World) -> Ports {
    let comparer = comparer(&world);
    wired(world, comparer)
}

/// The same, where somebody is told how far comparisons are.
pub(crate) fn ports_shown(world: World, progress: Arc<dyn Progress>) -> Ports {
    let comparer = comparer(&world).with_progress(progress);
    wired(world, comparer)
}

fn wired(world: World, comparer: TableComparer) -> Ports {
    Ports {
        comparer: Arc::new(comparer),
        querier: querier(&world),
        statistician: Arc::new(EnsembleJudge::new(world.disk.clone())),
        mover: Arc::new(PythonCode::new(world.clone())),
        inspector: Arc::new(PythonCode::new(world.clone())),
        configurer: Arc::new(Configurations::new(world.clone())),
        migrator: Arc::new(Documents::new(world.clone())),
        vaults: Arc::new(RusticVaults { world: world.clone() }),
        schemas: schemas(&world),
        signatures: Arc::new(OpenSsh::new(world.clone())),
        mailer: Arc::new(Smtp),
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

#[cfg(feature = "databases")]
fn schemas(world: &World) -> Arc<dyn Schemas> {
    Arc::new(switchback_databases::Databases::new(world.surroundings.clone()))
}

#[cfg(not(feature = "databases"))]
fn schemas(_world: &World) -> Arc<dyn Schemas> {
    Arc::new(NoSchemas)
}

/// What stands for databases in a build without them.
#[cfg(not(feature = "databases"))]
#[derive(Debug)]
struct NoSchemas;

#[cfg(not(feature = "databases"))]
impl Schemas for NoSchemas {
    fn open(
        &self,
        place: &switchback_core::port::SchemaPlace,
    ) -> Result<Box<dyn switchback_core::port::SchemaSession>, PortError> {
        let why = "this build of Switchback has no databases".to_owned();
        Err(PortError::new(format!("could not open the database `{}`", place.name), vec![why]).hinted(
            "build it with the feature `databases`, which is on unless `--no-default-features` turns it off",
        ))
    }
}

#[cfg(feature = "sql")]
fn querier(world: &World) -> Arc<dyn Querier> {
    Arc::new(switchback_sql::SqlQuerier::new(world.disk.clone()))
}

#[cfg(not(feature = "sql"))]
fn querier(_world: &World) -> Arc<dyn Querier> {
    Arc::new(NoQuerier)
}

/// What stands for SQL in a build without it.
#[cfg(not(feature = "sql"))]
#[derive(Debug)]
struct NoQuerier;

#[cfg(not(feature = "sql"))]
impl Querier for NoQuerier {
    fn query(
        &self,
        _tables: &[TableFile],
        _constraints: &[Constraint],
        _bounds: &Bounds,
    ) -> Result<ConstraintOutcome, PortError> {
        let why = "this build of Switchback has no SQL".to_owned();
        Err(PortError::new("could not look at the constraints", vec![why]).hinted(
            "build it with the feature `sql`, which is on unless `--no-default-features` turns it off",
        ))
    }
}

#[derive(Debug)]
struct RusticVaults {
    world: World,
}

impl Vaults for RusticVaults {
    fn open(&self, place: &VaultPlace) -> Box<dyn Vault> {
        Box::new(RusticVault::at(self.world.clone(), place))
    }

    fn remote(&self, place: &VaultPlace, address: &str) -> Result<Box<dyn RemoteVault>, PortError> {
        Ok(Box::new(RemoteCopy::new(&self.world, place, address)?))
    }

    fn depot(&self, address: &str) -> Result<Box<dyn Depot>, PortError> {
        Ok(Box::new(RemoteDepot::new(&self.world, address)?))
    }
}
