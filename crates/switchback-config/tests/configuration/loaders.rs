//! What is read is what the program's own loader would have read, or it is refused: held against PyYAML and ruamel.yaml themselves.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};
use switchback_config::read::{Format, read};
use switchback_config::value::Value;
use switchback_config::yaml::Loader;

/// Debian's own Python, for which Debian packages both loaders.
const PYTHON: &str = "/usr/bin/python3";

/// Texts that one loader or the other reads in a way of its own.
const TORTURE: &[&str] = &[
    "",
    "# nothing\n",
    "---\n",
    "a: 1\n---\nb: 2\n",
    "...\n",
    "a: b: c\n",
    "\ta: 1\n",
    "a:\t1\n",
    "a: 1\n\tb: 2\n",
    "yes: no\non: off\ny: n\nTrue: FALSE\n",
    "a: 010\nb: 0o10\nc: 0x1F\nd: 0b11\ne: 08\nf: 1_000\ng: +7\nh: -0\n",
    "a: 1:30\nb: 190:20:30\nc: 190:20:30.15\nd: 1:60\ne: 01:30\n",
    "a: 1e3\nb: 1.5e3\nc: 1.5e+3\nd: .5\ne: 1.\nf: .inf\ng: -.Inf\nh: .nan\n",
    "a: ~\nb: null\nc:\nd: Null\ne: nULL\nf: ''\n",
    "a: 2024-02-29\nb: 2024-2-9\nc: '2024-02-29'\n",
    "a: 2024-02-30\n",
    "a: 2001-12-14 21:59:43.10\n",
    "a: &x {b: 1}\nc: *x\n",
    "a: &x 1\nb: &x 2\nc: *x\n",
    "a: *nothing\n",
    "a: &a [*a]\n",
    "base: &b {x: 1, y: 2}\nd:\n  <<: *b\n  y: 3\n",
    "a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc:\n  <<: [*a, *b]\n",
    "c:\n  <<: 1\n",
    "c:\n  <<: [1]\n",
    "'<<': {a: 1}\n",
    "a: {<<: {b: 1}, c: 2}\n",
    "a: 1\nb: 2\na: 3\n",
    "1: a\n1.0: b\ntrue: c\n",
    "? [a, b]\n: c\n",
    "? {a: b}\n: c\n",
    "? a\n? b\n",
    "? |\n  long\n: x\n",
    "a: |\n  x\n   y\n\n  z\n",
    "a: >\n  x\n  y\n\n  z\n",
    "a: |-\n  x\n\n",
    "a: |+\n  x\n\n",
    "a: |2\n   x\n",
    "a: >-\n  x\n    more\n  y\n",
    "a: 'it''s\n  two'\n",
    "a: \"x\\ty\\u00e9\\x41\\\n  z\"\n",
    "a: \"\\q\"\n",
    "a: \"\\/\"\n",
    "a: plain\n  over lines\n",
    "a: 'x\n",
    "a: [1, 2\n",
    "a: [1, 2,]\n",
    "a: [,]\n",
    "a: {b, c: 1}\n",
    "a: {b:1}\n",
    "a: [b: 1]\n",
    "[a, b]: c\n",
    "a: {x: y:z}\n",
    "a: http://x:80/y\n",
    "a: !!str 1\nb: !!int '7'\nc: !!float 1\nd: !!bool 'yes'\ne: !!null x\n",
    "a: !!binary aGVsbG8=\n",
    "a: !!set {b, c}\n",
    "a: !!omap [b: 1]\n",
    "a: !custom x\n",
    "a: !!python/object/apply:os.system [ls]\n",
    "a: !!python/name:os.system\n",
    "a: ! 1\n",
    "a: !!timestamp '2024-01-01'\n",
    "a: !!int x\n",
    "%YAML 1.1\n---\na: 010\n",
    "%YAML 1.2\n---\na: 010\n",
    "%TAG ! tag:example.org,2000:\n---\na: 1\n",
    "%FOO bar\n---\na: 1\n",
    "a: #no comment\n",
    "a: b#c\n",
    "a: 'b' #c\n",
    "- 1\n- - 2\n  - 3\n-\n  - 4\n",
    "a:\n- 1\n- 2\n",
    "a:\n  b\n:\n",
    ": a\n",
    "a\n",
    "- a\nb: c\n",
    "a: @x\n",
    "a: `x`\n",
    "a: %x\n",
    "a: -\n",
    "a: - b\n",
    "a: ?\n",
    "a: =\n",
    "=: a\n",
    "a: \u{85}b\n",
    "a: b\u{2028}c\n",
    "\u{feff}a: 1\n",
    "a: \u{7}\n",
    "a: é\n",
    "a: \"\\ud83d\\ude00\"\n",
    "a: \u{1f600}\n",
    "a: 123456789012345678901234567890\n",
    "a: 1.7976931348623157e+309\n",
    "a: 0.1\n",
    "a: 1__0\n",
    "a: 0x_1\n",
    "a: 0b_\n",
    "a: _1\n",
    "key with spaces: v\n'quoted': v\n\"double\": v\n",
    "a:  \n  b:   \n    c\n",
    "a: [\n1,\n2\n]\n",
    "{a: 1, b: {c: [d]}}\n",
    "[]\n",
    "{}\n",
    "'just text'\n",
    "42\n",
    "null\n",
    "a: 12:30:45\nb: 1:2:3\nc: 99:99\n",
    "a: 0777\nb: 0888\nc: 0o777\n",
    "a: 1,000\n",
    "a: +.inf\nb: +1.0\nc: 1e5\nd: 1E5\ne: 1.e+5\n",
    "a: 0.\nb: 00\nc: 0_0\nd: -0.0\n",
];

fn loaded(name: &str, texts: &[String]) -> Vec<Json> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/configuration/load.py");
    let mut child = Command::new(PYTHON)
        .args([script, name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Debian's Python runs");
    let texts = json!(texts).to_string();
    child.stdin.take().unwrap().write_all(texts.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn hexadecimal(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let bits = number.to_bits();
    let sign = if bits >> 63 == 1 { "-" } else { "" };
    let (exponent, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
    if exponent == 0 && fraction == 0 {
        return format!("{sign}0x0.0p+0");
    }
    let power = i64::try_from(exponent.max(1)).unwrap() - 1023;
    let mut text = String::new();
    write!(text, "{sign}0x{}.{fraction:013x}p{power:+}", u8::from(exponent > 0)).unwrap();
    text
}

fn typed(value: &Value) -> Json {
    use base64::Engine as _;
    match value {
        Value::Null => json!(["null"]),
        Value::Bool(flag) => json!(["boolean", flag]),
        Value::Integer(number) => json!(["integer", number.to_string()]),
        Value::Float(number) => json!(["float", hexadecimal(*number)]),
        Value::Text(text) => json!(["text", text]),
        Value::Bytes(bytes) => json!(["bytes", base64::engine::general_purpose::STANDARD.encode(bytes)]),
        Value::Date(text) => json!(["date", text]),
        Value::Clock(text) => json!(["time of day", text]),
        Value::Time(text) => json!(["timestamp", text]),
        Value::List(items) => {
            json!(["list", items.iter().map(|item| typed(&item.value)).collect::<Vec<_>>()])
        }
        Value::Map(entries) => json!([
            "map",
            entries
                .iter()
                .map(|entry| json!([typed(&entry.key.value), typed(&entry.node.value)]))
                .collect::<Vec<_>>()
        ]),
    }
}

/// How many texts were read alike, and how many each side refused; every text that was read in another way.
fn held_against(name: &str, loader: Loader, texts: &[String]) -> ([usize; 3], Vec<String>) {
    let (mut counts, mut wrong) = ([0; 3], Vec::new());
    for (text, theirs) in texts.iter().zip(loaded(name, texts)) {
        let ours = read(text.as_bytes(), Format::Yaml(loader), 0);
        match (&ours, theirs.get("value")) {
            (Ok(ours), Some(theirs)) if typed(&ours.root.value) == *theirs => counts[0] += 1,
            (Err(_), None) => counts[1] += 1,
            // Refused with place and reason: nobody is misled.
            (Err(_), Some(_)) => counts[2] += 1,
            (Ok(ours), theirs_value) => wrong.push(format!(
                "{text:?}\n  here: {}\n  {name}: {}",
                typed(&ours.root.value),
                theirs_value.unwrap_or(&theirs)
            )),
        }
    }
    (counts, wrong)
}

fn texts() -> Vec<String> {
    TORTURE.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn needs_yaml_loaders_the_torture_set_is_read_as_pyyaml_reads_it() {
    let (counts, wrong) = held_against("pyyaml", Loader::PyYaml, &texts());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let refused_here_alone = counts[2];
    assert!(counts[0] > 60 && counts[1] > 20 && refused_here_alone <= 8, "{counts:?}");
}

#[test]
fn needs_yaml_loaders_the_torture_set_is_read_as_ruamel_reads_it() {
    let (counts, wrong) = held_against("ruamel", Loader::Ruamel, &texts());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(counts[0] > 60 && counts[1] > 15 && counts[2] <= 14, "{counts:?}");
}

/// Values that a generated text has.
const SCALARS: &[&str] = &[
    "1",
    "010",
    "0x1f",
    "1_0",
    "1:30",
    "1.5",
    "1e3",
    "1.0e+3",
    "yes",
    "No",
    "on",
    "true",
    "~",
    "null",
    "x",
    "a b",
    "'q'",
    "\"d\\n\"",
    "2024-01-31",
    "2024-01-31 10:00:00",
    "-1",
    "+.5",
    ".nan",
    "''",
    "[1, a]",
    "{k: v}",
    "*a",
    "&b 1",
    "!!str 1",
    "|\n{i}  t\n{i}  u",
    ">\n{i}  t\n{i}  u",
    "x # c",
    "a:b",
    "-x",
    "<<",
];
/// Its keys.
const KEYS: &[&str] = &["a", "b", "'c'", "on", "1", "1.0", "true", "<<", "a b", "~", "\"d\"", "? e"];

/// Texts put together from pieces, the same ones each time (Marsaglia, *Xorshift RNGs*, 2003).
fn generated(count: usize) -> Vec<String> {
    let mut state = 0x5EED_u64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % 1_000_003).unwrap() % bound
    };
    let mut texts = Vec::new();
    for _ in 0..count {
        let mut text = String::from("base: &a {m: 1, n: [x]}\n");
        let mut indent = 0;
        for _ in 0..=below(8) {
            let pad = "  ".repeat(indent);
            let key = KEYS[below(KEYS.len())];
            if below(4) == 0 && indent < 4 {
                writeln!(text, "{pad}{key}:").unwrap();
                indent += 1;
                continue;
            }
            let scalar = SCALARS[below(SCALARS.len())].replace("{i}", &pad);
            if below(5) == 0 {
                let other = KEYS[below(KEYS.len())];
                writeln!(
                    text,
                    "{pad}{key}:
{pad}- {scalar}
{pad}-  {other}: 1"
                )
                .unwrap();
            } else {
                writeln!(text, "{pad}{key}: {scalar}").unwrap();
            }
            indent = indent.saturating_sub(below(2));
        }
        texts.push(text);
    }
    texts
}

#[test]
fn needs_yaml_loaders_generated_texts_are_read_alike() {
    let texts = generated(4_000);
    for (name, loader) in [("pyyaml", Loader::PyYaml), ("ruamel", Loader::Ruamel)] {
        let (counts, wrong) = held_against(name, loader, &texts);
        assert!(
            wrong.is_empty(),
            "{} of {counts:?}:\n{}",
            wrong.len(),
            wrong[..wrong.len().min(8)].join("\n")
        );
        assert!(counts[0] > 400, "{name}: {counts:?}");
    }
}
