//! `constraint`: what a result must satisfy by itself, in SQL or in a short form.

use std::path::PathBuf;

use serde_json::json;

use super::side::{COMMAND, PATH, Side, TREES};
use super::{Check, Kind, Looked, Scene};
use crate::constraint::{About, Bounds, Constraint, Direction, Form, Monotone, Rows, Sign, TableFile};
use crate::plan::{Fields, Key, Shape, TextOrTable, relative};

const SIGN: &[Key] = &[
    Key::required("column", Shape::Text, "the column, a number"),
    Key::required("is", Shape::Word(Sign::WORDS), "its sign in every row"),
];
const MONOTONE: &[Key] = &[
    Key::required("column", Shape::Text, "the column that goes one way"),
    Key::required("by", Shape::Text, "the column that it follows"),
    Key::optional(
        "within",
        Shape::Texts,
        "only rows that agree in these columns are held against each other",
    ),
    Key::required("direction", Shape::Word(Direction::WORDS), "which way it goes as `by` grows"),
    Key::optional("strict", Shape::Flag, "`true`: it may not stay the same"),
];
const TABLE: &[Key] = &[
    Key::required("path", Shape::Text, "the file, below `path` or `{out}`"),
    Key::optional("name", Shape::Text, "what it is called in SQL; its stem when left out"),
];

/// The words of [`Form`], exactly one of which is there.
pub(super) const FORMS: &[&str] = &["select", "holds", "not_null", "unique", "sign", "monotone"];

const SELECT: Key = Key::optional("select", Shape::Text, "a query that must select no row");
const HOLDS: Key = Key::optional("holds", Shape::Text, "a condition in SQL that must be true for every row");
const NOT_NULL: Key = Key::optional("not_null", Shape::Texts, "columns that have a value in every row");
const UNIQUE: Key =
    Key::optional("unique", Shape::Texts, "columns in which no two rows have the same values");
const SIGN_KEY: Key = Key::optional("sign", Shape::Table(SIGN), "a column has one sign in every row");
const MONOTONE_KEY: Key =
    Key::optional("monotone", Shape::Table(MONOTONE), "a column goes one way as another one grows");
const TABLE_KEY: Key = Key::optional("table", Shape::Text, "the table whose rows it is about");
const FROM: Key =
    Key::optional("from", Shape::Text, "with `holds`, instead of `table`: what stands behind `FROM` in SQL");
const WHERE: Key =
    Key::optional("where", Shape::Text, "a condition in SQL: it is about the rows for which it is true");

/// The keys of one constraint of several.
pub(super) const CONSTRAINT: &[Key] = &[
    Key::optional("name", Shape::Text, "in a list alone: what the constraint is called"),
    TABLE_KEY,
    FROM,
    WHERE,
    SELECT,
    HOLDS,
    NOT_NULL,
    UNIQUE,
    SIGN_KEY,
    MONOTONE_KEY,
];

/// The kind `constraint`.
pub(super) static KIND: Kind = Kind {
    word: "constraint",
    doc: "a result satisfies constraints: signs, ranges, keys, monotony, whatever SQL can say",
    keys: &[
        Key::optional(
            "tree",
            TREES,
            "`live`: the tree before this phase; `candidate`: the tree with it; what the moment is about when left out",
        ),
        COMMAND,
        PATH,
        Key::optional(
            "tables",
            Shape::TextsOrTables(TABLE),
            "the files that are tables; all of them when left out",
        ),
        TABLE_KEY,
        FROM,
        WHERE,
        SELECT,
        HOLDS,
        NOT_NULL,
        UNIQUE,
        SIGN_KEY,
        MONOTONE_KEY,
        Key::optional(
            "constraints",
            Shape::Tables(CONSTRAINT),
            "several constraints on the same results, instead of one",
        ),
        Key::optional("memory_mib", Shape::Whole, "memory for sorting, joining and grouping, in MiB"),
    ],
    read,
};

#[derive(Debug)]
struct ConstraintCheck {
    side: Side,
    /// Below the side's results; all of them when empty.
    tables: Vec<TableFile>,
    constraints: Vec<Constraint>,
    memory_bytes: Option<u64>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let side = Side::of(fields, fields.title());
    let tables = read_tables(fields);
    let constraints = read_constraints(fields);
    let memory_bytes = fields.whole("memory_mib").map(|mib| mib.saturating_mul(1 << 20));
    if memory_bytes == Some(0) {
        fields.find("memory_mib", "`memory_mib` is 0: nothing can be looked at", "e.g. `memory_mib = 1024`");
    }
    Some(Box::new(ConstraintCheck { side: side?, tables: tables?, constraints: constraints?, memory_bytes }))
}

fn read_tables(fields: &Fields<'_>) -> Option<Vec<TableFile>> {
    if fields.is_empty_list("tables") {
        fields.find("tables", "`tables` is empty", "name at least one file, or leave it out: then all are");
    }
    let mut tables = Vec::new();
    let items = fields.texts_or_tables("tables");
    let count = items.len();
    for (offset, item) in items {
        let (text, name) = match item {
            TextOrTable::Text(text) => (Some(text), None),
            TextOrTable::Table(table) => (table.text("path"), table.filled_text("name")),
        };
        let path = text.and_then(|text| relative(&text, offset, "the path of a table", fields.findings()));
        tables.extend(path.map(|path| TableFile { name, path }));
    }
    (tables.len() == count).then_some(tables)
}

fn read_constraints(fields: &Fields<'_>) -> Option<Vec<Constraint>> {
    if !fields.has("constraints") {
        return Some(vec![read_constraint(fields, None)?]);
    }
    if let Some(key) = CONSTRAINT.iter().find(|key| fields.has(key.name) && key.name != "name") {
        let message = format!("`{}` stands beside `constraints` in {}", key.name, fields.title());
        fields.find(key.name, message, "put it into one of the `constraints`");
    }
    if fields.is_empty_list("constraints") {
        fields.find("constraints", "`constraints` is empty", "write at least one");
    }
    let title = format!("an item of `constraints` in {}", fields.title());
    let items = fields.tables("constraints");
    let items = items.into_iter().map(|(offset, table)| {
        let item = Fields::new(table, offset, title.clone(), CONSTRAINT, fields.findings());
        let name = item.filled_text("name");
        read_constraint(&item, name)
    });
    // All of them are read before the first that is wrong ends it: each has findings of its own.
    let read: Vec<Option<Constraint>> = items.collect();
    read.into_iter().collect()
}

pub(super) fn read_constraint(fields: &Fields<'_>, name: Option<String>) -> Option<Constraint> {
    let about = read_about(fields);
    let forms: Vec<Option<Form>> =
        FORMS.iter().filter(|form| fields.has(form)).map(|form| read_form(fields, form)).collect();
    let listed = || FORMS.iter().map(|form| format!("`{form}`")).collect::<Vec<_>>().join(", ");
    match forms.len() {
        1 => {}
        0 => {
            let message = format!("{} says nothing that must hold", fields.title());
            fields.findings().add(fields.offset(), message, format!("add one of {}", listed()));
        }
        _ => {
            let message = format!("{} has more than one of {}", fields.title(), listed());
            fields.findings().add(fields.offset(), message, "make each an item of `constraints`");
        }
    }
    let mut forms = forms.into_iter();
    let form = forms.next().flatten()?;
    match (&form, &about) {
        (Form::Select(_), _) => {
            if let Some(key) = ["table", "from", "where"].into_iter().find(|key| fields.has(key)) {
                let message = format!("`{key}` stands beside `select`, which names its rows itself");
                fields.find(key, message, "put it into the query");
            }
        }
        (Form::Holds(_), _) => {}
        (_, About { rows: Rows::From(_), .. }) => {
            fields.find("from", "`from` goes with `holds` alone", "name a `table`");
        }
        _ => {}
    }
    Some(Constraint { name, about, form })
}

fn read_about(fields: &Fields<'_>) -> About {
    let (table, from) = (fields.filled_text("table"), fields.filled_text("from"));
    if fields.has("table") && fields.has("from") {
        fields.find("from", "`from` stands beside `table`", "take one of them out");
    }
    let rows = match (table, from) {
        (_, Some(from)) => Rows::From(from),
        (Some(table), None) => Rows::Table(table),
        (None, None) => Rows::OnlyTable,
    };
    About { rows, filter: fields.filled_text("where") }
}

fn read_form(fields: &Fields<'_>, form: &str) -> Option<Form> {
    Some(match form {
        "select" => Form::Select(fields.filled_text(form)?),
        "holds" => Form::Holds(fields.filled_text(form)?),
        "not_null" => Form::NotNull(read_columns(fields, form)?),
        "unique" => Form::Unique(read_columns(fields, form)?),
        "sign" => {
            let sign = fields.table(form)?;
            let (column, is) = (sign.filled_text("column"), sign.word("is"));
            Form::Sign { column: column?, is: Sign::from_word(&is?)? }
        }
        _ => {
            let table = fields.table(form)?;
            let (column, by) = (table.filled_text("column"), table.filled_text("by"));
            let direction = table.word("direction");
            Form::Monotone(Monotone {
                within: table.texts("within").unwrap_or_default(),
                is_strict: table.flag("strict").unwrap_or(false),
                column: column?,
                by: by?,
                direction: Direction::from_word(&direction?)?,
            })
        }
    })
}

fn read_columns(fields: &Fields<'_>, name: &str) -> Option<Vec<String>> {
    let columns = fields.texts(name)?;
    if columns.is_empty() {
        fields.find(name, format!("`{name}` is empty"), "name at least one column");
        return None;
    }
    Some(columns)
}

impl Check for ConstraintCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let mut evidence = json!({});
        let results = match self.side.results(scene, "results", &mut evidence) {
            Ok(results) => results,
            Err(why) => return Looked::unknown(why, evidence),
        };
        let bounds = Bounds { timeout: Some(scene.timeout), ..Bounds::default() };
        let bounds = Bounds { memory_bytes: self.memory_bytes.unwrap_or(bounds.memory_bytes), ..bounds };
        match scene.querier.query(&self.tables_in(results), &self.constraints, &bounds) {
            Ok(outcome) => {
                evidence["constraints"] = outcome.to_json();
                Looked::new(outcome.verdict(), outcome.summary(), evidence)
            }
            Err(error) => Looked::failed(&error, evidence),
        }
    }
}

impl ConstraintCheck {
    fn tables_in(&self, results: PathBuf) -> Vec<TableFile> {
        if self.tables.is_empty() {
            return vec![TableFile { name: None, path: results }];
        }
        let below = |table: &TableFile| TableFile { path: results.join(&table.path), ..table.clone() };
        self.tables.iter().map(below).collect()
    }
}
