//! The plan as text, with the ground of each guess beside it.

use super::Facts;
use super::checks::Written;
use super::layout::Item;
use super::listing::named;
use super::quote::{toml_list, toml_text};
use crate::plan::shown;

/// Comments are broken into lines of at most this many characters.
const WIDTH_MAX: usize = 110;
/// So many paths that are left alone are named.
const LEFT_MAX: usize = 20;

/// Text that is made line by line.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    pub(super) fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// Sentences as a comment.
    pub(super) fn comment(&mut self, words: impl AsRef<str>) {
        let mut line = String::new();
        for word in words.as_ref().split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH_MAX {
                self.line(format!("# {line}"));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            // What a program said may have control characters, which a comment cannot.
            line.extend(word.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }));
        }
        if !line.is_empty() {
            self.line(format!("# {line}"));
        }
    }

    /// Lines of a plan, to be used by taking the `#` off.
    pub(super) fn example(&mut self, lines: &str) {
        for line in lines.lines() {
            self.line(format!("#{line}"));
        }
    }

    pub(super) fn gap(&mut self) {
        self.line("");
    }
}

/// The whole plan.
pub(super) fn plan(facts: &Facts, checks: &[Written]) -> String {
    let mut page = Page::default();
    page.comment(
        "Written by `switchback init` from what stands in this folder. What is a guess says on what ground; correct it \
         where it is wrong. `switchback plan` shows what a run would do and touches nothing, `switchback check --at \
         before` carries the checks out on what is live now. Lines that begin with `#` and no space are examples: take \
         the `#` off to use them.",
    );
    page.line("version = 1");
    page.gap();
    project(&mut page, facts);
    snapshot(&mut page, facts);
    phase(&mut page, facts);
    for check in checks {
        page.gap();
        for sentence in &check.why {
            page.comment(sentence);
        }
        let lines = check.lines.join("\n");
        if check.is_active {
            page.line(lines);
        } else {
            page.example(&lines);
        }
    }
    trigger(&mut page, checks);
    examples(&mut page, facts);
    page.text
}

fn project(page: &mut Page, facts: &Facts) {
    page.line("[project]");
    page.line(format!("name = {} # {}", toml_text(&facts.name), facts.name_why));
    page.comment(
        "What a phase may change; nothing else is ever touched. A path becomes what the candidate has, deletions \
         included; with `delete = false`, files that the candidate does not have are kept.",
    );
    page.line("managed = [");
    for item in &facts.layout.managed {
        page.line(format!("    {}, # {}", managed(item), item.what));
    }
    page.line("]");
    if !facts.layout.managed_databases.is_empty() {
        page.comment(format!(
            "Inside of managed paths lies {}: what is written into it between staging and cutover is seen as a change, and \
             refused. Keep databases elsewhere.",
            named(&facts.layout.managed_databases)
        ));
    }
    if !facts.layout.left.is_empty() {
        let shown_max = facts.layout.left.iter().take(LEFT_MAX);
        let words: Vec<String> =
            shown_max.map(|left| format!("`{}` ({})", shown(&left.path), left.what)).collect();
        let more = facts.layout.left.len().saturating_sub(LEFT_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        page.comment(format!("Not managed: {}{more}.", words.join(", ")));
    }
    if !facts.layout.linked.is_empty() {
        page.comment(
            "Checks look at copies of the project. Into these copies the following is linked, not copied: a check that \
             writes there writes into the real thing.",
        );
        page.line("linked = [");
        for linked in &facts.layout.linked {
            page.line(format!("    {}, # {}", toml_text(&linked.path), linked.what));
        }
        page.line("]");
    }
}

fn managed(item: &Item) -> String {
    let path = toml_text(&item.path);
    if item.overlaid { format!("{{ path = {path}, delete = false }}") } else { path }
}

fn snapshot(page: &mut Page, facts: &Facts) {
    page.gap();
    let (small, large) = (&facts.layout.databases, &facts.layout.large_databases);
    if !large.is_empty() {
        page.comment(format!("Large databases, not backed up unless named in `also`: {}.", named(large)));
    }
    if small.is_empty() {
        page.comment(
            "Where snapshots go; best on another disk. `also` names what is backed up and never changed.",
        );
        page.example("[snapshot]\nrepository = \"/var/backups/switchback\"\nalso = [\"data/orders.csv\"]");
        return;
    }
    page.comment(
        "Databases, by their names: backed up with the managed paths, and never changed. They are copied as files, so a \
         copy is whole only while nobody writes into them.",
    );
    page.line("[snapshot]");
    page.line(format!("also = {}", toml_list(small.iter().map(String::as_str))));
    page.example("repository = \"/var/backups/switchback\"");
}

fn phase(page: &mut Page, facts: &Facts) {
    page.gap();
    page.line("[[phase]]");
    page.line("name = \"change\"");
    page.comment("Who must approve what was staged before it goes live; nobody, as it stands.");
    page.example("approve = { roles = [\"tech-lead\"] }");
    page.gap();
    for sentence in &facts.candidate.why {
        page.comment(sentence);
    }
    let example = |from: &str| format!("[[phase.change]]\nkind = \"files\"\nfrom = {}", toml_text(from));
    if let Some(from) = &facts.candidate.from {
        return page.line(example(from));
    }
    let from = match facts.candidate.others.first() {
        Some(other) if facts.has_git => format!("git:{other}"),
        _ if facts.has_git => "git:HEAD".to_owned(),
        _ => "../candidate".to_owned(),
    };
    page.example(&example(&from));
    page.line("[[phase.change]]\nkind = \"command\"\ncommand = \"true\"");
}

fn trigger(page: &mut Page, checks: &[Written]) {
    let Some(check) = checks.iter().filter(|check| check.is_active).max_by_key(|check| check.weight) else {
        return;
    };
    page.gap();
    page.comment("When this check says no after the cutover, the old tree is made live again.");
    page.line(format!("[[trigger]]\nwhen = {{ check = {} }}\ndo = \"roll-back\"", toml_text(check.name)));
}

fn examples(page: &mut Page, facts: &Facts) {
    if facts.listing.has_file("dbt_project.yml") {
        page.gap();
        page.comment(
            "The dbt project can be read: `dbt parse` needs no database, `dbt build` computes it all.",
        );
        page.example(
            "[[check]]\nname = \"dbt\"\nkind = \"command\"\ncommand = \"dbt parse --profiles-dir . --target-path {out}\"\nat = [\"before\", \"staged\", \"live\"]",
        );
    }
    page.gap();
    page.comment(
        "Proof that the results stay the same, value by value: old and new write theirs into `{out}`, and both are \
         compared. Name the program that makes the results.",
    );
    let python = facts.python.as_ref().map_or("python3", |python| python.word.as_str());
    let run = |tree: &str| {
        let command = format!("{} run.py --out {{out}}", super::quote::shell_word(python));
        format!("{{ tree = \"{tree}\", command = {} }}", toml_text(&command))
    };
    page.example(&format!(
        "[[check]]\nname = \"equal\"\nkind = \"equivalence\"\nold = {}\nnew = {}\ntolerance = {{ absolute = 1e-12 }}\nat = [\"staged\"]",
        run("live"),
        run("candidate")
    ));
    page.gap();
    page.comment("A service that must answer as fast as before, also later on.");
    page.example(
        "[[check]]\nname = \"latency\"\nkind = \"http\"\nurl = \"http://localhost:8000/health\"\nat = [\"before\", \"live\", \"+1h\", \"+24h\"]\n\
         [[trigger]]\nwhen = { check = \"latency\", worse_than = { times = 2.0, of = \"before\" }, in_a_row = 3 }\ndo = \"roll-back\"",
    );
}
