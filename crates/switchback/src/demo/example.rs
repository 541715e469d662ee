//! The example project, as it stands in the repository, carried in the program.

use rust_embed::Embed;

/// Every file of `examples/loan-analytics`, by its path there.
#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/../../examples/loan-analytics"]
#[exclude = "*__pycache__*"]
#[exclude = "live/tape/*"]
#[exclude = "trial/*"]
#[exclude = "*.switchback/*"]
struct Files;

/// The files, sorted by path: where each stands, and its content.
pub(super) fn files() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = Files::iter()
        .filter_map(|path| Files::get(&path).map(|file| (path.into_owned(), file.data.into_owned())))
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_carries_a_project_a_candidate_and_what_makes_their_data() {
        let files = files();
        let has = |path: &str| files.iter().any(|(name, content)| name == path && !content.is_empty());
        for path in
            ["live/switchback.toml", "live/run.py", "candidate/run.py", "generate.py", "plant_defect.py"]
        {
            assert!(has(path), "{path}");
        }
        assert!(files.iter().all(|(path, _)| !path.contains("__pycache__")), "bytecode is carried along");
    }
}
