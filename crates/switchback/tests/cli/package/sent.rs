//! Packages that go to a bucket or a server, and are read back there.

use std::fs;

use super::super::ground::Ground;
use super::super::s3::{KEY, S3};
use super::super::sftp::Server;
use super::packed;

/// Sends it, sends it again, and finds another file in its place.
fn goes_there_once(ground: &Ground, address: &str) {
    let seen = ground.expect(0, &format!("package send ../shop.zip {address}"));
    assert!(seen.out.starts_with(&format!("yes: sent, and read back: {address}/shop.zip: ")), "{seen}");
    let seen = ground.expect(0, &format!("package send ../shop.zip {address}"));
    assert!(seen.out.contains("was there already"), "{seen}");
    let told = ground.expect(0, &format!("package send ../shop.zip {address} --json")).json();
    assert_eq!(told["was_there"], true);
    // Another package under the same name.
    let mine = fs::read(ground.at("../shop.zip")).unwrap();
    ground.expect(0, "package create --output ../second.zip --sequence 9");
    ground.write("../shop.zip", fs::read(ground.at("../second.zip")).unwrap());
    let seen = ground.run(&format!("package send ../shop.zip {address}"));
    assert_eq!(seen.code, 2, "{seen}");
    assert!(seen.err.contains("is there, and is another file"), "{seen}");
    ground.write("../shop.zip", mine);
    assert!(ground.expect(0, &format!("package send ../shop.zip {address}")).out.contains("was there already"));
}

// rows: RE-8
#[test]
fn needs_sshd_a_package_is_sent_to_a_server_and_read_back() {
    let server = Server::start();
    let (mut ground, bytes) = packed("zip");
    ground.set("SWITCHBACK_SSH_COMMAND", &server.ssh());
    goes_there_once(&ground, &server.address("in/deep"));
    let there = server.folder("in/deep");
    assert_eq!(fs::read(there.join("shop.zip")).unwrap(), bytes);
    assert_eq!(fs::read_dir(&there).unwrap().count(), 1, "nothing half done is left");
    // Somebody who is not known there, and nobody who is there.
    ground.set("SWITCHBACK_SSH_COMMAND", &server.ssh_of_a_stranger());
    let address = server.address("other");
    let seen = ground.expect(2, &format!("package send ../shop.zip {address}"));
    assert!(seen.err.contains("Permission denied"), "{seen}");
    assert!(!server.folder("other").exists());
    let seen = ground.expect(2, "package send ../shop.zip sftp:ana:verborgen@store:/srv");
    assert!(seen.err.contains("there is a password in it") && !seen.err.contains("verborgen"), "{seen}");
    drop(server);
    let seen = ground.expect(2, &format!("package send ../shop.zip {address}"));
    assert!(seen.err.contains("`127.0.0.1` cannot be reached"), "{seen}");
}

/// The connection ends in the middle: there is no file of that name, and the next time goes on.
// rows: RE-8
#[test]
fn needs_sshd_a_transfer_that_breaks_leaves_no_file_of_that_name() {
    let server = Server::start();
    let (mut ground, bytes) = packed("zip");
    // What goes there ends after so many bytes; the program tries again, and it ends again.
    for count in [900, 3_000, 6_000] {
        let ssh = ground.at(format!("../ssh-{count}"));
        let line = format!("#!/bin/sh\nhead -c {count} | {} \"$@\"\n", server.ssh());
        fs::write(&ssh, line).unwrap();
        ground.set("SWITCHBACK_SSH_COMMAND", &format!("sh {}", ssh.display()));
        let seen = ground.run(&format!("package send ../shop.zip {}", server.address("in")));
        assert_eq!(seen.code, 2, "{count}: {seen}");
        assert!(!server.folder("in/shop.zip").exists(), "{count}: {seen}");
    }
    ground.set("SWITCHBACK_SSH_COMMAND", &server.ssh());
    ground.expect(0, &format!("package send ../shop.zip {}", server.address("in")));
    assert_eq!(fs::read(server.folder("in/shop.zip")).unwrap(), bytes);
    assert_eq!(fs::read_dir(server.folder("in")).unwrap().count(), 1);
}

// rows: RE-8
#[test]
fn needs_s3rver_a_package_is_sent_to_a_bucket_and_read_back() {
    let server = S3::start();
    let (mut ground, _) = packed("zip");
    ground.set("AWS_ENDPOINT_URL", &server.endpoint());
    ground.set("AWS_ACCESS_KEY_ID", KEY);
    ground.set("AWS_SECRET_ACCESS_KEY", KEY);
    goes_there_once(&ground, "s3://results/hand/over");
    let seen = ground.expect(2, "package send ../shop.zip s3://nowhere/in");
    assert!(seen.err.contains("NoSuchBucket"), "{seen}");
    ground.set("AWS_ACCESS_KEY_ID", "stranger");
    ground.set("AWS_SECRET_ACCESS_KEY", "verborgen");
    let seen = ground.expect(2, "package send ../shop.zip s3://results/other");
    assert!(seen.err.contains("AWS_ACCESS_KEY_ID") && !seen.err.contains("verborgen"), "{seen}");
}

#[test]
fn an_address_that_leads_nowhere_is_one_clear_error() {
    let (ground, _) = packed("zip");
    for (address, words) in [
        ("https://store.example/in", "packages are not sent to addresses of that kind"),
        ("s3://", "an address of S3 is `s3://bucket/folder`, and nothing more"),
        ("s3://me:verborgen@bucket/in", "an address of S3 is `s3://bucket/folder`, and nothing more"),
        ("sftp:store", "it names no folder"),
        ("sftp:me:verborgen@store:in", "there is a password in it"),
    ] {
        let seen = ground.expect(2, &format!("package send ../shop.zip {address}"));
        assert!(seen.err.contains(words) && !seen.err.contains("verborgen"), "{address}: {seen}");
    }
}
