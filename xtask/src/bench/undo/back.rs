//! There and back: everyone brings two live paths back to what they were, under the eyes of a reader.

use std::path::Path;

use crate::bench::contest::{Contender, Sample};
use crate::bench::ground::{self, copy_tree, settle};
use crate::bench::peer::shown;
use crate::bench::timing::{ACKNOWLEDGED, samples, timed};
use crate::bench::undo::window::{Reader, Sentinel};
use crate::bench::undo::{Ground, MANAGED, SETTINGS, expect_same, remove};
use crate::problem::Problem;
use crate::program::Call;
use crate::workspace::write_text;

/// A cutover, and a rollback, is to be acknowledged by then.
const TARGET_MS: f64 = 50.0;
/// At most this many times what the same takes with a small tree: independent of the size, but for the noise.
const SMALL_TIMES: f64 = 1.5;

/// What follows on a restore into `fresh`: `broken` is what the next morning looks at.
const INTO_PLACE: &str = "mkdir broken && mv live/tree live/config broken && mv fresh/tree fresh/config live";

/// Switchback on this ground and on a small one, and all peers.
pub fn contenders(ground: &Ground, small: &Ground, peers: &[&str]) -> Result<Vec<Contender>, Problem> {
    let small_name = format!("switchback, {} files", small.files);
    let mut ours = ours(ground, "switchback");
    for step in ["cutover, to acknowledgement", "rollback, to acknowledgement"] {
        ours = ours.held_to(step, TARGET_MS).held_to_times(step, SMALL_TIMES, &small_name);
    }
    let mut contenders = vec![ours, self::ours(small, &small_name)];
    std::fs::create_dir_all(ground.at("peers/live"))
        .map_err(|source| Problem::at("make", &ground.at("peers/live"), source))?;
    for managed in MANAGED {
        copy_tree(&ground.at("old").join(managed), &ground.at("peers/live").join(managed))?;
    }
    contenders.push(peer(ground, "rsync", &["rsync -a --delete ../old/tree ../old/config live/"]));
    shell(ground, "tar --format=posix -C ../old -cf old.tar tree config").output()?;
    contenders.push(peer(ground, "tar", &["mkdir fresh && tar -xf old.tar -C fresh", INTO_PLACE]));
    if peers.contains(&"restic") {
        write_text(&ground.at("peers/password"), "a password\n")?;
        shell(ground, "restic init -q --repository-version 2 && cd ../old && restic backup -q tree config")
            .output()?;
        contenders.push(peer(ground, "restic", &["restic restore -q latest --target fresh", INTO_PLACE]));
    }
    if peers.contains(&"borg") {
        shell(ground, "borg init -e none && cd ../old && borg create ::old tree config").output()?;
        let extract = "mkdir fresh && cd fresh && borg extract ::old && cd ..";
        contenders.push(peer(ground, "borg", &[extract, INTO_PLACE]));
    }
    Ok(contenders)
}

fn ours(ground: &Ground, name: &str) -> Contender {
    let ground = ground.clone();
    let commands = ["switchback run --until approved", "switchback run --until live", "switchback rollback"];
    let turn = move || {
        let project = ground.at("project");
        let call = |arguments: &[&str]| ground::switchback(&ground.switchback, &project, arguments);
        let prepared = timed(&call(&["run", "--until", "approved", "--yes"]), None)?;
        let mut measured = samples("preparation", prepared);
        let there = call(&["run", "--until", "live", "--yes"]);
        measured.extend(step(&ground, &project, "cutover", &there, Some(ACKNOWLEDGED))?);
        expect_same(&ground.at("candidate"), &project)?;
        let back = call(&["rollback", "--yes"]);
        measured.extend(step(&ground, &project, "rollback", &back, Some(ACKNOWLEDGED))?);
        expect_same(&ground.at("old"), &project)?;
        Ok(measured)
    };
    Contender::new(name, &commands, Box::new(turn))
}

fn peer(ground: &Ground, name: &str, commands: &[&str]) -> Contender {
    let ground = ground.clone();
    let line = commands.join(" && ");
    let turn = move || {
        let live = ground.at("peers/live");
        shell(&ground, "rsync -a --delete ../candidate/tree ../candidate/config live/").output()?;
        let measured = step(&ground, &live, "rollback", &shell(&ground, &line), None)?;
        expect_same(&ground.at("old"), &live)?;
        for left in ["peers/fresh", "peers/broken"] {
            remove(&ground.at(left))?;
        }
        Ok(measured)
    };
    Contender::new(name, commands, Box::new(turn))
}

/// Reads the program, and what it will read of a project beside the trees. The steps of a large tree lie minutes apart, and there
/// are kernels that take out of the page cache what was not used for so long: that is no matter of the tree's size.
fn warm(program: &Path, project: &Path) {
    let state = project.join(".switchback");
    let inside = |folder: &str| std::fs::read_dir(state.join(folder)).into_iter().flatten().flatten();
    let records = inside("txn").chain(inside("evidence")).map(|entry| entry.path());
    let others = [program.to_owned(), project.join("switchback.toml"), state.join("journal.db")];
    for path in records.chain(others) {
        // What cannot be read is not warm; what is measured says itself what it misses.
        drop(std::fs::read(path));
    }
}

/// Times one step from old to candidate or back, under the eyes of a reader.
fn step(
    ground: &Ground,
    live: &Path,
    name: &str,
    call: &Call,
    word: Option<&str>,
) -> Result<Vec<Sample>, Problem> {
    settle()?;
    if word.is_some() {
        warm(&ground.switchback, live);
    }
    let [before, after] = if name == "cutover" { ["old", "candidate"] } else { ["candidate", "old"] };
    let reader = Reader::start(sentinels(ground, live, before, after)?)?;
    let timing = timed(call, word);
    let seen = reader.stop()?;
    let timing = timing?;
    let mut measured = samples(name, timing);
    measured.extend(seen.samples(name, timing.started)?);
    Ok(measured)
}

/// The only file of the one path, and the last one of the other that the candidate changes: who goes through the tree
/// file by file comes to it late.
fn sentinels(ground: &Ground, live: &Path, before: &str, after: &str) -> Result<[Sentinel; 2], Problem> {
    let sentinel = |path: &Path| {
        let read = |side: &str| {
            let path = ground.at(side).join(path);
            std::fs::read(&path).map_err(|source| Problem::at("read", &path, source))
        };
        Ok(Sentinel { path: live.join(path), before: read(before)?, after: read(after)? })
    };
    Ok([
        sentinel(Path::new(SETTINGS))?,
        sentinel(&Path::new("tree").join(ground::last_changed(ground.files)))?,
    ])
}

/// A line for the shell, in the folder of the peers, with what they have to know.
fn shell(ground: &Ground, line: &str) -> Call {
    with_settings(Call::new("sh", &["-c", line]).within(&ground.at("peers")), &ground.at("peers"))
}

/// What restic and borg are told by their environment: repositories, caches and the password below `folder`.
pub fn with_settings(call: Call, folder: &Path) -> Call {
    let at = |name: &str| shown(&folder.join(name));
    call.with("RESTIC_REPOSITORY", &at("restic"))
        .with("RESTIC_PASSWORD_FILE", &at("password"))
        .with("RESTIC_CACHE_DIR", &at("restic-cache"))
        .with("GOMAXPROCS", "2")
        .with("BORG_REPO", &at("borg"))
        .with("BORG_BASE_DIR", &at("borg-home"))
        .with("BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK", "yes")
}
