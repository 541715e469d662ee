//! Keys as arrays, their hashes, and where each key of a table stands.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, LargeBinaryArray, downcast_primitive_array};
use arrow_buffer::ToByteSlice;
use arrow_ord::ord::make_comparator;
use arrow_schema::{DataType, SortOptions};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::agreement::{Agreement, Meeting, Shared};
use super::key::{key_not_compared, key_of};
use crate::error::CompareError;
use crate::source::batch::Cells;
use crate::source::bits::bytes_of;
use crate::source::logical::ColumnType;
use crate::source::table::Table;

/// What an index takes for each key, beside the key itself: its hash, and its place in a table that is half full.
pub(super) const INDEX_BYTES: u64 = 20;
/// Where hashing starts: the same in every run, so that every run goes the same way.
const SEED: u64 = 0x5EED_0F5C_B0A7_D5ED;

/// How keys become arrays of which equal cells mean equal keys.
#[derive(Debug)]
pub(super) struct KeyForm {
    /// The type that each column of the key is brought to; `None`: one column of canonical bytes stands for all.
    kinds: Option<Vec<DataType>>,
}

impl KeyForm {
    pub(super) fn of(agreement: &Agreement, old: &Table<'_>, new: &Table<'_>) -> Self {
        let have_arrays = old.has_arrays() && new.has_arrays();
        let kind = |key: &Shared| {
            if !have_arrays {
                return None;
            }
            let kinds = (&old.columns.get(key.old)?.kind, &new.columns.get(key.new)?.kind);
            let (ColumnType::Stored(kind), ColumnType::Stored(_)) = kinds else { return None };
            if key.meeting == Meeting::OneType { plain_kind(key, kind) } else { None }
        };
        Self { kinds: agreement.keys.iter().map(kind).collect() }
    }

    /// The keys of some rows.
    ///
    /// # Errors
    ///
    /// Cells of a type that cannot be compared.
    pub(super) fn arrays(
        &self,
        keys: &[Shared],
        cells: &[Cells],
        rows: usize,
        table: &Table<'_>,
    ) -> Result<Vec<ArrayRef>, CompareError> {
        let failed = |reason: &str| key_not_compared(table, reason);
        let Some(kinds) = &self.kinds else {
            let bytes = (0..rows).map(|row| key_of(keys, cells, row)).collect::<Result<Vec<_>, _>>();
            let bytes = bytes.map_err(|kind| failed(&kind))?;
            return Ok(vec![Arc::new(LargeBinaryArray::from_iter_values(bytes))]);
        };
        let column = |(kind, cells): (&DataType, &Cells)| match cells {
            Cells::Arrow(array) if array.data_type() == kind => Ok(Arc::clone(array)),
            Cells::Arrow(array) => {
                arrow_cast::cast(array, kind).map_err(|_| failed(&array.data_type().to_string()))
            }
            _ => Err(failed(&kind.to_string())),
        };
        kinds.iter().zip(cells).map(column).collect()
    }
}

/// The type to bring a column to whose raw values are the same exactly when they are one key. Floats have two zeros and
/// many NaN, and lists an order of their own: they are told by canonical bytes.
fn plain_kind(key: &Shared, kind: &DataType) -> Option<DataType> {
    match kind {
        DataType::Utf8 => key.canon.texts.is_exact().then_some(DataType::LargeUtf8),
        DataType::Binary => Some(DataType::LargeBinary),
        DataType::Boolean | DataType::Decimal128(..) | DataType::FixedSizeBinary(_) => Some(kind.clone()),
        DataType::Interval(_) => None,
        kind => (kind.is_integer() || kind.is_temporal()).then(|| kind.clone()),
    }
}

/// A hash of each key. Equal keys have equal hashes, on both sides and in every run.
pub(super) fn hashes(keys: &[ArrayRef]) -> Vec<u64> {
    let state = FixedState::with_seed(SEED);
    let mut hashes = vec![0; keys.first().map_or(0, Array::len)];
    for array in keys {
        hash_column(array.as_ref(), &state, &mut hashes);
    }
    hashes
}

/// A hash of bytes that stand for a row.
pub(super) fn hash_of(bytes: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(SEED).build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

fn hash_column(array: &dyn Array, state: &FixedState, hashes: &mut [u64]) {
    let mut each = |bytes: &dyn Fn(usize, &mut dyn Hasher)| {
        for (row, hash) in hashes.iter_mut().enumerate() {
            let mut hasher = state.build_hasher();
            hasher.write_u64(*hash);
            if array.is_null(row) {
                hasher.write_u8(0);
            } else {
                bytes(row, &mut hasher);
            }
            *hash = hasher.finish();
        }
    };
    if let Some(bytes) = bytes_of(array) {
        return each(&|row, hasher| hasher.write(bytes(row)));
    }
    downcast_primitive_array!(
        array => each(&|row, hasher| hasher.write(array.value(row).to_byte_slice())),
        DataType::Boolean => {
            let flags = array.as_boolean();
            each(&|row, hasher| hasher.write_u8(1 + u8::from(flags.value(row))));
        }
        // Other types are never brought to; what is not hashed is still told apart.
        _ => {}
    );
}

/// Where each key stands; every key once.
pub(super) struct KeyIndex {
    keys: Vec<ArrayRef>,
    hashes: Vec<u64>,
    places: HashTable<u32>,
}

/// Two rows of one key, by their places in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Twice {
    pub(super) first: usize,
    pub(super) second: usize,
}

impl KeyIndex {
    /// From the keys of all batches, in order, and their hashes.
    ///
    /// # Errors
    ///
    /// Keys that cannot be laid side by side.
    pub(super) fn new(
        batches: &[Vec<ArrayRef>],
        hashes: Vec<u64>,
        table: &Table<'_>,
    ) -> Result<Self, CompareError> {
        let columns = batches.first().map_or(0, Vec::len);
        let column = |index: usize| {
            let arrays: Vec<&dyn Array> =
                batches.iter().filter_map(|keys| keys.get(index)).map(AsRef::as_ref).collect();
            arrow_select::concat::concat(&arrays).map_err(|error| key_not_compared(table, &error.to_string()))
        };
        let keys = (0..columns).map(column).collect::<Result<_, _>>()?;
        let places = HashTable::with_capacity(hashes.len());
        Ok(Self { keys, hashes, places })
    }

    /// Notes the place of every key, in order. `repeated` is told of each that was there before, and says whether to go on.
    pub(super) fn fill(&mut self, mut repeated: impl FnMut(Twice) -> bool) {
        let Some(compare) = comparators(&self.keys, &self.keys) else { return };
        let hashes = &self.hashes;
        let hash_at = |place: &u32| hashes.get(*place as usize).copied().unwrap_or(0);
        for (place, hash) in hashes.iter().enumerate() {
            // Parts of more rows than a place can name are split before.
            let Ok(short) = u32::try_from(place) else { return };
            let is_same =
                |other: &u32| hash_at(other) == *hash && are_equal(&compare, *other as usize, place);
            match self.places.entry(*hash, is_same, hash_at) {
                Entry::Vacant(slot) => {
                    slot.insert(short);
                }
                Entry::Occupied(slot) => {
                    if !repeated(Twice { first: *slot.get() as usize, second: place }) {
                        return;
                    }
                }
            }
        }
    }

    /// How to tell whether a key of the index is one of `keys`.
    pub(super) fn comparators(&self, keys: &[ArrayRef]) -> Option<Vec<Compare>> {
        comparators(&self.keys, keys)
    }

    /// The place of a key that has this hash, and is the `row`th of those that `compare` was made for.
    pub(super) fn find(&self, hash: u64, compare: &[Compare], row: usize) -> Option<usize> {
        let is_same = |place: &u32| {
            self.hashes.get(*place as usize) == Some(&hash) && are_equal(compare, *place as usize, row)
        };
        self.places.find(hash, is_same).map(|place| *place as usize)
    }
}

/// Compares a cell of one array with one of another.
pub(super) type Compare = Box<dyn Fn(usize, usize) -> Ordering + Send + Sync>;

/// How to compare the rows of two lists of columns, column by column; `None` for a type that has no order.
pub(super) fn comparators(one: &[ArrayRef], two: &[ArrayRef]) -> Option<Vec<Compare>> {
    let pairs = one.iter().zip(two);
    pairs.map(|(one, two)| make_comparator(one, two, SortOptions::default()).ok()).collect()
}

fn are_equal(compare: &[Compare], one: usize, two: usize) -> bool {
    compare.iter().all(|compare| compare(one, two).is_eq())
}
