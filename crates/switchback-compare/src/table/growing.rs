//! Whether keys grow from row to row, so that none repeats: told while rows pass by, without holding any.

use std::cmp::Ordering;

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::agreement::{Meeting, Shared};
use super::index::{Compare, comparators};
use crate::source::batch::Cells;
use crate::value::{Number, Value};

/// Follows the keys of a table, batch by batch.
#[derive(Debug)]
pub(super) struct Growing {
    grows: bool,
    last: Option<Last>,
}

/// The key of the last row.
#[derive(Debug)]
enum Last {
    /// One array of one row for each column.
    Arrays(Vec<ArrayRef>),
    Numbers(Vec<Number>),
}

impl Growing {
    pub(super) fn new() -> Self {
        Self { grows: true, last: None }
    }

    /// Whether each key so far is larger than the one before. `false` also when that cannot be told.
    pub(super) fn holds(&self) -> bool {
        self.grows
    }

    /// Looks at the keys of the next `rows` rows.
    ///
    /// # Errors
    ///
    /// The name of a type that cannot be compared.
    pub(super) fn follow(
        &mut self,
        keys: &[Shared],
        cells: &[Cells],
        start: usize,
        rows: usize,
    ) -> Result<(), String> {
        if !self.grows || rows == 0 {
            return Ok(());
        }
        self.grows = !keys.is_empty()
            && match arrays(keys, cells, start, rows) {
                Some(arrays) => self.follow_arrays(&arrays),
                None => self.follow_numbers(cells, start, rows)?,
            };
        Ok(())
    }

    fn follow_arrays(&mut self, arrays: &[ArrayRef]) -> bool {
        let before = match self.last.take() {
            Some(Last::Arrays(last)) => Some(last),
            Some(Last::Numbers(_)) => return false,
            None => None,
        };
        let rows = arrays.first().map_or(0, Array::len);
        let crosses = before
            .is_none_or(|last| comparators(&last, arrays).is_some_and(|compare| is_before(&compare, 0, 0)));
        let grows = crosses
            && comparators(arrays, arrays)
                .is_some_and(|compare| (1..rows).all(|row| is_before(&compare, row - 1, row)));
        self.last = Some(Last::Arrays(arrays.iter().map(|array| array.slice(rows - 1, 1)).collect()));
        grows
    }

    fn follow_numbers(&mut self, cells: &[Cells], start: usize, rows: usize) -> Result<bool, String> {
        let mut last = match self.last.take() {
            Some(Last::Numbers(last)) => Some(last),
            Some(Last::Arrays(_)) => return Ok(false),
            None => None,
        };
        for row in start..start + rows {
            let mut numbers = Vec::with_capacity(cells.len());
            for cells in cells {
                match cells.value(row)? {
                    Value::Number(number) if number.is_finite() => numbers.push(number),
                    _ => return Ok(false),
                }
            }
            let is_larger = |last: &Vec<Number>| {
                let orders = last.iter().zip(&numbers).map(|(last, number)| last.order(number));
                orders.fold(Ordering::Equal, Ordering::then).is_lt()
            };
            if !last.as_ref().is_none_or(is_larger) {
                return Ok(false);
            }
            last = Some(numbers);
        }
        self.last = last.map(Last::Numbers);
        Ok(true)
    }
}

fn is_before(compare: &[Compare], one: usize, two: usize) -> bool {
    compare.iter().map(|compare| compare(one, two)).find(|order| order.is_ne()) == Some(Ordering::Less)
}

/// The cells as arrays, where different values have an order of their own.
fn arrays(keys: &[Shared], cells: &[Cells], start: usize, rows: usize) -> Option<Vec<ArrayRef>> {
    let pairs = keys.iter().zip(cells);
    pairs
        .map(|(key, cells)| match cells {
            Cells::Arrow(array) if key.meeting == Meeting::OneType && is_ordered(key, array.data_type()) => {
                Some(array.slice(start, rows))
            }
            _ => None,
        })
        .collect()
}

/// Whether two values of a type are one key exactly when neither is larger. Not so for floats, of which zero has two.
fn is_ordered(key: &Shared, kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => key.canon.texts.is_exact(),
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Boolean
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => true,
        kind => kind.is_integer() || (kind.is_temporal() && !matches!(kind, DataType::Interval(_))),
    }
}
