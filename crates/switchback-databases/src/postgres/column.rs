//! The Arrow type of each column of PostgreSQL, and what its values must be looked through for.

use std::sync::Arc;

use arrow_schema::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Field, TimeUnit};
use switchback_compare::store::TypeClaim;

use super::quoted;

/// How a column's cells come over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// In the binary format of its own type (PostgreSQL, `src/backend/utils/adt`, the `…send` functions).
    Own,
    /// An array of cells of one dimension, in the binary format.
    Array,
    /// As PostgreSQL's own text of the value.
    Text,
}

/// A column as the catalog has it.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) name: String,
    /// The name of its type, with what is in brackets after it.
    pub(super) type_name: String,
    /// The object id of the type, of what a domain stands on.
    pub(super) type_id: u32,
    /// The object id of its items' type when it is an array, else 0.
    pub(super) item_id: u32,
    /// `typmod`: precision and scale of a `numeric`.
    pub(super) modifier: i32,
    /// An enumeration: its text is all there is of it.
    pub(super) is_enumeration: bool,
}

/// What a column becomes.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    pub(super) data_type: DataType,
    pub(super) claim: TypeClaim,
    pub(super) wire: Wire,
    /// Why it is text, when its type is not.
    pub(super) as_text: Option<String>,
}

impl Settled {
    fn own(data_type: DataType) -> Self {
        Self { data_type, claim: TypeClaim::Declared, wire: Wire::Own, as_text: None }
    }

    fn text(why: Option<String>) -> Self {
        Self { data_type: DataType::Utf8, claim: TypeClaim::Declared, wire: Wire::Text, as_text: why }
    }
}

/// What is asked of all values of a column: three expressions over the whole table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Questions {
    /// Whether there is a value that the type cannot hold.
    pub(super) is_odd: String,
    /// The most digits before the point, and after it.
    pub(super) digits: (String, String),
}

/// Answers to [`Questions`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answers {
    pub(super) is_odd: bool,
    pub(super) digits: (i32, i32),
}

/// Object ids of types (PostgreSQL, `pg_type.dat`): fixed for ever.
mod id {
    pub(super) const BOOL: u32 = 16;
    pub(super) const BYTEA: u32 = 17;
    pub(super) const CHAR: u32 = 18;
    pub(super) const NAME: u32 = 19;
    pub(super) const INT8: u32 = 20;
    pub(super) const INT2: u32 = 21;
    pub(super) const INT4: u32 = 23;
    pub(super) const TEXT: u32 = 25;
    pub(super) const OID: u32 = 26;
    pub(super) const JSON: u32 = 114;
    pub(super) const FLOAT4: u32 = 700;
    pub(super) const FLOAT8: u32 = 701;
    pub(super) const BPCHAR: u32 = 1042;
    pub(super) const VARCHAR: u32 = 1043;
    pub(super) const DATE: u32 = 1082;
    pub(super) const TIME: u32 = 1083;
    pub(super) const TIMESTAMP: u32 = 1114;
    pub(super) const TIMESTAMPTZ: u32 = 1184;
    pub(super) const NUMERIC: u32 = 1700;
    pub(super) const UUID: u32 = 2950;
    pub(super) const JSONB: u32 = 3802;
}

impl Declared {
    /// What must be known of the values before the type is settled.
    pub(super) fn questions(&self) -> Questions {
        let name = quoted(&self.name);
        let none = || "0".to_owned();
        let digits = if self.type_id == id::NUMERIC && self.modifier < 0 {
            (format!("max(length(trunc(abs({name}))::text))"), format!("max(scale({name}))"))
        } else {
            (none(), none())
        };
        let is_odd = match self.type_id {
            id::NUMERIC => format!("bool_or({name}::text IN ('NaN', 'Infinity', '-Infinity'))"),
            id::DATE | id::TIMESTAMP | id::TIMESTAMPTZ => format!("bool_or(NOT isfinite({name}))"),
            _ if own(self.item_id).is_some() => {
                format!("bool_or(array_ndims({name}) > 1 OR array_lower({name}, 1) <> 1)")
            }
            _ => "false".to_owned(),
        };
        Questions { is_odd, digits }
    }

    /// The type that holds every value exactly.
    pub(super) fn settle(&self, answers: Answers) -> Settled {
        let has = |what: &str| Some(format!("it is `{}` and holds {what}", self.type_name));
        match self.type_id {
            id::NUMERIC if answers.is_odd => Settled::text(has("NaN or an infinity")),
            id::NUMERIC => self.numeric(answers),
            id::DATE | id::TIMESTAMP | id::TIMESTAMPTZ if answers.is_odd => Settled::text(has("an infinity")),
            id::CHAR | id::JSON | id::JSONB | id::UUID => Settled::text(None),
            _ if self.is_enumeration => Settled::text(None),
            type_id => match (own(type_id), own(self.item_id)) {
                (Some(data_type), _) => Settled::own(data_type),
                (None, Some(_)) if answers.is_odd => {
                    Settled::text(has("arrays of several dimensions, or counted from elsewhere than 1"))
                }
                (None, Some(item)) => {
                    let list = DataType::List(Arc::new(Field::new("item", item, true)));
                    Settled { wire: Wire::Array, ..Settled::own(list) }
                }
                (None, None) => Settled::text(Some(format!("it is `{}`", self.type_name))),
            },
        }
    }

    /// A decimal of the declared precision and scale; without them, one that holds the values, whose scale is no type.
    fn numeric(&self, answers: Answers) -> Settled {
        let (claim, whole, fraction) = if self.modifier < 0 {
            (TypeClaim::Kind, answers.digits.0, answers.digits.1)
        } else {
            let (precision, scale) = precision_and_scale(self.modifier);
            (TypeClaim::Declared, (precision - scale).max(0), scale.max(0))
        };
        let precision = u8::try_from((whole + fraction).max(1)).unwrap_or(u8::MAX);
        let data_type = match i8::try_from(fraction) {
            Ok(scale) if precision <= DECIMAL128_MAX_PRECISION => DataType::Decimal128(precision, scale),
            Ok(scale) if precision <= DECIMAL256_MAX_PRECISION => DataType::Decimal256(precision, scale),
            _ => {
                let digits = whole + fraction;
                return Settled::text(Some(format!("it is `{}` and has {digits} digits", self.type_name)));
            }
        };
        Settled { data_type, claim, wire: Wire::Text, as_text: None }
    }
}

/// The precision and scale in the modifier of a `numeric` (PostgreSQL, `numeric.c`, `make_numeric_typmod`).
fn precision_and_scale(modifier: i32) -> (i32, i32) {
    let packed = modifier - 4;
    ((packed >> 16) & 0xffff, ((packed & 0x7ff) ^ 1024) - 1024)
}

/// What a type becomes whose binary format is read.
fn own(type_id: u32) -> Option<DataType> {
    Some(match type_id {
        id::BOOL => DataType::Boolean,
        id::INT2 => DataType::Int16,
        id::INT4 => DataType::Int32,
        id::INT8 => DataType::Int64,
        id::OID => DataType::UInt32,
        id::FLOAT4 => DataType::Float32,
        id::FLOAT8 => DataType::Float64,
        id::TEXT | id::VARCHAR | id::BPCHAR | id::NAME => DataType::Utf8,
        id::BYTEA => DataType::Binary,
        id::DATE => DataType::Date32,
        id::TIME => DataType::Time64(TimeUnit::Microsecond),
        id::TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        id::TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(modifier: i32, digits: (i32, i32)) -> DataType {
        let declared = Declared {
            name: "n".into(),
            type_name: "numeric".into(),
            type_id: id::NUMERIC,
            item_id: 0,
            modifier,
            is_enumeration: false,
        };
        declared.settle(Answers { is_odd: false, digits }).data_type
    }

    #[test]
    fn a_numeric_keeps_all_digits() {
        let modifier = |precision: i32, scale: i32| ((precision << 16) | (scale & 0x7ff)) + 4;
        assert_eq!(numeric(modifier(10, 2), (0, 0)), DataType::Decimal128(10, 2));
        assert_eq!(numeric(modifier(50, 20), (0, 0)), DataType::Decimal256(50, 20));
        assert_eq!(numeric(modifier(3, -2), (0, 0)), DataType::Decimal128(5, 0));
        assert_eq!(numeric(modifier(3, 5), (0, 0)), DataType::Decimal128(5, 5));
        assert_eq!(numeric(modifier(100, 3), (0, 0)), DataType::Utf8);
        assert_eq!(numeric(-1, (20, 18)), DataType::Decimal128(38, 18));
        assert_eq!(numeric(-1, (1, 0)), DataType::Decimal128(1, 0));
        assert_eq!(numeric(-1, (100_000, 1)), DataType::Utf8);
    }
}
