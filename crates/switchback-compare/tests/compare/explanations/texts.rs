//! Case, white space, Unicode forms, cut texts, and nulls.

use switchback_compare::explanation::{Case, Cell, Form, Missing, Side, What, Where};
use switchback_statistics::Random;

use super::{Columns, WORDS, change, mix, named, names, not_named, texts};

// rows: BX-4
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

// rows: BX-4
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

// rows: BX-4
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

// rows: BX-4
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

// rows: BX-4
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
