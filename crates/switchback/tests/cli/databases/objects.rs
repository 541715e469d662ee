//! S3: objects of a server that speaks its protocol. It knows its user by the key's name; signatures of version 4 it takes
//! as they come.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::Int64Array;
use rusty_s3::actions::PutObject;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};

use super::exports::parquet;
use super::{Ground, compare, only_cell, refused};
use crate::s3::{KEY, S3};

fn put(server: &S3, key: &str, content: &[u8]) {
    let bucket =
        Bucket::new(server.endpoint().parse().unwrap(), UrlStyle::Path, "results", "us-east-1").unwrap();
    let credentials = Credentials::new(KEY, KEY);
    let url = PutObject::new(&bucket, Some(&credentials), key).sign(Duration::from_mins(1));
    ureq::put(url.as_str()).send(content).unwrap();
}

fn ground(server: &S3) -> Ground {
    let mut ground = Ground::new();
    ground.set("AWS_ENDPOINT_URL", &server.endpoint());
    ground.set("AWS_ACCESS_KEY_ID", KEY);
    ground.set("AWS_SECRET_ACCESS_KEY", KEY);
    ground
}

#[test]
fn needs_s3rver_an_object_is_compared_as_the_file_that_it_is() {
    let server = S3::start();
    let ground = ground(&server);
    let write = |file: &str, last: i64| {
        let values: Int64Array = (0..300_000).map(|n| if n == 299_999 { last } else { n }).collect();
        parquet(&ground.at(file), vec![("id", Arc::new(values.clone())), ("v", Arc::new(values))]);
    };
    write("new.parquet", 299_999);
    put(&server, "run 1/ä+b/old.parquet", &fs::read(ground.at("new.parquet")).unwrap());
    put(&server, "report.json", br#"{"rows": 2}"#);
    let old = "s3://results/run 1/ä+b/old.parquet";
    let report = compare(&ground, 0, old, "new.parquet", &["--key", "id"]);
    assert_eq!(
        (&report["items"][0]["name"], &report["items"][0]["proof"]),
        (&"old.parquet".into(), &"bytes".into())
    );
    write("new.parquet", -1);
    let report = compare(&ground, 1, old, "new.parquet", &["--columns", "v"]);
    assert_eq!(only_cell(&report).2, 299_999);
    ground.write("report.json", "{\"rows\": 2.0}");
    compare(&ground, 0, "report.json", "s3://results/report.json", &[]);
    compare(&ground, 0, old, old, &[]);
    assert_eq!(fs::read_dir(ground.at("../tmp")).unwrap().count(), 0, "what was fetched is gone");
}

#[test]
fn needs_s3rver_what_cannot_be_fetched_is_named_and_no_key_is() {
    let server = S3::start();
    let mut ground = ground(&server);
    ground.write("one.csv", "v\n1\n");
    put(&server, "broken.parquet", b"PAR1 and nothing more");
    let mut told = vec![
        refused(&ground, "s3://results/gone.csv", "one.csv", "NoSuchKey", "s3://BUCKET/KEY"),
        refused(&ground, "one.csv", "s3://nowhere/gone.csv", "NoSuchBucket", "s3://BUCKET/KEY"),
        refused(
            &ground,
            "s3://results/broken.parquet",
            "one.csv",
            "`s3://results/broken.parquet`",
            "write the file again",
        ),
        refused(&ground, "s3://results", "one.csv", "bucket and the key", "s3://BUCKET/KEY"),
    ];
    ground.set("AWS_SECRET_ACCESS_KEY", "verborgen");
    ground.set("AWS_ACCESS_KEY_ID", "stranger");
    told.push(refused(&ground, "s3://results/broken.parquet", "one.csv", "403", "AWS_SECRET_ACCESS_KEY"));
    ground.set("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    told.push(refused(
        &ground,
        "s3://results/broken.parquet",
        "one.csv",
        "cannot be reached",
        "AWS_ENDPOINT_URL",
    ));
    for text in told {
        for secret in [KEY, "verborgen", "Signature", "/tmp/"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
