//! The move: rules and an index become edits, the edits are proved, and only then is anything written.

mod dunder;
mod edit;
mod link;
mod mapping;
mod notebook;
mod place;
mod plan;
mod proof;
mod prose;
mod reference;
mod report;
mod reserved;
mod rules;
mod setting;
mod shim;
mod statement;
mod string;
mod write;

pub use edit::{Edit, EditKind, Left};
pub use mapping::{Mapping, MappingError};
pub use plan::{FileChange, MoveError, MoveOptions, MovePlan, NewFile, Unparsed, plan};
pub use proof::{ApiChange, NameLeft, Proof, Unresolved};
pub use rules::{Leave, Pair, Rules, RulesError};
pub use shim::ShimNote;
pub(crate) use shim::read as read_shim;
pub use write::{WriteError, puts, write};
