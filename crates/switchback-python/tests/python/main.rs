//! Python source: moves, merges, shims, surfaces, what is read from trees, and what is broken.

mod definitions;
mod hostile;
mod merge_properties;
mod merges;
mod moves;
mod reading;
mod shims;
mod surfaces;
