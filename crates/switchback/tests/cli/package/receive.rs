//! Packages at the project that takes them: verified, newer than the last one, shown, staged, decided, and taken back.

use super::super::approvals::key_file;
use super::super::ground::{Ground, Seen};
use super::after::in_git;
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

/// A zip of one file, which is no package.
fn plain_zip(path: &str, content: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file(path, zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut writer, content.as_bytes()).unwrap();
    writer.finish().unwrap().into_inner()
}

// rows: RE-10
#[test]
fn needs_git_another_file_in_the_place_of_a_received_package_is_not_staged() {
    let maker = rehearsed("");
    create(&maker, 0, "--output ../first.zip");
    next_package(&maker, 3, "../second.zip");
    next_package(&maker, 4, "../third.zip");
    maker.expect(0, "package create --output ../bare.zip --sequence 9");
    let taker = receiver("zip");
    in_git(&taker);
    for file in ["../first.zip", "../second.zip"] {
        carry(&maker, file, &taker);
        receive(&taker, 0, file);
    }
    let read = |file: &str| std::fs::read(maker.at(file)).unwrap();
    let plan = taker.read("switchback.toml");
    let others = [
        ("older", read("../first.zip")),
        ("newer, not received", read("../third.zip")),
        ("unsigned", read("../bare.zip")),
        ("no package", plain_zip("src/app.py", "VERSION = 666\n")),
    ];
    for (name, other) in &others {
        taker.write("incoming/change.zip", other);
        for from in ["incoming/change.zip", "./incoming/change.zip", "new/../incoming/change.zip"] {
            taker.write("switchback.toml", plan.replace("incoming/change.zip", from));
            for line in ["plan", "run"] {
                let seen = taker.expect(2, line);
                let words = "is not what was received there: the package shop 2, whose file has the BLAKE3";
                assert!(seen.err.contains(words), "{name} {from}: {seen}");
                assert!(
                    seen.err.contains("`switchback package receive` takes a newer package"),
                    "{name} {from}: {seen}"
                );
            }
        }
        assert_eq!(taker.read("src/app.py"), "VERSION = 1\n", "{name}");
    }
    taker.write("switchback.toml", &plan);
    std::fs::remove_file(taker.at("incoming/change.zip")).unwrap();
    let seen = taker.expect(2, "run");
    assert!(seen.err.contains("the package shop 2, ") && seen.err.contains("nothing is there"), "{seen}");
    // What failed to be staged is no use that was made of it: it is put back.
    taker.write("incoming/change.zip", &others[0].1);
    receive(&taker, 0, "../second.zip");
    taker.expect(0, "run");
    assert_eq!(taker.read("src/app.py"), "VERSION = 3\n");
    let seen = taker.expect(0, "package commit");
    assert!(seen.out.contains("\nSwitchback-Package: shop 2 blake3:"), "{seen}");
    // Once a candidate was made of it, nothing is put there any more.
    taker.write("incoming/change.zip", &others[0].1);
    let seen = receive(&taker, 1, "../second.zip");
    assert!(seen.err.contains("and a candidate was made of it; its file is another one"), "{seen}");
}

// rows: RE-10
#[test]
fn a_package_that_came_after_the_candidate_does_not_go_live_under_its_name() {
    let maker = rehearsed("");
    create(&maker, 0, "--output ../first.zip");
    next_package(&maker, 3, "../second.zip");
    let taker = receiver("zip");
    carry(&maker, "../first.zip", &taker);
    receive(&taker, 0, "../first.zip");
    taker.expect(0, "run --until rehearsed");
    carry(&maker, "../second.zip", &taker);
    receive(&taker, 0, "../second.zip");
    let seen = taker.expect(1, "run");
    assert!(
        seen.err.contains("the candidate was not built of the package shop 2, which was received at"),
        "{seen}"
    );
    assert_eq!(taker.read("src/app.py"), "VERSION = 1\n");
    taker.expect(0, "run --restage");
    assert_eq!(taker.read("src/app.py"), "VERSION = 3\n");
    // What made a file names the package that it came in.
    let told = taker.expect(0, "log lineage src/app.py --json").json();
    let packages = &told["makings"][0]["inputs"]["packages"];
    assert_eq!((&packages[0]["package"], &packages[0]["sequence"]), (&"shop".into(), &2.into()), "{told}");
    let archive = packages[0]["archive"].as_str().unwrap();
    assert!(taker.run("log --json").out.contains(&format!("\"packages\":[\"{archive}\"]")), "{told}");
    assert_eq!(packages[1], serde_json::Value::Null, "{told}");
    let told = taker.expect(0, "log lineage src/app.py");
    assert!(told.out.contains("shop 2"), "{told}");
}

// rows: RE-17, RE-19
#[test]
fn needs_git_no_package_is_named_that_the_candidate_was_not_built_of() {
    let maker = rehearsed("");
    create(&maker, 0, "--output ../shop.zip");
    let taker = super::shop("");
    in_git(&taker);
    carry(&maker, "../shop.zip", &taker);
    receive(&taker, 0, "../shop.zip --into incoming/change.zip");
    taker.expect(0, "run");
    // Whatever the plan says later: what is live came from `../new`.
    taker.write("switchback.toml", taker.read("switchback.toml").replace("../new", "incoming/change.zip"));
    let seen = taker.expect(0, "package commit --dry-run");
    assert!(seen.out.contains("Switchback-Tree:") && !seen.out.contains("Switchback-Package:"), "{seen}");
    let seen = taker.expect(0, "package archive --json").json();
    let list = taker.read(&format!("{}/archive.json", seen["path"].as_str().unwrap()));
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["package"], serde_json::Value::Null, "{list}");
}

// rows: RE-10
#[test]
fn whoever_asks_again_is_shown_what_there_is_to_know() {
    let maker = rehearsed("");
    create(&maker, 0, "--output ../shop.zip");
    let taker = receiver("zip");
    carry(&maker, "../shop.zip", &taker);
    let first = receive(&taker, 0, "../shop.zip");
    let seen = receive(&taker, 1, "../shop.zip");
    assert!(
        seen.out.starts_with("no: not received again; it stands at incoming/change.zip: package shop 1"),
        "{seen}"
    );
    assert!(seen.err.contains("no: it was received before, at"), "{seen}");
    let shown = |seen: &Seen| seen.out.split_once('\n').unwrap().1.to_owned();
    assert_eq!(shown(&seen), shown(&first));
    let line =
        |more: &str| format!("package receive ../shop.zip --key {}{more}", key_file("ana.pub").display());
    let told = taker.expect(1, &line(" --json")).json();
    assert_eq!(told["path"], "incoming/change.zip", "{told}");
    assert_eq!(told["review"]["breaking"][0], "shop.tax.tax signature", "{told}");
    // Where another file stands there, that is not what was received.
    taker.expect(0, "run --until rehearsed");
    taker.write("incoming/change.zip", "another\n");
    let told = taker.expect(1, &line(" --json")).json();
    assert_eq!(
        (&told["path"], &told["review"]),
        (&serde_json::Value::Null, &serde_json::Value::Null),
        "{told}"
    );
}

// rows: RE-10
#[test]
fn what_a_package_brings_and_is_not_managed_here_is_not_left_behind_without_a_word() {
    let maker = super::shop("");
    for (root, limit) in [("", 1), ("../new/", 2)] {
        maker.write(&format!("{root}config/limits.toml"), format!("limit = {limit}\n"));
    }
    let managed = |ground: &Ground, paths: &str| {
        ground.write("switchback.toml", ground.read("switchback.toml").replace("managed = [\"src\"]", paths));
    };
    managed(&maker, "managed = [\"src\", \"config\"]");
    maker.expect(0, "run --until rehearsed");
    create(&maker, 0, "--output ../shop.zip");
    let taker = receiver("zip");
    carry(&maker, "../shop.zip", &taker);
    let words = "it brings `config`, which is not managed here: that would be left behind";
    let seen = receive(&taker, 1, "../shop.zip");
    assert!(seen.err.contains(words) && !taker.at("incoming/change.zip").exists(), "{seen}");
    // Whatever way it came: it is not staged.
    taker.write("incoming/change.zip", std::fs::read(maker.at("../shop.zip")).unwrap());
    let seen = taker.expect(2, "run");
    assert!(seen.err.contains(words), "{seen}");
    // Who names what is taken is asked no more, and told all the same.
    let plan = taker.read("switchback.toml");
    let from = "from = \"incoming/change.zip\"\n";
    taker.write("switchback.toml", plan.replace(from, &format!("{from}paths = [\"src\"]\n")));
    let seen = receive(&taker, 0, "../shop.zip");
    assert!(seen.out.contains("\n  in it, and not taken here: config\n"), "{seen}");
    let told = taker
        .expect(1, &format!("package receive ../shop.zip --json --key {}", key_file("ana.pub").display()))
        .json();
    assert_eq!(told["review"]["not_taken"], serde_json::json!(["config"]), "{told}");
    taker.expect(0, "run");
    assert_eq!(taker.read("src/app.py"), "VERSION = 2\n");
    assert!(!taker.at("config").exists());
    // Managed here as well, it comes as a whole.
    let other = receiver("zip");
    other.write("config/limits.toml", "limit = 1\n");
    managed(&other, "managed = [\"src\", \"config\"]");
    carry(&maker, "../shop.zip", &other);
    receive(&other, 0, "../shop.zip");
    other.expect(0, "run");
    assert_eq!(other.read("config/limits.toml"), "limit = 2\n");
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
    assert!(seen.err.contains("is not what was received there: the package shop 1"), "{seen}");
    // Where none was received, its own manifest speaks.
    let damaged = std::fs::read(taker.at("incoming/change.zip")).unwrap();
    taker.write("other/change.zip", damaged);
    let plan = taker.read("switchback.toml");
    taker.write("switchback.toml", plan.replace("incoming/change.zip", "other/change.zip"));
    let seen = taker.expect(2, "run");
    assert!(seen.err.contains("`src/app.py` in it is not what its manifest says"), "{seen}");
    taker.write("switchback.toml", plan);
    assert_eq!(taker.read("src/app.py"), "VERSION = 1\n");
    // Managed paths that it does not bring are not taken for ones that are gone.
    taker.write("incoming/change.zip", std::fs::read(taker.at("../shop.zip")).unwrap());
    taker.write("more/x.py", "x = 1\n");
    taker.write("switchback.toml", taker.read("switchback.toml").replace("[\"src\"]", "[\"src\", \"more\"]"));
    let seen = taker.expect(2, "run");
    assert!(seen.err.contains("it does not bring `more`, which is managed here"), "{seen}");
}
