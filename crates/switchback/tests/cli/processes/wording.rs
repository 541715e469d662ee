//! What people read of processes before anything happens.

use crate::ground::Ground;

#[test]
fn the_plan_shows_what_would_happen_to_each_process() {
    let ground = Ground::shop("");
    ground.plan(
        "",
        "[[process]]\nname = \"api\"\nstop = \"true\"\nstart = \"true\"\nready = { command = \"true\", within_s = 5 }\n\n\
         [[process]]\nname = \"cache\"\nhandover = \"reload\"\nreload = \"true\"\n",
    );
    insta::assert_snapshot!(ground.run("plan"), @r#"
    $ switchback plan
    --- stdout
    project shop
      manages src (mirrored)
    phase unify
      change: take files from `../new`: 0 added, 0 removed, 1 changed
      no checks: nothing will be proved
      process: api: stopped before the exchange, started after it; ready within 5 s
      process: cache: told to reload after the exchange; ready when its command has ended
    cutover by exchange; old and new can be seen mixed for about [N] ms
    --- exit 0
    "#);
    let plan = ground.run("plan --json").json();
    assert_eq!(plan["processes"][1]["handover"], "reload", "{plan}");
    let status = ground.run("status");
    assert!(status.out.contains("process api: not handed over yet (stop-start)"), "{status}");
}
