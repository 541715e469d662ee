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
