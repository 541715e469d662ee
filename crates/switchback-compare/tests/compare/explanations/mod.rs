//! Each explanation planted at random in realistic columns is named, and a near miss of it is not.

mod numbers;
mod places;
mod texts;

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
            ..Evidence::default()
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
