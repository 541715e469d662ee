//! Which cells of two columns hold the same bits, told column by column and not cell by cell.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrowPrimitiveType, StringViewArray, downcast_primitive_array};
use arrow_data::ByteView;
use arrow_schema::DataType;

/// Marks the rows whose cells are not the same bits. `false`, and nothing marked, for types that are not told here.
///
/// Text and bytes are told by their content, however they are stored. Both arrays have as many rows as there are marks.
pub(crate) fn mark_different(one: &dyn Array, two: &dyn Array, marks: &mut [bool]) -> bool {
    if let (Some(one), Some(two)) = (one.as_string_view_opt(), two.as_string_view_opt()) {
        if one.null_count() == 0 && two.null_count() == 0 {
            for ((mark, view), other) in marks.iter_mut().zip(one.views()).zip(two.views()) {
                *mark |= !is_same_text((one, *view), (two, *other));
            }
        } else {
            for (row, mark) in marks.iter_mut().enumerate() {
                *mark |= !is_same_view(one, two, row);
            }
        }
        return true;
    }
    if let (Some(one_bytes), Some(two_bytes)) = (bytes_of(one), bytes_of(two)) {
        if is_text(one) != is_text(two) {
            return false;
        }
        mark(one, two, marks, |row| one_bytes(row) != two_bytes(row));
        return true;
    }
    if one.data_type() != two.data_type() {
        return false;
    }
    downcast_primitive_array!(
        one => {
            mark_numbers(one, two, marks);
            true
        }
        DataType::Boolean => {
            let (old, new) = (one.as_boolean(), two.as_boolean());
            mark(one, two, marks, |row| old.value(row) != new.value(row));
            true
        }
        _ => false,
    )
}

/// Whether two arrays of text that is stored as views hold the same; `None` when they are not stored so.
pub(super) fn same_views(one: &dyn Array, two: &dyn Array) -> Option<bool> {
    let (one, two) = (one.as_string_view_opt()?, two.as_string_view_opt()?);
    if one.len() != two.len() {
        return Some(false);
    }
    if one.null_count() == 0 && two.null_count() == 0 {
        let mut pairs = one.views().iter().zip(two.views());
        return Some(pairs.all(|(view, other)| is_same_text((one, *view), (two, *other))));
    }
    Some((0..one.len()).all(|row| is_same_view(one, two, row)))
}

/// The longest text that stands in its view as a whole (Arrow Columnar Format, *Variable-size Binary View Layout*).
const INLINE_BYTES: u32 = 12;

fn is_same_view(one: &StringViewArray, two: &StringViewArray, row: usize) -> bool {
    if one.is_null(row) || two.is_null(row) {
        return one.is_null(row) == two.is_null(row);
    }
    let views = one.views().get(row).zip(two.views().get(row));
    views.is_some_and(|(view, other)| is_same_text((one, *view), (two, *other)))
}

fn is_same_text((one, view): (&StringViewArray, u128), (two, other): (&StringViewArray, u128)) -> bool {
    // The low half is the length and the first four bytes: texts that differ mostly differ there.
    let low_half = |view: u128| view & u128::from(u64::MAX);
    if low_half(view) != low_half(other) {
        return false;
    }
    let view_read = ByteView::from(view);
    if view_read.length <= INLINE_BYTES {
        return view == other;
    }
    let texts = content(one, view_read).zip(content(two, ByteView::from(other)));
    texts.is_some_and(|(one, two)| one == two)
}

/// The bytes of a text that does not stand in its view.
fn content(array: &StringViewArray, view: ByteView) -> Option<&[u8]> {
    let start = view.offset as usize;
    array.data_buffers().get(view.buffer_index as usize)?.get(start..start + view.length as usize)
}

fn mark_numbers<T: ArrowPrimitiveType>(
    one: &arrow_array::PrimitiveArray<T>,
    two: &dyn Array,
    marks: &mut [bool],
) {
    use arrow_array::ArrowNativeTypeOp;
    let Some(other) = two.as_primitive_opt::<T>() else {
        marks.fill(true);
        return;
    };
    // Of floats this compares bits: NaN is itself, and zeros of two signs are two.
    if one.null_count() == 0 && other.null_count() == 0 {
        for ((mark, old), new) in marks.iter_mut().zip(one.values()).zip(other.values()) {
            *mark |= old.is_ne(*new);
        }
        return;
    }
    mark(one, other, marks, |row| one.value(row).is_ne(other.value(row)));
}

/// A null is the same as a null, whatever bits lie under it.
fn mark(one: &dyn Array, two: &dyn Array, marks: &mut [bool], differs: impl Fn(usize) -> bool) {
    for (row, mark) in marks.iter_mut().enumerate() {
        *mark |= match (one.is_null(row), two.is_null(row)) {
            (false, false) => differs(row),
            (old, new) => old != new,
        };
    }
}

/// The content of a row of text or bytes.
pub(crate) type BytesOf<'a> = Box<dyn Fn(usize) -> &'a [u8] + 'a>;

/// Reads the rows of text and bytes, however they are stored; `None` for every other type.
pub(crate) fn bytes_of(array: &dyn Array) -> Option<BytesOf<'_>> {
    Some(match array.data_type() {
        DataType::Utf8 => {
            let array = array.as_string::<i32>();
            Box::new(|row| array.value(row).as_bytes())
        }
        DataType::LargeUtf8 => {
            let array = array.as_string::<i64>();
            Box::new(|row| array.value(row).as_bytes())
        }
        DataType::Utf8View => {
            let array = array.as_string_view();
            Box::new(|row| array.value(row).as_bytes())
        }
        DataType::Binary => {
            let array = array.as_binary::<i32>();
            Box::new(|row| array.value(row))
        }
        DataType::LargeBinary => {
            let array = array.as_binary::<i64>();
            Box::new(|row| array.value(row))
        }
        DataType::BinaryView => {
            let array = array.as_binary_view();
            Box::new(|row| array.value(row))
        }
        DataType::FixedSizeBinary(_) => {
            let array = array.as_fixed_size_binary();
            Box::new(|row| array.value(row))
        }
        _ => return None,
    })
}

fn is_text(array: &dyn Array) -> bool {
    matches!(array.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int32Array, Int64Array, ListArray,
        StringArray, StringViewArray, types::Int32Type,
    };

    use super::*;

    fn marks(one: &ArrayRef, two: &ArrayRef) -> Option<Vec<bool>> {
        let mut marks = vec![false; one.len()];
        mark_different(one, two, &mut marks).then_some(marks)
    }

    fn array(array: impl Array + 'static) -> ArrayRef {
        Arc::new(array)
    }

    #[test]
    fn floats_are_told_by_their_bits() {
        let one = array(Float64Array::from(vec![0.0, f64::NAN, 1.0, f64::INFINITY]));
        let two = array(Float64Array::from(vec![-0.0, f64::NAN, 1.0, f64::NEG_INFINITY]));
        assert_eq!(marks(&one, &two), Some(vec![true, false, false, true]));
    }

    #[test]
    fn a_null_is_a_null_whatever_lies_under_it() {
        let one = array(Int64Array::new(vec![1, 2, 3].into(), Some(vec![true, false, false].into())));
        let two = array(Int64Array::new(vec![1, 9, 3].into(), Some(vec![false, false, true].into())));
        assert_eq!(marks(&one, &two), Some(vec![true, false, true]));
    }

    #[test]
    fn text_is_told_however_it_is_stored() {
        let one = array(StringArray::from(vec![Some("a"), None, Some("a text of more than twelve bytes")]));
        let two =
            array(StringViewArray::from(vec![Some("b"), None, Some("a text of more than twelve bytes")]));
        assert_eq!(marks(&one, &two), Some(vec![true, false, false]));
        let long =
            ["a text of more than twelve bytes", "a text of more than twelve letters", "a text of", ""];
        let views = |texts: &[Option<&str>]| array(texts.iter().copied().collect::<StringViewArray>());
        for (at, text) in long.iter().enumerate() {
            for (other_at, other) in long.iter().enumerate() {
                let (one, two) = (views(&[None, Some(text)]), views(&[None, Some(other)]));
                assert_eq!(marks(&one, &two), Some(vec![false, at != other_at]));
                assert_eq!(same_views(&one, &two), Some(at == other_at));
            }
        }
        let bytes = array(arrow_array::BinaryArray::from(vec![Some(&b"a"[..]), None, None]));
        assert_eq!(marks(&one, &bytes), None);
    }

    #[test]
    fn booleans_and_decimals_are_told_and_lists_and_two_types_are_not() {
        let flags = |flags: Vec<bool>| array(BooleanArray::from(flags));
        assert_eq!(marks(&flags(vec![true, false]), &flags(vec![true, true])), Some(vec![false, true]));
        let decimals =
            |values: Vec<i128>| array(Decimal128Array::from(values).with_precision_and_scale(9, 2).unwrap());
        assert_eq!(marks(&decimals(vec![1, 2]), &decimals(vec![1, 3])), Some(vec![false, true]));
        let list = array(ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)])]));
        assert_eq!(marks(&list, &list), None);
        let (narrow, wide) = (array(Int32Array::from(vec![1])), array(Int64Array::from(vec![1])));
        assert_eq!(marks(&narrow, &wide), None);
    }
}
