//! The example of loan analytics in production: its README is carried out line by line, and each chapter has to have done what it says.

use serde_json::Value;

use super::ground::Seen;
use super::notify::Hook;
use super::readme::{Readme, is_in, shown};

const PROJECT: &str = "trial/project";

/// The README's section *In production*, with everything in place that it begins with.
struct Story {
    readme: Readme,
    hook: Hook,
}

impl Story {
    fn begin() -> Self {
        let parts = ["live", "candidate", "production", "generate.py"];
        let mut readme = Readme::open("loan-analytics", "In production", &parts);
        let hook = Hook::start();
        readme.instead("RISK_WEBHOOK", &hook.address);
        Self { readme, hook }
    }

    fn chapter(&mut self) -> Vec<Seen> {
        self.readme.chapter()
    }

    fn status(&self) -> Value {
        self.readme.ground.run(&format!("-C {PROJECT} status --json")).json()
    }

    /// All files of the first or second version that are live, with hashes.
    fn tree(&self) -> String {
        let managed = "config pipeline python tests run.py requirements.txt README.md";
        let find =
            format!("cd {PROJECT} && find {managed} -type f -exec sha256sum {{}} + 2>/dev/null | sort -k 2");
        self.readme.ground.shell(&find).out
    }
}

/// The verdict of one criterion of the plan; `None` while nobody has said anything.
fn criterion(status: &Value, begins: &str) -> Option<String> {
    let list = status["criteria"].as_array().unwrap();
    let one = list.iter().find(|one| one["name"].as_str().unwrap().starts_with(begins)).unwrap();
    (one["open"] != true).then(|| one["verdict"].as_str().unwrap().to_owned())
}

// rows: PC-1, PC-2, PC-5, PC-6, PC-8, PC-9, PC-10, PC-11, PC-12, PC-13, PC-14
#[test]
fn needs_python3_and_needs_git_the_cutover_goes_as_the_readme_tells_it() {
    let mut story = Story::begin();
    story.chapter();
    let before = story.tree();
    side_by_side(&mut story);
    assert_eq!(story.tree(), before, "nothing is live yet");
    signed_and_live(&mut story);
    taken_back(&mut story, &before);
    once_more(&mut story);
    proved(&mut story);
    assert!(story.readme.is_over());
}

fn side_by_side(story: &mut Story) {
    let seen = story.chapter();
    assert!(is_in(&seen, "3 inputs, 3 equal"), "{}", shown(&seen));
    let status = story.status();
    for check in status["checks"].as_array().unwrap() {
        assert_eq!(check["verdict"], "yes", "{check:#}");
    }
    let triggers = status["triggers"].as_array().unwrap();
    assert_eq!(triggers.iter().filter(|trigger| trigger["would_have_fired"] == "yes").count(), 9);
    for begins in ["All tests", "No new warning", "All results", "Every environment", "The compliance"] {
        assert_eq!(criterion(&status, begins).as_deref(), Some("yes"), "{begins}");
    }
    assert_eq!(criterion(&status, "Stakeholders know"), None);
    assert!(story.readme.ground.at("trial/off-site").read_dir().unwrap().count() > 0);
}

fn signed_and_live(story: &mut Story) {
    let seen = story.chapter();
    let live = story.readme.ground.read(&format!("{PROJECT}/pipeline/calculation.py"));
    assert!(!live.is_empty(), "{}", shown(&seen));
    let status = story.status();
    assert_eq!(status["waits_for"][0]["kind"], "watch", "{status:#}");
    let told = story.hook.texts();
    assert!(told.iter().any(|text| text.ends_with("cut-over: generation 1 is live")), "{told:#?}");
}

fn taken_back(story: &mut Story, before: &str) {
    let seen = story.chapter();
    // What it was, and what it was before: 116 and 79 of a thousand loans.
    let words = "the check `default rate` failed its trigger";
    assert!(is_in(&seen, words) && is_in(&seen, " (0.116, and 0.079 before)"), "{}", shown(&seen));
    assert_eq!(story.tree(), before, "{}", shown(&seen));
    let told = story.hook.texts();
    assert!(
        told.iter().any(|text| text.starts_with("[critical]") && text.contains("roll-back")),
        "{told:#?}"
    );
    let log = story.readme.ground.read("trial/audit/on-call.log");
    assert!(
        log.contains("roll-back: rolled back; live again: ") && log.contains("why: the check `default rate`"),
        "{log}"
    );
    let incident = &seen[seen.len() - 1].out;
    for words in ["# loan-analytics: rolled back: unify", "kept aside: 1 path", "| rolled-back | **yes** |"] {
        assert!(incident.contains(words), "{words}: {incident}");
    }
}

fn once_more(story: &mut Story) {
    let seen = story.chapter();
    let status = story.status();
    assert_eq!(status["point"], "finished", "{}", shown(&seen));
    for begins in ["Hour 1", "Hour 24", "Day 7", "Everybody"] {
        assert_eq!(criterion(&status, begins).as_deref(), Some("yes"), "{begins}: {status:#}");
    }
}

fn proved(story: &mut Story) {
    let seen = story.chapter();
    let all = shown(&seen);
    assert!(is_in(&seen, "3 signed approvals, of exactly this"), "{all}");
    let document = story.readme.ground.expect(0, &format!("-C {PROJECT} log verify --json")).json();
    let anchors = document["anchors"].as_array().unwrap();
    assert_eq!(anchors.len(), 2, "{document:#}");
    assert!(anchors.iter().all(|anchor| anchor["verdict"] == "yes"), "{document:#}");
    let acts: Value = serde_json::from_str(&story.readme.ground.read("trial/audit/acts.json")).unwrap();
    assert_eq!(acts["acts"].as_array().unwrap().len() as u64, document["events"].as_u64().unwrap());
    assert!(
        is_in(&seen, "no: 4 old names, 4 due on 2027-01-01")
            && is_in(&seen, "python.kpi_engine is pipeline.calculation"),
        "{all}"
    );
    let old_name = "cd trial/project && python3 -W always -B -c 'from python.kpi_engine import segment_kpis'";
    let imported = story.readme.ground.shell(old_name);
    assert!(imported.code == 0 && imported.err.contains("goes after 2026-12-31"), "{imported}");
    assert!(
        story.readme.ground.read("trial/audit/report.html").contains("Everybody who works with the figures")
    );
}
