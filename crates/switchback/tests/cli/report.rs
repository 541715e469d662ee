//! `report`: what a risk committee reads of a run, in each of its formats, whatever the run came to.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;

use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use serde_json::{Value, json};

use super::ground::{APPROVE, Ground, THERE, answering};

/// A document that was read by an XML reader: what is in it, in order.
struct Xml {
    elements: Vec<(String, BTreeMap<String, String>)>,
    text: String,
}

impl Xml {
    /// Reads the whole document; whatever is not well-formed ends the test.
    fn read(document: &str) -> Self {
        let mut reader = Reader::from_str(document);
        let config = reader.config_mut();
        config.check_end_names = true;
        config.allow_unmatched_ends = false;
        config.check_comments = true;
        let (mut elements, mut text, mut depth) = (Vec::new(), String::new(), 0_i32);
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) => {
                    depth += 1;
                    elements.push(element(&start));
                }
                Event::Empty(start) => elements.push(element(&start)),
                Event::End(_) => depth -= 1,
                Event::Text(part) => text.push_str(&part.xml10_content()),
                Event::GeneralRef(name) => match name.resolve_char_ref().unwrap() {
                    Some(character) => text.push(character),
                    None => text.push_str(quick_xml::escape::resolve_predefined_entity(&name).unwrap()),
                },
                Event::Eof => break,
                Event::Decl(_) | Event::DocType(_) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(depth, 0, "an element is not closed");
        Self { elements, text }
    }

    fn named<'x>(&'x self, name: &'x str) -> impl Iterator<Item = &'x BTreeMap<String, String>> {
        self.elements.iter().filter(move |(found, _)| found == name).map(|(_, attributes)| attributes)
    }

    fn count(&self, name: &str) -> usize {
        self.named(name).count()
    }
}

fn element(start: &quick_xml::events::BytesStart<'_>) -> (String, BTreeMap<String, String>) {
    let attribute = |attribute: quick_xml::events::attributes::Attribute<'_>| {
        let name = attribute.key.as_ref().to_owned();
        (name, attribute.normalized_value(XmlVersion::Implicit1_0).unwrap().into_owned())
    };
    let name = start.name().as_ref().to_owned();
    (name, start.attributes().map(|found| attribute(found.unwrap())).collect())
}

/// The HTML report, read, with everything that holds for each of them.
fn html(ground: &Ground) -> Xml {
    let page = ground.expect(0, "report").out;
    let head = "<!DOCTYPE html>\n<html lang=\"en\">";
    assert!(page.starts_with(head), "{}", &page[..80]);
    let page = Xml::read(&page);
    assert_eq!((page.count("h1"), page.count("title"), page.count("main")), (1, 1, 1));
    for fetching in ["script", "img", "iframe", "object", "embed", "form", "input", "base", "audio", "video"]
    {
        assert_eq!(page.count(fetching), 0, "{fetching}");
    }
    for (name, attributes) in &page.elements {
        assert!(
            !attributes.keys().any(|key| key.starts_with("on") || key == "src"),
            "{name}: {attributes:?}"
        );
        let target = attributes.get("href").map_or("#", String::as_str);
        assert!(target.starts_with('#') || target == "data:,", "{name}: {target}");
    }
    assert!(page.named("th").all(|attributes| attributes.contains_key("scope")));
    let identities: Vec<&String> =
        page.elements.iter().filter_map(|(_, attributes)| attributes.get("id")).collect();
    for link in page.named("a") {
        let wanted = link["href"].trim_start_matches('#');
        assert_eq!(identities.iter().filter(|known| **known == wanted).count(), 1, "{wanted}");
    }
    page
}

fn document(ground: &Ground) -> Value {
    let seen = ground.expect(0, "report --json");
    assert!(seen.out.starts_with("{\n  \"schema\": \"switchback/report/1\",\n  \"verdict\": "), "{seen}");
    let value: Value = serde_json::from_str(&seen.out).unwrap();
    assert_eq!(ground.expect(0, "report --format json").out.lines().count(), seen.out.lines().count());
    value
}

/// The JUnit report: its suites, and how each case ended.
fn junit(ground: &Ground) -> (Xml, Vec<(String, String)>) {
    let xml = Xml::read(&ground.expect(0, "report --format junit").out);
    let mut cases: Vec<(String, String)> = Vec::new();
    for (name, attributes) in &xml.elements {
        match name.as_str() {
            "testcase" => cases.push((attributes["name"].clone(), "passed".to_owned())),
            "failure" | "error" | "skipped" => cases.last_mut().unwrap().1.clone_from(name),
            _ => {}
        }
    }
    let whole = xml.named("testsuites").next().unwrap().clone();
    for (counted, element) in
        [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
    {
        assert_eq!(whole[counted], xml.count(element).to_string(), "{counted}");
        let sum: usize = xml.named("testsuite").map(|suite| suite[counted].parse::<usize>().unwrap()).sum();
        assert_eq!(sum.to_string(), whole[counted], "{counted}");
    }
    (xml, cases)
}

fn markdown(ground: &Ground) -> String {
    ground.expect(0, "report --format markdown").out
}

// rows: RE-6
#[test]
fn a_finished_run_is_reported_with_what_changed_what_proved_it_and_how_to_undo_it() {
    let ground = Ground::shop("");
    ground.plan(APPROVE, &format!("{THERE}at = [\"before\", \"staged\", \"live\"]\n"));
    ground.write("../new/src/more.py", "MORE = 1\n");
    ground.expect(1, "run");
    ground.expect(1, "approve unify --role risk");
    ground.expect(0, "approve unify --role tech-lead");
    ground.expect(0, "run");
    let report = document(&ground);
    assert_eq!(report["verdict"], "yes");
    assert_eq!((&report["checked"], &report["live"]["generation"]), (&json!(true), &json!(1)));
    assert_eq!(report["undo"]["command"], "switchback rollback");
    assert_eq!(report["undo"]["to_generation"], 0);
    assert_eq!(report["undo"]["paths"], json!(["src"]));
    let phase = &report["phases"][0];
    assert_eq!((&phase["name"], &phase["point"]), (&json!("unify"), &json!("finished")));
    let files = &phase["candidate"]["files"];
    assert_eq!(files["added"], json!({"total": 1, "names": ["src/more.py"]}));
    assert_eq!(files["changed"], json!({"total": 1, "names": ["src/app.py"]}));
    assert_eq!(files["removed"]["total"], 0);
    let checks: Vec<(&str, &str)> = phase["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["at"].as_str().unwrap(), check["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(checks, [("before", "yes"), ("staged", "yes"), ("live", "yes")]);
    let staged = &phase["checks"][1];
    assert_eq!(staged["summary"], "1 path that must be there is");
    let tree = phase["candidate"]["new_tree"].as_str().unwrap().trim_start_matches("blake3:");
    assert_eq!(staged["binding"]["new_tree"], tree);
    assert_eq!(staged["evidence_fault"], Value::Null);
    let rehearsal = &phase["rehearsal"];
    assert_eq!((&rehearsal["verdict"], &rehearsal["at"]), (&json!("yes"), &json!("rehearsed")));
    assert!(rehearsal["summary"].as_str().unwrap().starts_with("in and out again on a copy"), "{rehearsal}");
    assert_eq!(rehearsal["binding"]["new_tree"], tree);
    let approvals = phase["approvals"].as_array().unwrap();
    assert_eq!((&approvals[0]["role"], &approvals[1]["role"]), (&json!("risk"), &json!("tech-lead")));
    assert!(approvals.iter().all(|approval| approval["counts"] == true), "{approvals:?}");
    let parts: Vec<&str> = report["parts"]["listed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["what"].as_str().unwrap())
        .collect();
    for part in ["snapshot", "build of the candidate", "check there at staged", "rehearsal", "cutover"] {
        assert!(parts.contains(&part), "{part}: {parts:?}");
    }
    let verified = ground.expect(0, "log verify --json").json();
    assert_eq!(report["chain"]["head"], format!("blake3:{}", verified["head"].as_str().unwrap()));
    assert_eq!(report["chain"]["events"], verified["events"]);

    let evidence = staged["evidence"].as_str().unwrap().trim_start_matches("blake3:").to_owned();
    let head = verified["head"].as_str().unwrap();
    let page = html(&ground);
    for said in ["yes", "src/more.py", "switchback rollback", &evidence, head, "approved", "every check held"]
    {
        assert!(page.text.contains(said), "{said}");
        assert!(markdown(&ground).contains(said), "{said}");
    }
    assert!(page.count("rect") >= 8, "the bars of the time line");
    let (_, cases) = junit(&ground);
    let names: Vec<&str> = cases.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["there", "there", "rehearsal", "there"]);
    assert!(cases.iter().all(|(_, ending)| ending == "passed"), "{cases:?}");
}

// rows: RE-6
#[test]
fn a_refused_run_names_the_cells_and_the_tests_that_speak_against_it() {
    let ground = Ground::shop(
        "[[check]]\nname = \"same\"\nkind = \"equivalence\"\nold = { tree = \"live\", path = \"src/a.csv\" }\n\
         new = { tree = \"candidate\", path = \"src/a.csv\" }\nkey = [\"id\"]\n\n\
         [[check]]\nname = \"tests\"\nkind = \"tests\"\ncommand = \"true\"\nresults = \"src/results.xml\"\n\
         at = [\"before\", \"staged\"]\n\n\
         [[check]]\nname = \"tool\"\nkind = \"command\"\ncommand = \"no-such-tool-here\"\nat = [\"staged\"]\n\n\
         [[check]]\nname = \"early\"\nkind = \"command\"\ncommand = \"exit 1\"\nat = [\"before\"]\n",
    );
    for (tree, value, failure) in [("", "1.5", ""), ("../new/", "150.0", "<failure/>")] {
        ground.write(&format!("{tree}src/a.csv"), format!("id,score\n7,{value}\n8,2.5\n"));
        let results = format!(
            "<testsuite name=\"a\"><testcase classname=\"test_a\" name=\"segment_b\">{failure}</testcase>\
             <testcase classname=\"test_a\" name=\"other\"/></testsuite>"
        );
        ground.write(&format!("{tree}src/results.xml"), results);
    }
    ground.expect(1, "run");
    let report = document(&ground);
    assert_eq!(report["verdict"], "no", "{report:#}");
    let phase = &report["phases"][0];
    let check = |name: &str, at: &str| {
        let all = phase["checks"].as_array().unwrap();
        all.iter().find(|check| check["name"] == name && check["at"] == at).unwrap().clone()
    };
    let cells = &check("same", "staged")["details"][0];
    assert_eq!(cells["title"], "values that differ");
    assert_eq!(cells["columns"], json!(["item", "row", "column", "old", "new"]));
    assert_eq!(cells["rows"], json!([["a.csv", "id = 7", "score", "1.5", "150.0"]]));
    let failed = &check("tests", "staged")["details"][0];
    assert_eq!(failed["rows"], json!([["test_a::segment_b", "failed", "passed"]]), "{failed}");
    assert_eq!(check("tool", "staged")["verdict"], "unknown");
    let reasons = phase["reasons"].to_string();
    for reason in ["`same` says no at staged", "`tests` says no at staged", "`tool` could not tell at staged"]
    {
        assert!(reasons.contains(reason), "{reason}: {reasons}");
    }
    assert_eq!(report["undo"]["possible"], false);

    let page = html(&ground);
    for said in
        ["The phase unify is refused: it did not go live.", "id = 7", "150.0", "segment_b", "could not tell"]
    {
        assert!(page.text.contains(said), "{said}");
    }
    assert!(markdown(&ground).contains("| `a.csv` | `id = 7` | `score` | `1.5` | `150.0` |"));
    let (xml, cases) = junit(&ground);
    let ended = |name: &str| {
        let found: Vec<&str> =
            cases.iter().filter(|(case, _)| case == name).map(|(_, ending)| ending.as_str()).collect();
        found
    };
    assert_eq!(ended("same"), ["failure"]);
    assert_eq!(ended("tests"), ["passed", "failure"]);
    assert_eq!(ended("tool"), ["error"]);
    assert_eq!(ended("early"), ["skipped"], "a no at before holds nothing up");
    let suites: Vec<&str> = xml.named("testsuite").map(|suite| suite["name"].as_str()).collect();
    assert_eq!(suites, ["unify before", "unify staged"]);
    assert!(xml.text.contains("a.csv\tid = 7\tscore\t1.5\t150.0"), "{}", xml.text);
}

// rows: RE-6, BX-10
#[test]
fn a_run_that_waits_says_for_whom_and_what_a_changed_plan_voids() {
    let ground = Ground::shop("");
    ground.plan(APPROVE, THERE);
    ground.expect(1, "run");
    ground.expect(1, "approve unify --role risk");
    let report = document(&ground);
    assert_eq!(report["verdict"], "unknown");
    assert_eq!(report["phases"][0]["reasons"], json!(["role `tech-lead`: 0 of 1 approvals"]));
    assert_eq!(report["phases"][0]["approvals"][0]["standing"], "it counts");
    let page = html(&ground);
    for said in ["could not tell", "The run is not over", "1 of 2 roles approved", "Nothing has gone live"] {
        assert!(page.text.contains(said), "{said}");
    }
    let plan = ground.read("switchback.toml");
    ground.write("switchback.toml", format!("{plan}#"));
    let report = document(&ground);
    assert_eq!(report["phases"][0]["checks"][0]["void"], json!(["the plan"]));
    let approval = &report["phases"][0]["approvals"][0];
    assert_eq!((&approval["counts"], &approval["approved"]), (&json!(false), &json!(true)));
    assert!(
        approval["standing"].as_str().unwrap().contains("void, because since then the plan changed"),
        "{approval}"
    );
    assert!(html(&ground).text.contains("The plan file is not the one that this run began with"));
    let ended = |name: &str, ending: &str| (name.to_owned(), ending.to_owned());
    assert_eq!(junit(&ground).1, [ended("there", "error"), ended("rehearsal", "error")]);
    ground.write("switchback.toml", plan);
    let rejected = ["reject", "unify", "--role", "tech-lead", "--why", "not before the audit"];
    ground.run_arguments(&rejected);
    let report = document(&ground);
    assert_eq!(report["verdict"], "no");
    let refusal = &report["phases"][0]["approvals"][1];
    assert_eq!((&refusal["approved"], &refusal["why"]), (&json!(false), &json!("not before the audit")));
    assert!(html(&ground).text.contains("not before the audit"));
}

// rows: RE-6
#[test]
fn a_run_that_a_trigger_rolled_back_says_when_why_and_what_is_kept() {
    let trigger = "[[trigger]]\nwhen = { check = \"answer\" }\ndo = \"roll-back\"\n";
    let ground = Ground::shop(&format!("{}\n{trigger}", answering("\"live\"")));
    ground.write("answer", "1");
    ground.expect(1, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    let report = document(&ground);
    assert_eq!((&report["verdict"], &report["phases"][0]["point"]), (&json!("no"), &json!("rolled-back")));
    let back = &report["phases"][0]["roll_backs"][0];
    assert_eq!((&back["whole"], &back["restored"]), (&json!(true), &json!(["src"])));
    assert!(back["why"].as_str().unwrap().contains("failed its trigger"), "{back}");
    assert_eq!((&report["undo"]["possible"], &report["live"]["generation"]), (&json!(false), &json!(0)));
    let page = html(&ground);
    for said in [
        "The phase unify was rolled back: its old tree is live.",
        "It was undone already",
        "failed its trigger",
    ] {
        assert!(page.text.contains(said), "{said}");
    }
    let parts = report["parts"]["listed"].to_string();
    assert!(parts.contains("\"rollback\""), "{parts}");
}

// rows: RE-6
#[test]
fn what_a_command_said_last_is_shown_of_both_streams() {
    let ground = Ground::shop(
        "[[check]]\nname = \"says\"\nkind = \"command\"\n\
         command = \"seq 1 20; echo 'warning: old' >&2; exit 1\"\nat = [\"staged\"]\n",
    );
    ground.expect(1, "run");
    let details = document(&ground)["phases"][0]["checks"][0]["details"].clone();
    let said = |stream: &str| {
        let title = format!("the last lines of the command ({stream})");
        let found = details.as_array().unwrap().iter().find(|detail| detail["title"] == title);
        found.unwrap_or_else(|| panic!("{stream}: {details}")).clone()
    };
    assert_eq!(said("stderr")["rows"], json!([["warning: old"]]));
    let out = said("stdout");
    assert_eq!(
        (&out["rows"][0], &out["rows"][11], &out["left_out"]),
        (&json!(["9"]), &json!(["20"]), &json!(8))
    );
    assert!(html(&ground).text.contains("… 8 lines before\n9\n10\n"));
}

// rows: RE-6
#[test]
fn a_run_that_was_killed_within_a_check_names_that_check() {
    // The check kills the program that carries it out, once.
    let ground = Ground::shop(
        "[[check]]\nname = \"fatal\"\nkind = \"command\"\n\
         command = \"test -e ../killed || { touch ../killed; kill -9 $PPID; sleep 1; }\"\nat = [\"live\"]\n",
    );
    ground.expect(-1, "run");
    let report = document(&ground);
    assert_eq!((&report["verdict"], &report["phases"][0]["point"]), (&json!("unknown"), &json!("live")));
    let headline =
        "The run is not over: the phase unify is live, and its check fatal began at live and has not ended.";
    assert_eq!(report["headline"], headline);
    assert_eq!(report["phases"][0]["reasons"], json!(["the check `fatal` began at live and has not ended"]));
    assert!(!html(&ground).text.contains("watch is not over"));
}

#[test]
fn names_and_words_of_others_are_never_markup() {
    let hostile = "<script>alert('x')</script>&quot;<!--]]>";
    let mut ground = Ground::shop("");
    ground.plan(
        "approve = { roles = [\"<b>risk</b>|`x`\"] }\n",
        "[[check]]\nname = \"<i onclick=x>|`check`*_\"\nkind = \"command\"\ncommand = \"cat src/said; exit 1\"\n",
    );
    ground.write("../new/src/<img src=x onerror=alert(1)>.py", "x\n");
    ground.write("../new/src/`tick` | [a](http:|evil).py", "x\n");
    ground.write("../new/src/line\nbreak\u{1b}[31m\u{202e}gpj.py", "x\n");
    ground.write("../new/src/line break", "x\n");
    ground.write("../new/src/line\nbreak", "x\n");
    let no_text = std::ffi::OsStr::from_bytes(b"no\xfftext");
    std::fs::write(ground.at("../new/src").join(no_text), "x\n").unwrap();
    ground.write("../new/src/said", format!("| {hostile} \u{1b}[2J \u{0}\u{fffe} `\n"));
    ground.write("src/said", "nothing\n");
    ground.set("USER", "<u>mallory</u>|`");
    ground.expect(1, "run");
    ground.run_arguments(&["reject", "unify", "--role", "<b>risk</b>|`x`", "--why", hostile]);
    let page = html(&ground);
    for element in ["i", "b", "u"] {
        assert_eq!(page.count(element), 0, "{element}");
    }
    for shown in
        [hostile, "<img src=x onerror=alert(1)>.py", "<u>mallory</u>", r"line\nbreak\u{1b}[31m\u{202e}gpj.py"]
    {
        assert!(page.text.contains(shown), "{shown}");
    }
    let (_, cases) = junit(&ground);
    assert_eq!(cases, [("<i onclick=x>|`check`*_".to_owned(), "failure".to_owned())]);
    let text = markdown(&ground);
    let hidden = |character: char| character.is_control() && character != '\n' || character == '\u{202e}';
    assert!(!text.contains(hidden), "a control character");
    for shown in
        ["`src/line break`", r"`src/line\nbreak`", r"`src/no\xfftext`", "role `` <b>risk</b>|`x` ``: 0 of 1"]
    {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(
        page.text.contains(r"src/line\nbreak, ") && page.text.contains(r"src/no\xfftext"),
        "{}",
        page.text
    );
    assert!(text.contains(r"\<script\>alert('x')\</script\>\&quot;\<\!--\]\]\>"), "{text}");
    // Each row of a table has as many cells as its head, whatever stands in them.
    let mut columns = 0;
    for line in text.lines() {
        let cells = line.replace("\\|", "").matches('|').count();
        if line.starts_with("| ---") {
            columns = cells;
        } else if line.starts_with("| ") && columns > 0 {
            assert_eq!(cells, columns, "{line}");
        } else if line.is_empty() {
            columns = 0;
        }
    }
    assert_eq!(document(&ground)["phases"][0]["approvals"][0]["why"], hostile);
}

// rows: RE-6
#[test]
fn a_plan_without_checks_says_so_first_of_all() {
    let ground = Ground::shop("");
    ground.expect(0, "run");
    let said = "The plan has no checks: nothing about this change was proved.";
    let page = ground.expect(0, "report").out;
    assert!(page.find(said).unwrap() < page.find("<nav").unwrap());
    assert_eq!(html(&ground).text.matches(said).count(), 2, "in the summary and where the checks would be");
    let text = markdown(&ground);
    assert!(text.find(&format!("> **{said}**")).unwrap() < text.find("\n## ").unwrap());
    assert!(text.contains("but nothing was checked"), "{text}");
    let report = document(&ground);
    assert_eq!(report["checked"], false);
    assert_eq!(junit(&ground).1, [("rehearsal".to_owned(), "passed".to_owned())]);
}

// rows: BX-10
#[test]
fn evidence_that_was_changed_makes_the_report_unsure() {
    let ground = Ground::shop(&format!("{THERE}at = [\"staged\"]\n"));
    ground.expect(0, "run");
    let report = document(&ground);
    assert_eq!(report["verdict"], "yes");
    let hash = report["phases"][0]["checks"][0]["evidence"]
        .as_str()
        .unwrap()
        .trim_start_matches("blake3:")
        .to_owned();
    let path = format!(".switchback/evidence/{hash}");
    ground.write(&path, ground.read(&path).replace("yes", "no!"));
    let report = document(&ground);
    assert_eq!(report["verdict"], "unknown");
    let fault = report["phases"][0]["checks"][0]["evidence_fault"].as_str().unwrap().to_owned();
    assert!(fault.contains("was changed after it was stored"), "{fault}");
    assert!(html(&ground).text.contains("The evidence of 1 outcome cannot be used"));
    let text = markdown(&ground);
    assert!(text.contains(" **Its evidence cannot be used: "), "{text}");
    std::fs::remove_file(ground.at(&path)).unwrap();
    assert_eq!(document(&ground)["verdict"], "unknown");
    assert_eq!(junit(&ground).1[0], ("there".to_owned(), "error".to_owned()));
    // The manifests of the trees, which are links.
    let tree = report["phases"][0]["candidate"]["new_tree"].as_str().unwrap().trim_start_matches("blake3:");
    let link = ground.at(format!(".switchback/evidence/{tree}.manifest"));
    let fault = |ground: &Ground| document(ground)["phases"][0]["candidate"]["files_fault"].to_string();
    std::fs::remove_file(&link).unwrap();
    assert!(fault(&ground).contains("cannot be read: it is gone"), "{}", fault(&ground));
    std::fs::write(&link, "a file").unwrap();
    assert!(fault(&ground).contains("was changed after it was stored"), "{}", fault(&ground));
}

#[test]
fn where_nothing_was_run_is_an_error() {
    let ground = Ground::shop("");
    insta::assert_snapshot!(ground.run("report"), @r#"
    $ switchback report
    --- stderr
    error: nothing has been run yet in `[TMP]/project`

    hint: `switchback run` begins a run; then there is something to report
    --- exit 2
    "#);
    assert_eq!(ground.expect(2, "report --json").json()["schema"], "switchback/error/1");
}

#[test]
fn the_file_is_written_as_a_whole_over_an_older_report_and_over_nothing_else() {
    let ground = Ground::shop(&format!("{THERE}at = [\"staged\"]\n"));
    ground.expect(0, "run");
    std::fs::create_dir(ground.at("out")).unwrap();
    ground.expect(0, "report --output out/report.html");
    // Each format is known for a report, and written over by each.
    for format in ["markdown", "json", "junit", "sarif", "html"] {
        ground.expect(0, &format!("report --format {format} --output out/report.html"));
    }
    let seen = ground.expect(0, "report --output out/report.html");
    assert_eq!(seen.out, "");
    assert!(seen.err.contains("wrote ") && !seen.err.contains("warning"), "{seen}");
    assert!(ground.read("out/report.html").ends_with("</html>\n"));
    let seen = ground.expect(0, "report --json --format markdown --output out/report.md");
    assert_eq!(serde_json::from_str::<Value>(&seen.out).unwrap()["schema"], "switchback/report/1");
    assert!(ground.read("out/report.md").starts_with("# shop: report of the run r1"));
    let seen = ground.expect(0, "report --format markdown --output -");
    assert!(seen.out.starts_with("# shop: report of the run r1") && !ground.at("-").exists(), "{seen}");
    let mut names: Vec<_> =
        std::fs::read_dir(ground.at("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["report.html", "report.md"], "nothing else is left");

    ground.write("other.txt", "# shop: report of the run r1\n");
    ground.write("out/plain.html", "<!DOCTYPE html>\n<html lang=\"en\">\n");
    ground.write("out/empty", "");
    std::os::unix::fs::symlink("report.md", ground.at("out/link")).unwrap();
    std::os::unix::fs::symlink(".switchback", ground.at("state")).unwrap();
    for (path, why) in [
        ("out", "it is a directory"),
        ("out/link", "it is a symbolic link"),
        ("/dev/null", "it is not a file"),
        ("switchback.toml", "it is the plan"),
        ("src/app.py", "it is a file that is no report of Switchback"),
        ("other.txt", "it is a file that is no report of Switchback"),
        ("out/plain.html", "it is a file that is no report of Switchback"),
        ("out/empty", "it is a file that is no report of Switchback"),
        (".switchback/journal.db", "that folder is Switchback's own"),
        ("out/../.switchback/evidence/x", "that folder is Switchback's own"),
        ("state/journal.db", "that folder is Switchback's own"),
        ("nowhere/report.html", "its folder does not exist"),
    ] {
        // Reading the journal touches what SQLite keeps beside it.
        let listing = || {
            ground
                .listing()
                .lines()
                .filter(|line| !line.contains("journal.db-"))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let before = listing();
        let seen = ground.expect(2, &format!("report --output {path}"));
        assert!(seen.err.contains(why) && seen.err.contains("hint: "), "{path}: {seen}");
        assert!(listing() == before, "{path}: something was touched");
    }
    let seen = ground.expect(0, "report --output src/report.html");
    assert!(
        seen.err.contains("lies in the managed path `src`: the report counts as a change of the live tree"),
        "{seen}"
    );
}

// rows: PC-3
#[test]
fn a_secret_reaches_no_report() {
    let mut ground = Ground::shop("");
    ground.plan(
        "approve = { roles = [\"risk\"] }\n",
        "[[check]]\nname = \"says\"\nkind = \"command\"\ncommand = \"cat src/said >&2; exit 1\"\n",
    );
    ground.write("src/said", "-\n");
    ground.write("../new/src/said", "it says tk-7f3a9c1e5b\n");
    ground.expect(1, "run");
    ground.run_arguments(&["reject", "unify", "--role", "risk", "--why", "tk-7f3a9c1e5b is in the output"]);
    assert!(ground.expect(0, "report").out.contains("tk-7f3a9c1e5b"), "nobody knows that it is one");
    // It becomes known as a secret only now: what is stored already is blanked too.
    ground.set("SHOP_TOKEN", "tk-7f3a9c1e5b");
    for format in ["html", "json", "markdown", "junit"] {
        let seen = ground.expect(0, &format!("report --format {format}"));
        assert!(!seen.out.contains("tk-7f3a9c1e5b"), "{format}");
        // Markdown escapes the brackets of prose.
        assert!(seen.out.replace('\\', "").contains("[SHOP_TOKEN]"), "{format}: {seen}");
    }
}
