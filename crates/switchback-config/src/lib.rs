//! Configuration: read as the program's own loader reads it, layered, consolidated into one master and an override for each
//! environment, and proved equal key by key and type by type.
//!
//! [`layout`] says how a configuration is laid out → [`gather`] reads its fragments ([`read`], [`yaml`]) → [`layers`] lays them one over the
//! other → [`secrets`] takes literal secrets out → [`consolidate`] splits what all environments share from what each has for itself →
//! [`write`](mod@write) makes text of it → [`merging`] reads that back and proves it. [`resolve`] and [`placeholder`] say what a program gets.

pub mod conformance;
pub mod consolidate;
pub mod difference;
pub mod error;
pub mod gather;
pub mod layers;
pub mod layout;
pub mod merging;
pub mod path;
pub mod placeholder;
pub mod ports;
pub mod probe;
pub mod read;
pub mod resolve;
pub mod secrets;
pub mod shown;
pub mod unused;
pub mod value;
pub mod write;
pub mod yaml;
