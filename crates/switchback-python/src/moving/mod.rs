//! The move: rules and an index become edits, the edits are proved, and only then is anything written.

mod edit;
mod mapping;
mod plan;
mod proof;
mod reference;
mod report;
mod rules;
mod statement;
mod string;

pub use edit::{Edit, EditKind, Left};
pub use mapping::{Mapping, MappingError};
pub use plan::{FileChange, MoveError, MoveOptions, MovePlan, NewFile, Unparsed, plan};
pub use proof::{ApiChange, NameLeft, Proof, Unresolved};
pub use rules::{Leave, Pair, Rules, RulesError};
