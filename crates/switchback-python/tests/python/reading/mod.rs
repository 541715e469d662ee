//! What is read from trees: routes, symbols, who refers to what, and where imports lead.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod referrers;
mod routes;
mod symbols;
