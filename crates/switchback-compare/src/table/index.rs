//! Keys as arrays, their hashes, and where each key of a table stands.

use std::cmp::Ordering;
use std::collections::BTreeMap;
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
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::agreement::{Agreement, Meeting, Shared};
use super::key::{key_not_compared, key_of};
use crate::error::CompareError;
use crate::source::batch::Cells;
use crate::source::bits::bytes_of;
use crate::source::logical::ColumnType;
use crate::source::table::Table;

/// What an index takes for each key, beside the key itself: its hash while it is filled, and an entry of eight bytes in a
/// table that may be half empty.
pub(super) const INDEX_BYTES: u64 = 28;
/// Into how many tables an index is split, which are filled at the same time and of which each stays closer to the processor.
const SHARDS: u64 = 8;
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
    /// For each key its place, and half of its hash.
    shards: Vec<HashTable<(u32, u32)>>,
}

/// Two rows of one key, by their places in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Twice {
    pub(super) first: usize,
    pub(super) second: usize,
}

impl KeyIndex {
    /// From the keys of all batches, in order, and their hashes: no more than 2^32 - 1. Also says which keys repeat: the
    /// first two places of each, in the order of the second.
    ///
    /// # Errors
    ///
    /// Keys that cannot be laid side by side, or have no order.
    pub(super) fn of(
        batches: &[Vec<ArrayRef>],
        hashes: &[u64],
        table: &Table<'_>,
    ) -> Result<(Self, Vec<Twice>), CompareError> {
        let columns = batches.first().map_or(0, Vec::len);
        let column = |index: usize| {
            let arrays: Vec<&dyn Array> =
                batches.iter().filter_map(|keys| keys.get(index)).map(AsRef::as_ref).collect();
            arrow_select::concat::concat(&arrays).map_err(|error| key_not_compared(table, &error.to_string()))
        };
        let keys: Vec<ArrayRef> = (0..columns).map(column).collect::<Result<_, _>>()?;
        let compare = comparators(&keys, &keys).ok_or_else(|| key_not_compared(table, "of no order"))?;
        let filled: Vec<_> = (0..SHARDS).into_par_iter().map(|shard| fill(shard, hashes, &compare)).collect();
        let mut shards = Vec::new();
        let mut repeated = Vec::new();
        for (shard, twice) in filled {
            shards.push(shard);
            repeated.extend(twice);
        }
        repeated.sort_by_key(|twice: &Twice| twice.second);
        Ok((Self { keys, shards }, repeated))
    }

    /// How to tell whether a key of the index is one of `keys`.
    pub(super) fn comparators(&self, keys: &[ArrayRef]) -> Option<Vec<Compare>> {
        comparators(&self.keys, keys)
    }

    /// The place of a key that has this hash, or of one that merely looks as if it had.
    pub(super) fn likely(&self, hash: u64) -> Option<usize> {
        self.find(hash, |_| true)
    }

    /// The place of a key that has this hash. `is_same`: whether the key at a place is the one that is looked for.
    pub(super) fn find(&self, hash: u64, mut is_same: impl FnMut(usize) -> bool) -> Option<usize> {
        let spread = Spread::of(hash);
        let shard = self.shards.get(usize::try_from(spread.shard).ok()?)?;
        let found =
            shard.find(spread.hash, |(place, check)| *check == spread.check && is_same(*place as usize));
        found.map(|(place, _)| *place as usize)
    }
}

/// A hash, mixed once more: the rows of a part on disk were chosen by the bits of it that a table would go by.
struct Spread {
    hash: u64,
    shard: u64,
    check: u32,
}

impl Spread {
    fn of(hash: u64) -> Self {
        // The golden ratio of 64 bits, as in Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4).
        let mixed = hash.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let hash = mixed ^ (mixed >> 32);
        Self { hash, shard: (hash >> 40) % SHARDS, check: u32::try_from(mixed >> 32).unwrap_or(0) }
    }
}

/// One table of the index, and the keys of it that repeat.
fn fill(shard: u64, hashes: &[u64], compare: &[Compare]) -> (HashTable<(u32, u32)>, Vec<Twice>) {
    let expected = hashes.len() / usize::try_from(SHARDS).unwrap_or(1);
    let mut places = HashTable::with_capacity(expected + expected / 64);
    let mut repeated = BTreeMap::new();
    let hash_at = |place: u32| Spread::of(hashes.get(place as usize).copied().unwrap_or(0)).hash;
    for (place, hash) in hashes.iter().enumerate() {
        let spread = Spread::of(*hash);
        let Ok(short) = u32::try_from(place) else { break };
        if spread.shard != shard {
            continue;
        }
        let is_same = |(other, check): &(u32, u32)| {
            *check == spread.check && are_equal(compare, *other as usize, place)
        };
        match places.entry(spread.hash, is_same, |(place, _)| hash_at(*place)) {
            Entry::Vacant(slot) => {
                slot.insert((short, spread.check));
            }
            Entry::Occupied(slot) => {
                repeated.entry(slot.get().0 as usize).or_insert(place);
            }
        }
    }
    let repeated = repeated.into_iter().map(|(first, second)| Twice { first, second });
    (places, repeated.collect())
}

/// Compares a cell of one array with one of another.
pub(super) type Compare = Box<dyn Fn(usize, usize) -> Ordering + Send + Sync>;

/// How to compare the rows of two lists of columns, column by column; `None` for a type that has no order.
pub(super) fn comparators(one: &[ArrayRef], two: &[ArrayRef]) -> Option<Vec<Compare>> {
    let pairs = one.iter().zip(two);
    pairs.map(|(one, two)| make_comparator(one, two, SortOptions::default()).ok()).collect()
}

/// Whether two rows are the same in every column.
pub(super) fn are_equal(compare: &[Compare], one: usize, two: usize) -> bool {
    compare.iter().all(|compare| compare(one, two).is_eq())
}
