//! A comparison in one line: how close, what was left out, where it first differs, and why.

use switchback_core::quantity::counted;
use switchback_core::verdict::Verdict;

use crate::excerpt::around_difference;
use crate::explanation::told;
use crate::report::{
    Cell, ColumnDetail, CompareOutcome, Detail, IDENTICAL, Item, Kind, Relation, Rows, TableDetail,
};
use crate::source::notebook;

/// How many of the things that were left out are named; the report has them all.
const LEFT_OUT_MAX: usize = 3;
/// The longest value that is shown, in columns of a terminal.
const VALUE_MAX: usize = 60;

impl CompareOutcome {
    /// One line for a person: what was compared, how close it is, and where it first differs.
    pub fn summary(&self) -> String {
        let left_out = self.left_out() + &self.too_coarse() + &self.known() + &self.planted();
        if let Some(calibration) = &self.calibration
            && self.verdict != Verdict::Unknown
        {
            let noise = calibration.summary();
            return match self.verdict {
                Verdict::No => format!("no tolerance covers all: {}; {noise}{left_out}", self.difference()),
                _ => format!("{noise}{left_out}"),
            };
        }
        match self.verdict {
            Verdict::Yes => format!("{}{left_out}", self.closeness()),
            Verdict::Unknown if self.items.is_empty() => "nothing to compare: no file in common".to_owned(),
            Verdict::Unknown => {
                let empty = self.items.iter().find(|item| item.verdict == Verdict::Unknown);
                let name = empty.map_or("", |item| item.name.as_str());
                format!("nothing to compare in `{name}`{left_out}")
            }
            Verdict::No => format!("{}{left_out}", self.difference()),
        }
    }

    fn difference(&self) -> String {
        let one_sided = self.only_old.len() + self.only_new.len();
        let differing: Vec<&Item> = self.items.iter().filter(|item| item.verdict == Verdict::No).collect();
        let Some(first) = differing.first() else {
            let name = self.only_old.first().or(self.only_new.first()).map_or("", String::as_str);
            return format!("{} on one side only, first `{name}`", counted(one_sided as u64, "file"));
        };
        let others = differing.len() - 1 + one_sided;
        let more = if others == 0 { String::new() } else { format!("; {others} more differ") };
        format!("`{}` differs: {}{more}", first.name, first.reason())
    }

    /// The strongest relation that holds for all of it, and the worst cell where that is a tolerance.
    fn closeness(&self) -> String {
        let rows: u64 = self.items.iter().map(|item| item.rows().compared).sum();
        let scale = match self.items.as_slice() {
            [only] if only.kind == Kind::Table => format!("`{}`: {}", only.name, counted(rows, "row")),
            [only] => format!("`{}`", only.name),
            items if items.iter().any(|item| item.kind == Kind::Table) => {
                format!("{}, {}", counted(items.len() as u64, "file"), counted(rows, "row"))
            }
            items => counted(items.len() as u64, "file"),
        };
        match self.items.iter().filter_map(|item| item.relation).max() {
            Some(Relation::Bytes) => format!("identical byte by byte ({scale})"),
            Some(Relation::Bitwise) => format!("identical bit by bit ({scale})"),
            Some(Relation::Identical) => format!("identical by value ({scale})"),
            Some(Relation::Tolerance) => format!("equal within the tolerance ({scale}){}", self.worst()),
            Some(Relation::Different) => format!("equal but for known differences ({scale})"),
            None => format!("equal ({scale})"),
        }
    }

    /// Columns whose source is coarser than the tolerance that was asked for. That identical digits are no more than the
    /// digits that were written goes without saying.
    fn too_coarse(&self) -> String {
        let tables = self.items.iter().filter_map(Item::table);
        let all = tables.flat_map(|table| &table.cannot_carry).filter(|one| one.asked != IDENTICAL);
        let all: Vec<_> = all.collect();
        let Some(first) = all.first() else { return String::new() };
        let digits = first.old.iter().chain(&first.new).map(|source| source.digits).min().unwrap_or_default();
        let more = all.len() - 1;
        let more = if more == 0 { String::new() } else { format!(", and {more} more") };
        format!(
            "; `{}` has {} at its source, too few for the tolerance{more}",
            first.column,
            counted(u64::from(digits), "digit")
        )
    }

    /// How many of the planted differences are found.
    fn planted(&self) -> String {
        let Some(plants) = &self.sensitivity else { return String::new() };
        let found = plants.iter().filter(|plant| plant.found).count();
        format!("; of {} found {found}", counted(plants.len() as u64, "planted difference"))
    }

    /// What exceptions cover, and which of them are no longer right.
    fn known(&self) -> String {
        let covered: u64 = self.exceptions.iter().map(|exception| exception.covered).sum();
        let covered =
            (covered > 0).then(|| format!("; {} covered by exceptions", counted(covered, "difference")));
        let states = self.exceptions.iter().filter_map(|exception| {
            let what = exception.column.as_deref().or(exception.side).unwrap_or_default();
            let name = format!("; the exception for `{what}` of `{}`", exception.item);
            match () {
                () if exception.expired => Some(format!("{name} expired on {}", exception.expires)),
                () if exception.covered > exception.count => {
                    Some(format!("{name} covers {} and may cover {}", exception.covered, exception.count))
                }
                () if exception.unused => Some(format!("{name} is about nothing that differs")),
                () => None,
            }
        });
        covered.into_iter().chain(states).collect()
    }

    /// The cell that is farthest apart, of all tables: a value that holds in any unit, so by its own column's measure.
    fn worst(&self) -> String {
        let tables = self.items.iter().filter_map(Item::table);
        let columns = tables.flat_map(|table| &table.columns).filter(|column| column.cells_not_identical > 0);
        let size = |column: &&ColumnDetail| column.max_relative.unwrap_or(0.0);
        let worst = columns.max_by(|one, two| {
            // Of columns that are equally far apart, the first by name.
            size(one).total_cmp(&size(two)).then_with(|| two.name.cmp(&one.name))
        });
        let Some((column, cell)) = worst.and_then(|column| Some((column, column.worst.as_ref()?))) else {
            return String::new();
        };
        let distance =
            column.max_absolute.map_or_else(String::new, |distance| format!(" |a - b| {distance:?}"));
        format!("; worst{distance} in `{}` at {}", column.name, cell.place())
    }

    /// What the verdict does not cover.
    fn left_out(&self) -> String {
        let of_items = self.items.iter().flat_map(|item| match &item.detail {
            Detail::Table(table) => table.not_compared.as_slice(),
            Detail::Document(document) => document.not_compared.as_slice(),
            // That only bytes were compared is the reason of a *no*, and nothing that a *yes* leaves out.
            Detail::File(_) => &[],
        });
        let of_items = of_items.filter(|what| *what != notebook::LEFT_OUT).cloned();
        let files = self.not_compared.iter().map(|file| format!("`{file}` is outside of the stages"));
        let all: Vec<String> = files.chain(of_items).collect();
        if all.is_empty() {
            return String::new();
        }
        let named: Vec<&str> = all.iter().take(LEFT_OUT_MAX).map(String::as_str).collect();
        let more = all.len() - named.len();
        let more = if more == 0 { String::new() } else { format!(", and {more} more") };
        format!("; not compared: {}{more}", named.join(", "))
    }
}

impl Item {
    fn table(&self) -> Option<&TableDetail> {
        match &self.detail {
            Detail::Table(table) => Some(table),
            Detail::Document(_) | Detail::File(_) => None,
        }
    }

    fn rows(&self) -> Rows {
        self.table().map(|table| table.rows).unwrap_or_default()
    }

    /// Why it says *no*, in a few words.
    fn reason(&self) -> String {
        match &self.detail {
            Detail::Table(table) => table.reason(),
            Detail::Document(document) => {
                let at = document.differences.first().map_or("", |difference| difference.path.as_str());
                format!("{}, first at `{at}`", counted(document.differences_total, "value"))
            }
            Detail::File(_) => "its bytes (its format is not known: only bytes were compared)".to_owned(),
        }
    }
}

impl TableDetail {
    fn reason(&self) -> String {
        let mut parts = Vec::new();
        let schema = self.columns_only_old.len() + self.columns_only_new.len() + self.types_changed.len();
        if schema > 0 {
            let changed = self.types_changed.first().map(|change| &change.column);
            let name = self.columns_only_old.first().or(self.columns_only_new.first()).or(changed);
            let name = name.map_or("", String::as_str);
            parts.push(format!("{} of the schema, first `{name}`", counted(schema as u64, "column")));
        }
        if self.rows.different > 0 {
            parts.push(format!("{} of {}", self.rows.different, counted(self.rows.compared, "row")));
        }
        let rows_differ = self.rows.different + self.rows.only_old + self.rows.only_new > 0;
        if parts.is_empty() && self.columns_reordered && !rows_differ {
            parts.push("the order of its columns".to_owned());
        }
        for (rows, side) in [(self.rows.only_old, "old"), (self.rows.only_new, "new")] {
            if rows > 0 {
                parts.push(format!("{} only in the {side} one", counted(rows, "row")));
            }
        }
        let place = match &self.first {
            Some(cell @ Cell { column: Some(column), old, new, .. }) => {
                let place = cell.place();
                let (old, new) = around_difference(&old.to_string(), &new.to_string(), VALUE_MAX);
                format!("; first in `{column}` at {place}: {old} became {new}{}", self.why(column))
            }
            _ => String::new(),
        };
        parts.join(", ") + &place
    }

    /// What explains a column, where something does.
    fn why(&self, name: &str) -> String {
        let column = self.columns.iter().find(|column| column.name == name);
        let explanation = column.and_then(|column| column.explanation.as_ref());
        // An explanation has no keys that are not text, so it can always be written.
        let words = explanation.and_then(|one| told(&serde_json::to_value(one).ok()?));
        match (words, explanation) {
            (Some(words), Some(one)) => {
                let of = one.of.map_or_else(String::new, |of| format!(" tried of {of}"));
                format!("; in `{name}`: {words} ({} cells{of})", one.cells)
            }
            _ => String::new(),
        }
    }
}

impl Cell {
    /// Its row, by key where there is one.
    fn place(&self) -> String {
        if self.key.is_empty() {
            return format!("row {} (counted from 0)", self.row_old.unwrap_or_default());
        }
        let key: Vec<_> = self.key.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        key.join(", ")
    }
}
