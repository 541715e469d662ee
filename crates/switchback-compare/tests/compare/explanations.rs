//! Each explanation planted at random in realistic columns is named, and a near miss of it is not.

use switchback_compare::explanation::{
    CELLS_MIN, Case, Cell, Difference, Digits, Evidence, Explanation, Form, Missing, Other, Side, What,
    Where, explain,
};
use switchback_statistics::Random;

const TRIES: u64 = 200;
/// 95 %.
const NAMED_MIN: u64 = 190;

/// Two columns by position, and another pair of columns beside them.
struct Columns {
    old: Vec<Cell>,
    new: Vec<Cell>,
    beside: Option<(Vec<Cell>, Vec<Cell>)>,
}

impl Columns {
    fn of(old: Vec<Cell>, new: Vec<Cell>) -> Self {
        Self { old, new, beside: None }
    }

    /// What a comparison by position would hand over.
    fn explain(&self) -> Option<Explanation> {
        let same = |one: &Cell, two: &Cell| match (one, two) {
            (Cell::Number(one), Cell::Number(two)) => {
                (one - two).abs() <= 0.0 || one.is_nan() && two.is_nan()
            }
            _ => one == two,
        };
        let rows = self.old.len().min(self.new.len());
        let (equal, different): (Vec<usize>, Vec<usize>) =
            (0..rows).partition(|row| same(&self.old[*row], &self.new[*row]));
        let differences: Vec<Difference> = different
            .iter()
            .map(|row| Difference {
                row_old: *row as u64,
                row_new: *row as u64,
                old: self.old[*row].clone(),
                new: self.new[*row].clone(),
            })
            .collect();
        let equal: Vec<Cell> = equal.into_iter().map(|row| self.old[row].clone()).collect();
        let others: Vec<Other> = self
            .beside
            .iter()
            .map(|(old, new)| Other {
                name: "beside".to_owned(),
                cells: different.iter().map(|row| (old[*row].clone(), new[*row].clone())).collect(),
            })
            .collect();
        explain(&Evidence {
            differences: &differences,
            equal: &equal,
            columns: Some((&self.old, &self.new)),
            others: &others,
        })
    }
}

/// Numbers as they stand in tables: prices, measurements, rates, amounts of either sign.
fn numbers(random: &mut Random) -> Vec<f64> {
    let rows = 20 + random.below(180);
    let shape = random.below(4);
    (0..rows)
        .map(|_| match shape {
            0 => ((3.0 + random.normal()).exp() * 100.0).round() / 100.0,
            1 => 20.0 + 4.0 * random.normal(),
            2 => random.uniform(),
            _ => 1e5 * random.normal(),
        })
        .collect()
}

fn cells(values: &[f64]) -> Vec<Cell> {
    values.iter().copied().map(Cell::Number).collect()
}

const WORDS: &[&str] = &[
    "Alpine Freight",
    "Baker and Sons",
    "Crown Garage",
    "Délices du Nord",
    "Easton Mills",
    "Ferry Road Clinic",
    "Grün Werkzeuge",
    "Harbour Lights",
    "Ivory Coast Trading",
    "Jasper Pumps",
    "Kite Electrical",
    "Låås Design",
    "Mercato Grande",
    "Nordic Timber",
    "Oak Lane Bakery",
    "Piñata Supplies",
];

fn names(random: &mut Random) -> Vec<String> {
    let rows = 20 + random.below(180);
    (0..rows).map(|row| format!("{} {}", WORDS[random.below(WORDS.len())], 100 + row % 37)).collect()
}

fn texts(values: &[String]) -> Vec<Cell> {
    values.iter().cloned().map(Cell::Text).collect()
}

/// Instants over two years, as events have them.
fn times(random: &mut Random) -> Vec<i128> {
    let rows = 60 + random.below(140);
    let mut at = 1_700_000_000;
    (0..rows)
        .map(|_| {
            at += 60 + random.below(500_000) as i128;
            at * 1_000_000_000
        })
        .collect()
}

fn instants(values: &[i128]) -> Vec<Cell> {
    values.iter().copied().map(Cell::Time).collect()
}

/// The same with some rows changed: all, or a share of at least a fifth, and never fewer than are evidence.
fn change<T: Clone>(random: &mut Random, values: &[T], rule: impl Fn(&T) -> T) -> Vec<T> {
    let share = [0.2, 0.6, 1.1][random.below(3)];
    values.iter().map(|value| if random.uniform() < share { rule(value) } else { value.clone() }).collect()
}

/// The same with every other row left to `miss` instead of `rule`, at random, and both rules used.
fn mix<T: Clone>(
    random: &mut Random,
    values: &[T],
    rule: impl Fn(&T) -> T,
    miss: impl Fn(&T) -> T,
) -> Vec<T> {
    let mut mixed: Vec<T> =
        values.iter().map(|value| if random.uniform() < 0.5 { rule(value) } else { miss(value) }).collect();
    mixed[0] = rule(&values[0]);
    mixed[1] = miss(&values[1]);
    mixed
}

fn noise(seed: u64, size: f64) -> impl Fn(&f64) -> f64 {
    let state = std::cell::RefCell::new(Random::new(seed, 0));
    move |value: &f64| value + size * state.borrow_mut().normal()
}

/// Plants in 200 columns; what comes out is what was planted in 95 % of them, and never anything else.
fn named(plant: impl Fn(&mut Random) -> (Columns, What)) {
    let mut right = 0;
    for seed in 0..TRIES {
        let (columns, planted) = plant(&mut Random::new(seed, 1));
        match columns.explain() {
            Some(found) if is_like(&found.what, &planted) => {
                assert!(found.cells >= CELLS_MIN as u64, "{found:?}");
                right += 1;
            }
            Some(found) => panic!("{seed}: {found:?} and not {planted:?}"),
            None => {}
        }
    }
    assert!(right >= NAMED_MIN, "named in {right} of {TRIES}");
}

/// The same rule, its constants to nine digits.
fn is_like(found: &What, planted: &What) -> bool {
    let close = |one: f64, two: f64| (one - two).abs() <= 1e-9 * two.abs();
    match (found, planted) {
        (What::Scaled { factor: one }, What::Scaled { factor: two }) => close(*one, *two),
        (What::Offset { offset: one, unit }, What::Offset { offset: two, unit: other }) => {
            close(*one, *two) && unit == other
        }
        (What::Reassociated { .. }, What::Reassociated { .. }) => true,
        _ => found == planted,
    }
}

/// 200 columns that no rule covers.
fn not_named(plant: impl Fn(&mut Random) -> Columns) {
    for seed in 0..TRIES {
        let columns = plant(&mut Random::new(seed, 2));
        assert_ne!(columns.old, columns.new, "{seed}: nothing was planted");
        let found = columns.explain();
        assert_eq!(found, None, "{seed}: {:?} became {:?}", &columns.old[..6], &columns.new[..6]);
    }
}

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

#[test]
fn truncated_text_is_named() {
    for side in [Side::New, Side::Old] {
        named(|random| {
            let characters = 5 + random.below(8);
            let old = names(random);
            let new: Vec<String> = old.iter().map(|text| text.chars().take(characters).collect()).collect();
            let sides = if side == Side::New { (old, new) } else { (new, old) };
            (Columns::of(texts(&sides.0), texts(&sides.1)), What::Truncated { characters, side })
        });
    }
    not_named(|random| {
        let old = names(random);
        let cut = |text: &String, characters: usize| text.chars().take(characters).collect::<String>();
        let new = mix(random, &old, |text| cut(text, 10), |text| cut(text, 11));
        Columns::of(texts(&old), texts(&new))
    });
    not_named(|random| {
        // Some longer texts stayed whole, so no width cut the others.
        let old = names(random);
        let new = mix(random, &old, |text| text.chars().take(9).collect(), Clone::clone);
        Columns::of(texts(&old), texts(&new))
    });
}

#[test]
fn case_is_named() {
    named(|random| {
        let (to, rule): (Case, fn(&String) -> String) = match random.below(2) {
            0 => (Case::Upper, |text| text.to_uppercase()),
            _ => (Case::Lower, |text| text.to_lowercase()),
        };
        let old = names(random);
        let new = change(random, &old, rule);
        (Columns::of(texts(&old), texts(&new)), What::Case { to })
    });
    not_named(|random| {
        let old = names(random);
        let new = mix(random, &old, |text| text.to_uppercase(), |text| text.to_uppercase() + "X");
        Columns::of(texts(&old), texts(&new))
    });
}

#[test]
fn white_space_is_named() {
    named(|random| {
        let (at, rule): (Where, fn(&String) -> String) = match random.below(3) {
            0 => (Where::Ends, |text| format!("{text}  ")),
            1 => (Where::Ends, |text| format!("\t{text}")),
            _ => (Where::Inside, |text| text.replace(' ', "\u{a0} ")),
        };
        let old = names(random);
        let new = change(random, &old, rule);
        (Columns::of(texts(&old), texts(&new)), What::WhiteSpace { at })
    });
    not_named(|random| {
        let old = names(random);
        let new = mix(random, &old, |text| format!(" {text}"), |text| text.replace(' ', ""));
        Columns::of(texts(&old), texts(&new))
    });
}

#[test]
fn unicode_forms_are_named() {
    let accented = |random: &mut Random| -> Vec<String> {
        (0..40).map(|row| format!("{} é {row}", WORDS[random.below(WORDS.len())])).collect()
    };
    named(|random| {
        let old = accented(random);
        let new = change(random, &old, |text| text.replace('é', "e\u{301}").replace('ü', "u\u{308}"));
        (Columns::of(texts(&old), texts(&new)), What::Unicode { form: Form::Nfc })
    });
    named(|random| {
        let old = accented(random);
        let new = change(random, &old, |text| text.replace('1', "①").replace(' ', "\u{2002}") + "ﬁ");
        let old: Vec<String> = old
            .iter()
            .zip(&new)
            .map(|(old, new)| if old == new { old.clone() } else { old.clone() + "fi" })
            .collect();
        (Columns::of(texts(&old), texts(&new)), What::Unicode { form: Form::Nfkc })
    });
    not_named(|random| {
        let old = accented(random);
        let new = mix(random, &old, |text| text.replace('é', "e\u{301}"), |text| text.replace('é', "e"));
        Columns::of(texts(&old), texts(&new))
    });
}

#[test]
fn null_for_another_value_is_named() {
    for (value, cell) in [
        (Missing::Nan, Cell::Number(f64::NAN)),
        (Missing::Zero, Cell::Number(0.0)),
        (Missing::Empty, Cell::Text(String::new())),
    ] {
        for side in [Side::New, Side::Old] {
            let with = |random: &mut Random, filled: &Cell| -> Vec<Cell> {
                let mut random = Random::new(random.bits(), 9);
                (0..60)
                    .map(|row| match filled {
                        _ if row > 3 && random.uniform() < 0.8 => match value {
                            Missing::Empty => Cell::Text(format!("name {row}")),
                            Missing::Nan | Missing::Zero => Cell::Number(1.0 + random.uniform()),
                        },
                        filled => filled.clone(),
                    })
                    .collect()
            };
            let sides = |random: &mut Random| {
                let seed = random.bits();
                let filled = with(&mut Random::new(seed, 0), &cell);
                let empty = with(&mut Random::new(seed, 0), &Cell::Null);
                if side == Side::New { (filled, empty) } else { (empty, filled) }
            };
            named(|random| {
                let (old, new) = sides(random);
                (Columns::of(old, new), What::NullFor { value, side })
            });
            not_named(|random| {
                // One of them stayed what it was.
                let (old, mut new) = sides(random);
                new[0] = old[0].clone();
                let mut old = old;
                if side == Side::Old {
                    old[0] = cell.clone();
                    new[0] = cell.clone();
                }
                Columns::of(old, new)
            });
            not_named(|random| {
                // One null stands for a real value.
                let (mut old, mut new) = sides(random);
                let real =
                    if value == Missing::Empty { Cell::Text("x".to_owned()) } else { Cell::Number(4.5) };
                if side == Side::New {
                    old[1] = real;
                } else {
                    new[1] = real;
                }
                Columns::of(old, new)
            });
        }
    }
}

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

#[test]
fn too_little_is_no_evidence() {
    let column = |values: &[f64]| cells(values);
    let explain = |old: &[f64], new: &[f64]| Columns::of(column(old), column(new)).explain();
    assert_eq!(explain(&[1.0, 2.0], &[100.0, 200.0]), None, "two cells");
    assert_eq!(explain(&[1.5; 50], &[150.0; 50]), None, "one cell again and again");
    assert_eq!(explain(&[1.0, 2.0, 1.0, 2.0], &[2.0, 4.0, 2.0, 4.0]), None, "two different cells");
    assert_eq!(explain(&[1.0, 2.0, 5.0], &[2.0, 4.0, f64::NAN]), None);
    assert_eq!(explain(&[], &[]), None);
    let mut cells: Vec<Cell> = column(&[1.0, 2.0, 3.0]);
    cells.push(Cell::Text("x".to_owned()));
    assert_eq!(Columns::of(cells, column(&[10.0, 20.0, 30.0, 40.0])).explain(), None, "a text among numbers");
    assert!(explain(&[1.0, 2.0, 5.5], &[100.0, 200.0, 550.0]).is_some());
}

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

#[test]
fn an_explanation_is_written_as_it_is_documented() {
    let old = [1.5, 2.0, 7.25];
    let new = old.map(|value| value * 100.0);
    let found = Columns::of(cells(&old), cells(&new)).explain().unwrap();
    assert_eq!(serde_json::to_string(&found).unwrap(), r#"{"kind":"scaled","factor":100.0,"cells":3}"#);
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/explanations.md")).unwrap();
    let side = Side::New;
    for what in [
        What::NullFor { value: Missing::Nan, side },
        What::Sign,
        What::Case { to: Case::Upper },
        What::WhiteSpace { at: Where::Ends },
        What::Unicode { form: Form::Nfc },
        What::Truncated { characters: 3, side },
        What::Rounded { to: Digits::Decimals, digits: Some(2), side },
        What::Reassociated { ulps: 2 },
        What::TimeZone { minutes: vec![60] },
        What::Scaled { factor: 2.0 },
        What::Offset { offset: 2.0, unit: Some("seconds") },
        What::Swapped { with: "x".to_owned() },
        What::Duplicated { rows: 1, first: 1, side },
        What::Shifted { rows: 1 },
    ] {
        let json = serde_json::to_value(&what).unwrap();
        let row = format!("| `{}` |", json["kind"].as_str().unwrap());
        let row = page
            .lines()
            .find(|line| line.starts_with(&row))
            .unwrap_or_else(|| panic!("{row} is not documented"));
        for name in json.as_object().unwrap().keys().filter(|name| *name != "kind") {
            assert!(row.contains(&format!("`{name}`")), "`{name}` in {row}");
        }
    }
}
