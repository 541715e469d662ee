//! Merges the parents of a merge commit anew and lays the result out: `merge_commit REPOSITORY COMMIT FOLDER`.
//!
//! Prints the document `switchback/merge/1`. The folder must not exist; beside it, `FOLDER.scratch` is made and removed.
#![expect(clippy::print_stdout, reason = "an example has a terminal of its own")]

use std::error::Error;
use std::path::{Path, PathBuf};

use switchback_core::git::Repository;
use switchback_core::tree::copy::make_directories;
use switchback_core::world::World;
use switchback_python::merging::{Action, MergeOptions, MergePlan, MergeRules, Side, plan};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [repository, commit, folder] = arguments.as_slice() else {
        return Err("usage: merge_commit REPOSITORY COMMIT FOLDER".into());
    };
    let world = World::real();
    let root = PathBuf::from(repository);
    let git = Repository { world: &world, folder: &root };
    let parent = |number: usize| git.commit(&format!("{commit}^{number}"));
    let side = |revision: String| Side::Revision { revision, path: None };
    let options = MergeOptions {
        source: side(parent(2)?),
        target: side(parent(1)?),
        base: None,
        rules: MergeRules::default(),
        rules_folder: PathBuf::new(),
        kept: Vec::new(),
        source_roots: Vec::new(),
        removes_source: false,
        scratch: PathBuf::from(format!("{folder}.scratch")),
        root: root.clone(),
    };
    let merged = plan(&world, &options)?;
    lay_out(&world, &merged, Path::new(folder))?;
    println!("{}", merged.to_json());
    Ok(())
}

fn lay_out(world: &World, merged: &MergePlan, folder: &Path) -> Result<(), Box<dyn Error>> {
    let disk = world.disk.as_ref();
    disk.make_directory(folder, 0o755)?;
    for file in merged.files.iter().filter(|file| file.action != Action::Remove) {
        let place = folder.join(&file.path);
        make_directories(disk, folder, place.parent().unwrap_or(folder))?;
        match (file.link(), file.bytes()) {
            (Some(target), _) => disk.make_symlink(target, &place)?,
            (None, Some(bytes)) => disk.write_new(&place, file.mode(), &mut &*bytes)?,
            (None, None) => {}
        }
    }
    Ok(())
}
