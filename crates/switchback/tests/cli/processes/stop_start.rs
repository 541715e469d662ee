//! Stopped before, started after; and told to reload.

use super::service::Shop;
use super::{STOP, stop_start};

// rows: RB-9
#[test]
fn needs_python3_a_service_is_stopped_and_started_around_cutover_and_rollback() {
    let shop = Shop::new();
    shop.begin(&shop.start());
    shop.plan(&stop_start(shop.port, STOP, &shop.start(), "pid_file = \"run/api.pid\""));
    let before = shop.ground.read("run/api.pid");
    let seen = shop.ground.expect(0, "run --until live");
    assert!(seen.err.contains("process api: started, ready after "), "{seen}");
    assert!(seen.err.contains(" ms; down for "), "{seen}");
    assert_eq!(shop.said("/loaded"), "new new");
    assert_ne!(shop.ground.read("run/api.pid"), before);
    let around = ["hand-over-started", "process-stopped", "cut-over-started", "cut-over", "process-started"];
    assert_eq!(shop.events(), [&around[..], &["process-checked"]].concat());

    let status = shop.ground.run("status --json").json();
    let process = &status["processes"][0];
    assert_eq!(process["state"], "works", "{process}");
    assert_eq!(process["verdict"], "yes", "{process}");
    assert_eq!(process["generation"], 1);
    assert!(process["down_milliseconds"].as_u64().unwrap() > 0, "{process}");
    let would = shop.ground.expect(0, "rollback --dry-run");
    assert!(would.out.contains("process api: stopped before the exchange, started after it"), "{would}");
    assert_eq!(shop.said("/loaded"), "new new");

    let back = shop.ground.expect(0, "rollback");
    assert!(back.out.contains("  yes: process api: started, ready after "), "{back}");
    assert_eq!(shop.said("/loaded"), "old old");
    let events = shop.events();
    let back = ["hand-over-started", "process-stopped", "roll-back-started", "process-started"];
    assert_eq!(events[6..10], back, "{events:?}");
    let report = shop.ground.expect(0, "report --format markdown");
    assert!(report.out.contains("## Processes"), "{report}");
    assert!(report.out.contains("works on generation 0"), "{report}");
    drop(shop.ground.expect(0, "log verify"));
}

// rows: RB-9
#[test]
fn needs_python3_a_part_that_comes_back_has_its_service_started_anew() {
    let shop = Shop::new();
    shop.begin(&shop.start());
    shop.plan(&stop_start(shop.port, STOP, &shop.start(), ""));
    shop.ground.expect(0, "run --until live");
    let before = shop.ground.read("run/api.pid");
    let back = shop.ground.run("rollback --only src/one.txt --json");
    assert_eq!(back.code, 0, "{back}");
    assert_eq!(back.json()["handed_over"][0]["verdict"], "yes", "{back}");
    assert_eq!(shop.said("/loaded"), "old new");
    assert_ne!(shop.ground.read("run/api.pid"), before);
}

// rows: RB-9
#[test]
fn needs_python3_a_service_that_can_reload_keeps_its_process() {
    let shop = Shop::new();
    shop.begin(&shop.start());
    shop.plan(&format!(
        "[[process]]\nname = \"api\"\nhandover = \"reload\"\nreload = \"kill -HUP $(cat run/api.pid)\"\n\
         ready = {{ command = \"sleep 0.2; python3 -c 'import urllib.request as r; \
         r.urlopen(\\\"http://127.0.0.1:{}/loaded\\\")'\" }}\npid_file = \"run/api.pid\"\n",
        shop.port
    ));
    let before = shop.ground.read("run/api.pid");
    let seen = shop.ground.expect(0, "run --until live");
    assert!(seen.err.contains("process api: reloaded, ready after "), "{seen}");
    assert_eq!(shop.said("/loaded"), "new new");
    shop.ground.expect(0, "rollback");
    assert_eq!(shop.said("/loaded"), "old old");
    assert_eq!(shop.ground.read("run/api.pid"), before);
}
