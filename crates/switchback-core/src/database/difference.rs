//! What is different between the databases of two snapshots, as their facts say.

use std::collections::BTreeMap;

use super::format::{Facts, Kind, Saved, Table};

/// Everything that differs, a line each: databases, tables, rows, content.
pub fn differences(old: Option<&Facts>, new: Option<&Facts>) -> Vec<String> {
    let by_name = |facts: Option<&'_ Facts>| -> BTreeMap<String, Saved> {
        let databases = facts.map(|facts| facts.databases.clone()).unwrap_or_default();
        databases.into_iter().map(|saved| (saved.name.clone(), saved)).collect()
    };
    let (old, new) = (by_name(old), by_name(new));
    let mut found = Vec::new();
    for (name, old) in &old {
        match new.get(name) {
            None => found.push(format!("database `{name}`: only in the older one")),
            Some(new) => {
                found.extend(of_one(old, new).into_iter().map(|what| format!("database `{name}`: {what}")));
            }
        }
    }
    let added = new.keys().filter(|name| !old.contains_key(*name));
    found.extend(added.map(|name| format!("database `{name}`: only in the newer one")));
    found
}

/// What differs of one database. A dump has the time at which it was made in it: there the tables decide.
fn of_one(old: &Saved, new: &Saved) -> Vec<String> {
    let mut found = of_tables(&old.tables, &new.tables);
    let content =
        |saved: &Saved| -> Vec<String> { saved.files.iter().map(|file| file.blake3.clone()).collect() };
    if found.is_empty()
        && (old.kind != Kind::Postgresql || old.kind != new.kind)
        && content(old) != content(new)
    {
        found.push("other content".to_owned());
    }
    found
}

/// What differs between tables: which there are, how many rows they have, and what is in them where that is known.
pub(super) fn of_tables(old: &[Table], new: &[Table]) -> Vec<String> {
    let by_name = |tables: &[Table]| -> BTreeMap<String, Table> {
        tables.iter().map(|t| (t.name.clone(), t.clone())).collect()
    };
    let (old, new) = (by_name(old), by_name(new));
    let mut found = Vec::new();
    for (name, old) in &old {
        match new.get(name) {
            None => found.push(format!("table `{name}` is missing")),
            Some(new) if new.rows != old.rows => {
                found.push(format!("table `{name}` had {} rows and has {}", old.rows, new.rows));
            }
            Some(new) if new.content != old.content => {
                found.push(format!("table `{name}` has {} rows as before, with other content", old.rows));
            }
            Some(_) => {}
        }
    }
    found.extend(
        new.keys().filter(|name| !old.contains_key(*name)).map(|name| format!("table `{name}` is new")),
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, rows: u64, content: &str) -> Table {
        Table { name: name.to_owned(), rows, content: Some(content.to_owned()) }
    }

    #[test]
    fn tables_that_differ_in_anything_are_named() {
        let old = [table("a", 1, "1"), table("b", 2, "2"), table("c", 3, "3")];
        assert_eq!(of_tables(&old, &old), Vec::<String>::new());
        let new = [table("a", 1, "9"), table("b", 4, "2"), table("d", 0, "0")];
        assert_eq!(
            of_tables(&old, &new),
            [
                "table `a` has 1 rows as before, with other content",
                "table `b` had 2 rows and has 4",
                "table `c` is missing",
                "table `d` is new"
            ]
        );
    }
}
