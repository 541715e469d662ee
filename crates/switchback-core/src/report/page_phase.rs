//! What a report says about one phase.

use super::details::Detail;
use super::material::Named;
use super::page::{Block, Section, Table};
use super::page_shadows::shadows;
use super::page_triggers::triggers;
use super::phase_report::{CheckReport, PhaseReport, SignOffReport};
use super::run_report::RunReport;
use super::story::short;
use super::together::told_together;
use super::wording::{Bit, Words, code, codes, hash, marked, odd_names, took, words};
use crate::quantity::counted;
use crate::verdict::Verdict;

/// The sections of a phase: `number` counts from 1.
pub(super) fn phase_sections(report: &RunReport, phase: &PhaseReport, number: usize) -> Vec<Section> {
    let id = |part: &str| format!("phase-{number}-{part}");
    let odd = odd_names(report);
    let mut first = vec![Block::Text(standing(phase))];
    first.push(Block::List(phase.reasons.iter().map(|reason| marked(reason, &odd)).collect()));
    first.push(Block::Table(criteria(phase)));
    if !phase.checklist.is_empty() {
        first.push(Block::Table(checklist(phase)));
    }
    let mut sections = vec![
        Section::new(format!("phase-{number}"), 2, format!("Phase {}", phase.status.name), first),
        Section::new(id("change"), 3, "What was to change", change(report, phase)),
        Section::new(id("checks"), 3, "What was checked", checks(report, phase)),
    ];
    for (at, check) in phase.checks.iter().enumerate().filter(|(_, check)| !check.details.is_empty()) {
        let tables = check.details.iter().map(shown).collect();
        let title = format!("Details of {} at {}", check.name, check.at);
        sections.push(Section::new(id(&format!("check-{}", at + 1)), 4, title, tables));
    }
    sections.push(Section::new(id("rehearsal"), 3, "Rehearsal", rehearsal(report, phase)));
    if !phase.shadows.is_empty() {
        sections.push(Section::new(id("shadows"), 3, "Old and new side by side", shadows(&phase.shadows)));
    }
    if !phase.triggers.is_empty() {
        sections.push(Section::new(id("triggers"), 3, "Triggers", triggers(&phase.triggers)));
    }
    sections.push(Section::new(id("approvals"), 3, "Who approved", sign_offs(report, phase)));
    sections
}

fn standing(phase: &PhaseReport) -> Words {
    let mut words = vec![Bit::Text("It is ".to_owned()), Bit::Strong(phase.status.point.replace('-', " "))];
    if let Some((since, actor, generation)) = &phase.live {
        words.extend([
            Bit::Text(format!("; it went live as generation {generation} at ")),
            Bit::Time(since.clone()),
            Bit::Text(", cut over by ".to_owned()),
            Bit::Code(actor.clone()),
        ]);
    }
    if phase.attempts > 1 {
        words.push(Bit::Text(format!("; this is attempt {} of this run", phase.attempts)));
    }
    words.push(Bit::Text(". Why it stands there:".to_owned()));
    words
}

fn verdict(verdict: Verdict, is_open: bool) -> Bit {
    if is_open { Bit::NotYet } else { Bit::Verdict(verdict) }
}

fn criteria(phase: &PhaseReport) -> Table {
    let mut table = Table::new("What must hold", &["what", "verdict", "by"]);
    for (criterion, text) in told_together(&phase.criteria) {
        let verdict = vec![verdict(criterion.verdict, criterion.is_open)];
        let by = criterion.by.split(' ').map(short).collect::<Vec<_>>().join(" ");
        table.rows.push(vec![words(text), verdict, words(by)]);
    }
    table
}

/// The criteria of the plan, by point.
fn checklist(phase: &PhaseReport) -> Table {
    let mut table = Table::new("Criteria of the plan", &["at", "what", "verdict", "by", "waited for"]);
    for one in &phase.checklist {
        let verdict = vec![verdict(one.verdict, one.is_open)];
        let required = if one.required { "yes" } else { "" };
        let (at, by) = (words(one.at.to_string()), words(&one.by));
        table.rows.push(vec![at, words(&one.name), verdict, by, words(required)]);
    }
    table
}

fn change(report: &RunReport, phase: &PhaseReport) -> Vec<Block> {
    let kinds =
        phase.changes.iter().map(|(kind, does)| [words(format!("{kind}: ")), marked(does, &[])].concat());
    let mut blocks = vec![Block::List(kinds.collect())];
    if report.plan_fault.is_some() {
        blocks =
            vec![Block::Text(words("What makes its candidate stands in the plan, which cannot be used."))];
    }
    let Some(candidate) = &phase.candidate else {
        blocks.push(Block::Text(words("Its candidate has not been built yet.")));
        return blocks;
    };
    let mut facts = vec![
        ("Entries", words(candidate.counts.to_string())),
        ("Paths", codes(&candidate.paths)),
        ("Exchange", words(&candidate.mechanism)),
        ("Built", vec![Bit::Time(candidate.time.clone())]),
        ("Live tree", code(&candidate.old_tree)),
        ("Candidate", code(&candidate.new_tree)),
    ];
    if let Some(snapshot) = &phase.snapshot {
        let mut told = Words::new();
        if snapshot.id == "nothing" {
            told.push(Bit::Text("there was nothing to save".to_owned()));
        } else {
            let files = counted(snapshot.files, "file");
            told.extend([
                Bit::Hash(short(&snapshot.id).to_owned()),
                Bit::Text(format!(", {files}, {} bytes, verified ", snapshot.bytes)),
                Bit::Time(snapshot.time.clone()),
            ]);
        }
        facts.push(("Snapshot", told));
    }
    if !candidate.outside.is_empty() {
        facts.push(("Outside", codes(&candidate.outside)));
    }
    for environment in &candidate.environments {
        facts.push(("Environment", words(format!("{}: {}", environment.path, environment.summary))));
    }
    blocks.push(Block::Facts(facts));
    match &candidate.files {
        Err(why) => blocks.push(Block::Note(words(format!("The files cannot be named: {why}")))),
        Ok(files) => {
            let lists = [
                ("added", &files.added),
                ("removed", &files.removed),
                ("changed", &files.changed),
                ("other mode, owner, time, attributes or links", &files.metadata),
            ];
            let mut table = Table::new("Files", &["what", "how many", "which"]);
            for (what, named) in lists.into_iter().filter(|(_, named)| named.total > 0) {
                table.rows.push(vec![words(what), words(named.total.to_string()), which(named)]);
            }
            blocks.push(Block::Table(table));
        }
    }
    blocks
}

fn which(named: &Named) -> Words {
    let mut words = codes(&named.names);
    if named.left_out() > 0 {
        words.push(Bit::Text(format!(" and {} more", named.left_out())));
    }
    words
}

fn checks(report: &RunReport, phase: &PhaseReport) -> Vec<Block> {
    if phase.is_unchecked() {
        let why = if report.plan_fault.is_some() {
            "No check has looked at this phase"
        } else if report.has_checks {
            "No check of the plan is for this phase"
        } else {
            "The plan has no checks"
        };
        return vec![Block::Note(words(format!("{why}: nothing about this change was proved.")))];
    }
    let mut table =
        Table::new("Checks", &["check", "at", "verdict", "what it said", "took", "when", "evidence"]);
    let odd = odd_names(report);
    for check in &phase.checks {
        let mut name = code(&check.name);
        if !check.kind.is_empty() {
            name.push(Bit::Text(format!(" ({})", check.kind)));
        }
        table.rows.push(vec![
            name,
            words(&check.at),
            vec![Bit::Verdict(check.verdict)],
            said(check, &odd),
            took(check.milliseconds),
            vec![Bit::Time(check.time.clone())],
            hash(&check.evidence),
        ]);
    }
    for (name, kind, at) in &phase.open_checks {
        let name = vec![Bit::Code(name.clone()), Bit::Text(format!(" ({kind})"))];
        let nothing = Words::new;
        let said = words("it has not looked");
        table.rows.push(vec![name, words(at), vec![Bit::NotYet], said, nothing(), nothing(), nothing()]);
    }
    vec![Block::Table(table)]
}

fn said(check: &CheckReport, odd: &[String]) -> Words {
    let mut words = marked(&check.summary, odd);
    if check.verdict == Verdict::No && !check.refuses() {
        words.push(Bit::Text(" (what later looks are compared with: it holds nothing up)".to_owned()));
    }
    if check.looks > 1 {
        words.push(Bit::Text(format!(" (the last of {} looks)", check.looks)));
    }
    if !check.void.is_empty() {
        words.push(Bit::Text(" ".to_owned()));
        words.push(Bit::Strong(format!("Void, because since then {} changed.", check.void.join(", "))));
    }
    if let Some(fault) = &check.evidence_fault {
        words.push(Bit::Text(" ".to_owned()));
        words.push(Bit::Strong(format!("Its evidence cannot be used: {fault}.")));
    }
    words
}

/// A detail of evidence, as a block.
pub(super) fn shown(detail: &Detail) -> Block {
    if detail.is_output {
        return Block::Output {
            caption: detail.title.clone(),
            lines: detail.rows.iter().map(|row| row.concat()).collect(),
            left_out: detail.left_out,
        };
    }
    let cell = |text: &String| if text.is_empty() { Words::new() } else { code(text) };
    Block::Table(Table {
        caption: detail.title.clone(),
        columns: detail.columns.clone(),
        rows: detail.rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
        left_out: (detail.left_out, detail.rows.len()),
        stacks: false,
    })
}

fn rehearsal(report: &RunReport, phase: &PhaseReport) -> Vec<Block> {
    let Some(rehearsal) = &phase.rehearsal else {
        return vec![Block::Text(words(
            "This candidate was not rehearsed: that it can be undone was not tried on a copy beforehand.",
        ))];
    };
    let mut verdict = vec![Bit::Verdict(rehearsal.verdict), Bit::Text(": ".to_owned())];
    verdict.extend(said(rehearsal, &odd_names(report)));
    let by = [Bit::Text(" by ".to_owned()), Bit::Code(rehearsal.actor.clone())];
    let mut blocks = vec![Block::Facts(vec![
        ("In and out again", verdict),
        ("Took", took(rehearsal.milliseconds)),
        ("When", [vec![Bit::Time(rehearsal.time.clone())], by.into()].concat()),
        ("Evidence", code(&rehearsal.evidence)),
    ])];
    blocks.extend(rehearsal.details.iter().map(shown));
    blocks
}

fn sign_offs(report: &RunReport, phase: &PhaseReport) -> Vec<Block> {
    let roles: Vec<String> = phase.roles.iter().map(|(role, _)| role.clone()).collect();
    let each = phase.roles.first().map_or(1, |(_, needed)| *needed);
    let is_known = report.plan_fault.is_none();
    if is_known && roles.is_empty() && phase.sign_offs.is_empty() {
        return vec![Block::Text(words("The plan asks nobody: no approval is needed for this phase."))];
    }
    let needed = if phase.roles.iter().all(|(_, needed)| *needed == each) {
        [
            words(format!("Needed: {} in each of these roles: ", counted(each, "approval"))),
            codes(&roles),
            words("."),
        ]
        .concat()
    } else {
        let of_role = |(role, needed): &(String, u64)| [words(format!("{needed} in ")), code(role)].concat();
        let each = phase.roles.iter().map(of_role).collect::<Vec<_>>();
        [words("Needed: approvals, "), each.join(&Bit::Text(", ".to_owned())), words(".")].concat()
    };
    let unknown = "Who must approve stands in the plan, which cannot be used.";
    let mut blocks = vec![Block::Text(if is_known { needed } else { words(unknown) })];
    let mut table = Table::new("Approvals and refusals", &["role", "who", "when", "what", "how it stands"]);
    for sign_off in &phase.sign_offs {
        let what =
            if sign_off.approved { "approved".to_owned() } else { format!("refused: {}", sign_off.why) };
        table.rows.push(vec![
            code(&sign_off.role),
            who_signed(sign_off),
            vec![Bit::Time(sign_off.time.clone())],
            words(what),
            words(&sign_off.standing),
        ]);
    }
    if table.rows.is_empty() {
        blocks.push(Block::Text(words("Nobody has said anything yet.")));
    } else {
        blocks.push(Block::Table(table));
    }
    blocks
}

/// Who that was: a person of the plan with the name of the key, or whoever was at the terminal.
fn who_signed(sign_off: &SignOffReport) -> Words {
    let mut found = code(sign_off.person.as_ref().unwrap_or(&sign_off.actor));
    if let Some(key) = &sign_off.key {
        found.extend(words(", signed with "));
        found.extend(code(key));
    }
    found
}
