//! The account itself: each claimed row with its tests and their outcomes, as a table and as JSON.

use std::fmt::Write;

use serde_json::json;

use crate::rows::claims::Claims;
use crate::rows::codes;
use crate::rows::markers::Marked;
use crate::rows::results::{Outcome, Results};

/// Every claimed row, in the mission's order.
#[derive(Debug)]
pub struct Account {
    rows: Vec<Row>,
    /// Rows that tests name but the project does not claim: told, and never a failure.
    not_claimed: Vec<String>,
}

#[derive(Debug)]
struct Row {
    code: String,
    claim: String,
    tests: Vec<(Marked, Option<Outcome>)>,
}

impl Row {
    /// A row is proved by tests that name it and that all passed. Without a test it is not.
    fn holds(&self) -> bool {
        !self.tests.is_empty() && self.tests.iter().all(|(_, outcome)| *outcome == Some(Outcome::Passed))
    }

    fn result(&self) -> &'static str {
        match (self.holds(), self.tests.is_empty()) {
            (true, _) => "passed",
            (false, true) => "NO TEST",
            (false, false) => "FAILED",
        }
    }
}

fn word(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Passed) => "passed",
        Some(Outcome::Failed) => "failed",
        None => "not-found",
    }
}

impl Account {
    /// Puts claims, tests and outcomes together.
    pub fn of(claims: &Claims, marked: &[Marked], results: &Results) -> Self {
        let mut rows: Vec<Row> = claims
            .iter()
            .map(|(code, claim)| Row {
                code: code.clone(),
                claim: claim.clone(),
                tests: marked
                    .iter()
                    .filter(|test| test.rows.contains(code))
                    .map(|test| (test.clone(), results.of(test)))
                    .collect(),
            })
            .collect();
        rows.sort_by_key(|row| codes::position(&row.code));
        let mut not_claimed: Vec<String> = marked
            .iter()
            .flat_map(|test| &test.rows)
            .filter(|row| !claims.contains_key(*row))
            .cloned()
            .collect();
        not_claimed.sort_by_key(|code| codes::position(code));
        not_claimed.dedup();
        Self { rows, not_claimed }
    }

    /// Whether there are claims, and each is proved.
    pub fn holds(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(Row::holds)
    }

    /// One line a row and one a test, then what does not hold.
    pub fn table(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        for row in &self.rows {
            let _ = writeln!(text, "{:<6} {:<8} {}", row.code, row.result(), row.claim);
            for (test, outcome) in &row.tests {
                let _ = writeln!(
                    text,
                    "       {:<10} {} ({}:{})",
                    word(*outcome),
                    test.path,
                    test.file,
                    test.line
                );
            }
        }
        if !self.not_claimed.is_empty() {
            let _ = writeln!(text, "named by tests, but not claimed: {}", self.not_claimed.join(", "));
        }
        let open: Vec<&str> =
            self.rows.iter().filter(|row| !row.holds()).map(|row| row.code.as_str()).collect();
        let proved = self.rows.len() - open.len();
        let _ = writeln!(text, "rows: {proved} of {} claimed are proved", self.rows.len());
        if !open.is_empty() {
            let _ = writeln!(text, "not proved: {}", open.join(", "));
        }
        text
    }

    /// The account as one JSON document.
    pub fn json(&self) -> serde_json::Value {
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| {
                let tests: Vec<_> = row
                    .tests
                    .iter()
                    .map(|(test, outcome)| {
                        json!({
                            "package": test.package,
                            "name": test.path,
                            "file": test.file,
                            "line": test.line,
                            "result": word(*outcome),
                        })
                    })
                    .collect();
                let verdict = if row.holds() { "yes" } else { "no" };
                json!({"code": row.code, "claim": row.claim, "verdict": verdict, "tests": tests})
            })
            .collect();
        json!({
            "schema": "switchback/rows/1",
            "verdict": if self.holds() { "yes" } else { "no" },
            "rows": rows,
            "not_claimed": self.not_claimed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(name: &str, rows: &[&str]) -> Marked {
        Marked {
            rows: rows.iter().map(|&row| row.to_owned()).collect(),
            package: "core".to_owned(),
            integration: None,
            path: name.to_owned(),
            file: "crates/core/src/lib.rs".to_owned(),
            line: 7,
        }
    }

    fn account(claimed: &[&str], tests: &[(&str, &[&str], Option<Outcome>)]) -> Account {
        let claims = claimed.iter().map(|&code| (code.to_owned(), "It holds.".to_owned())).collect();
        let marks: Vec<Marked> = tests.iter().map(|(name, rows, _)| marked(name, rows)).collect();
        let mut results = Results::default();
        for (name, _, outcome) in tests {
            if let Some(outcome) = outcome {
                results.note("core", name, *outcome);
            }
        }
        Account::of(&claims, &marks, &results)
    }

    #[test]
    fn a_row_with_passing_tests_holds() {
        let account = account(&["RB-1"], &[("a", &["RB-1"], Some(Outcome::Passed))]);
        assert!(account.holds());
        let expected = "RB-1   passed   It holds.\n       passed     a (crates/core/src/lib.rs:7)\nrows: 1 of 1 claimed are proved\n";
        assert_eq!(account.table(), expected);
    }

    #[test]
    fn a_row_without_a_test_does_not() {
        let account = account(&["RB-1", "BX-1"], &[("a", &["RB-1"], Some(Outcome::Passed))]);
        assert!(!account.holds());
        assert!(account.table().contains("BX-1   NO TEST"), "{}", account.table());
        assert!(account.table().ends_with("rows: 1 of 2 claimed are proved\nnot proved: BX-1\n"));
    }

    #[test]
    fn one_failed_or_lost_test_fails_its_row() {
        for outcome in [Some(Outcome::Failed), None] {
            let tests: &[(&str, &[&str], _)] =
                &[("a", &["RB-1"], Some(Outcome::Passed)), ("b", &["RB-1"], outcome)];
            let account = account(&["RB-1"], tests);
            assert!(!account.holds());
            assert_eq!(account.json()["rows"][0]["verdict"], "no");
        }
    }

    #[test]
    fn nothing_claimed_never_holds() {
        assert!(!account(&[], &[("a", &["RB-1"], Some(Outcome::Passed))]).holds());
    }

    #[test]
    fn rows_stand_in_the_order_of_the_mission_and_the_unclaimed_are_told() {
        let passed = Some(Outcome::Passed);
        let account =
            account(&["RB-10", "RE-2", "RB-2"], &[("a", &["RB-10", "RE-2", "RB-2", "PC-1"], passed)]);
        let json = account.json();
        let codes: Vec<_> = json["rows"].as_array().unwrap().iter().map(|row| &row["code"]).collect();
        assert_eq!(codes, ["RE-2", "RB-2", "RB-10"]);
        assert_eq!(json["not_claimed"], json!(["PC-1"]));
        assert_eq!(json["verdict"], "yes");
    }
}
