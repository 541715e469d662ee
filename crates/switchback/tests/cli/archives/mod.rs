//! Archives that somebody made to do harm, or that came to harm: refused with a reason, and nothing live is touched.
//!
//! Each is tried by `plan`, which looks into it outside of the project, and by `run`, which stages it.

mod pack;

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

use super::ground::{Ground, Seen};
use pack::{Header, Member, Tape, gzip, sealed, zip};

const MIB: u64 = 1 << 20;
/// What the program may hold in memory for any of them.
const PEAK_BYTES_MAX: u64 = 400 * MIB;
/// Who takes longer than this hangs.
const LONGEST: Duration = Duration::from_mins(4);
const HINT: &str = "make the archive again without that; or, if you trust it, unpack it yourself";

/// A project whose candidate is an archive, with something beside it that nobody may touch.
struct Yard {
    ground: Ground,
    plan: String,
}

impl Yard {
    fn new() -> Self {
        let ground = Ground::shop("");
        ground.write("../outside/secret.txt", "not yours\n");
        fs::set_permissions(ground.at("../outside"), fs::Permissions::from_mode(0o751)).unwrap();
        let yard = Self { plan: ground.read("switchback.toml"), ground };
        // Whatever the first run makes is there from now on.
        yard.name("../absent.tar");
        yard.ground.expect(2, "run");
        yard
    }

    fn name(&self, archive: &str) {
        self.ground.write("switchback.toml", self.plan.replace("../new", archive));
    }

    fn put(&self, archive: &str, content: &[u8]) {
        self.ground.write(&format!("../{archive}"), content);
        self.name(&format!("../{archive}"));
    }

    /// Everything but what Switchback keeps for itself.
    fn listing(&self) -> String {
        let listing = self.ground.listing();
        listing.lines().filter(|line| !line.contains("/.switchback")).collect::<Vec<_>>().join("\n")
    }

    /// A command that must refuse the archive and say so, and that changes nothing.
    fn check(&self, command: &str, archive: &str, said: &[&str]) -> Seen {
        let before = self.listing();
        let seen = self.ground.run(command);
        assert_eq!(seen.code, 2, "{archive}, {command}: {seen}");
        assert!(seen.err.contains(&format!("the archive `../{archive}` is refused: ")), "{archive}: {seen}");
        for words in said {
            assert!(seen.err.contains(words), "{archive}: no `{words}` in {seen}");
        }
        assert!(seen.err.contains(HINT), "{archive}: {seen}");
        assert!(seen.err.len() < 1_500, "{archive}: {seen}");
        assert!(!seen.err.chars().any(|c| c.is_control() && c != '\n'), "{archive}: {seen}");
        assert_eq!(self.listing(), before, "{archive}, {command}");
        assert_eq!(fs::read_dir(self.ground.at("../tmp")).unwrap().count(), 0, "{archive}, {command}");
        assert_eq!(self.ground.read("src/app.py"), "VERSION = 1\n", "{archive}, {command}");
        seen
    }

    fn refuses(&self, archive: &str, content: &[u8], said: &[&str]) {
        self.put(archive, content);
        self.check("plan", archive, said);
        self.check("run", archive, said);
        fs::remove_file(self.ground.at(format!("../{archive}"))).unwrap();
    }

    /// Plain and compressed.
    fn refuses_tape(&self, name: &str, content: &[u8], said: &[&str]) {
        self.refuses(&format!("{name}.tar"), content, said);
        let archive = format!("{name}.tgz");
        self.put(&archive, &gzip(content));
        self.check("plan", &archive, said);
        fs::remove_file(self.ground.at(format!("../{archive}"))).unwrap();
    }

    fn refuses_tapes(&self, cases: Vec<(&str, Tape, &[&str])>) {
        for (name, tape, said) in cases {
            self.refuses_tape(name, &tape.ended(), said);
        }
    }

    /// Beside the file that makes it a candidate; stored and deflated.
    fn refuses_member(&self, name: &str, member: Member, said: &[&str]) {
        let app = Member::new("src/app.py", "VERSION = 2\n");
        self.refuses(&format!("{name}.zip"), &zip(&[app.clone(), member.clone()]), said);
        let stored = Member { is_deflated: false, ..member };
        self.put("stored.zip", &zip(&[app, stored]));
        self.check("plan", "stored.zip", said);
    }

    /// Goes live, is what it should be, and comes out again.
    fn takes(&self, archive: &str, content: &[u8], look: impl Fn(&Path)) {
        self.put(archive, content);
        let before = self.ground.listing();
        let live = |listing: &str| -> Vec<String> {
            listing.lines().filter(|line| line.contains("project/src")).map(str::to_owned).collect()
        };
        let seen = self.ground.run("run");
        assert_eq!(seen.code, 0, "{archive}: {seen}");
        look(&self.ground.at("src"));
        self.ground.expect(0, "rollback");
        assert_eq!(live(&self.ground.listing()), live(&before), "{archive}");
    }
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn names_that_lead_out_of_a_tar_are_refused() {
    let yard = Yard::new();
    let file = |name: &str| Tape::new().file(name, "mine now\n");
    yard.refuses_tapes(vec![
        ("up", file("../outside/secret.txt"), &["entry `../outside/secret.txt`", "`..`"]),
        ("inner", file("src/../../outside/x"), &["entry `src/../../outside/x`", "`..`"]),
        ("absolute", file("/tmp/switchback-x"), &["entry `/tmp/switchback-x`", "absolute"]),
        ("root", Tape::new().file("/", ""), &["entry `/`", "absolute"]),
        ("long", Tape::new().long(b'L', b"../outside/x").file("x", ""), &["`../outside/x`", "`..`"]),
        ("posix", Tape::new().records(b'x', &[("path", b"../outside/x")]).file("x", ""), &["`../outside/x`"]),
        (
            "zero",
            Tape::new().records(b'x', &[("path", b"src/a\0b")]).file("x", ""),
            &["zero byte", "`src/a\\0b`"],
        ),
        ("empty", file(""), &["entry ``", "has no name"]),
        ("itself", file("./"), &["entry `./`"]),
        ("part", Tape::new().long(b'L', &[b'a'; 300]).file("x", ""), &["too long"]),
        ("deep", Tape::new().long(b'L', &b"a/".repeat(5_000)).file("x", ""), &["too long"]),
        ("terminal", file("../\u{1b}[2J\nyes: all is well"), &["`../\\u{1b}[2J\\nyes: all is well`", "`..`"]),
    ]);
}

#[test]
fn links_and_devices_of_a_tar_are_refused() {
    let yard = Yard::new();
    let tape = Tape::new;
    let folder = |name: &str, mode| {
        let header = Header { name: name.as_bytes(), kind: b'5', mode, ..Header::default() };
        header.block()
    };
    let chain = tape().symlink("src/here", "..").symlink("src/there", "here/../outside");
    let moved = tape().symlink("src/a/b/l", "../../x").hard_link("l", "src/a/b/l");
    yard.refuses_tapes(vec![
        (
            "link",
            tape().symlink("src/l", "/etc/passwd"),
            &["`src/l` is a link that leads out", "`/etc/passwd`"],
        ),
        (
            "up",
            tape().symlink("src/l", "../../outside"),
            &["`src/l` is a link that leads out", "`../../outside`"],
        ),
        ("chain", chain, &["`src/there` is a link that leads out", "`here/../outside`"]),
        ("moved", moved, &["`l` is a link that leads out", "`../../x`"]),
        ("through", tape().symlink("src/l", "../../outside").file("src/l/x", "x"), &["`src/l/x`", "a link"]),
        // A mode that is set through a link is set outside.
        (
            "mode",
            tape().symlink("src/l", "../../outside").raw(&folder("src/l", 0o700)),
            &["`src/l` is a folder"],
        ),
        ("over", tape().symlink("src/l", "app.py").file("src/l", "x"), &["`src/l` is in it twice"]),
        ("nowhere", tape().symlink("src/l", ""), &["`src/l`", "without a target"]),
        ("hard", tape().hard_link("src/l", "../outside/secret.txt"), &["`../outside/secret.txt`", "`..`"]),
        ("hard-root", tape().hard_link("src/l", "/etc/passwd"), &["`/etc/passwd`", "absolute"]),
        (
            "later",
            tape().hard_link("src/l", "src/z").file("src/z", "z"),
            &["`src/l`", "does not come before it"],
        ),
        ("self", tape().hard_link("src/l", "src/l"), &["`src/l`", "does not come before it"]),
        ("tree", tape().raw(&folder("src/d", 0o755)).hard_link("src/l", "src/d"), &["to the folder `src/d`"]),
        (
            "hard-through",
            tape().symlink("src/s", "../../outside").hard_link("src/l", "src/s/secret.txt"),
            &["`src/l`", "below `src/s`, which is a link"],
        ),
        ("block", tape().of_kind(b'4', "src/disk"), &["`src/disk` is a device"]),
        ("character", tape().of_kind(b'3', "src/null"), &["`src/null` is a device"]),
        ("pipe", tape().of_kind(b'6', "src/pipe"), &["`src/pipe` is a named pipe"]),
        ("other", tape().of_kind(b'M', "src/rest"), &["`src/rest` is of the kind `M`"]),
        (
            "setuid",
            tape().entry(Header { name: b"src/su", mode: 0o4755, ..Header::default() }, b"x"),
            &["`src/su`", "rights of another user"],
        ),
        (
            "setgid",
            tape().entry(Header { name: b"src/sg", mode: 0o2755, ..Header::default() }, b"x"),
            &["`src/sg`", "rights of another user"],
        ),
    ]);
    let mode = fs::metadata(yard.ground.at("../outside")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o751);
}

#[test]
fn entries_of_a_tar_that_contradict_each_other_are_refused() {
    let yard = Yard::new();
    let tape = Tape::new;
    let forged = tape().records(b'x', &[("comment", b"a\n18 path=src/forged")]).file("src/b", "");
    let nine = tape().records(b'x', &[("comment", &vec![b'a'; 2 << 20])]).file("src/b", "");
    yard.refuses_tapes(vec![
        ("twice", tape().file("src/app.py", "VERSION = 3\n"), &["`src/app.py` is in it twice"]),
        ("dotted", tape().file("./src//app.py", "VERSION = 3\n"), &["`./src//app.py` is in it twice"]),
        (
            "below",
            tape().file("src/a", "x").file("src/a/b", "y"),
            &["`src/a/b`", "below `src/a`, which is a file"],
        ),
        ("above", tape().file("src/a/b", "x").file("src/a", "y"), &["`src/a` is no folder"]),
        ("slash", tape().file("src/a/", "content"), &["`src/a/` is a file with the name of a folder"]),
        ("forged", forged, &["extended header that cannot be read"]),
        (
            "two-names",
            tape().records(b'x', &[("path", b"src/a"), ("path", b"src/b")]).file("src/c", ""),
            &["two names or two sizes"],
        ),
        (
            "all",
            tape().records(b'g', &[("path", b"src/a")]).file("src/c", ""),
            &["gives all entries one name"],
        ),
        (
            "sparse",
            tape().records(b'x', &[("GNU.sparse.major", b"1")]).file("src/c", "1\n0\n"),
            &["a sparse file of a kind that is not read"],
        ),
        ("long-header", nine, &["is damaged", "have no end"]),
        ("two-long", tape().long(b'L', b"src/a").long(b'L', b"src/b").file("c", ""), &["is damaged"]),
        ("nothing-follows", tape().long(b'L', b"src/a"), &["is damaged"]),
        (
            "content",
            tape().entry(Header { name: b"src/d", kind: b'2', link: b"app.py", ..Header::default() }, b"x"),
            &["`src/d` has content"],
        ),
    ]);
}

#[test]
fn damaged_tars_are_refused() {
    let yard = Yard::new();
    let whole = Tape::new().file("src/b.py", &"x = 1\n".repeat(500)).file("src/c.py", "y = 1\n");
    let bytes = whole.ended();
    // In the middle of a file, between two entries, and before the end mark.
    for (name, at, said) in [
        ("in-file", 1_900, "ends after"),
        ("between", 1_024, "is cut off"),
        ("open", bytes.len() - 1_024, "is cut off"),
    ] {
        yard.refuses_tape(name, &bytes[..at], &[said]);
    }
    yard.refuses_tape("nothing", b"", &["is cut off"]);
    yard.refuses_tape("header", &bytes[..700], &[]);
    let mut sum = bytes.clone();
    sum[1_024 + 3] ^= 1;
    yard.refuses_tape("sum", &sum, &["what follows entry `src/app.py` is damaged", "checksum"]);
    yard.refuses_tape("no-tar", &[b'x'; 2_048], &["is damaged"]);
    yard.refuses_tape("two", &[bytes.clone(), bytes.clone()].concat(), &["follows its end mark"]);
    let packed = gzip(&bytes);
    let mut bits = packed.clone();
    let last = bits.len() - 6;
    bits[last] ^= 1;
    yard.refuses("bits.tgz", &bits, &["is damaged"]);
    yard.refuses("short.tgz", &packed[..packed.len() - 3], &["is damaged"]);
    yard.refuses("half.tar.gz", &packed[..packed.len() / 2], &[]);
    yard.refuses("plain.tgz", &bytes, &["is damaged"]);
    yard.refuses("more.tgz", &[packed.as_slice(), b"more"].concat(), &["is damaged"]);
}

#[test]
fn hostile_zips_are_refused() {
    let yard = Yard::new();
    let check = |name: &str, member: Member, said: &[&str]| yard.refuses_member(name, member, said);
    let plain = |name: &str| Member::new(name, "mine now\n");
    let of_mode = |name: &str, mode: u32, content: &str| Member { mode, ..Member::new(name, content) };
    check("up", plain("../outside/secret.txt"), &["entry `../outside/secret.txt`", "`..`"]);
    check("absolute", plain("/tmp/switchback-x"), &["entry `/tmp/switchback-x`", "absolute"]);
    check("zero", plain("src/a\0b"), &["zero byte", "`src/a\\0b`"]);
    check("backslash", plain("src\\b.py"), &["`src\\\\b.py`", "backslash"]);
    check("drive", plain("C:\\b.py"), &["backslash"]);
    check("empty", plain(""), &["entry ``", "has no name"]);
    check("long", plain(&format!("{}b", "a/".repeat(4_000))), &["too long"]);
    check("folder", plain("src/a/"), &["`src/a/` is a file with the name of a folder"]);
    check("twice", plain("src/app.py"), &["`src/app.py` is in it twice"]);
    check("below", plain("src/app.py/b"), &["`src/app.py/b`", "below `src/app.py`, which is a file"]);
    check(
        "link",
        of_mode("src/l", 0o120_777, "/etc/passwd"),
        &["`src/l` is a link that leads out", "`/etc/passwd`"],
    );
    check("link-up", of_mode("src/l", 0o120_777, "../../outside"), &["`src/l` is a link that leads out"]);
    check("link-zero", of_mode("src/l", 0o120_777, "a\0b"), &["`src/l` is a link to a name that cannot be"]);
    check("link-long", of_mode("src/l", 0o120_777, &"a/".repeat(3_000)), &["`src/l`", "too long"]);
    check("device", of_mode("src/d", 0o060_644, ""), &["`src/d` is a device or a named pipe"]);
    check("pipe", of_mode("src/d", 0o010_644, ""), &["`src/d` is a device or a named pipe"]);
    check("setuid", of_mode("src/d", 0o104_755, "x"), &["`src/d`", "rights of another user"]);
    check("encrypted", Member { flags: 1, ..plain("src/b.py") }, &["`src/b.py` is encrypted"]);
    check("method", Member { method: Some(14), ..plain("src/b.py") }, &["`src/b.py` is packed by a method"]);
    check("sum", Member { sum: Some(7), ..plain("src/b.py") }, &["`src/b.py` is damaged"]);
    check("less", Member { size: Some(3), ..plain("src/b.py") }, &["`src/b.py` is damaged"]);
    check("more", Member { size: Some(90), ..plain("src/b.py") }, &["`src/b.py` is damaged"]);
    let app = Member::new("src/app.py", "VERSION = 2\n");
    let through = [app.clone(), of_mode("src/l", 0o120_777, "../../outside"), plain("src/l/secret.txt")];
    yard.refuses("through.zip", &zip(&through), &["`src/l/secret.txt`", "below `src/l`, which is a link"]);
    let over = [app.clone(), of_mode("src/l", 0o120_777, "../../outside"), of_mode("src/l/", 0o040_700, "")];
    yard.refuses("mode.zip", &zip(&over), &["`src/l/` is a folder", "a link or a file"]);
    let whole = zip(&[app.clone(), plain("src/b.py")]);
    yard.refuses("cut.zip", &whole[..whole.len() - 30], &["is damaged"]);
    yard.refuses("half.zip", &whole[..whole.len() / 2], &["is damaged"]);
    yard.refuses("nothing.zip", b"", &["is damaged"]);
    let mut fewer = whole.clone();
    let end = whole.len() - 22;
    fewer[end + 8..end + 12].copy_from_slice(&[1, 0, 1, 0]);
    yard.refuses("fewer.zip", &fewer, &["more entries than it says"]);
    let mut bits = whole.clone();
    bits[30 + 10 + 3] ^= 0x10;
    yard.refuses("bits.zip", &bits, &["`src/app.py` is damaged"]);
}

#[test]
fn unusual_tars_come_out_as_they_are() {
    let yard = Yard::new();
    let long = format!("src/{}/{}.py", "folder".repeat(20), "name".repeat(40));
    let tape = Tape::new()
        .records(b'g', &[("comment", b"of git")])
        .of_kind(b'0', "src/old/")
        .file("src/Case.py", "upper\n")
        .file("src/case.py", "lower\n")
        .file("src/\u{e9}.py", "one character\n")
        .file("src/e\u{301}.py", "two characters\n")
        .entry(Header { name: b"src/\xff.txt", ..Header::default() }, b"no UTF-8\n")
        .file("src/dev\\x2ddisk.swap", "a backslash\n")
        .file("src/new\nline", "two lines\n")
        .long(b'L', long.as_bytes())
        .file("cut", "GNU\n")
        .records(b'x', &[("path", long.replace("name", "some").as_bytes())])
        .file("cut", "POSIX\n")
        .hard_link("src/same.py", "src/app.py")
        .symlink("src/link.py", "../src/app.py")
        .symlink("src/open", "not/there")
        .symlink("src/circle", "circle")
        .entry(Header { name: b"src/run", mode: 0o755, ..Header::default() }, b"#!/bin/sh\n")
        .entry(Header { name: b"src/unreadable", mode: 0, ..Header::default() }, b"read me\n")
        .entry(Header { name: b"src/shared/", kind: b'5', mode: 0o3777, ..Header::default() }, b"")
        .ended();
    let look = |src: &Path| {
        assert_eq!(read(src.join("app.py")), "VERSION = 2\n");
        assert!(src.join("old").is_dir());
        assert_eq!(
            (read(src.join("Case.py")), read(src.join("case.py"))),
            ("upper\n".into(), "lower\n".into())
        );
        assert_eq!(read(src.join("\u{e9}.py")), "one character\n");
        assert_eq!(read(src.join("e\u{301}.py")), "two characters\n");
        assert_eq!(read(src.join(std::ffi::OsStr::from_bytes(b"\xff.txt"))), "no UTF-8\n");
        assert_eq!(read(src.join("dev\\x2ddisk.swap")), "a backslash\n");
        assert_eq!(read(src.join("new\nline")), "two lines\n");
        let inner = src.join(&long[4..]);
        assert_eq!(read(&inner), "GNU\n");
        assert_eq!(read(inner.to_str().unwrap().replace("name", "some")), "POSIX\n");
        assert_eq!(read(src.join("same.py")), "VERSION = 2\n");
        assert_eq!(fs::read_link(src.join("link.py")).unwrap(), Path::new("../src/app.py"));
        assert_eq!(fs::read_link(src.join("circle")).unwrap(), Path::new("circle"));
        assert!(src.join("open").is_symlink());
        let mode = |name: &str| fs::symlink_metadata(src.join(name)).unwrap().mode() & 0o7777;
        assert_eq!((mode("run"), mode("unreadable"), mode("shared")), (0o755, 0o400, 0o777));
    };
    yard.takes("unusual.tar", &tape, look);
    yard.takes("unusual.tgz", &gzip(&tape), look);
    // As parallel compressors write it: several members, cut anywhere.
    let members: Vec<u8> = tape.chunks(1_000).flat_map(gzip).collect();
    yard.takes("members.tar.gz", &members, look);
}

/// A file with holes in the old way of GNU: one byte at the end, and the map in the header.
fn holes(name: &str, real_size: u64) -> [u8; 512] {
    let header = Header { name: name.as_bytes(), kind: b'S', size: 512, ..Header::default() };
    let mut block = header.block();
    block[257..265].copy_from_slice(b"ustar  \0");
    block[345..].fill(0);
    let mut put = |at: usize, number: u64| {
        if number >> 33 == 0 {
            block[at..at + 12].copy_from_slice(format!("{number:011o}\0").as_bytes());
        } else {
            block[at..at + 4].copy_from_slice(&[0x80, 0, 0, 0]);
            block[at + 4..at + 12].copy_from_slice(&number.to_be_bytes());
        }
    };
    put(386, real_size - 512);
    put(398, 512);
    put(483, real_size);
    sealed(block)
}

#[test]
fn unusual_zips_and_sparse_files_come_out_as_they_are() {
    let yard = Yard::new();
    let tape = Tape::new().raw(&holes("src/holes", MIB)).raw(&[b'z'; 512]).ended();
    yard.takes("holes.tar", &tape, |src| {
        let content = fs::read(src.join("holes")).unwrap();
        assert_eq!(content.len() as u64, MIB);
        assert!(content[..content.len() - 512].iter().all(|byte| *byte == 0));
        assert!(content[content.len() - 512..].iter().all(|byte| *byte == b'z'));
    });
    let members = [
        Member::new("src/app.py", "VERSION = 2\n"),
        Member { is_zip64: true, ..Member::new("src/large.py", "large = 1\n") },
        Member { mode: 0o040_755, ..Member::new("src/empty/", "") },
        Member { mode: 0o120_777, ..Member::new("src/link.py", "app.py") },
        Member { mode: 0, ..Member::new("src/no_mode.py", "x = 1\n") },
        Member { flags: 0x800, ..Member::new("src/\u{e9}.py", "one character\n") },
        Member { flags: 0x800, ..Member::new("src/e\u{301}.py", "two characters\n") },
        Member::new(b"src/caf\x82.py", "of the code page 437\n"),
        Member::new("src/App.py", "upper\n"),
    ];
    let stored: Vec<Member> =
        members.iter().map(|member| Member { is_deflated: false, ..member.clone() }).collect();
    for (name, members) in [("deflated.zip", members.as_slice()), ("stored.zip", &stored)] {
        yard.takes(name, &zip(members), |src| {
            assert_eq!(read(src.join("app.py")), "VERSION = 2\n");
            assert_eq!(read(src.join("App.py")), "upper\n");
            assert_eq!(read(src.join("large.py")), "large = 1\n");
            assert!(src.join("empty").is_dir());
            assert_eq!(fs::read_link(src.join("link.py")).unwrap(), Path::new("app.py"));
            assert_eq!(read(src.join("\u{e9}.py")), "one character\n");
            assert_eq!(read(src.join("e\u{301}.py")), "two characters\n");
            assert_eq!(read(src.join("caf\u{e9}.py")), "of the code page 437\n");
            assert_eq!(fs::metadata(src.join("no_mode.py")).unwrap().mode() & 0o7777, 0o644);
        });
    }
}

/// Where bombs lie: a folder that no listing reads, for some of them are larger than the disk.
const BOMBS: &str = "../tmp/bombs";

/// Refused by `plan` within bounds of memory and time, in a process that may write no file above 32 MiB.
fn check_bomb(yard: &Yard, archive: &str, said: &str) {
    yard.name(&format!("{BOMBS}/{archive}"));
    let before = yard.listing();
    let (said_to, tmp) = (tempfile::NamedTempFile::new().unwrap(), yard.ground.at("../tmp"));
    // A child starts with the peak of the process that it comes from: that one is set back to what it holds now.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let begun = Instant::now();
    let mut child = Command::new("sh");
    child.args(["-c", "ulimit -f 65536; exec \"$0\" plan", env!("CARGO_BIN_EXE_switchback")]);
    child.current_dir(yard.ground.at("")).env("TMPDIR", &tmp).env("HOME", yard.ground.at("../home"));
    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said_to.reopen().unwrap());
    let ended = child.spawn().unwrap().wait4().unwrap();
    let (took, peak, err) = (begun.elapsed(), ended.rusage.maxrss, read(said_to.path()));
    #[expect(clippy::print_stdout, reason = "with `--nocapture`, what was measured")]
    {
        println!("{archive}: exit {:?}, {} MiB, {took:.1?}", ended.status.code(), peak / MIB);
    }
    assert_eq!(ended.status.code(), Some(2), "{archive}: {err}");
    assert!(
        err.contains(&format!("the archive `{BOMBS}/{archive}` is refused: ")) && err.contains(said),
        "{archive}: {err}"
    );
    assert!(err.contains(HINT), "{err}");
    assert!(peak <= PEAK_BYTES_MAX, "{archive} took {} MiB", peak / MIB);
    assert!(took <= LONGEST, "{archive} took {took:?}");
    assert_eq!(yard.listing(), before, "{archive}");
    assert_eq!(fs::read_dir(tmp).unwrap().count(), 1, "{archive}");
    fs::remove_file(yard.ground.at(BOMBS).join(archive)).unwrap();
}

/// A compressed tar of these pieces, the second of which comes so often.
fn repeated(before: &[u8], piece: &[u8], times: usize, after: &[u8]) -> Vec<u8> {
    [gzip(before), gzip(piece).repeat(times), gzip(after)].concat()
}

#[test]
fn bombs_are_stopped_before_anything_of_them_is_written() {
    let yard = Yard::new();
    let put = |archive: &str, content: &[u8]| yard.ground.write(&format!("{BOMBS}/{archive}"), content);
    let zeros = vec![0; 1 << 20];
    let header = |kind: u8, size: u64| Header { name: b"src/bomb", kind, size, ..Header::default() }.block();
    let gigabyte = |kind: u8| repeated(&header(kind, 1 << 30), &zeros, 1 << 10, &Tape::new().ended());
    put("zeros.tgz", &gigabyte(b'0'));
    check_bomb(&yard, "zeros.tgz", "more than 200 times its size");
    put("zeros.zip", &zip(&[Member::new("src/bomb", vec![0; 300 << 20])]));
    check_bomb(&yard, "zeros.zip", "more than 200 times its size");
    let lying = Member { size: Some(10), ..Member::new("src/bomb", vec![0; 300 << 20]) };
    put("lying.zip", &zip(&[lying]));
    check_bomb(&yard, "lying.zip", "larger than its declared uncompressed size");
    put("holes.tar", &Tape::new().raw(&holes("src/bomb", 1 << 60)).raw(&[b'z'; 512]).ended());
    check_bomb(&yard, "holes.tar", "more than 200 times its size");
    // Headers that are kept in memory, and nothing that ever follows them.
    for kind in *b"xgLK" {
        put("header.tgz", &gigabyte(kind));
        check_bomb(&yard, "header.tgz", "");
    }
    put("padding.tgz", &repeated(&Tape::new().ended(), &zeros, 1 << 12, b""));
    check_bomb(&yard, "padding.tgz", "have no end");
    put("same.zip", &overlapping(2_000));
    check_bomb(&yard, "same.zip", "more than 200 times its size");
    // As large as it says, and larger than the disk: the file itself is a hole.
    let size = 2 << 40;
    put("large.tar", &Tape::new().raw(&header(b'0', size)).cut());
    let large = fs::File::options().write(true).open(yard.ground.at(BOMBS).join("large.tar")).unwrap();
    large.set_len(size + 4_096).unwrap();
    check_bomb(&yard, "large.tar", "there is no room for it");
}

/// Many entries of a directory that share one content.
fn overlapping(entries: usize) -> Vec<u8> {
    let one = zip(&[Member::new("src/0000000", vec![0; 1 << 20])]);
    let directory_at = one.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    let directory = &one[directory_at..one.len() - 22];
    let mut bytes = one[..directory_at].to_vec();
    for at in 0..entries {
        let mut entry = directory.to_vec();
        let name = entry.len() - 7;
        entry[name..].copy_from_slice(format!("{at:07}").as_bytes());
        bytes.extend(entry);
    }
    let count = u16::try_from(entries).unwrap().to_le_bytes();
    let places =
        [directory.len() * entries, directory_at].map(|place| u32::try_from(place).unwrap().to_le_bytes());
    [bytes, [b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &places.concat(), &[0; 2]].concat()].concat()
}

/// So many thousand empty files, compressed: names that do not compress well, for it is not the ratio that is tried.
fn many_files(thousands: u64) -> Vec<u8> {
    let mut number: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut tape = Tape::new();
    for _ in 0..1_000 {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let digits: Vec<String> =
            (0..5).map(|turn| format!("{:016x}", number.rotate_left(turn * 11))).collect();
        let name = format!("src/{}", digits.concat());
        tape = tape.file(&name, "");
    }
    gzip(&tape.cut()).repeat(usize::try_from(thousands).unwrap())
}

#[test]
fn too_many_entries_are_refused_before_anything_of_them_is_written() {
    let yard = Yard::new();
    yard.ground.write(&format!("{BOMBS}/many.tgz"), many_files(2_001));
    check_bomb(&yard, "many.tgz", "it has more than 2000000 entries");
    // Ten million in the directory of a zip, which is a hole in the file: it is not read.
    let (entries, directory_bytes) = (10_000_000_u64, 10_000_000 * 47_u64);
    let path = yard.ground.at(BOMBS).join("many.zip");
    fs::write(&path, b"PK\x03\x04").unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    let numbers = [entries, entries, directory_bytes, 4].map(u64::to_le_bytes).concat();
    let end64 = [b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0".as_slice(), &numbers].concat();
    let at64 = (4 + directory_bytes).to_le_bytes();
    let locator = [b"PK\x06\x07\0\0\0\0".as_slice(), &at64, b"\x01\0\0\0"].concat();
    let end = [b"PK\x05\x06\0\0\0\0".as_slice(), &[0xff; 12], &[0; 2]].concat();
    file.write_all_at(b"PK\x01\x02", 4).unwrap();
    file.write_all_at(&[end64, locator, end].concat(), 4 + directory_bytes).unwrap();
    check_bomb(&yard, "many.zip", "it has more than 2000000 entries");
}

#[test]
#[ignore = "slow: ten million entries, which are five gigabytes of headers"]
fn ten_million_entries_are_refused_before_anything_of_them_is_written() {
    let yard = Yard::new();
    let path = yard.ground.at(BOMBS).join("many.tar");
    fs::create_dir_all(yard.ground.at(BOMBS)).unwrap();
    let mut tape = Tape::new();
    for at in 0..10_000 {
        tape = tape.file(&format!("src/{at:08}"), "");
    }
    let (bytes, mut file) = (tape.cut(), fs::File::create(path).unwrap());
    for _ in 0..1_000 {
        std::io::Write::write_all(&mut file, &bytes).unwrap();
    }
    drop(file);
    check_bomb(&yard, "many.tar", "it has more than 2000000 entries");
    yard.ground.write(&format!("{BOMBS}/many.tgz"), many_files(10_000));
    check_bomb(&yard, "many.tgz", "it has more than 2000000 entries");
}
