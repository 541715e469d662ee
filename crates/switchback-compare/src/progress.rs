//! How far a comparison is, for whoever waits for it.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Is told how far a comparison is. It is asked often and from the thread that compares, so it must be quick.
pub trait Progress: Debug + Send + Sync {
    /// Another pair of files is compared. How many rows it has is not known yet.
    fn begin(&self, item: &str);

    /// So many rows were read of this pair, of both sides together, of so many that are to be read as far as is known: a
    /// pass over rows that turns out to be needed once more adds to them.
    fn rows(&self, done: u64, total: u64);
}

/// Counts the rows of one pair of tables.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    shown: Option<Arc<dyn Progress>>,
    done: AtomicU64,
    /// Of passes that were begun.
    begun: AtomicU64,
    /// At least so many rows will be read.
    expected: AtomicU64,
}

impl Meter {
    pub(crate) fn new(shown: Option<&Arc<dyn Progress>>) -> Self {
        Self { shown: shown.cloned(), ..Self::default() }
    }

    /// What was read so far was in vain: so many rows are to be read now.
    pub(crate) fn expect(&self, rows: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.begun.store(0, Ordering::Relaxed);
        self.expected.store(rows, Ordering::Relaxed);
    }

    /// A pass over so many rows begins.
    pub(crate) fn pass(&self, rows: u64) {
        self.begun.fetch_add(rows, Ordering::Relaxed);
    }

    /// So many more rows were read.
    pub(crate) fn read(&self, rows: u64) {
        let Some(shown) = &self.shown else { return };
        let done = self.done.fetch_add(rows, Ordering::Relaxed) + rows;
        let known = self.begun.load(Ordering::Relaxed).max(self.expected.load(Ordering::Relaxed));
        shown.rows(done, known.max(done));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Debug, Default)]
    struct Told(Mutex<Vec<(u64, u64)>>);

    impl Progress for Told {
        fn begin(&self, _item: &str) {}

        fn rows(&self, done: u64, total: u64) {
            self.0.lock().unwrap().push((done, total));
        }
    }

    #[test]
    fn a_pass_that_was_not_expected_adds_to_the_whole() {
        let told = Arc::new(Told::default());
        let shown: Arc<dyn Progress> = told.clone();
        let meter = Meter::new(Some(&shown));
        meter.expect(200);
        meter.read(30);
        // The order of the keys is not the same: from the start.
        meter.expect(200);
        for _ in 0..3 {
            meter.pass(100);
            meter.read(60);
            meter.read(40);
        }
        assert_eq!(
            *told.0.lock().unwrap(),
            [(30, 200), (60, 200), (100, 200), (160, 200), (200, 200), (260, 300), (300, 300)]
        );
    }
}
