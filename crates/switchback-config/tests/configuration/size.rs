//! Large files: read, or refused with a place and a reason.

use std::fmt::Write as _;

use switchback_config::read::{Format, read};
use switchback_config::value::{Index, Node, Value};
use switchback_config::yaml::Loader;

const YAML: Format = Format::Yaml(Loader::PyYaml);

/// As a configuration has them: maps of maps, texts, numbers, a comment, a list.
fn services(count: usize) -> String {
    let mut text = String::from("services:\n");
    for number in 0..count {
        writeln!(text, "  service_{number}:  # the service {number}").unwrap();
        writeln!(text, "    host: host-{number}.example.org\n    port: {}", number % 65536).unwrap();
        writeln!(text, "    note: '{}'\n    weights: [1, 2.5, {number}]", "quick and brown ".repeat(12))
            .unwrap();
    }
    text
}

#[test]
fn a_file_of_some_megabytes_is_read_whole() {
    let text = services(25_000);
    assert!(text.len() > 7 << 20, "{}", text.len());
    let root = read(text.as_bytes(), YAML, 0).unwrap().root;
    let services = root.get(&Value::Text("services".to_owned())).and_then(Node::entries).unwrap();
    let found = Index::new(services).find(&Value::Text("service_24999".to_owned()));
    assert_eq!((services.len(), found), (25_000, Some(24_999)));
    assert_eq!(services[7].node.comments.as_deref().unwrap().behind, [" the service 7"]);
}

#[test]
fn very_many_values_are_refused_at_the_first_one_too_many() {
    let mut text = String::new();
    for number in 0..600_000 {
        writeln!(text, "{number}: {number}").unwrap();
    }
    let fault = read(text.as_bytes(), YAML, 0).unwrap_err();
    assert_eq!((fault.line, fault.column), (500_001, 1));
    assert_eq!(fault.reason, "keys and values up to here are more than 1000000");
}

/// One by one, as keys were looked up that are no text, these would be ten thousand million looks.
#[test]
fn very_many_keys_that_are_numbers_are_read_laid_and_compared() {
    let mut text = String::new();
    for number in 0..150_000 {
        writeln!(text, "{number}: {number}").unwrap();
    }
    let root = read(text.as_bytes(), YAML, 0).unwrap().root;
    let mut laid = root.clone();
    let mut met = Vec::new();
    switchback_config::layers::overlay(
        &mut laid,
        root.clone(),
        switchback_config::layers::Order::LaterWins,
        &mut met,
    );
    assert_eq!(met.len(), 150_000);
    assert!(switchback_config::difference::differences(&root, &laid).is_empty());
}
