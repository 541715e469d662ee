//! Python source trees: which modules there are, what they import and offer, and how they are moved with proof.
//!
//! The way of the data: [`tree`] → [`syntax`] → [`index`] (with [`roots`]) → [`moving`] (edits, proof, plan, write); beside
//! it [`merging`] (two trees into one), [`graph`] (imports), [`outside`] (imports that leave the project), [`referrers`] (who
//! refers to what), [`routes`] (HTTP), [`symbols`] (which names are there), [`api`] (public surface) and [`standing`] (shims).
//! [`ports`] is what a plan calls.
//!
//! What this crate deliberately does not do: it runs no Python, it knows no types, and it never prints a tree: an edit
//! is a range of bytes, and what is not edited stays as it is.

pub mod api;
mod deep;
pub mod graph;
pub mod index;
pub mod merging;
pub mod moving;
mod offer;
mod old_names;
pub mod outside;
mod parts;
pub mod ports;
pub mod referrers;
pub mod roots;
pub mod routes;
mod running;
pub mod standing;
pub mod symbols;
pub mod syntax;
pub mod tree;
