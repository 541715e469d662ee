//! Times that moved, and values in another row or another column.

use switchback_compare::explanation::{Cell, Side, What};
use switchback_statistics::Random;

use super::{Columns, cells, change, instants, mix, named, not_named, numbers, times};

// rows: BX-4
#[test]
fn time_zones_are_named() {
    const MINUTE: i128 = 60_000_000_000;
    named(|random| {
        let minutes = [60, -300, 330, 345, 540, -210][random.below(6)];
        let old = times(random);
        let new = change(random, &old, |time| time + i128::from(minutes) * MINUTE);
        (Columns::of(instants(&old), instants(&new)), What::TimeZone { minutes: vec![minutes] })
    });
    named(|random| {
        // Half a year an hour more, as with daylight saving time.
        let old = times(random);
        let year = 365 * 24 * 60 * MINUTE;
        let is_summer = |time: &i128| (time.rem_euclid(year) - year / 4).rem_euclid(year) < year / 2;
        let new: Vec<i128> =
            old.iter().map(|time| time - if is_summer(time) { 240 } else { 300 } * MINUTE).collect();
        (Columns::of(instants(&old), instants(&new)), What::TimeZone { minutes: vec![-300, -240] })
    });
    named(|random| {
        let seconds = [86_400.0, 37.0, -172_800.0, 600.0][random.below(4)];
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
        let ns = (seconds * 1e9) as i128;
        let old = times(random);
        let new = change(random, &old, |time| time + ns);
        (Columns::of(instants(&old), instants(&new)), What::Offset { offset: seconds, unit: Some("seconds") })
    });
    not_named(|random| {
        let old = times(random);
        let new = mix(random, &old, |time| time + 60 * MINUTE, |time| time + 120 * MINUTE);
        Columns::of(instants(&old), instants(&new))
    });
    not_named(|random| {
        let old = times(random);
        let new = mix(random, &old, |time| time + 60 * MINUTE, |time| time + 61 * MINUTE);
        Columns::of(instants(&old), instants(&new))
    });
}

// rows: BX-4
#[test]
fn shifted_rows_are_named() {
    named(|random| {
        let by = 1 + random.below(5);
        let old = cells(&numbers(random));
        let mut new = vec![Cell::Null; by];
        new.extend_from_slice(&old[..old.len() - by]);
        let rows = i64::try_from(by).unwrap();
        if random.below(2) == 0 {
            (Columns::of(old, new), What::Shifted { rows })
        } else {
            (Columns::of(new, old), What::Shifted { rows: -rows })
        }
    });
    not_named(|random| {
        let old = cells(&numbers(random));
        let mut new = vec![Cell::Null; 2];
        new.extend_from_slice(&old[..old.len() - 2]);
        // One cell in the middle does not follow.
        new[10] = Cell::Number(-1.5);
        Columns::of(old, new)
    });
    not_named(|random| {
        // The first half by one row, the second by two.
        let old = cells(&numbers(random));
        let half = old.len() / 2;
        let mut new = vec![Cell::Null];
        new.extend_from_slice(&old[..half]);
        new.push(Cell::Null);
        new.extend_from_slice(&old[half..old.len() - 2]);
        Columns::of(old, new)
    });
}

// rows: BX-4
#[test]
fn duplicated_rows_are_named() {
    named(|random| {
        let side = if random.below(2) == 0 { Side::New } else { Side::Old };
        let old: Vec<f64> = numbers(random).iter().map(|value| value + random.uniform()).collect();
        let rows = 1 + random.below(3);
        let mut new = old.clone();
        let mut places: Vec<usize> = (0..rows).map(|place| 3 * place + random.below(3)).collect();
        let first = places[0] as u64 + 1;
        places.reverse();
        for place in places {
            new.insert(place, old[place]);
        }
        let sides = if side == Side::New { (old, new) } else { (new, old) };
        (Columns::of(cells(&sides.0), cells(&sides.1)), What::Duplicated { rows: rows as u64, first, side })
    });
    not_named(|random| {
        // A row that is new, and not one that comes again.
        let old: Vec<f64> = numbers(random).iter().map(|value| value + random.uniform()).collect();
        let mut new = old.clone();
        new.insert(3, -77.25);
        Columns::of(cells(&old), cells(&new))
    });
}

// rows: BX-4
#[test]
fn swapped_columns_are_named() {
    let two = |random: &mut Random| {
        let one: Vec<f64> = (0..50).map(|_| random.normal()).collect();
        let two: Vec<f64> = (0..50).map(|_| 3.0 * random.normal() + 10.0).collect();
        (cells(&one), cells(&two))
    };
    named(|random| {
        let (one, two) = two(random);
        let columns = Columns { old: one.clone(), new: two.clone(), beside: Some((two, one)) };
        (columns, What::Swapped { with: "beside".to_owned() })
    });
    not_named(|random| {
        let (one, two) = two(random);
        // The other column kept its own values: a copy, not a swap.
        Columns { old: one, new: two.clone(), beside: Some((two.clone(), two)) }
    });
    not_named(|random| {
        let (one, two) = two(random);
        let mut new = two.clone();
        new[7] = Cell::Number(0.125);
        Columns { old: one.clone(), new, beside: Some((two, one)) }
    });
}
