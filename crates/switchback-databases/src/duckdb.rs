//! DuckDB: a file that is opened read-only through its own library, which is found when it is needed (ADBC).

use adbc_core::options::{AdbcVersion, OptionDatabase, OptionValue};
use adbc_core::{Connection, Database as _, Driver, Statement};
use adbc_driver_manager::{ManagedConnection, ManagedDatabase, ManagedDriver, ManagedStatement};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use arrow_schema::SchemaRef;
use switchback_compare::address::Address;
use switchback_compare::store::{Database, Records, StoreError, StoredColumn, StoredTable, TypeClaim};
use switchback_core::world::Surroundings;

use crate::check_file;
use crate::failure::{as_text, failed, no_table};
use crate::records::{batch, schema_of};
use crate::spool::Spool;

/// Names the library's file.
const LIBRARY_VARIABLE: &str = "SWITCHBACK_DUCKDB_LIBRARY";

/// What the loader looks for otherwise: in `LD_LIBRARY_PATH`, and where the system keeps libraries.
const LIBRARY: &str = "libduckdb.so";

/// Where the driver begins (DuckDB, *ADBC Client*).
const ENTRY_POINT: &[u8] = b"duckdb_adbc_init";

const GET_LIBRARY: &str = "get `libduckdb-linux-amd64.zip` (or `-arm64`) from DuckDB's releases, unpack `libduckdb.so`, \
     and name it in `SWITCHBACK_DUCKDB_LIBRARY`, or put it where the loader looks for libraries";

/// Options of a database that is read: nothing is changed, nothing is fetched from elsewhere, memory is bounded.
pub(crate) const READING: &[(&str, &str)] = &[
    ("access_mode", "READ_ONLY"),
    ("autoinstall_known_extensions", "false"),
    ("memory_limit", "1GB"),
    ("preserve_insertion_order", "true"),
];

/// Options of a database that is changed.
pub(crate) const WRITING: &[(&str, &str)] =
    &[("access_mode", "READ_WRITE"), ("autoinstall_known_extensions", "false")];

/// Tables and views with their schemas; `main` needs no name.
const RELATIONS: &str = "\
    SELECT CASE WHEN schema_name = 'main' THEN name ELSE schema_name || '.' || name END AS shown, \
           schema_name, name, is_view \
    FROM (SELECT schema_name, table_name AS name, false AS is_view FROM duckdb_tables() \
          WHERE database_name = current_database() AND NOT internal AND NOT temporary \
          UNION ALL \
          SELECT schema_name, view_name, true FROM duckdb_views() \
          WHERE database_name = current_database() AND NOT internal AND NOT temporary)";

/// Words in the name of a type that Arrow does not carry exactly, or not as what it is.
const INEXACT: &[&str] = &[
    "HUGEINT",
    "BIGNUM",
    "VARINT",
    "UUID",
    "ENUM",
    "INTERVAL",
    "BIT",
    "UNION",
    "JSON",
    "GEOMETRY",
    "VARIANT",
    "TIME WITH TIME ZONE",
    "TIMETZ",
    "TIME_NS",
];

/// Types of which the text is all there is.
const TEXTS: &[&str] = &["UUID", "JSON"];

/// The largest integer of 38 digits.
const DECIMAL_MAX: &str = "99999999999999999999999999999999999999";

/// An open database: as long as it is, DuckDB lets no program write to the file.
pub(crate) struct DuckdbDatabase {
    address: Address,
    database: ManagedDatabase,
}

impl std::fmt::Debug for DuckdbDatabase {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("DuckdbDatabase").field("address", &self.address).finish_non_exhaustive()
    }
}

impl DuckdbDatabase {
    /// Finds the library, and opens the file, which must be there.
    pub(crate) fn open(address: &Address, surroundings: &dyn Surroundings) -> Result<Self, StoreError> {
        check_file(address)?;
        let database = opened(address, surroundings, READING)?;
        let database = Self { address: address.clone(), database };
        // A file that is locked or damaged is told of now, and not when its first table is read.
        database.query(address, "SELECT 1 AS one")?;
        Ok(database)
    }

    fn connection(&self, shown: impl std::fmt::Display) -> Result<ManagedConnection, StoreError> {
        self.database.new_connection().map_err(|error| why(shown, error))
    }

    /// Begins a query on a connection of its own: DuckDB streams one result a connection.
    fn stream(&self, shown: &str, query: &str) -> Result<Stream, StoreError> {
        let mut connection = self.connection(shown)?;
        let failed = |error| why(shown, error);
        let mut statement = connection.new_statement().map_err(failed)?;
        // Where zones are not known, it is UTC anyway.
        let zone =
            statement.set_sql_query("SET TimeZone = 'UTC'").and_then(|()| statement.execute().map(drop));
        drop(zone);
        let mut statement = connection.new_statement().map_err(failed)?;
        statement.set_sql_query(query).map_err(failed)?;
        let reader = statement.execute().map_err(failed)?;
        let schema = reader.schema();
        Ok(Stream { schema, reader, _statement: statement, _connection: connection })
    }

    /// All rows of a short result.
    fn query(&self, shown: impl std::fmt::Display, query: &str) -> Result<Vec<RecordBatch>, StoreError> {
        let shown = shown.to_string();
        let stream = self.stream(&shown, query)?;
        stream.reader.map(|batch| batch.map_err(|error| unread(&shown, &error))).collect()
    }

    /// All rows of a short result, as text; null is empty.
    fn texts(&self, shown: impl std::fmt::Display, query: &str) -> Result<Vec<Vec<String>>, StoreError> {
        let mut rows = Vec::new();
        for batch in self.query(&shown, query)? {
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter().map(|array| {
                    let array = array.as_string_opt::<i32>();
                    array.filter(|array| array.is_valid(row)).map_or("", |array| array.value(row)).to_owned()
                });
                rows.push(cells.collect());
            }
        }
        Ok(rows)
    }
}

impl Database for DuckdbDatabase {
    fn tables(&self) -> Result<Vec<String>, StoreError> {
        let rows = self
            .texts(&self.address, &format!("SELECT shown FROM ({RELATIONS}) WHERE NOT is_view ORDER BY 1"))?;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next()).collect())
    }

    fn table(&self, name: &str) -> Result<Box<dyn StoredTable + '_>, StoreError> {
        let text = literal(name);
        let found = self.texts(
            &self.address,
            &format!(
                "SELECT schema_name, name, is_view::VARCHAR FROM ({RELATIONS}) \
                 WHERE shown = {text} OR schema_name || '.' || name = {text} ORDER BY shown <> {text} LIMIT 1"
            ),
        )?;
        let Some([schema, plain, is_view]) = found.first().map(Vec::as_slice) else {
            return Err(no_table(&self.address, name, self.tables()?));
        };
        let shown = match self.address.table() {
            Some(_) => self.address.to_string(),
            None => format!("{}#{name}", self.address),
        };
        Ok(Box::new(DuckdbTable::open(self, shown, (schema, plain), is_view == "true")?))
    }
}

/// Finds the library, and opens a file with it; where the options let it, one that is not there is made.
pub(crate) fn opened(
    address: &Address,
    surroundings: &dyn Surroundings,
    options: &[(&str, &str)],
) -> Result<ManagedDatabase, StoreError> {
    let library = surroundings.variable(LIBRARY_VARIABLE).filter(|path| !path.is_empty());
    let library = library.unwrap_or_else(|| LIBRARY.to_owned());
    let driver = ManagedDriver::load_dynamic_from_filename(&library, Some(ENTRY_POINT), AdbcVersion::V110);
    let mut driver = driver.map_err(|error| {
        let what = format!("DuckDB's library `{library}` cannot be loaded");
        failed(address, [what, error.message], GET_LIBRARY)
    })?;
    let path = std::iter::once(("path", address.place()));
    let named = path
        .chain(options.iter().copied())
        .map(|(name, value)| (OptionDatabase::Other(name.to_owned()), OptionValue::String(value.to_owned())));
    driver.new_database_with_opts(named).map_err(|error| why(address, error))
}

/// A running query, and what must outlive it.
struct Stream {
    schema: SchemaRef,
    reader: Box<dyn arrow_array::RecordBatchReader + Send>,
    _statement: ManagedStatement,
    _connection: ManagedConnection,
}

/// A table or view whose types are settled.
#[derive(Debug)]
struct DuckdbTable<'a> {
    database: &'a DuckdbDatabase,
    /// As it may be shown.
    shown: String,
    /// As SQL names it.
    from: String,
    columns: Vec<StoredColumn>,
    /// How each column is asked for.
    expressions: Vec<String>,
    rows: u64,
    notes: Vec<String>,
    spool: Option<Spool>,
}

/// How a column is read, and why as text, when its type is none.
struct Settled {
    expression: String,
    claim: TypeClaim,
    as_text: Option<String>,
}

impl<'a> DuckdbTable<'a> {
    fn open(
        database: &'a DuckdbDatabase,
        shown: String,
        (schema, name): (&str, &str),
        is_view: bool,
    ) -> Result<Self, StoreError> {
        let from = format!("{}.{}", quoted(schema), quoted(name));
        let declared = database.texts(
            &shown,
            &format!(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() \
                 AND schema_name = {} AND table_name = {} ORDER BY column_index",
                literal(schema),
                literal(name)
            ),
        )?;
        let declared: Vec<(String, String)> = declared
            .into_iter()
            .filter_map(|row| <[String; 2]>::try_from(row).ok())
            .map(|[name, kind]| (name, kind))
            .collect();
        let (odd, rows) = odd(database, &shown, &from, &declared)?;
        let settled: Vec<Settled> =
            declared.iter().zip(odd).map(|((name, kind), odd)| settle(name, kind, odd)).collect();
        let expressions: Vec<String> = settled.iter().map(|column| column.expression.clone()).collect();
        let stream =
            database.stream(&shown, &format!("SELECT {} FROM {from} LIMIT 0", expressions.join(", ")))?;
        let (mut columns, mut notes) = (Vec::with_capacity(settled.len()), Vec::new());
        for (((name, _), settled), field) in declared.iter().zip(settled).zip(stream.schema.fields()) {
            notes.extend(settled.as_text.map(|why| as_text(&shown, name, &why)));
            let (data_type, claim) = (field.data_type().clone(), settled.claim);
            columns.push(StoredColumn { name: name.clone(), data_type, claim });
        }
        drop(stream);
        let mut table = Self { database, shown, from, columns, expressions, rows, notes, spool: None };
        if is_view {
            let all: Vec<usize> = (0..table.columns.len()).collect();
            let schema = schema_of(&table.columns, &all);
            let spool = Spool::of(&table.shown, &schema, table.scan(&all)?)?;
            table.rows = spool.rows();
            table.spool = Some(spool);
        }
        Ok(table)
    }

    /// Reads the table through, in the order in which its rows stand.
    fn scan(&self, wanted: &[usize]) -> Result<Records<'_>, StoreError> {
        let expressions: Vec<&str> =
            wanted.iter().filter_map(|index| self.expressions.get(*index)).map(String::as_str).collect();
        // A query without columns is none in DuckDB.
        let expressions = if expressions.is_empty() { "true".to_owned() } else { expressions.join(", ") };
        let stream =
            self.database.stream(&self.shown, &format!("SELECT {expressions} FROM {}", self.from))?;
        let schema = schema_of(&self.columns, wanted);
        Ok(Box::new(Reading { shown: &self.shown, schema, stream }))
    }
}

impl StoredTable for DuckdbTable<'_> {
    fn columns(&self) -> &[StoredColumn] {
        &self.columns
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn batches(&self, wanted: &[usize]) -> Result<Records<'_>, StoreError> {
        match &self.spool {
            Some(spool) => spool.batches(wanted),
            None => self.scan(wanted),
        }
    }
}

struct Reading<'a> {
    shown: &'a str,
    schema: SchemaRef,
    stream: Stream,
}

impl Iterator for Reading<'_> {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.stream.reader.next()?.map_err(|error| unread(self.shown, &error));
        Some(read.and_then(|read| {
            let count = self.schema.fields().len();
            let arrays = read.columns().iter().take(count).cloned().collect();
            batch(self.shown, self.schema.clone(), arrays, read.num_rows())
        }))
    }
}

/// How a column is read so that no value is lost.
fn settle(name: &str, kind: &str, odd: bool) -> Settled {
    let own = quoted(name);
    let read = |expression: String, claim, as_text| Settled { expression, claim, as_text };
    let text = |why| read(format!("{own}::VARCHAR"), TypeClaim::Declared, why);
    match kind {
        "HUGEINT" | "UHUGEINT" if odd => text(Some(format!("it is `{kind}` and has more than 38 digits"))),
        "HUGEINT" | "UHUGEINT" => read(format!("{own}::DECIMAL(38, 0)"), TypeClaim::Numeric, None),
        _ if odd => text(Some(format!("it is `{kind}` and holds an infinity"))),
        _ if TEXTS.contains(&kind) || kind.starts_with("ENUM(") && !kind.ends_with(']') => text(None),
        _ if INEXACT.iter().any(|word| kind.contains(word)) => text(Some(format!("it is `{kind}`"))),
        _ => read(own, TypeClaim::Declared, None),
    }
}

/// Counts the rows, and finds the columns with values that their types do not carry to Arrow.
fn odd(
    database: &DuckdbDatabase,
    shown: &str,
    from: &str,
    columns: &[(String, String)],
) -> Result<(Vec<bool>, u64), StoreError> {
    let questions: Vec<String> = columns
        .iter()
        .map(|(name, kind)| {
            let name = quoted(name);
            let question = match kind.as_str() {
                "HUGEINT" => format!("{name} NOT BETWEEN -{DECIMAL_MAX} AND {DECIMAL_MAX}"),
                "UHUGEINT" => format!("{name} > {DECIMAL_MAX}"),
                "DATE" | "TIMESTAMP" | "TIMESTAMP WITH TIME ZONE" => format!("isinf({name})"),
                _ => "false".to_owned(),
            };
            format!(", coalesce(bool_or({question}), false)")
        })
        .collect();
    let batches = database.query(shown, &format!("SELECT count(*){} FROM {from}", questions.concat()))?;
    let unread = || failed(shown, ["the rows were not counted".to_owned()], "compare again");
    let batch = batches.first().filter(|batch| batch.num_rows() == 1).ok_or_else(unread)?;
    let (count, answers) = batch.columns().split_first().ok_or_else(unread)?;
    let count = count.as_primitive_opt::<Int64Type>().ok_or_else(unread)?.value(0);
    let answers = answers.iter().map(|array| {
        let array = array.as_boolean_opt().ok_or_else(unread)?;
        Ok(array.value(0))
    });
    Ok((answers.collect::<Result<_, StoreError>>()?, u64::try_from(count).unwrap_or_default()))
}

/// A name as SQL has it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL has it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn unread(shown: &str, error: &arrow_schema::ArrowError) -> StoreError {
    failed(shown, [error.to_string()], "check that the database can be read with `duckdb`")
}

/// An error of DuckDB, with the next move that fits it.
pub(crate) fn why(shown: impl std::fmt::Display, error: adbc_core::error::Error) -> StoreError {
    let message = error.message;
    let hint = match () {
        () if message.contains("lock on file") => {
            "another program has it open for writing: end it, then compare again"
        }
        () if message.contains("not a valid DuckDB database") => "name a file that DuckDB has written",
        () if message.contains("version") && message.contains("storage") => {
            "name a newer library in `SWITCHBACK_DUCKDB_LIBRARY`: the file was written by one"
        }
        () => "check that the database can be read with `duckdb`",
    };
    failed(shown, [message], hint)
}
