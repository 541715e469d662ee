//! Sign, digits, the order of a sum, a factor, an offset.

use switchback_compare::explanation::{Cell, Digits, Side, What};
use switchback_statistics::Random;

use super::{Columns, cells, change, mix, named, noise, not_named, numbers};

// rows: BX-4
#[test]
fn a_constant_factor_is_named() {
    named(|random| {
        let factor = [100.0, 0.01, 1000.0, 1.609_344, 1.0 / 0.453_592_37, 1.0 + 0.2 * random.uniform()]
            [random.below(6)];
        let old = numbers(random);
        let new = change(random, &old, |value| value * factor);
        (Columns::of(cells(&old), cells(&new)), What::Scaled { factor })
    });
    not_named(|random| {
        let old = numbers(random);
        let new = mix(random, &old, |value| value * 100.0, |value| value * 101.0);
        Columns::of(cells(&old), cells(&new))
    });
    not_named(|random| {
        let old = numbers(random);
        let noisy = noise(random.bits(), 3.0);
        let new = mix(random, &old, |value| value * 100.0, noisy);
        Columns::of(cells(&old), cells(&new))
    });
}

// rows: BX-4
#[test]
fn a_constant_offset_is_named() {
    named(|random| {
        let offset = [1.0, -273.15, 0.05, 1e4 * random.normal()][random.below(4)];
        let old = numbers(random);
        let new = change(random, &old, |value| value + offset);
        (Columns::of(cells(&old), cells(&new)), What::Offset { offset, unit: None })
    });
    not_named(|random| {
        let old = numbers(random);
        let noisy = noise(random.bits(), 5.0);
        let new = mix(random, &old, |value| value + 5.0, noisy);
        Columns::of(cells(&old), cells(&new))
    });
    not_named(|random| {
        let old = numbers(random);
        let new = mix(random, &old, |value| value + 5.0, |value| value + 5.01);
        Columns::of(cells(&old), cells(&new))
    });
}

// rows: BX-4
#[test]
fn integers_are_scaled_and_moved_exactly() {
    let integers = |random: &mut Random| -> Vec<i128> {
        (0..50).map(|_| 1_000_000_007 * (1 + random.below(1_000_000)) as i128).collect()
    };
    let whole = |values: &[i128]| values.iter().copied().map(Cell::Integer).collect::<Vec<_>>();
    named(|random| {
        let old = integers(random);
        let new = change(random, &old, |value| value * 7);
        (Columns::of(whole(&old), whole(&new)), What::Scaled { factor: 7.0 })
    });
    named(|random| {
        let old = integers(random);
        let new = change(random, &old, |value| value - 12);
        (Columns::of(whole(&old), whole(&new)), What::Offset { offset: -12.0, unit: None })
    });
    not_named(|random| {
        let old = integers(random);
        let new = mix(random, &old, |value| value * 7, |value| value * 7 + 1);
        Columns::of(whole(&old), whole(&new))
    });
}

// rows: BX-4
#[test]
fn a_changed_sign_is_named() {
    named(|random| {
        let old = numbers(random);
        let new = change(random, &old, |value| -value);
        (Columns::of(cells(&old), cells(&new)), What::Sign)
    });
    not_named(|random| {
        let old = numbers(random);
        let new = mix(random, &old, |value| -value, |value| -value * 1.5);
        Columns::of(cells(&old), cells(&new))
    });
}

/// A sum of parts, from the front and from the back.
fn sums(random: &mut Random) -> (f64, f64) {
    let parts: Vec<f64> = (0..200).map(|_| 10.0 + random.normal()).collect();
    (parts.iter().sum(), parts.iter().rev().sum())
}

// rows: BX-4
#[test]
fn a_sum_in_another_order_is_named() {
    named(|random| {
        let rows: Vec<(f64, f64)> = (0..40).map(|_| sums(random)).collect();
        let (old, new): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
        (Columns::of(cells(&old), cells(&new)), What::Reassociated { ulps: 0 })
    });
    not_named(|random| {
        let rows: Vec<(f64, f64)> = (0..40).map(|_| sums(random)).collect();
        let (old, mut new): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
        let row = random.below(new.len());
        new[row] *= 1.0 + 1e-9;
        Columns::of(cells(&old), cells(&new))
    });
}

// rows: BX-4
#[test]
fn rounded_numbers_are_named() {
    for side in [Side::New, Side::Old] {
        named(|random| {
            let digits = random.below(6);
            let old: Vec<f64> = (0..60).map(|_| 500.0 * random.normal()).collect();
            let new: Vec<f64> =
                old.iter().map(|value| format!("{value:.digits$}").parse().unwrap()).collect();
            let what = What::Rounded { to: Digits::Decimals, digits: i32::try_from(digits).ok(), side };
            let sides = if side == Side::New { (old, new) } else { (new, old) };
            (Columns::of(cells(&sides.0), cells(&sides.1)), what)
        });
    }
    named(|random| {
        let digits = 3 + random.below(10);
        let old: Vec<f64> = (0..60).map(|_| (8.0 * random.normal()).exp()).collect();
        let round = |value: &f64| format!("{value:.*e}", digits - 1).parse().unwrap();
        let new: Vec<f64> = old.iter().map(round).collect();
        let what =
            What::Rounded { to: Digits::Significant, digits: i32::try_from(digits).ok(), side: Side::New };
        (Columns::of(cells(&old), cells(&new)), what)
    });
    named(|random| {
        let old: Vec<f64> = (0..60).map(|_| random.normal()).collect();
        #[expect(clippy::cast_possible_truncation, reason = "that is what is planted")]
        let new: Vec<f64> = old.iter().map(|value| f64::from(*value as f32)).collect();
        let what = What::Rounded { to: Digits::Float32, digits: None, side: Side::New };
        (Columns::of(cells(&old), cells(&new)), what)
    });
    not_named(|random| {
        // Some cells with all their digits stayed, so nothing rounded the others.
        let old: Vec<f64> = (0..60).map(|_| 500.0 * random.normal()).collect();
        let new = mix(random, &old, |value| (value * 100.0).round() / 100.0, |value| *value);
        Columns::of(cells(&old), cells(&new))
    });
    not_named(|random| {
        // Prices with two digits that move by less than half a cent.
        let old: Vec<f64> =
            (0..60).map(|_| ((3.0 + random.normal()).exp() * 100.0).round() / 100.0).collect();
        let noisy = noise(random.bits(), 0.001);
        let new = change(random, &old, noisy);
        Columns::of(cells(&old), cells(&new))
    });
    let floor = |value: &f64| (value * 100.0).floor() / 100.0;
    not_named(|random| {
        let old: Vec<f64> = (0..60).map(|_| 500.0 * random.normal()).collect();
        // Cut off and not rounded: half of them are too far away.
        let new: Vec<f64> = old.iter().map(floor).collect();
        Columns::of(cells(&old), cells(&new))
    });
    not_named(|random| {
        let old: Vec<f64> = (0..60).map(|_| 500.0 * random.normal()).collect();
        let noisy = noise(random.bits(), 0.001);
        let new = mix(random, &old, |value| (value * 100.0).round() / 100.0, noisy);
        Columns::of(cells(&old), cells(&new))
    });
}

// rows: BX-4
#[test]
fn noise_is_not_explained() {
    for size in [1e-6, 1e-3, 1.0, 100.0] {
        not_named(|random| {
            let old = numbers(random);
            let noisy = noise(random.bits(), size);
            let new = change(random, &old, noisy);
            if old == new {
                return Columns::of(cells(&old), cells(&[&old[1..], &[1.0][..]].concat()));
            }
            Columns::of(cells(&old), cells(&new))
        });
    }
}
