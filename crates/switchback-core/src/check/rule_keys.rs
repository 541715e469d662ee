//! What "the same" means, as a plan says it: the keys that checks which compare results share, and how they are read.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{Fields, Key, Shape, shown};
use crate::quantity;
use crate::rule::{
    ColumnCase, ColumnOrder, Duplicates, ImageTolerance, KeyTypes, Pairing, RowOrder, Rule, SchemaRule,
    TextRule, Tolerance,
};

const TOLERANCE: &[Key] = &[
    Key::optional("absolute", Shape::Number, "largest allowed |a - b|"),
    Key::optional("relative", Shape::Number, "largest allowed |a - b| / max(|a|, |b|)"),
    Key::optional("ulps", Shape::Whole, "largest allowed distance in units in the last place"),
];
const IMAGE: &[Key] = &[
    Key::optional(
        "threshold",
        Shape::Whole,
        "pixels are apart when a channel differs by more than this, 0 to 255",
    ),
    Key::optional("pixels_percent", Shape::Number, "how many percent of the pixels may be apart"),
];
const STAGES: &[Key] = &[Key::required(
    "dbt",
    Shape::Text,
    "dbt's `manifest.json`: a path of the project, or of what the new command writes, `{out}/…`",
)];
const PAIRING: Shape = Shape::Word(&["equal", "different"]);

/// The key for tolerances of single columns; of documents, of members.
pub(super) const COLUMNS: Key = Key::optional(
    "columns",
    Shape::Named(TOLERANCE),
    "tolerances of single columns, which replace the global one",
);

/// Keys about single values, which hold for documents as for tables.
pub(super) const VALUES: [Key; 11] = [
    Key::optional("tolerance", Shape::Table(TOLERANCE), "for all numbers; identical values when left out"),
    Key::optional("bitwise", Shape::Flag, "`true`: only identical bits are equal"),
    Key::optional(
        "time_tolerance",
        Shape::Text,
        "largest allowed distance of two dates, times or timestamps: a number and ns, us, ms, s, m, h or d",
    ),
    Key::optional("nan", PAIRING, "whether two NaN are equal"),
    Key::optional("null", PAIRING, "whether two nulls are equal"),
    Key::optional("null_is_nan", Shape::Flag, "`true`: NaN and null are one and the same"),
    Key::optional("ignore_case", Shape::Flag, "`true`: upper and lower case of text are the same"),
    Key::optional("trim", Shape::Flag, "`true`: white space at both ends of text does not count"),
    Key::optional("mask", Shape::Texts, "regular expressions; text that matches is blanked first"),
    Key::optional("image", Shape::Table(IMAGE), "pictures in notebooks; identical pixels when left out"),
    Key::optional("sample", Shape::Whole, "how many differences are kept in full"),
];

/// Keys about rows, columns and files.
pub(super) const TABLES: [Key; 15] = [
    Key::optional("key", Shape::Texts, "columns that together name a row; by position when left out"),
    Key::optional("duplicates", Shape::Word(&["error", "match"]), "what is done about rows that share a key"),
    Key::optional("coerce_keys", Shape::Flag, "`true`: keys of different types meet by their values"),
    Key::optional("row_order", Shape::Word(&["position", "any"]), "how rows are matched without a key"),
    COLUMNS,
    Key::optional("only", Shape::Texts, "the only columns that count, beside the key"),
    Key::optional("exclude", Shape::Texts, "columns that are left out of the verdict"),
    Key::optional("rename", Shape::NamedTexts, "new names of columns, by their old ones"),
    Key::optional("schema", Shape::Word(&["strict", "common"]), "whether names and types of columns count"),
    Key::optional("column_order", Shape::Word(&["free", "strict"]), "whether the order of columns counts"),
    Key::optional(
        "column_case",
        Shape::Word(&["exact", "ignore"]),
        "whether case tells names of columns apart",
    ),
    Key::optional("delimiter", Shape::Text, "of text tables: one, or that of the old and of the new ones"),
    Key::optional(
        "stages",
        Shape::TextsOrTable(STAGES),
        "folders or file stems of the results, in the order in which they are computed, or where that order stands",
    ),
    Key::optional("allow_empty", Shape::Flag, "`true`: two results without a row are equal"),
    Key::optional(
        "memory",
        Shape::Text,
        "how much may be held in memory: a number and KB, MB, GB, KiB, MiB or GiB",
    ),
];

/// Several tables of keys as one. `N` is the sum of their lengths, or nothing compiles.
pub(super) const fn joined<const N: usize>(parts: &[&[Key]]) -> [Key; N] {
    let mut all = [Key::optional("", Shape::Flag, ""); N];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let mut index = 0;
        while index < parts[part].len() {
            all[at] = parts[part][index];
            at += 1;
            index += 1;
        }
        part += 1;
    }
    assert!(at == N, "a key without a place, or a place without a key");
    all
}

/// The rule that a check's keys say. What is wrong with them becomes a finding.
pub(super) fn read(fields: &Fields<'_>) -> Rule {
    let flag = |name: &str| fields.flag(name).unwrap_or(false);
    let texts = |name: &str| fields.texts(name).unwrap_or_default();
    // The first word of each is what holds when nothing is said.
    let says = |name: &str, other: &str| fields.word(name).is_some_and(|word| word == other);
    let pairing = |name: &str| if says(name, "different") { Pairing::Different } else { Pairing::Equal };
    let delimiters = delimiters(fields);
    let rule = Rule {
        key: texts("key"),
        duplicates: if says("duplicates", "match") { Duplicates::Match } else { Duplicates::Error },
        key_types: if flag("coerce_keys") { KeyTypes::Coerce } else { KeyTypes::Exact },
        row_order: if says("row_order", "any") { RowOrder::Any } else { RowOrder::Position },
        bitwise: flag("bitwise"),
        tolerance: fields.table("tolerance").map_or_else(Tolerance::default, |table| tolerance(&table)),
        column_tolerance: fields
            .named("columns")
            .into_iter()
            .map(|(name, table)| (name, tolerance(&table)))
            .collect(),
        time_tolerance_ns: quantity_of(
            fields,
            "time_tolerance",
            quantity::duration_ns,
            "a number and a unit",
            "write it like `\"500ms\"`; units are ns, us, ms, s, m, h and d",
        ),
        nan: pairing("nan"),
        null: pairing("null"),
        null_is_nan: flag("null_is_nan"),
        text: TextRule { ignore_case: flag("ignore_case"), trim: flag("trim"), masks: masks(fields) },
        image: fields.table("image").map_or_else(ImageTolerance::default, |table| image(&table)),
        columns: texts("only"),
        exclude: texts("exclude"),
        rename: renames(fields),
        schema: if says("schema", "common") { SchemaRule::Common } else { SchemaRule::Strict },
        column_order: if says("column_order", "strict") { ColumnOrder::Strict } else { ColumnOrder::Free },
        column_case: if says("column_case", "ignore") { ColumnCase::Ignore } else { ColumnCase::Exact },
        delimiter_old: delimiters.map(|(old, _)| old),
        delimiter_new: delimiters.map(|(_, new)| new),
        // A table says where they stand; they are read when the check looks.
        stages: if fields.is_table("stages") { Vec::new() } else { texts("stages") },
        allow_empty: flag("allow_empty"),
        sample_max: sample_max(fields).unwrap_or(Rule::default().sample_max),
        memory_max_bytes: quantity_of(
            fields,
            "memory",
            quantity::bytes,
            "a size",
            "write it like `\"2GiB\"`; units are B, KB, MB, GB, KiB, MiB and GiB",
        ),
        ..Rule::default()
    };
    look_for_contradictions(fields);
    rule
}

fn tolerance(fields: &Fields<'_>) -> Tolerance {
    Tolerance {
        absolute: fields.number("absolute"),
        relative: fields.number("relative"),
        ulps: fields.whole("ulps"),
    }
}

fn image(fields: &Fields<'_>) -> ImageTolerance {
    let threshold = fields.whole("threshold").unwrap_or(0);
    let channel_max = u8::try_from(threshold).unwrap_or_else(|_| {
        fields.find("threshold", format!("`threshold` is {threshold}, more than 255"), "write 0 to 255");
        0
    });
    let pixels_percent_max = fields.number("pixels_percent").unwrap_or(0.0);
    if pixels_percent_max > 100.0 {
        let message = format!("`pixels_percent` is {pixels_percent_max}, more than 100");
        fields.find("pixels_percent", message, "write 0 to 100");
    }
    ImageTolerance { channel_max, pixels_percent_max }
}

fn quantity_of(
    fields: &Fields<'_>,
    name: &str,
    parse: fn(&str) -> Option<u64>,
    what: &str,
    help: &str,
) -> Option<u64> {
    let text = fields.text(name)?;
    let parsed = parse(&text);
    if parsed.is_none() {
        fields.find(name, format!("`{name}` in {} is `{}`, not {what}", fields.title(), shown(&text)), help);
    }
    parsed
}

fn sample_max(fields: &Fields<'_>) -> Option<usize> {
    usize::try_from(fields.whole("sample")?).ok()
}

fn delimiters(fields: &Fields<'_>) -> Option<(u8, u8)> {
    let text = fields.text("delimiter")?;
    let parsed = quantity::delimiters(&text);
    if parsed.is_none() {
        let what = "neither one ASCII character nor two with a comma between";
        fields.find(
            "delimiter",
            format!("`delimiter` in {} is `{}`, {what}", fields.title(), shown(&text)),
            "write it like `\";\"`, `\",,;\"` or `\"tab\"`",
        );
    }
    parsed
}

fn masks(fields: &Fields<'_>) -> Vec<String> {
    let mut masks = Vec::new();
    for (offset, mask) in fields.placed_texts("mask").unwrap_or_default() {
        match regex::Regex::new(&mask) {
            Ok(_) => masks.push(mask),
            Err(error) => {
                let error = error.to_string();
                let why = error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                let message = format!("the mask `{}` is no regular expression: {why}", shown(&mask));
                fields.findings().add(offset, message, "correct it; `\\\\` stands for one backslash in TOML");
            }
        }
    }
    masks
}

fn renames(fields: &Fields<'_>) -> BTreeMap<String, String> {
    let mut renames = BTreeMap::new();
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for (offset, old, new) in fields.named_texts("rename") {
        let place = format!("`rename` in {}", fields.title());
        if old.is_empty() || new.is_empty() {
            let message = format!("{place} has an empty name");
            fields.findings().add(offset, message, "write `old = \"new\"`");
        } else if let Some(first) = taken.insert(new.clone(), old.clone()) {
            let names = [&first, &old, &new].map(|name| shown(name));
            let message =
                format!("{place} gives `{}` and `{}` one new name, `{}`", names[0], names[1], names[2]);
            fields.findings().add(offset, message, "give each column a name of its own");
        }
        renames.insert(old, new);
    }
    renames
}

/// Keys that cannot all hold.
fn look_for_contradictions(fields: &Fields<'_>) {
    let keys = fields.placed_texts("key").unwrap_or_default();
    let mut seen = BTreeSet::new();
    for (offset, key) in &keys {
        if !seen.insert(key) {
            let message = format!("the key names `{}` twice", shown(key));
            fields.findings().add(*offset, message, "name each column once");
        }
    }
    for (offset, column) in fields.placed_texts("exclude").unwrap_or_default() {
        if seen.contains(&column) {
            let message = format!("`{}` is a key and is excluded", shown(&column));
            fields.findings().add(offset, message, "take it out of `exclude`: rows are matched by it");
        }
    }
    if keys.is_empty() && fields.has("duplicates") {
        let message = format!("`duplicates` in {} says nothing without a `key`", fields.title());
        fields.find("duplicates", message, "add a `key`, or take it out");
    }
    if !keys.is_empty() && fields.has("row_order") {
        let message = format!("`row_order` in {} says nothing beside a `key`", fields.title());
        fields.find("row_order", message, "take it out: rows are matched by key, in any order");
    }
}
