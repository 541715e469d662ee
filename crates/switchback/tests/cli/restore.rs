//! Rolling back to a copy: the snapshot, its copy elsewhere, the safety branch of git, a generation.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::json;
use switchback_core::manifest::Manifest;
use switchback_core::tree::scan;
use switchback_core::world::RealDisk;

use super::ground::Ground;
use super::s3::{KEY, S3};
use super::sftp::Server;

/// What is managed, with everything that a restore must bring back.
fn managed(ground: &Ground) -> Manifest {
    scan(&RealDisk, &ground.at(""), &["src".into(), "notes.txt".into()]).unwrap()
}

fn plan(phases: &[&str], more: &str) -> String {
    let phases: Vec<String> = phases
        .iter()
        .map(|name| {
            format!(
                "[[phase]]\nname = \"{name}\"\n[[phase.change]]\nkind = \"command\"\ncommand = \"echo {name} >> notes.txt && \
                 echo {name} > src/{name}.py && rm -f src/old.py && sed -i s/1/2/ src/run.sh\"\n"
            )
        })
        .collect();
    format!(
        "version = 1\n[project]\nname = \"shop\"\nmanaged = [\"src\", \"notes.txt\"]\n[snapshot]\nremote = \"../elsewhere\"\n{more}{}",
        phases.join("\n")
    )
}

/// A project in a repository of git whose attributes would alter what is checked out, with names, modes and links that a
/// plain checkout loses.
fn project(phases: &[&str], more: &str) -> Ground {
    let ground = Ground::new();
    ground.write("switchback.toml", plan(phases, more));
    ground.write("notes.txt", "first\r\nsecond\n");
    ground.write("src/old.py", "OLD = True\n");
    ground.write("src/run.sh", "echo 1\n");
    ground.write("src/line\nend \"quoted\" ä.txt", [0_u8, 1, 2, 255]);
    ground.write("src/.gitattributes", "* text eol=crlf\n");
    fs::create_dir(ground.at("src/empty")).unwrap();
    fs::set_permissions(ground.at("src/run.sh"), fs::Permissions::from_mode(0o750)).unwrap();
    fs::set_permissions(ground.at("src/old.py"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("run.sh", ground.at("src/link")).unwrap();
    fs::hard_link(ground.at("src/old.py"), ground.at("src/same.py")).unwrap();
    ground.tool("git", &["init", "-q"]);
    ground.tool("git", &["config", "user.name", "tester"]);
    ground.tool("git", &["config", "user.email", "tester@localhost"]);
    ground.tool("git", &["config", "core.autocrlf", "true"]);
    ground.tool("git", &["add", "notes.txt"]);
    ground.tool("git", &["commit", "-q", "-m", "first"]);
    ground
}

// rows: RE-18, RE-9
#[test]
fn the_four_ways_back_lead_to_the_same_bytes() {
    for from in ["local", "snapshot", "git", "remote"] {
        let ground = project(&["unify"], "");
        let before = managed(&ground);
        ground.expect(0, "run");
        assert_ne!(managed(&ground), before);
        let index = ground.tool("git", &["status", "--porcelain", "--untracked-files=no"]);
        ground.write("src/unify.py", "changed since\n");
        let would = ground.expect(0, &format!("rollback --from {from} --dry-run --json")).json();
        let changes: Vec<_> =
            would["would_change"].as_array().unwrap().iter().map(|one| &one["path"]).collect();
        assert!(changes.contains(&&json!("src/old.py")), "{would}");
        assert!(changes.contains(&&json!("notes.txt")), "{would}");
        assert_eq!(would["from"].as_str().unwrap() == "local", from == "local", "{would}");
        let done = ground.expect(0, &format!("rollback --from {from} --json")).json();
        assert_eq!(managed(&ground), before, "{from}");
        assert_eq!(done["restored"].as_array().unwrap().len(), 2, "{done}");
        let kept = done["kept_aside"].as_array().unwrap();
        let [kept] = kept.as_slice() else { panic!("{done}") };
        assert_eq!(ground.read(kept.as_str().unwrap()), "changed since\n");
        assert_eq!(done["phases"][0]["point"], "rolled-back", "{done}");
        assert_eq!(done["generation"], 0, "{done}");
        assert_eq!(ground.tool("git", &["status", "--porcelain", "--untracked-files=no"]), "", "{index}");
        let log = ground.expect(0, "log").out;
        assert_eq!(log.contains("  restored  "), from != "local", "{log}");
        assert_eq!(log.contains(&format!("from={from}")), from != "local", "{log}");
        // Nothing is left beside the managed paths, and the way on is open.
        let left = fs::read_dir(ground.at("")).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains(".sb-")).collect();
        assert!(left.is_empty(), "{left:?}");
        ground.expect(0, "run");
        ground.expect(0, "rollback");
        assert_eq!(managed(&ground), before, "{from}, again");
        ground.expect(0, "log verify");
    }
}

// rows: RE-18
#[test]
fn a_generation_is_gone_back_to_from_what_is_kept_or_from_a_copy() {
    for from in ["local", "snapshot", "git", "remote"] {
        let ground = project(&["one", "two", "three"], "");
        let mut states = vec![managed(&ground)];
        for phase in ["one", "two", "three"] {
            ground.expect(0, &format!("run --phase {phase}"));
            states.push(managed(&ground));
        }
        let refused = ground.expect(2, &format!("rollback --to 3 --from {from}"));
        assert!(refused.err.contains("generation 3 is what is live"), "{refused}");
        let done = ground.expect(0, &format!("rollback --to 1 --from {from} --json")).json();
        assert_eq!(managed(&ground), states[1], "{from}");
        assert_eq!(done["generation"], 1, "{done}");
        let points: Vec<_> = done["phases"].as_array().unwrap().iter().map(|phase| &phase["point"]).collect();
        assert_eq!(points, ["finished", "rolled-back", "rolled-back"], "{done}");
        // The earlier phase still goes back by what is kept of it.
        ground.expect(0, "rollback --to 0");
        assert_eq!(managed(&ground), states[0], "{from}");
    }
}

// rows: RE-18, RB-11
#[test]
fn a_snapshot_that_is_named_is_the_one_that_comes_back() {
    let ground = project(&["unify"], "");
    ground.expect(0, "snapshot create --label wanted");
    let wanted = managed(&ground);
    ground.write("notes.txt", "by hand\n");
    ground.expect(0, "snapshot create --label other");
    let snapshots = ground.expect(0, "snapshot list --json").json()["snapshots"].clone();
    let id = snapshots.as_array().unwrap().iter().find(|one| one["label"] == "wanted").unwrap()["id"].clone();
    let id = &id.as_str().unwrap()[..10];
    // Nothing is live yet: there is a copy all the same.
    let done = ground.expect(0, &format!("rollback --to {id} --json")).json();
    assert_eq!(managed(&ground), wanted);
    assert_eq!(done["restored"], json!(["notes.txt"]));
    let kept = done["kept_aside"][0].as_str().unwrap().to_owned();
    assert_eq!(ground.read(&kept), "by hand\n");
    let again = ground.expect(2, &format!("rollback --to {id}"));
    assert!(again.err.contains("holds already"), "{again}");
    // It takes back what went live after it.
    ground.expect(0, "run");
    let done = ground.expect(0, &format!("rollback --to {id} --from remote --json")).json();
    assert_eq!(managed(&ground), wanted);
    assert_eq!(done["phases"][0]["point"], "rolled-back", "{done}");
    for (line, words) in [
        ("rollback --to ffffffffff", "no snapshot has an id"),
        ("rollback --to 7", "nothing is live"),
        (&format!("rollback --to {id} --from git"), "not the number of a generation"),
        ("rollback --to 0", "nothing is live"),
    ] {
        let refused = ground.expect(2, line);
        assert!(refused.err.contains(words), "{refused}");
    }
}

// rows: RE-18, TM-12
#[test]
fn a_part_comes_from_a_copy_when_what_was_parked_is_damaged() {
    let ground = project(&["unify"], "");
    ground.expect(0, "run --until live");
    let parked = fs::read_dir(ground.at("")).unwrap().map(|entry| entry.unwrap().path());
    let parked = parked.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(".src.sb-"));
    let parked = parked.collect::<Vec<_>>();
    fs::write(parked[0].join("old.py"), "tampered with\n").unwrap();
    let refused = ground.expect(2, "rollback --only src/old.py");
    assert!(refused.err.contains("is not what it was"), "{refused}");
    for from in ["snapshot", "git", "remote"] {
        if ground.at("src/old.py").exists() {
            fs::remove_file(ground.at("src/old.py")).unwrap();
        }
        let done = ground.expect(0, &format!("rollback --only src/old.py --from {from} --json")).json();
        assert_eq!(done["restored"], json!(["src/old.py"]), "{from}: {done}");
        assert_eq!(ground.read("src/old.py"), "OLD = True\n");
        assert_eq!(ground.at("src/old.py").metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(done["phases"][0]["point"], "live", "{done}");
    }
    let refused = ground.expect(2, "rollback --only command --from snapshot");
    assert!(refused.err.contains("from what is kept locally"), "{refused}");
}

// rows: RE-18
#[test]
fn where_a_pointer_leads_to_the_live_tree_a_copy_is_pointed_to() {
    let ground = Ground::new();
    ground.write(
        "switchback.toml",
        plan(&["unify"], "").replace("managed", "mechanism = \"pointer\"\nmanaged"),
    );
    ground.write("notes.txt", "first\n");
    ground.write("src/old.py", "OLD = True\n");
    ground.write("src/run.sh", "echo 1\n");
    ground.expect(0, "run");
    assert!(ground.at("src").symlink_metadata().unwrap().is_symlink());
    assert!(!ground.at("src/old.py").exists());
    ground.expect(0, "rollback --from snapshot");
    assert_eq!(ground.read("src/old.py"), "OLD = True\n");
    assert_eq!(ground.read("notes.txt"), "first\n");
    assert!(!ground.at("src/unify.py").exists());
    ground.expect(0, "run");
    assert_eq!(ground.read("notes.txt"), "first\nunify\n");
    ground.expect(0, "rollback --from remote");
    assert_eq!(ground.read("notes.txt"), "first\n");
}

// rows: RB-1
#[test]
fn a_safety_branch_is_made_before_each_phase_and_says_what_was_there() {
    let ground = project(&["unify"], "");
    let head = ground.tool("git", &["rev-parse", "HEAD"]);
    let done = ground.expect(0, "run");
    assert!(done.err.contains("safety branch `switchback/before-unify-"), "{done}");
    let branch = ground.tool("git", &["branch", "--list", "switchback/*", "--format=%(refname:short)"]);
    let branch = branch.trim();
    assert_eq!(ground.tool("git", &["rev-parse", &format!("{branch}^")]), head);
    assert_eq!(
        ground.tool("git", &["cat-file", "blob", &format!("{branch}:notes.txt")]),
        "first\r\nsecond\n"
    );
    ground.tool("git", &["fsck", "--strict"]);
    // A branch that somebody deleted is named, and nothing is touched.
    ground.tool("git", &["branch", "-D", branch]);
    ground.tool("git", &["reflog", "expire", "--expire=now", "--all"]);
    ground.tool("git", &["gc", "-q", "--prune=now"]);
    let before = managed(&ground);
    let refused = ground.expect(2, "rollback --from git");
    assert!(
        refused.err.contains("cannot be restored from") && refused.err.contains("--from snapshot"),
        "{refused}"
    );
    assert_eq!(managed(&ground), before);
    ground.expect(0, "rollback");
    // Who wants none gets none.
    let ground = project(&["unify"], "git = false\n");
    ground.expect(0, "run");
    assert_eq!(ground.tool("git", &["branch", "--list", "switchback/*"]), "");
    let refused = ground.expect(2, "rollback --from git");
    assert!(refused.err.contains("no safety branch"), "{refused}");
}

// rows: RE-9
#[test]
fn the_copy_elsewhere_is_whole_verified_and_nobody_elses() {
    let ground = project(&["unify"], "");
    ground.expect(0, "run");
    let listed = ground.expect(0, "snapshot list --from remote --json").json();
    assert_eq!(listed["snapshots"], ground.expect(0, "snapshot list --json").json()["snapshots"]);
    ground.expect(0, "snapshot check --from remote");
    let names = |folder: &str| fs::read_dir(ground.at(folder)).unwrap().count();
    assert_eq!(names("../elsewhere/snapshots"), names(".switchback/snapshots/snapshots"));
    // A manifest names files: it is encrypted there.
    let record = fs::read_dir(ground.at("../elsewhere/manifests")).unwrap().next().unwrap().unwrap().path();
    let content = fs::read(&record).unwrap();
    assert!(!content.windows(6).any(|window| window == b"old.py"));
    // Damage is found there, and nothing is restored from it.
    fs::set_permissions(&record, fs::Permissions::from_mode(0o600)).unwrap();
    let mut damaged = content.clone();
    damaged[40] ^= 1;
    fs::write(&record, damaged).unwrap();
    let live = managed(&ground);
    ground.expect(1, "snapshot check --from remote");
    let refused = ground.expect(2, "rollback --from remote");
    assert!(refused.err.contains("is damaged"), "{refused}");
    assert_eq!(managed(&ground), live);
    fs::write(&record, content).unwrap();
    let packs = scan(&RealDisk, &ground.at("../elsewhere"), &["data".into()]).unwrap();
    let pack = packs.entries.iter().find(|entry| entry.mode == 0o400).unwrap();
    let pack = ground.at("../elsewhere").join(&pack.path);
    fs::remove_file(&pack).unwrap();
    ground.expect(1, "snapshot check --from remote");
    ground.expect(2, "rollback --from remote");
    assert_eq!(managed(&ground), live);
    // What is missing there is sent again with the next snapshot.
    ground.write("notes.txt", "by hand\n");
    ground.expect(0, "snapshot create");
    ground.expect(0, "snapshot check --from remote");
    // A folder that holds another repository is left alone.
    let other = project(&["unify"], "");
    other.write(
        "switchback.toml",
        plan(&["unify"], "").replace("../elsewhere", &ground.at("../elsewhere").display().to_string()),
    );
    let refused = other.expect(2, "run");
    assert!(refused.err.contains("another repository is there"), "{refused}");
}

// rows: RB-1
#[test]
fn the_password_is_in_a_file_or_said_by_a_command_and_never_shown() {
    let ground = project(&["unify"], "password_command = \"cat ../key-from-somewhere\"\n");
    let refused = ground.expect(2, "run");
    assert!(refused.err.contains("`password_command` failed: exit code 1"), "{refused}");
    ground.write("../key-from-somewhere", "correct horse\n");
    ground.expect(0, "run");
    ground.expect(0, "rollback --from remote");
    let told = format!("{}{}", ground.expect(0, "log").out, ground.expect(0, "report --format markdown").out);
    assert!(!told.contains("correct horse"), "{told}");
    assert!(!ground.at(".switchback/snapshots.password").exists());
    assert!(!ground.at(".switchback/snapshots.password.master-key").exists());
    ground.write("../key-from-somewhere", "another\n");
    let refused = ground.expect(2, "snapshot check");
    assert!(!refused.err.contains("another\n"), "{refused}");
    // A file of the user's is used as it is, and must be his alone.
    let ground = project(&["unify"], "password_file = \"../secret\"\n");
    let refused = ground.expect(2, "run");
    assert!(refused.err.contains("there is no password in"), "{refused}");
    ground.write("../secret", "correct horse\n");
    let refused = ground.expect(2, "run");
    assert!(refused.err.contains("may be read by others"), "{refused}");
    fs::set_permissions(ground.at("../secret"), fs::Permissions::from_mode(0o600)).unwrap();
    ground.expect(0, "run");
    ground.expect(0, "rollback --from snapshot");
}

// rows: RE-9, RE-18
#[test]
fn needs_s3rver_a_bucket_holds_the_copy_and_gives_it_back() {
    let server = S3::start();
    let mut ground = copied_to("s3://results/shops/first");
    ground.set("AWS_ENDPOINT_URL", &server.endpoint());
    ground.set("AWS_ACCESS_KEY_ID", KEY);
    ground.set("AWS_SECRET_ACCESS_KEY", KEY);
    let live = goes_there_and_comes_back(&ground);
    ground.set("AWS_SECRET_ACCESS_KEY", "verborgen");
    ground.set("AWS_ACCESS_KEY_ID", "stranger");
    let refused = ground.expect(2, "snapshot list --from remote");
    assert!(refused.err.contains("AWS_ACCESS_KEY_ID") && !refused.err.contains("verborgen"), "{refused}");
    let refused = ground.expect(2, "run");
    assert!(!refused.err.contains("verborgen") && !refused.err.contains("Signature"), "{refused}");
    assert_eq!(managed(&ground), live);
    ground.set("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let refused = ground.expect(2, "snapshot check --from remote");
    assert!(refused.err.contains("cannot be reached"), "{refused}");
}

// rows: RE-9, RE-18
#[test]
fn needs_sshd_a_server_holds_the_copy_and_gives_it_back() {
    let server = Server::start();
    let mut ground = copied_to(&server.address("shops/first"));
    ground.set("SWITCHBACK_SSH_COMMAND", &server.ssh());
    let live = goes_there_and_comes_back(&ground);
    // Half a file, as somebody who was killed left it, is in nobody's way.
    let config = server.folder("shops/first/config");
    fs::write(config.with_file_name("config-tmp"), "half").unwrap();
    ground.expect(0, "snapshot check --from remote");
    assert_eq!(managed(&ground), live);
    what_is_missing_is_sent_again(&server);
    // A server that does not know the key, and one that is not there.
    ground.set("SWITCHBACK_SSH_COMMAND", &server.ssh_of_a_stranger());
    let refused = ground.expect(2, "snapshot list --from remote");
    assert!(refused.err.contains("Permission denied"), "{refused}");
    let address = server.address("shops/first");
    drop(server);
    let refused = ground.expect(2, "snapshot list --from remote");
    assert!(
        refused.err.contains("`127.0.0.1` cannot be reached")
            && refused.err.contains("SWITCHBACK_SSH_COMMAND"),
        "{refused}"
    );
    assert!(refused.err.contains(&address), "{refused}");
}

/// What is cut short there is found, and is sent again.
fn what_is_missing_is_sent_again(server: &Server) {
    let mut ground = copied_to(&server.address("shops/second"));
    ground.set("SWITCHBACK_SSH_COMMAND", &server.ssh());
    ground.expect(0, "run --phase one");
    let pack = largest_file(&server.folder("shops/second/data"));
    let whole = fs::read(&pack).unwrap();
    // Nobody may read it but its owner.
    assert_eq!(fs::metadata(&pack).unwrap().permissions().mode() & 0o777, 0o400);
    fs::remove_file(&pack).unwrap();
    fs::write(&pack, &whole[..whole.len() - 1]).unwrap();
    ground.expect(1, "snapshot check --from remote");
    ground.expect(0, "run --phase two");
    assert_eq!(fs::read(&pack).unwrap(), whole);
    ground.expect(0, "snapshot check --from remote");
}

/// The longest file below a folder.
fn largest_file(folder: &Path) -> PathBuf {
    let mut waiting = vec![folder.to_owned()];
    let mut found: Vec<(u64, PathBuf)> = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let about = fs::metadata(&path).unwrap();
            if about.is_dir() { waiting.push(path) } else { found.push((about.len(), path)) }
        }
    }
    found.into_iter().max().unwrap().1
}

fn copied_to(remote: &str) -> Ground {
    let ground = project(&["one", "two"], "");
    ground.write("switchback.toml", plan(&["one", "two"], "").replace("../elsewhere", remote));
    ground
}

/// Two phases go live and are taken back from the second place, the last time when nothing else is left; what is live then.
fn goes_there_and_comes_back(ground: &Ground) -> Manifest {
    // More than one page of a listing, and packs of more than one part.
    for number in 0..40_u32 {
        ground.write(&format!("src/data/{number}.bin"), number.to_le_bytes().repeat(50_000));
    }
    let mut states = vec![managed(ground)];
    for phase in ["one", "two"] {
        let done = ground.expect(0, &format!("run --phase {phase}"));
        assert!(done.err.contains("copied to the second place"), "{done}");
        states.push(managed(ground));
    }
    let listed = ground.expect(0, "snapshot list --from remote --json").json();
    assert_eq!(listed["snapshots"].as_array().unwrap().len(), 2);
    ground.expect(0, "snapshot check --from remote");
    ground.expect(0, "rollback --from remote");
    assert_eq!(managed(ground), states[1]);
    // Everything that was kept here is lost, but for the journal and the password.
    fs::remove_dir_all(ground.at(".switchback/snapshots")).unwrap();
    fs::remove_dir_all(ground.at(".switchback/snapshots-manifests")).unwrap();
    ground.expect(2, "rollback --from snapshot");
    ground.expect(0, "rollback --from remote");
    assert_eq!(managed(ground), states[0]);
    states.swap_remove(0)
}
