//! What a report says, as sections, sentences and tables, without a format.

use super::database_status;
use super::page_phase::phase_sections;
use super::page_processes::processes;
use super::phase_report::{CheckReport, PhaseReport};
use super::run_report::RunReport;
use super::wording::{Bit, Words, code, codes, duration, hash, marked, odd_names, took, words};
use crate::quantity::counted;
use crate::verdict::Verdict;

/// So many outcomes that speak against a run are named in its summary.
const AGAINST_MAX: usize = 6;

/// A report, ready to be written down.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) verdict: Verdict,
    pub(super) headline: String,
    /// What must not be overlooked.
    pub(super) notes: Vec<Words>,
    /// The summary: a name and what is to be said of it.
    pub(super) facts: Vec<(&'static str, Words)>,
    pub(super) sections: Vec<Section>,
    pub(super) foot: Words,
}

/// A section; one of level 3 or 4 belongs to the one of the level above that stands before it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Section {
    /// What a link leads to: unique, letters, digits and hyphens.
    pub(super) id: String,
    /// 2, 3 or 4.
    pub(super) level: u8,
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    Text(Words),
    /// What must not be overlooked.
    Note(Words),
    List(Vec<Words>),
    /// Names and what is to be said of them.
    Facts(Vec<(&'static str, Words)>),
    /// A line to be typed.
    Command(String),
    Table(Table),
    /// What a command said last, and how many lines stand before.
    Output {
        caption: String,
        lines: Vec<String>,
        left_out: u64,
    },
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Words>>,
    /// How many rows are left out, after how many; no row when 0.
    pub(super) left_out: (u64, usize),
    /// Whether its rows may become blocks on a narrow page. A table of data stays one, and is moved sideways.
    pub(super) stacks: bool,
}

impl Table {
    pub(super) fn new(caption: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&name| name.to_owned()).collect();
        Self { caption: caption.into(), columns, stacks: true, ..Self::default() }
    }
}

impl Section {
    pub(super) fn new(
        id: impl Into<String>,
        level: u8,
        title: impl Into<String>,
        blocks: Vec<Block>,
    ) -> Self {
        Self { id: id.into(), level, title: title.into(), blocks }
    }
}

/// Puts the facts into words.
pub(super) fn page(report: &RunReport) -> Page {
    let mut sections = vec![undo(report)];
    for (at, phase) in report.phases.iter().enumerate() {
        sections.extend(phase_sections(report, phase, at + 1));
    }
    sections.extend(processes(report));
    sections.extend(database_status::section(report));
    sections.extend([parts(report), story(report), evidence(report), run(report)]);
    Page {
        title: format!("{}: report of the run {}", report.status.project, report.run.id),
        verdict: report.verdict,
        headline: report.headline.clone(),
        notes: notes(report),
        facts: facts(report),
        sections,
        foot: vec![
            Bit::Text(format!("Made by {} at ", report.tool)),
            Bit::Time(report.made_at.clone()),
            Bit::Text(
                " from the plan, the journal and its evidence; the trees were not looked at again for it."
                    .to_owned(),
            ),
        ],
    }
}

fn notes(report: &RunReport) -> Vec<Words> {
    let mut notes = Vec::new();
    if let Some(fault) = &report.plan_fault {
        notes.push(marked(&format!(
            "The plan cannot be used, so this is what the journal alone knows: {fault}. What the plan says of managed paths, \
             changes, checks to come and approvals needed cannot be told."
        ), &[]));
        if !report.has_checks {
            notes.push(words("No check has looked: nothing about this change was proved."));
        }
    } else if !report.has_checks {
        notes.push(words("The plan has no checks: nothing about this change was proved."));
    } else if let Some(phase) = report.phases.iter().find(|phase| phase.is_unchecked()) {
        notes.push(vec![
            Bit::Text("No check of the plan is for the phase ".to_owned()),
            Bit::Code(phase.status.name.clone()),
            Bit::Text(": nothing about its change was proved.".to_owned()),
        ]);
    }
    let faults =
        report.phases.iter().flat_map(PhaseReport::outcomes).filter(|check| check.evidence_fault.is_some());
    let faults = faults.count();
    if faults > 0 {
        notes.push(words(format!(
            "The evidence of {} cannot be used: it is gone, or was changed after it was stored.",
            counted(faults as u64, "outcome")
        )));
    }
    if report.plan_fault.is_none() && report.plan != report.run.plan {
        notes.push(words(
            "The plan file is not the one that this run began with: what the plan says stands here as it is now.",
        ));
    }
    notes
}

fn facts(report: &RunReport) -> Vec<(&'static str, Words)> {
    let mut facts = vec![("Phases", phases(report)), ("Checks", checks_counted(report))];
    let against = against(report);
    if !against.is_empty() {
        facts.push(("Against it", against));
    }
    facts.push(("Rehearsal", rehearsals(report)));
    let roles: u64 = report.phases.iter().map(|phase| phase.roles.len() as u64).sum();
    let approved = report.phases.iter().flat_map(|phase| phase.approvals());
    let approved = approved.filter(|(_, verdict)| *verdict == Verdict::Yes).count();
    facts.push((
        "Approvals",
        words(if report.plan_fault.is_some() {
            let said = counted(roles, "role");
            format!("{approved} of {said} that had a say approved; what the plan asks for cannot be told")
        } else if roles == 0 {
            "The plan asks for none".to_owned()
        } else {
            format!("{approved} of {} approved", counted(roles, "role"))
        }),
    ));
    let mut live = words(format!("Generation {}", report.status.generation));
    match &report.live {
        Some((since, actor)) => live.extend([
            Bit::Text(", since ".to_owned()),
            Bit::Time(since.clone()),
            Bit::Text(" by ".to_owned()),
            Bit::Code(actor.clone()),
        ]),
        None => live.push(Bit::Text(": the tree from before the first cutover".to_owned())),
    }
    facts.push(("Live", live));
    facts.push((
        "Undo",
        if report.undo.command.is_empty() { words(&report.undo.does) } else { code(&report.undo.command) },
    ));
    facts
}

fn phases(report: &RunReport) -> Words {
    let mut words = Words::new();
    for phase in &report.phases {
        if !words.is_empty() {
            words.push(Bit::Text("; ".to_owned()));
        }
        words.push(Bit::Code(phase.status.name.clone()));
        words.push(Bit::Text(format!(" {}", phase.status.point.replace('-', " "))));
    }
    words
}

fn checks_counted(report: &RunReport) -> Words {
    if !report.has_checks {
        let none = if report.plan_fault.is_none() { "None" } else { "None has looked" };
        return words(format!("{none}: nothing was proved"));
    }
    let outcomes: Vec<&CheckReport> = report.phases.iter().flat_map(|phase| &phase.checks).collect();
    let count = |wanted: &dyn Fn(&CheckReport) -> bool| outcomes.iter().filter(|check| wanted(check)).count();
    let open = report.phases.iter().map(|phase| phase.open_checks.len()).sum();
    let counts = [
        (count(&|check| check.verdict == Verdict::Yes), Bit::Verdict(Verdict::Yes), ""),
        (count(&CheckReport::refuses), Bit::Verdict(Verdict::No), ""),
        (count(&|check| check.verdict == Verdict::Unknown), Bit::Verdict(Verdict::Unknown), ""),
        (open, Bit::NotYet, ""),
        (
            count(&|check| check.verdict == Verdict::No && !check.refuses()),
            Bit::Verdict(Verdict::No),
            " before the change",
        ),
    ];
    let mut words = Words::new();
    for (count, bit, more) in counts.into_iter().filter(|(count, ..)| *count > 0) {
        let comma = if words.is_empty() { "" } else { ", " };
        words.extend([Bit::Text(format!("{comma}{count}\u{a0}")), bit, Bit::Text(more.to_owned())]);
    }
    words
}

fn rehearsals(report: &RunReport) -> Words {
    let told = report.phases.iter().map(|phase| {
        let bit = phase.rehearsal.as_ref().map_or(Bit::NotYet, |rehearsal| Bit::Verdict(rehearsal.verdict));
        vec![Bit::Code(phase.status.name.clone()), Bit::Text(" in and out again: ".to_owned()), bit]
    });
    told.collect::<Vec<_>>().join(&Bit::Text("; ".to_owned()))
}

/// Every outcome and refusal that speaks against the run, in short.
fn against(report: &RunReport) -> Words {
    let mut found: Vec<Words> = Vec::new();
    for phase in &report.phases {
        let is_against = |check: &&CheckReport| check.refuses() || check.verdict == Verdict::Unknown;
        for check in phase.outcomes().filter(is_against) {
            let place = Bit::Text(format!(" at {} ", check.at));
            found.push(vec![Bit::Code(check.name.clone()), place, Bit::Verdict(check.verdict)]);
        }
        for sign_off in phase.sign_offs.iter().filter(|sign_off| sign_off.counts && !sign_off.approved) {
            let no = [Bit::Text(" refuses: ".to_owned()), Bit::Verdict(Verdict::No)];
            found.push([code(&sign_off.role), no.into()].concat());
        }
    }
    let left_out = found.len().saturating_sub(AGAINST_MAX);
    found.truncate(AGAINST_MAX);
    let mut words = found.join(&Bit::Text("; ".to_owned()));
    if left_out > 0 {
        words.push(Bit::Text(format!("; and {left_out} more")));
    }
    words
}

fn undo(report: &RunReport) -> Section {
    let undo = &report.undo;
    let mut blocks = Vec::new();
    let mut live = words(format!("Generation {} is live", report.status.generation));
    if let Some((since, actor)) = &report.live {
        live.extend([
            Bit::Text(" since ".to_owned()),
            Bit::Time(since.clone()),
            Bit::Text(", made so by ".to_owned()),
            Bit::Code(actor.clone()),
        ]);
    }
    live.push(Bit::Text(".".to_owned()));
    blocks.push(Block::Text(live));
    if undo.command.is_empty() {
        blocks.push(Block::Text(words(&undo.does)));
    } else {
        let place = vec![Bit::Text("To undo, in the folder ".to_owned()), Bit::Code(report.root.clone())];
        blocks.push(Block::Text([place, words(":")].concat()));
        blocks.push(Block::Command(undo.command.clone()));
        blocks.push(Block::Text(words(&undo.does)));
        let dry = [
            Bit::Code(format!("{} --dry-run", undo.command)),
            Bit::Text(" shows it and touches nothing.".to_owned()),
        ];
        blocks.push(Block::Text(dry.into()));
        let mechanism =
            words(format!("{} (of {})", undo.mechanism, counted(undo.paths.len() as u64, "path")));
        blocks.push(Block::Facts(vec![("Mechanism", mechanism), ("Paths", codes(&undo.paths))]));
    }
    let odd = odd_names(report);
    for phase in &report.phases {
        for back in &phase.roll_backs {
            let what = if back.whole { "The phase " } else { "A part of the phase " };
            let mut words = vec![
                Bit::Text(what.to_owned()),
                Bit::Code(phase.status.name.clone()),
                Bit::Text(" was rolled back at ".to_owned()),
                Bit::Time(back.time.clone()),
                Bit::Text(" by ".to_owned()),
                Bit::Code(back.actor.clone()),
                Bit::Text(": ".to_owned()),
            ];
            words.extend(marked(&back.why, &odd));
            words.push(Bit::Text(". Live again: ".to_owned()));
            words.extend(codes(&back.restored));
            if !back.kept_aside.is_empty() {
                words.push(Bit::Text("; kept aside: ".to_owned()));
                words.extend(codes(&back.kept_aside));
            }
            blocks.push(Block::Text(words));
        }
    }
    Section::new("undo", 2, "What is live, and how to undo it", blocks)
}

fn parts(report: &RunReport) -> Section {
    let parts = &report.parts;
    let mut table = Table::new("Parts of the run", &["part", "phase", "began", "took", "when in the run"]);
    let whole = parts.work_ms.max(1);
    let permille = |milliseconds: u64| milliseconds.min(whole).saturating_mul(1_000) / whole;
    for part in &parts.listed {
        let bar = if part.is_waiting {
            words("waiting is left out")
        } else {
            vec![Bit::Bar(
                permille(part.offset_ms),
                permille(part.offset_ms.saturating_add(part.milliseconds)),
            )]
        };
        let row = [words(&part.what), code(&part.phase), vec![Bit::Time(part.began.clone())]];
        table.rows.push(row.into_iter().chain([took(part.milliseconds), bar]).collect());
    }
    table.left_out = parts.left_out;
    let mut blocks = vec![Block::Text(words(format!(
        "{} of work, {} of waiting. The bars lay the work end to end, without the waiting.",
        duration(parts.work_ms),
        duration(parts.waiting_ms)
    )))];
    if table.rows.is_empty() {
        blocks = vec![Block::Text(words("Nothing has been carried out to its end yet."))];
    } else {
        blocks.push(Block::Table(table));
    }
    Section::new("parts", 2, "How long each part took", blocks)
}

fn story(report: &RunReport) -> Section {
    let mut table = Table::new(
        "Events of the run, as the journal has them",
        &["event", "time", "actor", "what happened"],
    );
    let odd = odd_names(report);
    for told in &report.story.told {
        let mut what = marked(&told.what, &odd);
        if !told.phase.is_empty() && report.phases.len() > 1 {
            what.splice(0..0, [Bit::Code(told.phase.clone()), Bit::Text(" ".to_owned())]);
        }
        let event = vec![Bit::Fixed(format!("{} {}", told.seq, told.event))];
        table.rows.push(vec![event, vec![Bit::Time(told.time.clone())], code(&told.actor), what]);
    }
    table.left_out = report.story.left_out;
    Section::new("time-line", 2, "Time line", vec![Block::Table(table)])
}

fn evidence(report: &RunReport) -> Section {
    let mut table = Table::new(
        "Outcomes, and what exactly each is about",
        &["check", "evidence", "stored", "plan", "options", "live tree", "candidate", "inputs", "tool"],
    );
    for phase in &report.phases {
        for check in phase.outcomes() {
            let binding = &check.binding;
            let stored = match &check.evidence_fault {
                None => vec![Bit::Verdict(Verdict::Yes)],
                Some(fault) => vec![Bit::Verdict(Verdict::Unknown), Bit::Text(format!(": {fault}"))],
            };
            let named = vec![
                Bit::Code(phase.status.name.clone()),
                Bit::Text(" ".to_owned()),
                Bit::Code(check.name.clone()),
                Bit::Text(format!(" at {}", check.at)),
            ];
            let hashes =
                [&binding.plan, &binding.options, &binding.old_tree, &binding.new_tree, &binding.inputs];
            let hashes = hashes.map(|hash| if hash.is_empty() { words("none") } else { self::hash(hash) });
            let mut row = vec![named, code(&check.evidence), stored];
            row.extend(hashes);
            row.push(words(&binding.tool));
            table.rows.push(row);
        }
    }
    let mut blocks = vec![Block::Text(vec![
        Bit::Text("Evidence is stored in ".to_owned()),
        Bit::Code(".switchback/evidence/".to_owned()),
        Bit::Text(
            " under the BLAKE3 hash of its content. It counts only while all that it is about is the same. Whole hashes are in "
                .to_owned(),
        ),
        Bit::Code("switchback report --json".to_owned()),
        Bit::Text(".".to_owned()),
    ])];
    if table.rows.is_empty() {
        blocks = vec![Block::Text(words("No check has looked, so there is no evidence."))];
    } else {
        blocks.push(Block::Table(table));
    }
    Section::new("evidence", 2, "Evidence", blocks)
}

fn run(report: &RunReport) -> Section {
    let run = &report.run;
    let began = vec![
        Bit::Time(run.began.clone()),
        Bit::Text(" by ".to_owned()),
        Bit::Code(run.actor.clone()),
        Bit::Text(format!(" with {}", run.tool)),
    ];
    let managed = report.managed.iter().map(|(path, mirrored)| {
        let way = if *mirrored { "mirrored" } else { "overlaid: nothing is deleted" };
        vec![Bit::Code(path.clone()), Bit::Text(format!(" ({way})"))]
    });
    let plan = if report.plan_fault.is_some() { words("It cannot be used") } else { code(&report.plan) };
    let mut facts = vec![("Run", code(&run.id)), ("Began", began), ("Plan", plan)];
    if report.plan != run.plan {
        facts.push(("Plan at the beginning", code(&run.plan)));
    }
    facts.extend([
        ("Journal", words(format!("{}, whole and in order", counted(report.events, "event")))),
        ("Head of its chain", code(&report.head)),
    ]);
    let mut blocks = vec![
        Block::Facts(facts),
        Block::Text(words(
            "Keep the head where whoever could change the journal cannot reach it: beside it, a journal that was cut off or \
             written anew shows.",
        )),
    ];
    if report.plan_fault.is_none() {
        blocks.push(Block::Text(words("The plan may change these paths, and nothing else:")));
        blocks.push(Block::List(managed.collect()));
    }
    Section::new("run", 2, "The run", blocks)
}

impl PhaseReport {
    /// Whether no check of the plan is for it.
    pub(super) fn is_unchecked(&self) -> bool {
        self.checks.is_empty() && self.open_checks.is_empty() && self.shadows.is_empty()
    }

    /// Each role that must approve, and whether it has.
    pub(super) fn approvals(&self) -> Vec<(&String, Verdict)> {
        let verdict = |role: &str| {
            let name = format!("approved by {role}");
            let criterion = self.criteria.iter().rev().find(|criterion| criterion.name == name);
            criterion.map_or(Verdict::Unknown, |criterion| criterion.verdict)
        };
        self.roles.iter().map(|(role, _)| (role, verdict(role))).collect()
    }
}
