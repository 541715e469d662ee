//! Old names that stay for a time: they work, say so, are listed for removal by a day, and after it are refused with whoever still
//! uses them.

use super::ground::Ground;

const PLAN: &str = r#"
version = 1
[project]
name = "shop"
managed = ["shop", "store", "app.py"]

[[phase]]
name = "rename"
[[phase.change]]
kind = "move"
from = "shop.cart"
to = "store.cart"
shims = { remove_after = "2027-03-31" }

[[check]]
name = "old-names"
kind = "shims"
due = "2027-03-31"
undated = "refuse"
at = ["staged", "live"]
"#;

fn shop() -> Ground {
    let ground = Ground::new();
    ground.write("shop/__init__.py", "");
    ground.write("shop/cart.py", "def add(x):\n    return x + 1\n");
    ground.write("store/__init__.py", "");
    ground.write("app.py", "import shop.cart\nprint(shop.cart.add(1))\n");
    ground.write("switchback.toml", PLAN);
    ground
}

/// What the check says of what is live.
fn live_summary(ground: &Ground, code: i32) -> String {
    let document = ground.expect(code, "check old-names --at live --json").json();
    let checks = document["checks"].as_array().unwrap();
    let live = checks.iter().find(|check| check["name"] == "old-names" && check["at"] == "live").unwrap();
    live["summary"].as_str().unwrap().to_owned()
}

// rows: PC-11, OM-6
#[test]
fn needs_python3_an_old_name_works_warns_and_is_refused_after_its_day() {
    let ground = shop();
    ground.expect(0, "run");
    // Another team's code still uses the old name, and so does its configuration.
    ground.write("reports/monthly.py", "from shop.cart import add\nprint(add(41))\n");
    ground.write("reports/handlers.yml", "total: shop.cart.add\n");
    let said = ground.tool("sh", &["-c", "python3 -B -W always -m reports.monthly 2>&1"]);
    assert!(said.contains("42"), "{said}");
    assert!(
        said.contains(
            "DeprecationWarning: shop.cart moved to store.cart; the old name goes after 2027-03-31"
        ),
        "{said}"
    );
    let today = ground.tool("date", &["-u", "+%F"]);
    assert!(ground.read("shop/cart.py").contains(&format!("since {}", today.trim())));
    let shown = ground.expect(0, "shims --due 2027-03-31").out.replace(today.trim(), "[TODAY]");
    insta::assert_snapshot!(shown, @r"
    shop/cart.py: shop.cart is store.cart since [TODAY], until 2027-03-31; used by 1 import
      reports.monthly (reports/monthly.py:1)
      reports/handlers.yml:1: total: shop.cart.add (configuration)
    yes: 1 old name, 0 due on 2027-03-31
    ");
    ground.expect(0, "check old-names --at live");

    // The day after: a test cannot wait for it, so that the shim's day is a day earlier.
    let earlier = ground.read("shop/cart.py").replace("2027-03-31", "2027-03-30");
    ground.write("shop/cart.py", earlier);
    let listed = ground.expect(1, "shims --due 2027-03-31 --json").json();
    assert_eq!(
        (listed["shims"][0]["due"].as_bool(), listed["day"].as_str()),
        (Some(true), Some("2027-03-31"))
    );
    assert_eq!(
        live_summary(&ground, 1),
        "1 old name on 2027-03-31: `shop.cart` due since 2027-03-30, used by reports.monthly \
         (reports/monthly.py:1), reports/handlers.yml:1"
    );

    // Its users follow, then it goes.
    ground.write("reports/monthly.py", "from store.cart import add\nprint(add(41))\n");
    ground.write("reports/handlers.yml", "total: store.cart.add\n");
    ground.write("reports/yearly.py", "from shop.cart import (\n");
    let summary = live_summary(&ground, 1);
    assert!(summary.ends_with("used by nobody among what could be read (1 file could not)"), "{summary}");
    std::fs::remove_file(ground.at("reports/yearly.py")).unwrap();
    let summary = live_summary(&ground, 1);
    assert!(summary.ends_with("used by nobody: it can be removed"), "{summary}");
    std::fs::remove_file(ground.at("shop/cart.py")).unwrap();
    ground.expect(0, "check old-names --at live");
    let seen = ground.expect(0, "shims --due 2027-03-31");
    assert_eq!(seen.out, "yes: 0 old names, 0 due on 2027-03-31\n");
    ground.expect(0, "imports");
}

/// Python that nobody looked at may keep an old name itself.
// rows: PC-11
#[test]
fn python_that_is_too_large_to_be_looked_at_is_no_yes() {
    let ground = shop();
    ground.expect(0, "shims --due 2027-03-31");
    let file = std::fs::File::create(ground.at("shop/large.py")).unwrap();
    file.set_len((64 << 20) + 1).unwrap();
    let seen = ground.expect(2, "shims --due 2027-03-31");
    assert!(seen.out.contains("shop/large.py: it is larger than 64 MiB; it was not looked at"), "{seen}");
    let listed = ground.expect(2, "shims --due 2027-03-31 --json").json();
    assert_eq!(listed["passed_over"][0]["path"], "shop/large.py");
}

// rows: PC-11
#[test]
fn without_a_day_it_is_looked_today() {
    let ground = shop();
    let note = |until: &str| {
        format!(
            "# switchback shim: shop.cart -> store.cart; since 2020-01-01{until}\nraise DeprecationWarning\n"
        )
    };
    let today = ground.tool("date", &["-u", "+%F"]);
    let yesterday = ground.tool("date", &["-u", "-d", "yesterday", "+%F"]);
    // Midnight may pass meanwhile, so that the day after tomorrow stands for a day that is not over.
    let later = ground.tool("date", &["-u", "-d", "2 days", "+%F"]);
    for (until, code) in [("", 0), (later.trim(), 0), (yesterday.trim(), 1), ("2020-02-30", 2)] {
        let until = if until.is_empty() { String::new() } else { format!("; remove after {until}") };
        ground.write("shop/cart.py", note(&until));
        let seen = ground.expect(code, "shims --json").json();
        assert!(seen["day"].as_str().unwrap() >= today.trim(), "{seen}");
    }
    let seen = ground.expect(2, "shims --due 2027-02-30");
    assert!(seen.err.contains("`--due 2027-02-30` is no day"), "{seen}");
    std::fs::remove_dir_all(ground.at("shop")).unwrap();
    std::fs::remove_dir_all(ground.at("store")).unwrap();
    std::fs::remove_file(ground.at("app.py")).unwrap();
    ground.expect(2, "shims");
}

// rows: PC-11
#[test]
fn a_gate_of_the_plan_refuses_old_names_without_a_day() {
    let ground = shop();
    ground.write("switchback.toml", PLAN.replace("shims = { remove_after = \"2027-03-31\" }", "shims = {}"));
    let seen = ground.expect(1, "run --json").json();
    let found = seen["checks"].as_array().unwrap().iter().find(|check| check["name"] == "old-names").unwrap();
    assert_eq!(found["verdict"], "no", "{seen:#}");
    assert!(found["summary"].as_str().unwrap().contains("`shop.cart` has no day of its end"), "{seen:#}");
    assert!(ground.read("app.py").contains("shop.cart"), "nothing went live");
}
