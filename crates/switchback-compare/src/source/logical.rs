//! The logical type of a column: what it means, not how it is stored.

use std::sync::Arc;

use arrow_schema::{DECIMAL128_MAX_PRECISION, DataType, Field};

use super::inference::Kind;

/// Names of one and the same zone.
const UTC: &[&str] = &["UTC", "Etc/UTC", "Z", "+00:00", "+0000", "+00"];

/// The type of a column, from the file or found in its text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ColumnType {
    /// As the file says, without what is only storage.
    Stored(DataType),
    /// As the whole column's text says.
    Found(Kind),
    /// A number, as a database declares it that does not tell integers from others.
    Numeric,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnType,
}

impl ColumnType {
    /// From the type that a file stores.
    pub(crate) fn stored(kind: &DataType) -> Self {
        Self::Stored(logical(kind))
    }

    /// Whether its values are numbers.
    pub(crate) fn is_numeric(&self) -> bool {
        match self {
            Self::Stored(kind) => kind.is_integer() || kind.is_floating() || kind.is_decimal(),
            Self::Found(kind) => matches!(kind, Kind::Integer | Kind::Number),
            Self::Numeric => true,
        }
    }

    /// The name for a report.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stored(kind) => kind.to_string(),
            Self::Found(kind) => kind.name().to_owned(),
            Self::Numeric => Kind::Number.name().to_owned(),
        }
    }

    /// Whether two columns of these types have one logical type.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Found(Kind::Nothing), _) | (_, Self::Found(Kind::Nothing)) => true,
            (Self::Numeric, other) | (other, Self::Numeric) => other.is_numeric(),
            (Self::Stored(one), Self::Stored(two)) => one == two,
            (Self::Found(one), Self::Found(two)) => one == two,
            (Self::Stored(stored), Self::Found(found)) | (Self::Found(found), Self::Stored(stored)) => {
                fits(stored, *found)
            }
        }
    }
}

/// Whether text of this kind can be a copy of a column of that type. Widths, scales and units are no part of text.
fn fits(stored: &DataType, found: Kind) -> bool {
    match found {
        Kind::Nothing => true,
        Kind::Integer => stored.is_integer(),
        Kind::Number => stored.is_floating() || stored.is_decimal(),
        Kind::Boolean => *stored == DataType::Boolean,
        Kind::Date => *stored == DataType::Date32,
        Kind::Timestamp => matches!(stored, DataType::Timestamp(_, None)),
        Kind::ZonedTimestamp => matches!(stored, DataType::Timestamp(_, Some(_))),
        Kind::Text => *stored == DataType::Utf8,
        Kind::List => matches!(stored, DataType::List(_) | DataType::FixedSizeList(..)),
        Kind::Object => matches!(stored, DataType::Struct(_) | DataType::Map(..)),
        Kind::Mixed => false,
    }
}

/// The type without what is only storage: offsets' width, views, dictionaries, names inside lists, nullability.
fn logical(kind: &DataType) -> DataType {
    let inner = |field: &Field, name: &str| Arc::new(Field::new(name, logical(field.data_type()), true));
    match kind {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, values) => logical(values),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => DataType::List(inner(field, "item")),
        DataType::FixedSizeList(field, length) => DataType::FixedSizeList(inner(field, "item"), *length),
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|field| inner(field, field.name())).collect())
        }
        // The entries of a map are a struct of two, whose names differ from writer to writer.
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) => {
                let names = ["key", "value"];
                let pair = pair.iter().zip(names).map(|(field, name)| inner(field, name)).collect();
                DataType::Map(Arc::new(Field::new("entries", DataType::Struct(pair), false)), false)
            }
            _ => kind.clone(),
        },
        // How many bits hold a decimal is only storage.
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Decimal256(precision, scale) if *precision <= DECIMAL128_MAX_PRECISION => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Timestamp(unit, Some(zone)) if UTC.contains(&zone.as_ref()) => {
            DataType::Timestamp(*unit, Some("UTC".into()))
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &DataType, two: &DataType, same: bool) {
        assert_eq!(ColumnType::stored(one).is_same(&ColumnType::stored(two)), same, "{one} {two}");
    }

    #[test]
    fn storage_is_no_type() {
        let text = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8View));
        check(&text, &DataType::LargeUtf8, true);
        let list = |name, kind| Arc::new(Field::new(name, kind, false));
        let large = DataType::LargeList(list("element", DataType::Utf8View));
        check(&large, &DataType::List(list("item", DataType::Utf8)), true);
        check(&DataType::Int32, &DataType::Int64, false);
        check(&DataType::Float32, &DataType::Float64, false);
        check(&DataType::Decimal128(10, 2), &DataType::Decimal128(10, 4), false);
    }

    #[test]
    fn text_without_values_has_no_type() {
        assert!(ColumnType::Found(Kind::Nothing).is_same(&ColumnType::stored(&DataType::Int8)));
        assert!(!ColumnType::Found(Kind::Integer).is_same(&ColumnType::Found(Kind::Number)));
        assert!(ColumnType::Found(Kind::Integer).is_same(&ColumnType::stored(&DataType::UInt8)));
    }
}
