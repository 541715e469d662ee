//! What a step declares that it changes of what was there before.

/// One declared change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exception {
    /// Values of a column may be others.
    Changes(String, String),
    /// A column may have another type; its values, as text, may not be others.
    Retypes(String, String),
    /// Rows of a table may come and go.
    Rows(String),
    /// A table may be gone.
    DropsTable(String),
    /// A column may be gone.
    DropsColumn(String, String),
    /// A table has another name.
    RenamesTable(String, String),
    /// A column has another name.
    RenamesColumn(String, String, String),
}

/// All that a step declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exceptions {
    declared: Vec<Exception>,
}

impl Exception {
    /// Reads a declaration, whose words have one space between them.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (word, rest) = text.split_once(' ')?;
        // `schema.table.column`: the column is what stands behind the last point.
        let column =
            |place: &str| place.rsplit_once('.').map(|(table, column)| (table.to_owned(), column.to_owned()));
        let is_name = |name: &str| !name.is_empty() && !name.contains(' ');
        match word {
            "changes" => column(rest).map(|(table, column)| Self::Changes(table, column)),
            "retypes" => column(rest).map(|(table, column)| Self::Retypes(table, column)),
            "rows" => is_name(rest).then(|| Self::Rows(rest.to_owned())),
            "drops" => match (rest.strip_prefix("table "), column(rest)) {
                (Some(table), _) => Some(Self::DropsTable(table.to_owned())),
                (None, Some((table, column))) => Some(Self::DropsColumn(table, column)),
                (None, None) => Some(Self::DropsTable(rest.to_owned())),
            },
            "renames" => {
                let (old, new) = rest.split_once(" to ")?;
                match (old.strip_prefix("table "), column(old)) {
                    (Some(table), _) => Some(Self::RenamesTable(table.to_owned(), new.to_owned())),
                    (None, Some((table, column))) => Some(Self::RenamesColumn(table, column, new.to_owned())),
                    (None, None) => Some(Self::RenamesTable(old.to_owned(), new.to_owned())),
                }
            }
            _ => None,
        }
    }

    /// As it is written.
    pub fn words(&self) -> String {
        match self {
            Self::Changes(table, column) => format!("changes {table}.{column}"),
            Self::Retypes(table, column) => format!("retypes {table}.{column}"),
            Self::Rows(table) => format!("rows {table}"),
            Self::DropsTable(table) => format!("drops {table}"),
            Self::DropsColumn(table, column) => format!("drops {table}.{column}"),
            Self::RenamesTable(table, name) => format!("renames {table} to {name}"),
            Self::RenamesColumn(table, column, name) => format!("renames {table}.{column} to {name}"),
        }
    }
}

impl Exceptions {
    pub(super) fn push(&mut self, exception: Exception) {
        self.declared.push(exception);
    }

    pub(super) fn add(&mut self, other: Self) {
        self.declared.extend(other.declared);
    }

    /// All of them, in the order in which they are written.
    pub fn all(&self) -> &[Exception] {
        &self.declared
    }

    /// Whether values of a column may be others.
    pub(super) fn changes(&self, table: &str, column: &str) -> bool {
        self.declared.iter().any(|one| matches!(one, Exception::Changes(t, c) if t == table && c == column))
    }

    pub(super) fn retypes(&self, table: &str, column: &str) -> bool {
        self.changes(table, column)
            || self
                .declared
                .iter()
                .any(|one| matches!(one, Exception::Retypes(t, c) if t == table && c == column))
    }

    pub(super) fn rows(&self, table: &str) -> bool {
        self.declared.iter().any(|one| matches!(one, Exception::Rows(t) if t == table))
    }

    pub(super) fn drops_table(&self, table: &str) -> bool {
        self.declared.iter().any(|one| matches!(one, Exception::DropsTable(t) if t == table))
    }

    pub(super) fn drops_column(&self, table: &str, column: &str) -> bool {
        self.declared
            .iter()
            .any(|one| matches!(one, Exception::DropsColumn(t, c) if t == table && c == column))
    }

    /// What a table of before is called after the step.
    pub(super) fn new_table<'a>(&'a self, table: &'a str) -> &'a str {
        self.declared
            .iter()
            .find_map(|one| match one {
                Exception::RenamesTable(old, new) if old == table => Some(new.as_str()),
                _ => None,
            })
            .unwrap_or(table)
    }

    /// What a column of before is called after the step.
    pub(super) fn new_column<'a>(&'a self, table: &str, column: &'a str) -> &'a str {
        self.declared
            .iter()
            .find_map(|one| match one {
                Exception::RenamesColumn(t, old, new) if t == table && old == column => Some(new.as_str()),
                _ => None,
            })
            .unwrap_or(column)
    }

    /// The same seen from the other end: what undoing the step may change. What it dropped comes back, and what it renamed has
    /// its old name again.
    pub(super) fn undone(&self) -> Self {
        let names = |table: &str, column: &str| {
            (self.new_table(table).to_owned(), self.new_column(table, column).to_owned())
        };
        let undone = self.declared.iter().filter_map(|one| match one {
            Exception::Changes(table, column) => {
                let (table, column) = names(table, column);
                Some(Exception::Changes(table, column))
            }
            Exception::Retypes(table, column) => {
                let (table, column) = names(table, column);
                Some(Exception::Retypes(table, column))
            }
            Exception::RenamesTable(old, new) => Some(Exception::RenamesTable(new.clone(), old.clone())),
            Exception::RenamesColumn(table, old, new) => {
                Some(Exception::RenamesColumn(self.new_table(table).to_owned(), new.clone(), old.clone()))
            }
            // Whoever undoes it decides of each row anew: none of these excuses a loss.
            Exception::Rows(_) | Exception::DropsTable(_) | Exception::DropsColumn(..) => None,
        });
        Self { declared: undone.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_read_back_as_they_are_written() {
        for text in [
            "changes orders.total",
            "retypes shop.orders.total",
            "rows orders",
            "drops orders",
            "drops orders.note",
            "renames orders to sales",
            "renames orders.total to amount",
        ] {
            assert_eq!(Exception::parse(text).unwrap().words(), text);
        }
        for text in ["", "changes", "changes orders", "drop orders.note", "renames orders.total", "rows a b"]
        {
            assert_eq!(Exception::parse(text), None, "{text}");
        }
        // A table in a schema of its own has a point in its name.
        assert_eq!(
            Exception::parse("drops table other.orders"),
            Some(Exception::DropsTable("other.orders".to_owned()))
        );
    }

    #[test]
    fn an_undo_goes_by_the_new_names_and_excuses_no_loss() {
        let mut exceptions = Exceptions::default();
        for text in [
            "renames orders to sales",
            "renames orders.total to amount",
            "changes orders.total",
            "drops a.b",
            "rows c",
        ] {
            exceptions.push(Exception::parse(text).unwrap());
        }
        let undone = exceptions.undone();
        assert_eq!((undone.new_table("sales"), undone.new_column("sales", "amount")), ("orders", "total"));
        assert!(undone.changes("sales", "amount"));
        assert!(!undone.drops_column("a", "b") && !undone.rows("c"));
    }
}
