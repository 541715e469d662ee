//! Input made to exhaust memory or time ends in exit code 2 with the file named, or in a right verdict, within bounds.
//!
//! Each file is compared by the real program under `--memory 64MiB`; its peak memory is what the system counted.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

use super::ground::Ground;

const MIB: u64 = 1024 * 1024;
/// What the program is allowed, and what it may take beside.
const MEMORY: &str = "64MiB";
const PEAK_BYTES_MAX: u64 = (64 + 512) * MIB;
/// Who takes longer hangs: for a small input, and for a large one.
const SHORT: Duration = Duration::from_mins(3);
const LONG: Duration = Duration::from_mins(20);

/// What came of a comparison.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Compares two files within the bounds of memory and time.
fn compared(ground: &Ground, old: &str, new: &str, more: &[&str], longest: Duration) -> Ended {
    // A child starts with the peak of the process that it comes from: that one is set back to what it holds now.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_switchback"));
    child.arg("compare").arg(ground.at(old)).arg(ground.at(new)).args(["--memory", MEMORY]).args(more);
    let (out, error) = (ground.at("stdout"), ground.at("stderr"));
    child.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(File::create(&error).unwrap());
    let ended = child.spawn().unwrap().wait4().unwrap();
    let took = begun.elapsed();
    let ended_with = Ended {
        code: ended.status.code(),
        stdout: std::fs::read_to_string(out).unwrap(),
        stderr: std::fs::read_to_string(error).unwrap(),
    };
    let peak = ended.rusage.maxrss;
    assert!(!ended_with.stderr.contains("panicked"), "{new}: {ended_with:?}");
    assert!(peak <= PEAK_BYTES_MAX, "{new} took {} MiB: {ended_with:?}", peak / MIB);
    assert!(took <= longest, "{new} took {took:?}");
    #[expect(clippy::print_stdout, reason = "with `--nocapture`, what was measured")]
    {
        println!("{new}: exit {:?}, {} MiB, {took:.1?}", ended_with.code, peak / MIB);
    }
    ended_with
}

/// A file that must be refused, with itself and with words that are said of it.
fn check(ground: &Ground, name: &str, said: &str, longest: Duration) {
    let ended = compared(ground, name, name, &[], longest);
    assert_eq!(ended.code, Some(2), "{name}: {ended:?}");
    assert!(ended.stderr.contains(name), "{name}: {ended:?}");
    assert!(ended.stderr.contains(said), "{name}: {ended:?}");
    assert!(ended.stderr.len() < 4_000, "{name}: the message is {} bytes long", ended.stderr.len());
}

/// Writes so many copies of a text between two others.
fn write_repeated(path: &Path, before: &str, text: &str, copies: u64, after: &str) {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    let block = text.repeat(1024);
    file.write_all(before.as_bytes()).unwrap();
    for _ in 0..copies / 1024 {
        file.write_all(block.as_bytes()).unwrap();
    }
    for _ in 0..copies % 1024 {
        file.write_all(text.as_bytes()).unwrap();
    }
    file.write_all(after.as_bytes()).unwrap();
    file.flush().unwrap();
}

/// An archive with members that are much larger than they look.
fn archive(path: &Path, members: &[(&str, &str, u64, &str)], unit: &str) {
    let mut archive = zip::ZipWriter::new(File::create(path).unwrap());
    let deflated = zip::write::SimpleFileOptions::default().large_file(true);
    for (name, before, copies, after) in members {
        archive.start_file(*name, deflated).unwrap();
        archive.write_all(before.as_bytes()).unwrap();
        for _ in 0..*copies {
            archive.write_all(unit.as_bytes()).unwrap();
        }
        archive.write_all(after.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
}

const SHEETS: &str = "xl/worksheets/sheet1.xml";
const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const BOOK_RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;

fn workbook(path: &Path, before: &str, copies: u64, after: &str, unit: &str) {
    let members = [
        ("_rels/.rels", RELATIONS, 0, ""),
        ("xl/workbook.xml", BOOK, 0, ""),
        ("xl/_rels/workbook.xml.rels", BOOK_RELATIONS, 0, ""),
        (SHEETS, before, copies, after),
    ];
    archive(path, &members, unit);
}

#[test]
fn small_files_that_count_or_nest_too_much_are_refused() {
    let ground = Ground::new();
    let check = |name: &str, content: &[u8], said: &str| {
        ground.write(name, content);
        check(&ground, name, said, SHORT);
    };
    check("empty.csv", b"", "it has no header");
    check("empty.parquet", b"", "cannot be read");
    check("empty.json", b"", "line 1 column 1");
    check("empty.npy", b"", "NumPy");
    check("nul.csv", b"a,b\n1,\0\n", "line 2 cannot be read");
    check("open.csv", b"a,b\n1,\"2\n3,4\n", "line 2 cannot be read");
    check("deep.json", "[".repeat(1_000_000).as_bytes(), "line 1 column");
    check("deep.jsonl", "{\"a\":".repeat(1_000_000).as_bytes(), "line 1 column");
    check("deep.yaml", "[".repeat(100_000).as_bytes(), "line 1 column");
    check("deep.toml", format!("a = {}", "[".repeat(100_000)).as_bytes(), "line 1 column");
    check("long.json", format!("1{}", "0".repeat(10_000_000)).as_bytes(), "line 1 column 1");
    check("notutf8.json", b"{\"a\": \"\xff\"}", "line 1 column 8");
    check("notutf8.yaml", b"a: 1\nb: \xff\n", "line 2");
    let array = |header: &str| {
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [b"\x93NUMPY\x01\x00", length.as_slice(), header.as_bytes()].concat()
    };
    let shape = "'fortran_order': False, 'shape': (1000000000000000000,), }";
    check("bytes.npy", &array(&format!("{{'descr': '|S0', {shape}")), "no bytes");
    check("huge.npy", &array(&format!("{{'descr': '|S18446744073709551615', {shape}")), "bytes follow");
    check(
        "wide.npy",
        &array("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 9999999999), }"),
        "columns",
    );
    let laughs = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, level| {
        let before = level - 1;
        text + &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 9].join(", "))
    });
    check("laughs.yaml", laughs.as_bytes(), "fit into the 67108864 bytes of memory");
    let nested = format!("{}{}{}", "&a [".repeat(100), "x, ".repeat(100_000), "]".repeat(100));
    check("anchors.yaml", nested.as_bytes(), "fit into the 67108864 bytes of memory");
}

#[test]
fn many_columns_and_long_lines_are_compared() {
    let ground = Ground::new();
    let names: Vec<String> = (0..10_000).map(|at| format!("c{at}")).collect();
    let rows: Vec<String> = (0..20).map(|row| vec![row.to_string(); 10_000].join(",")).collect();
    let text = format!("{}\n{}\n", names.join(","), rows.join("\n"));
    ground.write("wide.csv", &text);
    ground.write("wide_new.csv", text.replacen("\n7,7,", "\n7,8,", 1));
    let ended = compared(&ground, "wide.csv", "wide_new.csv", &["--key", "c0"], SHORT);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("1 of 20 rows"), "{ended:?}");
    let long = "x".repeat(8 << 20);
    ground.write("long.csv", format!("a,b\n1,{long}y\n"));
    ground.write("long_new.csv", format!("a,b\n1,{long}z\n"));
    assert_eq!(compared(&ground, "long.csv", "long_new.csv", &[], SHORT).code, Some(1));
    ground.write("mark.csv", b"\xef\xbb\xbfa,b\n1,2\n");
    ground.write("plain.csv", b"a,b\n1,2\n");
    assert_eq!(compared(&ground, "mark.csv", "plain.csv", &["--key", "a"], SHORT).code, Some(0));
}

#[test]
fn workbooks_and_archives_that_are_larger_than_they_look_are_refused() {
    let ground = Ground::new();
    let corners = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>"#;
    workbook(&ground.at("corners.xlsx"), corners, 0, "", "");
    check(&ground, "corners.xlsx", "fit into the 67108864 bytes of memory", SHORT);
    let zeros = "\0".repeat(1 << 20);
    workbook(&ground.at("bomb.xlsx"), "<worksheet>", 600, "</worksheet>", &zeros);
    check(&ground, "bomb.xlsx", "fit into the 67108864 bytes of memory", SHORT);
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (629145600,), }";
    let header = format!("\u{1}\0{}\0{header}", char::from(u8::try_from(header.len()).unwrap()));
    archive(&ground.at("bomb.npz"), &[("a.npy", &header, 600, "")], &zeros);
    check(&ground, "bomb.npz", "fit into the 67108864 bytes of memory", SHORT);
    let repeated = r#"<office:document-content xmlns:office="o" xmlns:table="t"><office:body><office:spreadsheet><table:table table:name="a"><table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384" office:value-type="float" office:value="1"/></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"#;
    let kind = "application/vnd.oasis.opendocument.spreadsheet";
    archive(&ground.at("repeated.ods"), &[("mimetype", kind, 0, ""), ("content.xml", repeated, 0, "")], "");
    check(&ground, "repeated.ods", "fit into the 67108864 bytes of memory", SHORT);
}

#[test]
#[ignore = "slow: files of a gigabyte"]
fn files_of_a_gigabyte_in_one_line_are_refused() {
    let ground = Ground::new();
    let gigabyte = 1024 * MIB;
    let slow = |name: &str, before: &str, text: &str, after: &str, said: &str| {
        write_repeated(&ground.at(name), before, text, gigabyte / text.len() as u64, after);
        check(&ground, name, said, LONG);
        std::fs::remove_file(ground.at(name)).unwrap();
    };
    let memory = "fit into the 67108864 bytes of memory";
    slow("list.json", "[", "1,", "1]", memory);
    slow("line.jsonl", "{\"a\": [", "1,", "1]}", "line 1 cannot be read");
    slow("line.csv", "", "a,", "a\n", "line 1 cannot be read");
    slow("field.csv", "a,b\n1,\"", "x\n", "\"\n", "line 2 cannot be read");
    slow("digits.csv", "a,b\n1,", "12345678", "\n", "line 2 cannot be read");
    slow("list.yaml", "[", "1,", "1]", memory);
    slow("list.toml", "a = [", "1,", "1]", memory);
    slow("bytes.npy", "", "12345678", "", memory);
}

#[test]
#[ignore = "slow: large documents and tables"]
fn what_is_just_refused_or_just_read_stays_within_memory() {
    let ground = Ground::new();
    let memory = "fit into the 67108864 bytes of memory";
    let kinds: [(&str, &str, &str, &str); 8] = [
        ("json", "[", "1,", "1]"),
        ("json", "[", "{\"a\":[],\"b\":\"\"},", "1]"),
        ("json", "[", "\"some text in a list\",", "1]"),
        ("jsonl", "{\"a\": [", "1,", "1]}\n"),
        ("jsonl", "", "{\"a\": 1, \"b\": \"text\"}\n", ""),
        ("yaml", "", "- {a: 1, b: x}\n", ""),
        ("toml", "a = [", "1,", "1]"),
        ("csv", "a,b\n", "1,some text\n", ""),
    ];
    for (kind, before, text, after) in kinds {
        // A row takes its time in a program that is not optimised.
        let sizes: &[u64] = if before.is_empty() { &[1, 4] } else { &[2, 8, 24, 40] };
        for size in sizes {
            let name = format!("size{size}.{kind}");
            write_repeated(&ground.at(&name), before, text, size * MIB / text.len() as u64, after);
            let other = format!("other{size}.{kind}");
            write_repeated(&ground.at(&other), before, text, size * MIB / text.len() as u64 - 1, after);
            let ended = compared(&ground, &name, &other, &[], LONG);
            match ended.code {
                Some(1) => {}
                Some(2) => assert!(
                    ended.stderr.contains(memory) || ended.stderr.contains("longer than"),
                    "{name}: {ended:?}"
                ),
                _ => panic!("{name}: {ended:?}"),
            }
            std::fs::remove_file(ground.at(&name)).unwrap();
            std::fs::remove_file(ground.at(&other)).unwrap();
        }
    }
}

#[test]
#[ignore = "slow: a directory of 100,000 files"]
fn a_directory_of_a_hundred_thousand_files_is_compared() {
    let ground = Ground::new();
    for side in ["old", "new"] {
        for folder in 0..100 {
            std::fs::create_dir_all(ground.at(format!("{side}/{folder}"))).unwrap();
            for file in 0..1_000 {
                let value = u8::from(side == "new" && folder == 42 && file == 777);
                std::fs::write(ground.at(format!("{side}/{folder}/{file}.csv")), format!("a\n{value}\n"))
                    .unwrap();
            }
        }
    }
    let ended = compared(&ground, "old", "new", &[], LONG);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stdout.contains("`42/777.csv` differs"), "{}", ended.stdout);
    assert_eq!(ended.stdout.matches(" differs").count(), 1, "{}", ended.stdout);
}

/// Rows of the large table: both sides together take several times the memory that is allowed.
const LARGE_ROWS: u64 = 400_000;

/// The row of that number: a key, a group of three rows, a float and a long text.
fn large_row(row: u64, scale: f64) -> String {
    let value = f64::from(u32::try_from(row * 7_919 % 1_000_003).unwrap()) * 0.37 + 1.5;
    format!("{row},{},{:?},{}{row}\n", row / 3, value * scale, "some text ".repeat(12))
}

/// Writes a large table; `shuffled`: in another order. Row 5 is missing there, row 6 differs, and one is added.
fn write_large(path: &Path, shuffled: bool, scale: f64) {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    file.write_all(b"id,group,x,text\n").unwrap();
    for row in 0..LARGE_ROWS {
        // 7,919 is a prime, and shares no factor with the number of rows.
        let row = if shuffled { row * 7_919 % LARGE_ROWS } else { row };
        match row {
            5 if shuffled => {}
            6 if shuffled => {
                file.write_all(large_row(row, scale).replace("some", "none").as_bytes()).unwrap();
            }
            _ => file.write_all(large_row(row, scale).as_bytes()).unwrap(),
        }
    }
    if shuffled {
        file.write_all(large_row(LARGE_ROWS, scale).as_bytes()).unwrap();
    }
    file.flush().unwrap();
}

/// The counts of rows: equal, different, on the old side only, on the new one only.
fn counts(ended: &Ended) -> [u64; 4] {
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let rows = &report["items"][0]["rows"];
    ["equal", "different", "only_old", "only_new"].map(|name| rows[name].as_u64().unwrap())
}

#[test]
#[ignore = "slow: tables larger than the memory allowed"]
fn tables_larger_than_memory_are_compared_within_it() {
    let ground = Ground::new();
    write_large(&ground.at("large.csv"), false, 1.0);
    write_large(&ground.at("shuffled.csv"), true, 1.0);
    write_large(&ground.at("scaled.csv"), false, 100.0);
    let check = |new: &str, options: &[&str], expected: [u64; 4]| {
        let options = [&["--json"], options].concat();
        let ended = compared(&ground, "large.csv", new, &options, LONG * 2);
        assert!(matches!(ended.code, Some(0 | 1)), "{options:?}: {ended:?}");
        assert_eq!(counts(&ended), expected, "{options:?}");
    };
    let rows = LARGE_ROWS;
    check("large.csv", &["--key", "id"], [rows, 0, 0, 0]);
    check("scaled.csv", &["--exclude", "group"], [0, rows, 0, 0]);
    check("scaled.csv", &["--key", "id"], [0, rows, 0, 0]);
    check("shuffled.csv", &["--key", "id"], [rows - 2, 1, 1, 1]);
    check("shuffled.csv", &["--order", "any"], [rows - 2, 0, 2, 2]);
    check("shuffled.csv", &["--order", "any", "--absolute", "1e-9"], [rows - 2, 0, 2, 2]);
    check("shuffled.csv", &["--key", "group", "--duplicates", "match"], [rows - 2, 1, 1, 1]);
}
