//! Rows of SQLite that refer to rows that are not there: what a step may not add to while foreign keys are not looked at.

use std::collections::BTreeMap;

use super::dialect::Dialect;
use super::exception::Exceptions;
use super::link::Link;
use crate::port::StatementError;
use crate::quantity::counted;

/// How many rows of a table refer to rows of another that are not there.
pub(super) type Dangling = BTreeMap<(String, String), u64>;

impl Link<'_> {
    /// Rows that refer to rows that are not there, of SQLite, which was told not to look: how many of each table refer to which.
    pub(super) fn dangling(&mut self) -> Result<Dangling, StatementError> {
        let mut dangling = Dangling::new();
        if self.dialect != Dialect::Sqlite {
            return Ok(dangling);
        }
        let query =
            "SELECT \"table\", parent, CAST(count(*) AS TEXT) FROM pragma_foreign_key_check GROUP BY 1, 2";
        self.rows(query, &mut |cells| {
            let text = |at: usize| cells.get(at).cloned().flatten().unwrap_or_default();
            dangling.insert((text(0), text(1)), text(2).parse().unwrap_or(u64::MAX));
            true
        })?;
        Ok(dangling)
    }
}

/// Which tables refer to more rows that are not there than before, in sentences.
pub(super) fn more_dangling(before: &Dangling, now: &Dangling, exceptions: &Exceptions) -> Vec<String> {
    let mut known = Dangling::new();
    for ((table, parent), rows) in before {
        *known
            .entry((exceptions.new_table(table).to_owned(), exceptions.new_table(parent).to_owned()))
            .or_default() += rows;
    }
    now.iter()
        .filter_map(|(place, rows)| {
            let more = rows.saturating_sub(known.get(place).copied().unwrap_or(0));
            let more = counted(std::num::NonZero::new(more)?.get(), "more row");
            let (table, parent) = place;
            Some(format!(
                "{more} of `{table}` without the row of `{parent}` referred to (`PRAGMA foreign_key_check`)"
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::exception::Exception;
    use super::*;

    #[test]
    fn rows_that_dangle_are_told_apart_by_the_tables_they_are_in() {
        let place = |table: &str, parent: &str, rows: u64| ((table.to_owned(), parent.to_owned()), rows);
        let before = Dangling::from([place("a", "p", 2), place("b", "p", 1)]);
        let mut exceptions = Exceptions::default();
        assert!(more_dangling(&before, &before, &exceptions).is_empty());
        // As many as before, elsewhere.
        let now = Dangling::from([place("a", "p", 1), place("b", "p", 2)]);
        assert_eq!(
            more_dangling(&before, &now, &exceptions),
            ["1 more row of `b` without the row of `p` referred to (`PRAGMA foreign_key_check`)"]
        );
        exceptions.push(Exception::RenamesTable("a".to_owned(), "c".to_owned()));
        assert!(more_dangling(&before, &Dangling::from([place("c", "p", 2)]), &exceptions).is_empty());
    }
}
