//! `decode THREADS FILE…`: reads Parquet files with arrow-rs and does nothing with them; the floor that a comparison is
//! measured against.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "it is a command line of its own, and reads what it is told to"
)]

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;

use arrow_array::RecordBatchReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Rows at a time: as many as the comparison takes.
const BATCH_ROWS: usize = 8192;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let threads = arguments.next().and_then(|threads| threads.parse().ok()).unwrap_or(1);
    let files: Vec<String> = arguments.collect();
    match rows(threads, &files) {
        Ok(rows) => {
            println!("{rows} rows");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Decodes all row groups of all files, each thread taking the next one that nobody has taken.
fn rows(threads: usize, files: &[String]) -> Result<usize, Failure> {
    let mut groups = Vec::new();
    for file in files {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)?;
        groups.extend((0..builder.metadata().num_row_groups()).map(|group| (file.clone(), group)));
    }
    let waiting = Mutex::new(groups);
    let work = || -> Result<usize, Failure> {
        let mut rows = 0;
        while let Some((file, group)) = waiting.lock().ok().and_then(|mut waiting| waiting.pop()) {
            rows += decode(Path::new(&file), group)?;
        }
        Ok(rows)
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err("a thread died".into()))).sum()
    })
}

fn decode(file: &Path, group: usize) -> Result<usize, Failure> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)?;
    let reader = builder.with_row_groups(vec![group]).with_batch_size(BATCH_ROWS).build()?;
    assert!(!reader.schema().fields().is_empty(), "a file without a column decodes to nothing");
    let mut rows = 0;
    for batch in reader {
        rows += batch?.num_rows();
    }
    Ok(rows)
}
