//! The same change seen from the other side.

use super::{Cell, Difference, Evidence, Other, Side, What};

/// Evidence with OLD for NEW.
pub(super) struct Mirrored<'a> {
    differences: Vec<Difference>,
    others: Vec<Other>,
    from: &'a Evidence<'a>,
}

impl<'a> Mirrored<'a> {
    pub(super) fn of(evidence: &'a Evidence<'a>) -> Self {
        let turned = |difference: &Difference| Difference {
            row_old: difference.row_new,
            row_new: difference.row_old,
            old: difference.new.clone(),
            new: difference.old.clone(),
        };
        let swapped = |(old, new): &(Cell, Cell)| (new.clone(), old.clone());
        let other = |other: &Other| Other {
            name: other.name.clone(),
            cells: other.cells.iter().map(swapped).collect(),
        };
        Self {
            differences: evidence.differences.iter().map(turned).collect(),
            others: evidence.others.iter().map(other).collect(),
            from: evidence,
        }
    }

    pub(super) fn evidence(&self) -> Evidence<'_> {
        Evidence {
            differences: &self.differences,
            others: &self.others,
            columns: self.from.columns.map(|(old, new)| (new, old)),
            ..*self.from
        }
    }
}

/// Whether two changes undo each other, as far as their kind and side; constants may differ in their last digits.
pub(super) fn is_mirror(one: &What, two: &What) -> bool {
    let other = |side: Side| if side == Side::Old { Side::New } else { Side::Old };
    match (one, two) {
        (What::NullFor { value, side }, What::NullFor { value: mirrored, side: other_side }) => {
            value == mirrored && *side == other(*other_side)
        }
        (
            What::Truncated { characters, side },
            What::Truncated { characters: mirrored, side: other_side },
        ) => characters == mirrored && *side == other(*other_side),
        (
            What::Rounded { to, digits, side },
            What::Rounded { to: mirrored, digits: mirrored_digits, side: other_side },
        ) => to == mirrored && digits == mirrored_digits && *side == other(*other_side),
        (
            What::Duplicated { rows, first, side },
            What::Duplicated { rows: mirrored, first: mirrored_first, side: other_side },
        ) => rows == mirrored && first == mirrored_first && *side == other(*other_side),
        (What::Shifted { rows }, What::Shifted { rows: mirrored }) => *rows == -mirrored,
        (
            What::WhiteSpace { .. } | What::Unicode { .. } | What::Swapped { .. } | What::Reassociated { .. },
            _,
        ) => one == two,
        _ => std::mem::discriminant(one) == std::mem::discriminant(two),
    }
}
