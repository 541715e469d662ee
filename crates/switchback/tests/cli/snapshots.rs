//! `snapshot`: made, listed, shown, checked and restored, and what is refused.

use super::ground::Ground;

// rows: TM-1
#[test]
#[expect(clippy::too_many_lines, reason = "one story, told word by word")]
fn snapshots_are_made_listed_shown_checked_and_restored() {
    let ground = Ground::shop("[snapshot]\nalso = [\"data\"]\n");
    ground.write("data/orders.csv", "id\n1\n");
    insta::assert_snapshot!(ground.run("snapshot list"), @r#"
    $ switchback snapshot list
    --- stderr
    there is no snapshot; `switchback snapshot create` makes one
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("snapshot check"), @r#"
    $ switchback snapshot check
    --- stdout
    could not tell: 0 snapshots read
    --- stderr
    there is no snapshot; `switchback snapshot create` makes one
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run_arguments(&["snapshot", "create", "--label", "before the talk"]), @r#"
    $ switchback snapshot create --label 'before the talk'
    --- stdout
    [ID]  [TIME]  2 files  17 bytes  before the talk
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("snapshot list"), @r#"
    $ switchback snapshot list
    --- stdout
    [ID]  [TIME]  2 files  17 bytes  before the talk
    --- exit 0
    "#);
    let id = ground.run("snapshot list --json").json()["snapshots"][0]["id"].as_str().unwrap().to_owned();
    let id = &id[..12];
    insta::assert_snapshot!(ground.run(&format!("snapshot show {id}")), @r#"
    $ switchback snapshot show [ID]
    --- stdout
    [ID]  [TIME]  2 files  17 bytes  before the talk
      000755 data
      000644 data/orders.csv
      000755 src
      000644 src/app.py
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run("snapshot show ffff"), @r#"
    $ switchback snapshot show ffff
    --- stderr
    error: could not show snapshot `ffff`
      caused by: no snapshot has an id that begins with `ffff`
      caused by: candidate: `[ID]` ([TIME], before the talk)

    hint: `switchback snapshot list` shows every id
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("snapshot check"), @r#"
    $ switchback snapshot check
    --- stdout
    yes: 1 snapshots read
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.run(&format!("snapshot restore {id} --into ../restored")), @r#"
    $ switchback snapshot restore [ID] --into ../restored
    --- stdout
    [ID]  [TIME]  2 files  17 bytes  before the talk
    --- stderr
    restored into [TMP]/project/../restored
    --- exit 0
    "#);
    assert_eq!(ground.read("../restored/data/orders.csv"), "id\n1\n");
    insta::assert_snapshot!(ground.run(&format!("snapshot restore {id} --into ../restored")), @r#"
    $ switchback snapshot restore [ID] --into ../restored
    --- stderr
    error: could not restore snapshot `[ID]` into `[TMP]/project/../restored`
      caused by: `[TMP]/project/../restored` exists already

    hint: name a path that does not exist yet: a restore never writes over anything
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run(&format!("snapshot restore {id} nowhere --into ../part")), @r#"
    $ switchback snapshot restore [ID] nowhere --into ../part
    --- stderr
    error: could not restore snapshot `[ID]` into `[TMP]/project/../part`
      caused by: `nowhere` is not in the snapshot

    hint: `switchback snapshot show` lists what is in it
    --- exit 2
    "#);
    ground.expect(0, &format!("snapshot restore {id} data --into ../part"));
    assert!(!ground.at("../part/src").exists());
}

/// The ids of all snapshots, oldest first.
fn ids(ground: &Ground) -> Vec<String> {
    let listed = ground.run("snapshot list --json").json();
    let snapshots = listed["snapshots"].as_array().unwrap();
    snapshots.iter().map(|snapshot| snapshot["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn snapshots_are_compared_with_each_other_and_with_what_is_live() {
    let ground = Ground::shop("");
    ground.expect(0, "snapshot create");
    let same = ground.expect(0, &format!("snapshot diff {}", &ids(&ground)[0][..12]));
    assert!(same.out.contains("yes: 2 entries, 0 added, 0 removed, 0 changed"), "{same}");
    ground.write("src/app.py", "VERSION = 11\n");
    ground.write("src/new.py", "");
    let other = ground.expect(1, &format!("snapshot diff {}", &ids(&ground)[0][..12]));
    assert!(
        other.out.contains("  src/app.py: content\n") && other.out.contains("  src/new.py: added\n"),
        "{other}"
    );
    ground.expect(0, "snapshot create");
    let [first, second] = ids(&ground).try_into().unwrap();
    let document = ground.expect(1, &format!("snapshot diff {second} {first} --json")).json();
    assert_eq!(document["verdict"], "no");
    assert!(
        document["differences"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["path"] == "src/new.py" && one["what"] == "removed"),
        "{document:#}"
    );
}

#[test]
fn what_may_be_needed_is_not_forgotten_and_the_rest_can_still_be_restored() {
    let ground = Ground::shop("");
    ground.write("src/large.bin", "first ".repeat(200_000));
    ground.expect(0, "snapshot create");
    ground.write("src/large.bin", "second ".repeat(200_000));
    ground.expect(0, "run");
    ground.expect(0, "snapshot create");
    let [by_hand, of_phase, newest] = ids(&ground).try_into().unwrap();
    let refused = ground.expect(2, &format!("snapshot forget {of_phase}"));
    assert!(refused.err.contains("is the way back of the phase `unify`"), "{refused}");
    let refused = ground.expect(2, &format!("snapshot forget {by_hand} {newest}"));
    assert!(refused.err.contains("is the newest verified one"), "{refused}");
    assert_eq!(ids(&ground).len(), 3, "nothing is removed by halves");
    ground.expect(0, "snapshot forget --keep-last 1 --dry-run");
    assert_eq!(ids(&ground).len(), 3);
    let document = ground.expect(0, "snapshot forget --keep-last 1 --json").json();
    assert_eq!(document["forgotten"], serde_json::json!([by_hand]));
    assert!(document["freed_bytes"].as_u64().unwrap() > 0, "{document:#}");
    assert_eq!(ids(&ground), [of_phase.clone(), newest]);
    ground.expect(0, "snapshot check");
    ground.expect(0, &format!("snapshot restore {of_phase} --into ../restored"));
    assert_eq!(ground.read("../restored/src/large.bin"), "second ".repeat(200_000));
    let gone = ground.expect(2, &format!("snapshot show {by_hand}"));
    assert!(gone.err.contains("no snapshot has an id that begins with"), "{gone}");
}

#[test]
fn nothing_is_forgotten_when_what_stays_is_damaged() {
    let ground = Ground::shop("");
    for round in ["first ", "second "] {
        ground.write("src/large.bin", round.repeat(200_000));
        ground.expect(0, "snapshot create");
    }
    let [older, newest] = ids(&ground).try_into().unwrap();
    let packs = ground.tool(
        "find",
        &[
            ".switchback/snapshots/data",
            "-type",
            "f",
            "-newer",
            &format!(".switchback/snapshots/snapshots/{older}"),
        ],
    );
    assert!(!packs.trim().is_empty(), "no pack is newer");
    for pack in packs.lines() {
        ground.tool("chmod", &["u+w", pack]);
        ground.tool("truncate", &["-s", "10", pack]);
    }
    let refused = ground.expect(2, &format!("snapshot forget {older}"));
    assert!(refused.err.contains("nothing was removed: the newest snapshot"), "{refused}");
    assert_eq!(ids(&ground), [older.clone(), newest]);
    ground.expect(0, &format!("snapshot restore {older} --into ../restored"));
}

#[test]
fn snapshots_that_the_plan_does_not_keep_go_once_a_new_one_is_verified() {
    let ground = Ground::shop("");
    ground.expect(0, "snapshot create");
    ground.expect(0, "snapshot create");
    ground.write("../newer/src/app.py", "VERSION = 3\n");
    let second = "[[phase]]\nname = \"again\"\n[[phase.change]]\nkind = \"files\"\nfrom = \"../newer\"\n";
    ground.plan("", &format!("{second}\n[snapshot]\nkeep = {{ last = 1 }}\n"));
    let seen = ground.expect(0, "run --phase unify --until snapshot");
    let told = format!("{}{}", seen.out, seen.err);
    assert!(told.contains("forgot 2 older snapshots, as `keep` says: "), "{seen}");
    let [of_first] = ids(&ground).try_into().unwrap();
    // By hand, nothing goes.
    ground.expect(0, "snapshot create");
    assert_eq!(ids(&ground).len(), 2);
    ground.expect(0, "run --phase unify --until finished");
    ground.expect(0, "run --phase again --until live");
    assert_eq!(ground.read("src/app.py"), "VERSION = 3\n");
    let left = ids(&ground);
    assert!(left.len() == 2 && left[0] == of_first, "the first phase needs its own: {left:?}");
    ground.expect(0, "snapshot check");
    for keep in ["{}", "{ last = 0 }"] {
        ground.plan("", &format!("[snapshot]\nkeep = {keep}\n"));
        let seen = ground.expect(2, "plan");
        assert!(seen.err.contains("`keep` keeps nothing"), "{seen}");
    }
}
