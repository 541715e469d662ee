//! The HTML report in a browser: it asks nobody, complains of nothing, fits a telephone and a sheet of paper.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::ground::{Ground, answering};

/// A browser without a window, and without a name server: whatever it asks for is in its log, and nowhere else.
struct Browser {
    directory: tempfile::TempDir,
}

impl Browser {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn open(&self, page: &Path, more: &[&str]) -> Output {
        let output = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
            ])
            .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"])
            .args(["--allow-file-access-from-files", "--virtual-time-budget=5000"])
            .arg(format!("--user-data-dir={}", self.at("profile").display()))
            .arg(format!("--log-net-log={}", self.at("requests.json").display()))
            .args(more)
            .arg(format!("file://{}", page.display()))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// What the page that was opened last asked for; what the browser asks for by itself has no origin.
    fn requests(&self) -> Vec<String> {
        let log: Value = serde_json::from_slice(&std::fs::read(self.at("requests.json")).unwrap()).unwrap();
        let kind = &log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"];
        assert!(kind.is_u64(), "the browser logs requests in another form");
        let events = log["events"].as_array().unwrap().iter();
        let asked = events.filter(|event| {
            event["type"] == *kind
                && event["params"]["initiator"].as_str().is_some_and(|origin| origin != "not an origin")
        });
        asked.map(|event| event["params"]["url"].as_str().unwrap().to_owned()).collect()
    }

    /// How far the page sticks out at the side of windows of these widths, in pixels.
    fn excess(&self, page: &Path, windows: &[u64]) -> Vec<u64> {
        let frames = windows.iter().map(|width| {
            format!(
                "<iframe src=\"file://{}\" style=\"width:{width}px;height:900px;border:0\"></iframe>",
                page.display()
            )
        });
        let frame = format!(
            "<!DOCTYPE html><body>{}<p id=\"said\"></p><script>addEventListener(\"load\", () => {{ \
             document.getElementById(\"said\").textContent = [...document.querySelectorAll(\"iframe\")]\
             .map(frame => frame.contentDocument.documentElement) \
             .map(page => page.scrollWidth - page.clientWidth).join(\" \") }})</script></body>",
            frames.collect::<String>()
        );
        std::fs::write(self.at("frame.html"), frame).unwrap();
        let seen = self.open(&self.at("frame.html"), &["--dump-dom"]);
        let seen = String::from_utf8(seen.stdout).unwrap();
        let said = seen.split_once("id=\"said\">").unwrap().1.split_once('<').unwrap().0;
        said.split(' ').map(|width| width.parse().unwrap()).collect()
    }
}

fn complaints(output: &Output) -> Vec<String> {
    let lines = String::from_utf8_lossy(&output.stderr);
    lines.lines().filter(|line| line.contains(":CONSOLE:")).map(str::to_owned).collect()
}

#[test]
fn needs_chromium_a_page_that_asks_complains_and_is_too_wide_is_seen_to() {
    let browser = Browser::new();
    let page = browser.at("bad.html");
    let text = "<!DOCTYPE html><img src=\"http://example.invalid/x.png\"><div style=\"width:700px\">x</div>\
                <script>console.error(\"bad\")</script>";
    std::fs::write(&page, text).unwrap();
    let output = browser.open(&page, &["--dump-dom"]);
    assert_eq!(browser.requests(), ["http://example.invalid/x.png"]);
    assert_eq!(complaints(&output).len(), 1);
    let excess = browser.excess(&page, &[390, 1280]);
    assert!(excess[0] > 300 && excess[1] == 0, "{excess:?}");
}

// rows: RE-6
#[test]
fn needs_chromium_a_report_asks_nobody_complains_of_nothing_and_fits_screen_and_paper() {
    for (code, answer) in [(0, "0"), (1, "1")] {
        let ground = Ground::shop(&answering("\"staged\", \"live\""));
        let long = "a_name_without_any_place_to_break_it".repeat(6);
        ground.write(&format!("../new/src/{long}.py"), "\n");
        ground.write("answer", answer);
        ground.expect(code, "run");
        ground.expect(0, "report --output report.html");
        let browser = Browser::new();
        let page = ground.at("report.html");
        let output = browser.open(&page, &["--dump-dom"]);
        assert!(String::from_utf8_lossy(&output.stdout).contains("<h1"), "the page is there");
        assert_eq!(browser.requests(), [""; 0]);
        assert_eq!(complaints(&output), [""; 0]);
        assert_eq!(browser.excess(&page, &[390, 1280]), [0, 0], "nothing sticks out at the side");
        let paper = browser.at("report.pdf");
        browser.open(&page, &[&format!("--print-to-pdf={}", paper.display())]);
        let paper = std::fs::read(paper).unwrap();
        assert!(paper.starts_with(b"%PDF-") && paper.len() > 10_000, "{} bytes", paper.len());
    }
}

/// Two tables of `columns` columns and text that has no place to break, and a folder of each.
fn comparisons(ground: &Ground) -> Vec<&'static str> {
    let long = "a_value_without_any_place_to_break_it".repeat(40);
    let head: Vec<String> = (0..60).map(|at| format!("a_rather_long_name_of_a_column_{at}")).collect();
    for (side, changed) in [("old", "1.5"), ("new", "1500000.25")] {
        let row = |row: usize| -> String {
            let cells =
                (0..60).map(|at| if at % 20 == 7 { changed.to_owned() } else { (row * at).to_string() });
            cells.collect::<Vec<_>>().join(",")
        };
        let rows: Vec<String> = (0..40).map(row).collect();
        ground.write(&format!("{side}/wide.csv"), format!("{}\n{}\n", head.join(","), rows.join("\n")));
        ground.write(&format!("{side}/long.csv"), format!("id,{long}\n1,{long}{changed}{long}\n"));
        ground.write(
            &format!("{side}/nested.jsonl"),
            format!("{{\"id\": 1, \"deep\": {{\"list\": [1, {{\"x\": \"{long}{changed}\"}}]}}}}\n"),
        );
        ground.write(
            &format!("{side}/document.json"),
            format!("{{\"{long}\": {{\"x\": \"{changed}{long}\"}}}}"),
        );
        for part in 0..30 {
            ground.write(&format!("{side}/parts/{part}/{part}.csv"), "x\n1\n");
        }
    }
    vec!["wide.csv", "long.csv", "nested.jsonl", "document.json", ""]
}

#[test]
fn needs_chromium_a_page_of_a_comparison_asks_nobody_complains_of_nothing_and_fits_screen_and_paper() {
    let ground = Ground::new();
    for name in comparisons(&ground) {
        ground.expect(1, &format!("compare old/{name} new/{name} --format html --output page.html"));
        let browser = Browser::new();
        let page = ground.at("page.html");
        let output = browser.open(&page, &["--dump-dom"]);
        assert!(String::from_utf8_lossy(&output.stdout).contains("<h1"), "the page is there");
        assert_eq!(browser.requests(), [""; 0]);
        assert_eq!(complaints(&output), [""; 0]);
        assert_eq!(browser.excess(&page, &[390, 1280]), [0, 0], "nothing sticks out at the side: {name}");
        let paper = browser.at("page.pdf");
        browser.open(&page, &[&format!("--print-to-pdf={}", paper.display())]);
        let paper = std::fs::read(paper).unwrap();
        assert!(paper.starts_with(b"%PDF-") && paper.len() > 10_000, "{} bytes", paper.len());
    }
}
