//! bench
use crate::{problem::Problem, workspace::Workspace};
/// x
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BenchOptions {
    /// x
    pub name: Option<String>,
    /// x
    pub runs: Option<usize>,
    /// x
    pub files: Option<usize>,
    /// x
    pub scratch: Option<std::path::PathBuf>,
}
/// x
pub fn bench(_: &Workspace, _: &BenchOptions) -> Result<bool, Problem> {
    Ok(true)
}
