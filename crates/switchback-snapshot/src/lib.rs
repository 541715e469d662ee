//! Durable snapshots: restic repositories, opened and looked after with `rustic_core`, and believed only after they were read back.
//!
//! In the order of the data: `archive` reads a tree once and packs it, with entries in the form of `source`; `backend` puts packs
//! on the disk so that a power cut cannot take them away; `blobs` reads them back over `index`, `stored` and `content` compare
//! that with the manifest, `record` keeps what was verified, `restore` writes it into a fresh place and looks at every entry again,
//! and `forget` removes what nobody needs any more. [`RusticVault`] is all of it behind [`switchback_core::port::Vault`];
//! [`RemoteCopy`] is the second copy of a repository, elsewhere, and [`RemoteDepot`] keeps single files at such places.
//!
//! What this crate deliberately does not do: restore over an existing tree, alter what is kept elsewhere. Any restic can read the repositories; `restic prune` only while Switchback is idle.

mod archive;
mod backend;
mod blobs;
mod blocks;
mod cipher;
mod content;
mod contents;
mod durable;
mod folders;
mod forget;
mod index;
mod record;
mod remote;
mod repository;
mod restore;
mod secrets;
mod source;
mod stored;
mod trouble;
mod vault;

pub use remote::{RemoteCopy, RemoteDepot};
pub use vault::RusticVault;
