//! SQL over the results of a run: whether constraints hold on tables, and which rows violate them.
//!
//! In the order in which the data goes: files of tables become names (`shelf`); a constraint becomes SQL (`form`) whose
//! plan ([DataFusion](https://datafusion.apache.org)'s) is run in a session of bounded memory (`session`) over tables that
//! stream in from the readers of `switchback-compare` (`table`); what comes out is counted and shown (`look`), and what
//! keeps it from being told is put into words (`words`). [`SqlQuerier`] is the port.
//!
//! It deliberately reads only: a statement that is no query is refused. It compares nothing, and it knows no file format.

mod form;
mod look;
mod querier;
mod session;
mod shelf;
mod table;
mod words;

pub use querier::SqlQuerier;
