//! The move: rules and an index become edits, the edits are proved, and only then is anything written.

mod carried;
mod carry;
mod edit;
mod mapping;
mod notebook;
mod order;
mod place;
mod plan;
mod proof;
mod prose;
mod reference;
mod report;
mod reserved;
mod rules;
mod shim;
mod signature;
mod statement;
mod string;
mod write;

pub(crate) use crate::tree::below as resolve_path;
pub use carry::{Refused, RefusedDefinitions};
pub use edit::{Edit, EditKind, Left};
pub use mapping::{Mapping, MappingError};
pub(crate) use mapping::{leaf_path, parent_path};
pub(crate) use notebook::code as notebook_code;
pub use plan::{FileChange, MoveError, MoveOptions, MovePlan, NewFile, Unparsed, plan};
pub(crate) use plan::{STACK_BYTES, plan_tree};
pub use proof::{ApiChange, NameLeft, Proof, Unresolved};
pub(crate) use prose::{Blocks, Flavor, flavor_of, follows_import, is_marked, token};
pub use rules::{Leave, Pair, Rules, RulesError};
pub use shim::ShimNote;
pub(crate) use shim::read as read_shim;
pub use signature::{Literal, Shape, Signature, SignatureError};
pub(crate) use string::{is_dotted, walk as walk_names};
pub use write::{WriteError, puts, write};
