//! Handed over without a pause: under a fixed load, no request fails, and each answer is wholly old or wholly new.

use std::time::Duration;

use super::service::{Answers, Load, Shop, version};

/// The instances of a service that inherits its listening socket, each with a process id of its own.
const PROCESS: &str = r#"[[process]]
name = "api"
handover = "parallel"
start = "python3 serve.py run/hold.sock & echo $! > run/api.$SWITCHBACK_GENERATION.pid"
stop = "sh stop.sh run/api.$SWITCHBACK_GENERATION.pid"
ready = { http = "http://127.0.0.1:PORT/health", contains = "generation {generation}.", within_s = 30 }
pid_file = "run/api.{generation}.pid"
"#;

fn served() -> Shop {
    let shop = Shop::new();
    shop.plan(&PROCESS.replace("PORT", &shop.port.to_string()));
    shop.begin(&format!(
        "python3 hold.py {} run/hold.sock & echo $! > run/hold.pid; \
         while [ ! -e run/hold.sock ]; do sleep 0.02; done; \
         SWITCHBACK_GENERATION=0 python3 serve.py run/hold.sock & echo $! > run/api.0.pid",
        shop.port
    ));
    shop
}

#[expect(clippy::print_stdout, reason = "the counts are what the test is for")]
fn told(what: &str, answers: &Answers) {
    let Answers { old, new, mixed, failed, slowest, lasted } = answers;
    let all = answers.all();
    let rate = f64::from(u32::try_from(all).unwrap()) / lasted.as_secs_f64();
    println!(
        "{what}: {all} requests in {:.1} s ({rate:.0}/s): {old} wholly old, {new} wholly new, {} mixed, {} failed; slowest {} ms",
        lasted.as_secs_f64(),
        mixed.len(),
        failed.len(),
        slowest.as_millis()
    );
    assert_eq!((mixed.as_slice(), failed.as_slice()), (&[][..], &[][..]));
    assert!(*old > 0 && *new > 0 && all > 200, "{answers:?}");
}

// rows: PC-7
#[test]
fn needs_python3_no_request_is_lost_through_cutover_and_rollback() {
    let shop = served();
    shop.ground.expect(0, "run --until approved");
    let load = Load::begin(shop.port, 200);
    std::thread::sleep(Duration::from_millis(500));
    shop.ground.expect(0, "run --until live");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(shop.ask("/tree").unwrap(), "new new generation 1.");
    assert!(!shop.ground.at("run/api.0.pid").exists(), "the old instance was drained");
    told("cutover", &load.end());

    let load = Load::begin(shop.port, 200);
    std::thread::sleep(Duration::from_millis(500));
    shop.ground.expect(0, "rollback");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(shop.ask("/tree").unwrap(), "old old generation 0.");
    assert!(!shop.ground.at("run/api.1.pid").exists(), "the new instance was drained");
    told("rollback", &load.end());
    let steps = ["hand-over-started", "cut-over-started", "cut-over", "process-started", "process-stopped"];
    assert_eq!(shop.events()[..5], steps);
}

#[test]
fn needs_python3_a_new_instance_that_does_not_start_costs_no_request() {
    let shop = served();
    version(&shop.ground, "../new/src", "broken");
    let plan = shop.ground.read("switchback.toml").replace("within_s = 30", "within_s = 8");
    shop.ground.write("switchback.toml", plan);
    shop.ground.expect(0, "run --until approved");
    let load = Load::begin(shop.port, 50);
    let seen = shop.ground.expect(1, "run");
    assert!(seen.err.contains("its answer does not contain `generation 1.`"), "{seen}");
    let answers = load.end();
    // What is read from the tree while the broken one was live is wholly that: the old instance went on working.
    assert!(answers.failed.is_empty(), "{answers:?}");
    assert!(answers.mixed.iter().all(|said| said == "broken broken generation 0."), "{answers:?}");
    assert_eq!(shop.ask("/tree").unwrap(), "old old generation 0.");
    let status = shop.ground.run("status --json").json();
    assert_eq!(status["processes"][0]["generation"], 0, "{status}");
}

#[test]
fn needs_python3_killed_between_two_instances_the_next_command_drains_the_old_one() {
    let shop = served();
    let plan = shop.ground.read("switchback.toml");
    let die = "if [ -e run/die ]; then rm run/die; kill -9 $PPID; sleep 5; fi; ";
    shop.ground.write("switchback.toml", plan.replace("stop = \"", &format!("stop = \"{die}")));
    shop.ground.expect(0, "run --until approved");
    shop.ground.write("run/die", "");
    let load = Load::begin(shop.port, 100);
    assert_eq!(shop.ground.run("run --until live").code, -1);
    shop.ground.run("status");
    let answers = load.end();
    assert_eq!((answers.mixed.len(), answers.failed.len()), (0, 0), "{answers:?}");
    assert!(!shop.ground.at("run/api.0.pid").exists(), "the old instance was drained");
    for _ in 0..20 {
        assert_eq!(shop.ask("/tree").unwrap(), "new new generation 1.");
    }
}
