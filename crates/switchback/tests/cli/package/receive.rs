//! Packages at the project that takes them: verified, newer than the last one, shown, staged, decided, and taken back.

use super::super::approvals::key_file;
use super::super::ground::{Ground, Seen};
use super::{create, rehearsed, said};

/// The project that takes them: another copy of what the change was made from.
pub(super) fn receiver(form: &str) -> Ground {
    let ground = super::shop("");
    let plan = ground.read("switchback.toml").replace("../new", &format!("incoming/change.{form}"));
    ground.write("switchback.toml", plan);
    std::fs::remove_dir_all(ground.at("../new")).unwrap();
    ground
}

/// Brings a file from one to the other.
pub(super) fn carry(from: &Ground, file: &str, to: &Ground) {
    to.write(file, std::fs::read(from.at(file)).unwrap());
}

pub(super) fn receive(ground: &Ground, code: i32, file: &str) -> Seen {
    ground.expect(code, &format!("package receive {file} --key {}", key_file("ana.pub").display()))
}

/// Another candidate, so that there is another package.
fn next_package(maker: &Ground, version: u32, file: &str) {
    maker.write("../new/src/app.py", format!("VERSION = {version}\n"));
    maker.expect(0, "run --until rehearsed --restage");
    create(maker, 0, &format!("--output {file}"));
}

// rows: RE-10
#[test]
fn a_package_is_received_shown_decided_live_and_taken_back() {
    for form in ["zip", "tar.zst"] {
        let maker = rehearsed("");
        let file = format!("../shop.{form}");
        create(&maker, 0, &format!("--format {form} --output {file}"));
        let taker = receiver(form);
        carry(&maker, &file, &taker);
        let seen = receive(&taker, 0, &file);
        if form == "zip" {
            insta::assert_snapshot!(said(&seen), @r#"
            $ switchback package receive ../shop.zip --key [ANA]
            --- stdout
            yes: received as incoming/change.zip: package shop 1 of phase unify of shop, of [TIME]: 16 files, [N] bytes
              signed by SHA256:EGxd4OZcxRAYcfODAIoVONSd4wB3+yts2w+l4HiyS20
              what is live here is what it was made from
              breaks: shop.tax.tax signature
              new dependency: src/requirements.txt: pandas==2.2.0
              to be looked at: the public surface has 1 breaking change
              to be looked at: documents name what moved, is gone or changed, at 2 places: see the change log

            # shop: the phase unify

            ## How it was made

            - take files from `../new`

            ## Modules moved

            - `shop.cart` is `store.cart`

            ## Public surface

            - `app.VERSION` value: `value = 1` → `value = 2`
            - **breaking**: `shop.tax.tax` signature: `(net, rate=RATE)` → `(net)`
            - `store` added: `module`

            ## Dependencies

            - `src/requirements.txt`: new `pandas==2.2.0`

            ## Configuration

            - `src/settings.toml`

            ## Files moved

            - `src/shop/cart.py` to `src/store/cart.py`

            ## Files added

            - `src/store/__init__.py`

            ## Files removed

            None.

            ## Files changed

            - `src/app.py`
            - `src/requirements.txt`
            - `src/settings.toml`
            - `src/shop/tax.py`

            ## Documents that name what moved, is gone or changed

            - `README.md:3` names `shop.cart`
            - `README.md:3` names `src/shop/cart.py`
            --- stderr

            next: `switchback run` stages, checks and rehearses it; `switchback approve` or `switchback reject` decides
            --- exit 0
            "#);
        }
        let plan = taker.expect(0, "plan");
        assert!(
            plan.out.contains(&format!("take files from `incoming/change.{form}`: 1 added"))
                || plan.out.contains("added"),
            "{plan}"
        );
        taker.expect(0, "run");
        for path in ["src/app.py", "src/store/cart.py", "src/shop/tax.py", "src/requirements.txt"] {
            assert_eq!(taker.read(path), maker.read(&format!("../new/{path}")), "{form} {path}");
        }
        assert!(!taker.at("src/shop/cart.py").exists(), "{form}");
        taker.expect(0, "rollback");
        assert_eq!(taker.read("src/app.py"), "VERSION = 1\n");
        assert!(taker.at("src/shop/cart.py").exists());
    }
}

// rows: RE-10
#[test]
fn a_package_that_is_older_repeated_or_of_somebody_else_is_refused_by_name() {
    let maker = rehearsed("");
    create(&maker, 0, "--output ../first.zip");
    next_package(&maker, 3, "../second.zip");
    let taker = receiver("zip");
    for file in ["../first.zip", "../second.zip"] {
        carry(&maker, file, &taker);
    }
    receive(&taker, 0, "../second.zip");
    let kept = std::fs::read(taker.at("incoming/change.zip")).unwrap();
    let seen = receive(&taker, 1, "../first.zip");
    assert!(seen.err.contains("no: it is number 1, and number 2 was received at"), "{seen}");
    let seen = receive(&taker, 1, "../second.zip");
    assert!(seen.err.contains("no: it was received before, at"), "{seen}");
    // Another one under the number of one that was received.
    next_package(&maker, 4, "../third.zip");
    create(&maker, 0, "--sequence 2 --output ../same.zip");
    carry(&maker, "../same.zip", &taker);
    let seen = receive(&taker, 1, "../same.zip");
    assert!(seen.err.contains("no: another package of the number 2 was received at"), "{seen}");
    // Another key, no key, another name.
    maker.expect(
        0,
        &format!("package create --key {} --output ../bo.zip --sequence 9", key_file("bo").display()),
    );
    carry(&maker, "../bo.zip", &taker);
    let seen = receive(&taker, 1, "../bo.zip");
    assert!(
        seen.err.contains("it is signed by another key: SHA256:tVk88Np2bY6UTavAwWYk9imZ27iq3bW8716PLpJA2z4"),
        "{seen}"
    );
    maker.expect(0, "package create --output ../bare.zip --sequence 10");
    carry(&maker, "../bare.zip", &taker);
    let seen = receive(&taker, 2, "../bare.zip");
    assert!(seen.err.contains("nobody signed it"), "{seen}");
    assert_eq!(std::fs::read(taker.at("incoming/change.zip")).unwrap(), kept);
    assert_eq!(std::fs::read_dir(taker.at("incoming")).unwrap().count(), 1);
    assert_eq!(taker.run("log --json").out.matches("\"received\"").count(), 1);
    // Whoever was killed between the record and the file goes on.
    std::fs::remove_file(taker.at("incoming/change.zip")).unwrap();
    receive(&taker, 0, "../second.zip");
    assert_eq!(std::fs::read(taker.at("incoming/change.zip")).unwrap(), kept);
    // The next one is taken, in the place of the last one.
    carry(&maker, "../third.zip", &taker);
    receive(&taker, 0, "../third.zip");
    let strange = Ground::shop("[package]\nname = \"other\"\n");
    strange.write("switchback.toml", strange.read("switchback.toml").replace("../new", "change.zip"));
    carry(&maker, "../first.zip", &strange);
    let seen = receive(&strange, 1, "../first.zip");
    assert!(seen.err.contains("it is a package `shop`, and this project takes `other`"), "{seen}");
}

#[test]
fn a_draft_is_taken_only_where_that_is_asked_for() {
    let maker = super::shop("[package]\nnotes = \"CHANGES.md\"\nsections = [\"Summary\"]\n");
    maker.expect(0, "run --until rehearsed");
    create(&maker, 1, "--draft --output ../draft.zip");
    let taker = receiver("zip");
    carry(&maker, "../draft.zip", &taker);
    let seen = receive(&taker, 1, "../draft.zip");
    assert!(seen.err.contains("its readiness report says that it may not go"), "{seen}");
    let seen = receive(&taker, 0, "../draft.zip --draft");
    assert!(seen.out.contains("it may not go: the change log lacks the section `Summary`"), "{seen}");
}

#[test]
fn a_package_goes_only_to_a_place_of_the_project_that_is_not_managed() {
    let maker = rehearsed("");
    create(&maker, 0, "--output ../shop.zip");
    let taker = super::shop("");
    carry(&maker, "../shop.zip", &taker);
    let seen = receive(&taker, 2, "../shop.zip");
    assert!(seen.err.contains("no phase of the plan takes its candidate from an archive"), "{seen}");
    for (into, words) in [
        ("src/change.zip", "that is managed"),
        ("../change.zip", "leads out of the project"),
        (".switchback/change.zip", "kept for the state"),
        ("/tmp/change.zip", "outside of the project"),
    ] {
        let seen = receive(&taker, 2, &format!("../shop.zip --into {into}"));
        assert!(seen.err.contains(words), "{into}: {seen}");
    }
    taker.write("mine.zip", "mine\n");
    let seen = receive(&taker, 1, "../shop.zip --into mine.zip");
    assert!(seen.err.contains("is there, and is no package"), "{seen}");
    assert_eq!(taker.read("mine.zip"), "mine\n");
    receive(&taker, 0, "../shop.zip --into in/change.zip");
}

/// What was received and changed afterwards is not staged.
#[test]
fn a_received_package_that_is_changed_is_not_staged() {
    let maker = rehearsed("");
    create(&maker, 0, "--output ../shop.zip");
    let taker = receiver("zip");
    carry(&maker, "../shop.zip", &taker);
    receive(&taker, 0, "../shop.zip");
    let script = "import zipfile; a = zipfile.ZipFile('../shop.zip'); b = zipfile.ZipFile('incoming/change.zip', 'w');\
                  [b.writestr(i, b'VERSION = 666\\n' if i.filename == 'tree/src/app.py' else a.read(i)) for i in a.infolist()]; b.close()";
    taker.tool("python3", &["-c", script]);
    let seen = taker.expect(2, "run");
    assert!(seen.err.contains("`src/app.py` in it is not what its manifest says"), "{seen}");
    assert_eq!(taker.read("src/app.py"), "VERSION = 1\n");
    // Managed paths that it does not bring are not taken for ones that are gone.
    taker.write("incoming/change.zip", std::fs::read(taker.at("../shop.zip")).unwrap());
    taker.write("more/x.py", "x = 1\n");
    taker.write("switchback.toml", taker.read("switchback.toml").replace("[\"src\"]", "[\"src\", \"more\"]"));
    let seen = taker.expect(2, "run");
    assert!(seen.err.contains("it does not bring `more`, which is managed here"), "{seen}");
}
