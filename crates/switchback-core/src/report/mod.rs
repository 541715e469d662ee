//! Reports: what a person or another program reads of a run.
//!
//! [`mod@status`] turns the history into facts, without a format; [`json`] writes them as the documents that `docs/cli-reference.md`
//! promises. The report of a whole run goes the same way: [`mod@run_report`] collects the facts (`phase_report` those of
//! a phase, [`details`] what is worth reading in evidence, `parts` how long things took, `story` the journal in words,
//! `reasons` why it stands where it stands) → `page` puts them into sections and tables of `wording` → `html` and `markdown`
//! write these down; `run_json` and `junit` are written from the facts → [`save`](fn@save).

mod anchor_status;
mod database_status;
pub mod details;
mod html;
mod incident;
pub mod json;
mod junit;
mod markdown;
mod material;
mod page;
mod page_phase;
mod page_processes;
mod page_shadows;
mod page_triggers;
mod parts;
mod phase_report;
mod places;
mod process_status;
mod reasons;
mod run_json;
pub mod run_report;
mod sarif;
mod save;
mod shadow_status;
pub mod status;
mod story;
mod together;
mod trigger_status;
mod visible;
mod wording;

use serde_json::Value;

pub use anchor_status::AnchorStatus;
pub use html::{STYLE, escaped as escaped_html};
pub(crate) use incident::incident_of;
pub use incident::{write_incident, write_missing_incidents};
pub use markdown::escaped as escaped_markdown;
pub use material::{FILES_NAMED_MAX, FileNames, Named};
pub use parts::{Part, Parts};
pub use phase_report::{
    CandidateReport, CheckReport, PhaseReport, RollBackReport, SignOffReport, SnapshotReport,
};
pub use places::Place;
pub use process_status::ProcessStatus;
pub use run_report::{RunFact, RunReport, Undo, run_report};
pub use save::save;
pub use shadow_status::ShadowStatus;
pub(crate) use status::last_outcomes;
pub use status::{Criterion, PhaseStatus, Status, WaitsFor, status};
pub(crate) use story::told;
pub use story::{Story, Told};
pub use together::told_together;
pub use trigger_status::TriggerStatus;
pub use visible::visible;

impl RunReport {
    /// As one HTML file that needs nothing else: no network, no script, no font.
    pub fn to_html(&self) -> String {
        html::html(&page::page(self))
    }

    /// As Markdown, with the tables of GitHub.
    pub fn to_markdown(&self) -> String {
        markdown::markdown(&page::page(self))
    }

    /// As JUnit XML: one suite for each phase and moment, one case for each check.
    ///
    /// # Errors
    ///
    /// When the document cannot be written into memory.
    pub fn to_junit(&self) -> std::io::Result<String> {
        junit::junit(self)
    }

    /// As SARIF 2.1.0: a rule for each check, and a result for each place at which one does not say *yes*.
    pub fn to_sarif(&self) -> Value {
        sarif::sarif(self)
    }

    /// As the document `switchback/report/1`.
    pub fn to_json(&self) -> Value {
        run_json::run_json(self)
    }
}
