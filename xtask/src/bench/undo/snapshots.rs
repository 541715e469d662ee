//! A first snapshot of a tree, and a second one when nothing changed: time and memory.

use std::path::{Path, PathBuf};

use crate::bench::contest::{Contender, Sample};
use crate::bench::ground::{self, settle};
use crate::bench::peer::{self, json, shown};
use crate::bench::undo::back::with_settings;
use crate::bench::undo::{Ground, PLAN, remove};
use crate::problem::Problem;
use crate::program::Call;
use crate::workspace::write_text;

/// The first one is to be no slower than restic.
const FIRST_TIMES: f64 = 1.0;
/// The second one is to be twice as fast as restic.
const SECOND_TIMES: f64 = 0.5;

/// Where a contender keeps its snapshots, and how.
struct Saver {
    name: &'static str,
    /// Folders that are taken away before the first snapshot.
    left: Vec<PathBuf>,
    /// What makes a first snapshot where there is no repository yet, and makes that, too.
    first: Vec<String>,
    /// What makes another one.
    second: Vec<String>,
    /// Prints a document that names all snapshots.
    list: Call,
    /// The field of that document with the snapshots; of restic it is the whole document.
    field: Option<&'static str>,
}

/// All of them save the same tree, and none of them writes to it.
pub fn contenders(ground: &Ground, peers: &[&str]) -> Result<Vec<Contender>, Problem> {
    let savers = ground.at("savers");
    write_text(&savers.join("password"), "a password\n")?;
    // The old tree as a project of its own: what stands beside the managed paths is nobody's content.
    write_text(&ground.at("old/switchback.toml"), PLAN)?;
    let mut ours = contender(ground, &savers, ours(ground))?;
    let mut others = Vec::new();
    if peers.contains(&"restic") {
        ours = ours.held_to_times("first snapshot, wall", FIRST_TIMES, "restic");
        ours = ours.held_to_times("second snapshot, wall", SECOND_TIMES, "restic");
        let backup = "restic backup tree config";
        others.push(restic(ground, &savers, "restic", backup));
        let checked = "restic backup tree config && restic check --read-data";
        others.push(restic(ground, &savers, "restic and check", checked));
    }
    if peers.contains(&"borg") {
        others.push(borg(ground, &savers));
    }
    let others = others.into_iter().map(|saver| contender(ground, &savers, saver));
    std::iter::once(Ok(ours)).chain(others).collect()
}

fn ours(ground: &Ground) -> Saver {
    let project = ground.at("old");
    let program = shown(&ground.switchback);
    let create = words(&[&program, "-C", &shown(&project), "snapshot", "create"]);
    Saver {
        name: "switchback",
        left: vec![project.join(".switchback")],
        first: create.clone(),
        second: create,
        list: ground::switchback(&ground.switchback, &project, &["snapshot", "list", "--json"]),
        field: Some("snapshots"),
    }
}

fn restic(ground: &Ground, savers: &Path, name: &'static str, line: &str) -> Saver {
    Saver {
        name,
        left: vec![savers.join("restic"), savers.join("restic-cache")],
        first: words(&["sh", "-c", &format!("restic init -q --repository-version 2 && {line}")]),
        second: words(&["sh", "-c", line]),
        list: settled(ground, savers, &["restic", "snapshots", "--json"]),
        field: None,
    }
}

fn borg(ground: &Ground, savers: &Path) -> Saver {
    Saver {
        name: "borg",
        left: vec![savers.join("borg"), savers.join("borg-home")],
        first: words(&["sh", "-c", "borg init -e none && borg create ::{now:%f} tree config"]),
        second: words(&["sh", "-c", "borg create ::{now:%f} tree config"]),
        list: settled(ground, savers, &["borg", "list", "--json"]),
        field: Some("archives"),
    }
}

/// A call beside the tree, with the settings of the peers.
fn settled(ground: &Ground, savers: &Path, command: &[&str]) -> Call {
    with_settings(Call::new(command[0], &command[1..]).within(&ground.at("old")), savers)
}

fn contender(ground: &Ground, savers: &Path, saver: Saver) -> Result<Contender, Problem> {
    let line = |command: &[String]| match command {
        [shell, _, line] if shell == "sh" => line.clone(),
        _ => peer::line(command, &ground.root),
    };
    let mut commands = vec![line(&saver.first), line(&saver.second)];
    commands.dedup();
    let call = |command: &[String]| {
        Ok::<_, Problem>(with_settings(peer::measured(command)?.within(&ground.at("old")), savers))
    };
    let calls = [("first snapshot", call(&saver.first)?), ("second snapshot", call(&saver.second)?)];
    let name = saver.name;
    let turn = move || {
        for left in &saver.left {
            remove(left)?;
        }
        let mut measured = Vec::new();
        for (made, (which, call)) in (1..).zip(&calls) {
            settle()?;
            let samples = peer::samples(call)?;
            measured.extend(samples.into_iter().map(|sample| {
                let step = format!("{which}, {}", sample.step);
                Sample { step, ..sample }
            }));
            saver.expect(made)?;
        }
        Ok(measured)
    };
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    Ok(Contender::new(name, &commands, Box::new(turn)))
}

impl Saver {
    /// Who did nothing is quick, too.
    fn expect(&self, made: usize) -> Result<(), Problem> {
        let document = json(&self.list.output()?)?;
        let listed = self.field.map_or(&document, |field| &document[field]).as_array().map(Vec::len);
        if listed == Some(made) {
            return Ok(());
        }
        let cause = format!("`{}` knows {} snapshots, not {made}", self.list, listed.unwrap_or(0));
        Err(Problem::new(format!("could not trust a snapshot by {}", self.name), cause))
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}
