//! What a person sees: the real program in a temporary project, its words, its exit codes, and what it leaves alone.

#![expect(clippy::unwrap_used, reason = "a failed step of a test ends the test")]
#![expect(clippy::disallowed_methods, reason = "a test lays out, damages and looks at files directly")]

mod approvals;
mod archives;
mod audit;
mod bad_plans;
mod batch_processor;
mod bench_pairs;
mod benches;
mod bisect;
mod browser;
mod certificates;
mod checkpoints;
mod comparisons;
mod compliance;
mod configs;
mod conformance;
#[cfg(feature = "sql")]
mod constraints;
mod criteria;
mod damaged_journal;
#[cfg(feature = "databases")]
mod databases;
mod dbt;
mod demo;
mod deprecated;
mod distributions;
mod documentation;
mod environment;
mod evidence;
mod fixtures;
mod gates;
mod ground;
mod incidents;
mod init;
mod integrity;
mod journal;
mod killed;
mod kinds;
mod linked_paths;
// Its plan has figures of a database.
#[cfg(feature = "databases")]
mod loan_analytics;
mod mail;
mod mapping;
mod market_regime;
mod moving;
mod near_misses;
mod notebooks;
mod notify;
mod package;
mod parts;
mod plan;
mod playbooks;
mod postgresql_server;
mod processes;
// Its plan has constraints.
#[cfg(feature = "sql")]
mod price_elasticity;
#[cfg(any(feature = "databases", feature = "sql"))]
mod readme;
mod rehearsal;
mod rehearsed_triggers;
mod report;
mod requests;
mod resources;
mod restarts;
mod restore;
mod run;
mod s3;
mod sarif;
mod scenarios;
#[cfg(feature = "databases")]
mod schema;
mod secrets;
mod sftp;
mod shadows;
mod shapes;
mod snapshot_databases;
mod snapshots;
mod startup;
mod story;
mod terminal;
mod triggers;
mod undos;
mod units;
mod watch_gates;
mod watch_killed;
mod watching;
#[cfg(not(feature = "sql"))]
mod without_sql;
mod workforce;
