//! The short forms as SQL.

use arrow_schema::{DataType, SchemaRef};
use switchback_core::constraint::{Direction, Monotone, Sign};

use crate::words::Unknown;

/// A name in SQL, to the letter.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// ` WHERE …`, or nothing. What follows an expression stands in a line of its own: the expression may end in a comment.
pub(crate) fn filtered(conditions: &[&str]) -> String {
    let conditions: Vec<String> = conditions.iter().map(|condition| format!("(\n{condition}\n)")).collect();
    if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
}

/// A table that a short form is about.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) schema: SchemaRef,
}

impl Columns {
    /// The type of a column of the file.
    fn kind(&self, column: &str) -> Result<&DataType, Unknown> {
        let field = self.schema.fields().iter().find(|field| field.name() == column);
        field.map(|field| field.data_type()).ok_or_else(|| {
            Unknown::no_column(column, self.schema.fields().iter().map(|field| field.name().as_str()))
        })
    }

    /// The column of the numbers of rows, in quotes.
    fn row(&self) -> String {
        self.schema.fields().first().map(|field| quoted(field.name())).unwrap_or_default()
    }

    /// A name that no column has, made from `wish`.
    fn free(&self, wish: &str) -> String {
        let mut name = wish.to_owned();
        while self.schema.fields().iter().any(|field| *field.name() == name) {
            name.push('_');
        }
        name
    }

    /// The condition that these columns have values.
    pub(crate) fn not_null(&self, columns: &[String]) -> Result<String, Unknown> {
        let mut conditions = Vec::with_capacity(columns.len());
        for column in columns {
            self.kind(column)?;
            conditions.push(format!("{} IS NOT NULL", quoted(column)));
        }
        Ok(conditions.join(" AND "))
    }

    /// The condition that a column has a sign.
    pub(crate) fn sign(&self, column: &str, is: Sign) -> Result<String, Unknown> {
        let kind = self.kind(column)?;
        if !(kind.is_numeric() || kind.is_null()) {
            let why = format!("the column `{column}` is no number ({kind})");
            return Err(Unknown::new(why).hinted("name a column of numbers"));
        }
        let comparison = match is {
            Sign::Positive => "> 0",
            Sign::Negative => "< 0",
            Sign::NotNegative => ">= 0",
            Sign::NotPositive => "<= 0",
        };
        Ok(format!("{} {comparison}", quoted(column)))
    }

    /// A query for the keys that repeat, those first that begin first.
    pub(crate) fn repeated(&self, columns: &[String], from: &str) -> Result<Repeated, Unknown> {
        for column in columns {
            self.kind(column)?;
        }
        let keys = columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
        let [times, first, last] = ["times", "first_row", "last_row"].map(|name| quoted(&self.free(name)));
        let row = self.row();
        let keys = format!(
            "SELECT {keys}, count(*) AS {times}, min({row}) AS {first}, max({row}) AS {last} FROM {from} \
             GROUP BY {keys} HAVING count(*) > 1"
        );
        Ok(Repeated {
            count: format!("SELECT count(*) FROM ({keys})"),
            rows: format!("{keys} ORDER BY {first}"),
        })
    }

    /// The queries for a column that goes one way. `filter`: the condition on the rows that it is about.
    pub(crate) fn monotone(
        &self,
        monotone: &Monotone,
        table: &str,
        filter: Option<&str>,
    ) -> Result<Neighbours, Unknown> {
        let Monotone { column, by, within, direction, is_strict } = monotone;
        let kind = self.kind(column)?;
        if !(kind.is_numeric() || kind.is_temporal() || kind.is_null()) {
            let why = format!("the column `{column}` is no number and no time ({kind})");
            return Err(Unknown::new(why).hinted("name a column that has an order"));
        }
        for other in std::iter::once(by).chain(within) {
            self.kind(other)?;
        }
        if column == by || within.contains(column) || within.contains(by) {
            let why = "`column`, `by` and `within` name the same column twice";
            return Err(Unknown::new(why).hinted("name three different things"));
        }
        let has_nan = |name: &String| self.kind(name).is_ok_and(DataType::is_floating);
        let usable = [column, by].map(|name| {
            let quoted = quoted(name);
            let nan = if has_nan(name) { format!(" AND NOT isnan({quoted})") } else { String::new() };
            format!("{quoted} IS NOT NULL{nan}")
        });
        let usable = usable.join(" AND ");
        let (row, prior_row) = (self.row(), quoted(&self.free("previous_row")));
        let prior = |name: &str| quoted(&self.free(&format!("previous_{name}")));
        let (prior_by, prior_column) = (prior(by), prior(column));
        let (by, column) = (quoted(by), quoted(column));
        let groups = within.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let part = if groups.is_empty() { String::new() } else { format!("PARTITION BY {groups} ") };
        let shown = if groups.is_empty() { String::new() } else { format!("{groups}, ") };
        // Within one value of `by` the rows run the way that the column is to go: the last of them is the one that the
        // next value must not fall behind, whichever of its rows comes first.
        let (run, holds) = match (direction, is_strict) {
            (Direction::Increasing, false) => ("ASC", ">="),
            (Direction::Increasing, true) => ("ASC", ">"),
            (Direction::Decreasing, false) => ("DESC", "<="),
            (Direction::Decreasing, true) => ("DESC", "<"),
        };
        let window = format!("OVER ({part}ORDER BY {by}, {column} {run}, {row})");
        let conditions: Vec<&str> = filter.into_iter().chain([usable.as_str()]).collect();
        let neighbours = format!(
            "SELECT {shown}{row}, {by}, {column}, lag({row}) {window} AS {prior_row}, lag({by}) {window} AS {prior_by}, \
             lag({column}) {window} AS {prior_column} FROM {table}{}",
            filtered(&conditions)
        );
        let pair = format!("{prior_by} < {by}");
        let broken = format!("{pair} AND NOT {column} {holds} {prior_column}");
        let about = filtered(filter.as_slice());
        let odd: Vec<String> =
            filter.map(str::to_owned).into_iter().chain([format!("NOT ({usable})")]).collect();
        let odd: Vec<&str> = odd.iter().map(String::as_str).collect();
        Ok(Neighbours {
            seen: format!("SELECT count(*), count(*) FILTER (WHERE NOT ({usable})) FROM {table}{about}"),
            pairs: format!(
                "SELECT count(*) FILTER (WHERE {pair}), count(*) FILTER (WHERE {broken}) FROM ({neighbours})"
            ),
            broken: format!("SELECT * FROM ({neighbours}) WHERE {broken} ORDER BY {row}"),
            without_place: format!(
                "SELECT {shown}{row}, {by}, {column} FROM {table}{} ORDER BY {row}",
                filtered(&odd)
            ),
        })
    }
}

/// Queries for keys that repeat.
#[derive(Debug)]
pub(crate) struct Repeated {
    /// How many there are.
    pub(crate) count: String,
    /// Each with how often it is there, and its first and last row.
    pub(crate) rows: String,
}

/// Queries for a column that goes one way.
#[derive(Debug)]
pub(crate) struct Neighbours {
    /// How many rows there are, and how many of them have no place in the order.
    pub(crate) seen: String,
    /// How many pairs of neighbours there are, and how many of them go the other way.
    pub(crate) pairs: String,
    /// The rows that go the other way, each beside the one before it.
    pub(crate) broken: String,
    /// The rows without a place in the order.
    pub(crate) without_place: String,
}
