//! Packages that go to a bucket or a server, and are read back there.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::ground::Ground;
use super::super::s3::{KEY, S3};
use super::super::sftp::Server;
use super::killed::{count, killed_at};
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
    assert!(
        ground.expect(0, &format!("package send ../shop.zip {address}")).out.contains("was there already")
    );
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

// rows: RE-8
#[test]
fn needs_sshd_and_needs_strace_killed_in_a_transfer_there_is_no_half_file_of_that_name() {
    let (line_of, calls) = (|address: &str| format!("package send ../shop.zip {address}"), "write,writev");
    let server = Server::start();
    let (mut ground, bytes) = packed("zip");
    ground.set("SWITCHBACK_SSH_COMMAND", &server.ssh());
    let all = count(&ground, &line_of(&server.address("whole")), calls);
    assert!(all >= 8, "{all}");
    let mut stages = BTreeSet::new();
    for number in 1..=all {
        let (folder, line) = (format!("in-{number}"), line_of(&server.address(&format!("in-{number}"))));
        killed_at(&ground, &line, calls, number);
        let there = server.folder(&folder).join("shop.zip");
        stages.insert(there.exists());
        assert!(!there.exists() || fs::read(&there).unwrap() == bytes, "{number}: half of it is there");
        ground.expect(0, &line);
        assert_eq!(fs::read(&there).unwrap(), bytes, "{number}");
        assert_eq!(fs::read_dir(server.folder(&folder)).unwrap().count(), 1, "{number}: something is left");
    }
    assert!(stages.contains(&false), "{stages:?}");
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

/// A package that is sent in several parts, which no compression makes one of.
fn in_parts() -> (Ground, Vec<u8>) {
    let ground = super::shop("");
    let mut state = 88_172_645_463_325_252_u64;
    let noise = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    ground.write("../new/src/model.bin", noise.take(20 << 17).flatten().collect::<Vec<u8>>());
    ground.expect(0, "run --until rehearsed");
    super::create(&ground, 0, "--output ../shop.zip");
    let bytes = fs::read(ground.at("../shop.zip")).unwrap();
    assert!(bytes.len() > 16 << 20, "{}", bytes.len());
    (ground, bytes)
}

// rows: RE-8
#[test]
fn needs_s3rver_a_large_package_goes_to_a_bucket_in_parts() {
    let server = S3::start();
    let (mut ground, _) = in_parts();
    ground.set("AWS_ENDPOINT_URL", &server.endpoint());
    ground.set("AWS_ACCESS_KEY_ID", KEY);
    ground.set("AWS_SECRET_ACCESS_KEY", KEY);
    goes_there_once(&ground, "s3://results/large");
}

/// Stands before a store, and loses its answer when parts are to be put together; whoever asks for that again hears what Amazon's store
/// says then: that there is no such upload.
fn forgetful(endpoint: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let store = endpoint.trim_start_matches("http://").to_owned();
    let is_asked = Arc::new(AtomicBool::new(false));
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (store, is_asked) = (TcpStream::connect(&store).unwrap(), is_asked.clone());
            std::thread::spawn(move || passed_on(client, store, &is_asked));
        }
    });
    address
}

fn passed_on(mut client: TcpStream, mut store: TcpStream, is_asked: &AtomicBool) {
    let is_lost = Arc::new(AtomicBool::new(false));
    let (mut from, mut to, loses) =
        (store.try_clone().unwrap(), client.try_clone().unwrap(), is_lost.clone());
    std::thread::spawn(move || {
        let mut part = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut part) {
            if loses.load(Ordering::SeqCst) || to.write_all(&part[..length]).is_err() {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Both));
    });
    let mut part = vec![0; 1 << 16];
    // A request begins with what is read after an answer.
    while let Ok(length @ 1..) = client.read(&mut part) {
        let line =
            String::from_utf8_lossy(&part[..length.min(4_096)]).lines().next().unwrap_or_default().to_owned();
        if line.starts_with("POST ") && line.contains("uploadId=") {
            if is_asked.swap(true, Ordering::SeqCst) {
                let words = "<Error><Code>NoSuchUpload</Code></Error>";
                let answer = format!(
                    "HTTP/1.1 404 Not Found\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{words}",
                    words.len()
                );
                drop(client.write_all(answer.as_bytes()));
                while let Ok(1..) = client.read(&mut part) {}
                break;
            }
            is_lost.store(true, Ordering::SeqCst);
        }
        if store.write_all(&part[..length]).is_err() {
            break;
        }
    }
    drop(store.shutdown(Shutdown::Both));
}

// rows: RE-8
#[test]
fn needs_s3rver_a_package_that_was_put_together_is_sent_although_the_answer_got_lost() {
    let server = S3::start();
    let (mut ground, _) = in_parts();
    ground.set("AWS_ENDPOINT_URL", &forgetful(&server.endpoint()));
    ground.set("AWS_ACCESS_KEY_ID", KEY);
    ground.set("AWS_SECRET_ACCESS_KEY", KEY);
    goes_there_once(&ground, "s3://results/large");
}

// rows: RE-8
#[test]
fn needs_sshd_a_large_package_goes_to_a_server_in_parts() {
    let server = Server::start();
    let (mut ground, bytes) = in_parts();
    ground.set("SWITCHBACK_SSH_COMMAND", &server.ssh());
    goes_there_once(&ground, &server.address("large"));
    assert!(fs::read(server.folder("large").join("shop.zip")).unwrap() == bytes);
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
