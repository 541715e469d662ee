//! What a reader sees while two paths change: it looks at a file of each, over and over, through the live paths.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::bench::contest::{Sample, Unit};
use crate::problem::Problem;

/// Between two looks, so that the reader does not take one of the cores for itself. The kernel adds about as much.
const PAUSE: Duration = Duration::from_micros(20);
/// A reader that has not seen the tree by then will not see it.
const FIRST_LOOK_WAIT_MAX: Duration = Duration::from_secs(5);
/// More of a sentinel is not read.
const SENTINEL_BYTES_MAX: u64 = 1 << 17;

/// A file that is looked at, and what it holds before and after.
#[derive(Debug, Clone)]
pub struct Sentinel {
    /// Its live path.
    pub path: PathBuf,
    /// Before what is measured.
    pub before: Vec<u8>,
    /// Afterwards.
    pub after: Vec<u8>,
}

/// What one look at a sentinel found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Before,
    After,
    Missing,
    Torn,
}

/// What one look at both came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// All as before.
    Before,
    /// All as afterwards.
    After,
    /// One path as before while the other was as afterwards already.
    Mixed,
    /// A path that does not lead to its file, or a file with neither content.
    Broken,
    /// The first path changed while the second was looked at: nothing can be said.
    Unclear,
}

/// A reader at work.
#[derive(Debug)]
pub struct Reader {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<std::io::Result<Seen>>,
}

/// What a reader saw.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    looks: u64,
    last_before: Option<Instant>,
    first_after: Option<Instant>,
    mixed: u64,
    broken: u64,
    /// Looks at what was before, after what comes afterwards had been seen.
    relapses: u64,
}

impl Reader {
    /// Starts to look, and returns when the state before has been seen.
    pub fn start(sentinels: [Sentinel; 2]) -> Result<Self, Problem> {
        let (stop, looks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let doing = || format!("could not read `{}`", sentinels[0].path.display());
        let first = look(&sentinels).map_err(|source| Problem::new(doing(), source))?;
        if first != Look::Before {
            return Err(Problem::new(doing(), format!("it is not what it should be before: {first:?}")));
        }
        let thread = {
            let (stop, looks) = (Arc::clone(&stop), Arc::clone(&looks));
            std::thread::spawn(move || read(&sentinels, &stop, &looks))
        };
        let begun = Instant::now();
        while looks.load(Ordering::Relaxed) == 0 && !thread.is_finished() {
            if begun.elapsed() > FIRST_LOOK_WAIT_MAX {
                stop.store(true, Ordering::Relaxed);
                return Err(Problem::new("could not start a reader", "it has not looked once"));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(Self { stop, thread })
    }

    /// Looks once more, and says what was seen.
    pub fn stop(self) -> Result<Seen, Problem> {
        self.stop.store(true, Ordering::Relaxed);
        let seen =
            self.thread.join().map_err(|_| Problem::new("could not read on", "the reader panicked"))?;
        seen.map_err(|source| Problem::new("could not read on", source))
    }
}

impl Seen {
    /// As samples of a step that was started then. A reader that did not see both sides measured nothing.
    pub fn samples(&self, step: &str, started: Instant) -> Result<Vec<Sample>, Problem> {
        let (Some(last_before), Some(first_after)) = (self.last_before, self.first_after) else {
            let cause = format!("after {} looks the change had not been seen", self.looks);
            return Err(Problem::new(format!("could not tell what a reader saw of the {step}"), cause));
        };
        #[expect(clippy::cast_precision_loss, reason = "nobody looks that often")]
        let looks = |what: &str, count: u64| Sample {
            step: format!("{step}, {what}"),
            value: count as f64,
            unit: Unit::Looks,
        };
        Ok(vec![
            Sample::time(format!("{step}, to a reader who sees it"), first_after - started),
            Sample::time(
                format!("{step}, from the last old look to the first new"),
                first_after.duration_since(last_before),
            ),
            looks("both paths mixed", self.mixed),
            looks("a path missing", self.broken + self.relapses),
        ])
    }
}

fn read(sentinels: &[Sentinel; 2], stop: &AtomicBool, looks: &AtomicU64) -> std::io::Result<Seen> {
    let mut seen = Seen { looks: 0, last_before: None, first_after: None, mixed: 0, broken: 0, relapses: 0 };
    loop {
        // Read before the look: whatever was done before the stop is seen by the last look.
        let is_last = stop.load(Ordering::Relaxed);
        let begun = Instant::now();
        match look(sentinels)? {
            Look::Before if seen.first_after.is_some() => seen.relapses += 1,
            // From the beginning of the one to the end of the other: the window is never told too small.
            Look::Before => seen.last_before = Some(begun),
            Look::After => {
                seen.first_after.get_or_insert_with(Instant::now);
            }
            Look::Mixed => seen.mixed += 1,
            Look::Broken => seen.broken += 1,
            Look::Unclear => {}
        }
        seen.looks += 1;
        looks.store(seen.looks, Ordering::Relaxed);
        if is_last {
            return Ok(seen);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Looks at the first, the second, and the first again: only when both looks at the first agree is it known what was
/// there while the second was looked at.
fn look(sentinels: &[Sentinel; 2]) -> std::io::Result<Look> {
    let [one, other] = sentinels;
    Ok(judge(find(one)?, find(other)?, find(one)?))
}

fn judge(first: Found, second: Found, again: Found) -> Look {
    match (first, second, again) {
        (Found::Before, Found::Before, Found::Before) => Look::Before,
        (Found::After, Found::After, Found::After) => Look::After,
        (Found::Before, Found::After, Found::Before) | (Found::After, Found::Before, Found::After) => {
            Look::Mixed
        }
        (first, second, again) => {
            let is_broken = |found: Found| matches!(found, Found::Missing | Found::Torn);
            if [first, second, again].into_iter().any(is_broken) { Look::Broken } else { Look::Unclear }
        }
    }
}

fn find(sentinel: &Sentinel) -> std::io::Result<Found> {
    let opened = match File::open(&sentinel.path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Missing),
        Err(error) => return Err(error),
    };
    let mut content = Vec::new();
    opened.take(SENTINEL_BYTES_MAX).read_to_end(&mut content)?;
    Ok(if content == sentinel.before {
        Found::Before
    } else if content == sentinel.after {
        Found::After
    } else {
        Found::Torn
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn sentinels(folder: &Path) -> [Sentinel; 2] {
        ["a", "b"].map(|name| {
            let path = folder.join(name).join("file");
            std::fs::create_dir_all(folder.join(name)).unwrap();
            std::fs::write(&path, "old").unwrap();
            Sentinel { path, before: b"old".to_vec(), after: b"new".to_vec() }
        })
    }

    fn replace(path: &Path) {
        std::fs::write(path.with_extension("next"), "new").unwrap();
        std::fs::rename(path.with_extension("next"), path).unwrap();
    }

    fn values(seen: &Seen, started: Instant) -> Vec<f64> {
        seen.samples("step", started).unwrap().iter().map(|sample| sample.value).collect()
    }

    #[test]
    fn a_mix_is_seen_as_long_as_it_lasts() {
        let folder = tempfile::tempdir().unwrap();
        let both = sentinels(folder.path());
        let reader = Reader::start(both.clone()).unwrap();
        let started = Instant::now();
        replace(&both[0].path);
        std::thread::sleep(Duration::from_millis(60));
        replace(&both[1].path);
        let [visible, window, mixed, broken] = values(&reader.stop().unwrap(), started)[..] else { panic!() };
        assert!(visible >= 60.0 && window >= 60.0 && window < visible + 60.0, "{visible} ms, {window} ms");
        assert!(mixed > 3.0, "{mixed} looks at a mix");
        assert!(broken < 0.5, "{broken} looks at nothing");
    }

    #[test]
    fn a_path_that_is_away_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let both = sentinels(folder.path());
        let reader = Reader::start(both.clone()).unwrap();
        let started = Instant::now();
        let away = folder.path().join("away");
        std::fs::rename(folder.path().join("a"), &away).unwrap();
        std::thread::sleep(Duration::from_millis(30));
        std::fs::rename(&away, folder.path().join("a")).unwrap();
        for sentinel in &both {
            replace(&sentinel.path);
        }
        assert!(values(&reader.stop().unwrap(), started)[3] > 3.0);
    }

    #[test]
    fn a_change_that_nobody_made_is_not_measured() {
        let folder = tempfile::tempdir().unwrap();
        let both = sentinels(folder.path());
        let seen = Reader::start(both.clone()).unwrap().stop().unwrap();
        let shown = seen.samples("cutover", Instant::now()).unwrap_err().to_string();
        assert!(shown.contains("the change had not been seen"), "{shown}");
        replace(&both[0].path);
        let shown = Reader::start(both).unwrap_err().to_string();
        assert!(shown.contains("it is not what it should be before: Mixed"), "{shown}");
    }

    #[test]
    fn only_what_is_certain_is_a_mix() {
        use Found::{After, Before, Missing, Torn};
        assert_eq!(judge(Before, After, Before), Look::Mixed);
        assert_eq!(judge(After, Before, After), Look::Mixed);
        // Both may have changed at once, between the looks.
        assert_eq!(judge(Before, After, After), Look::Unclear);
        assert_eq!(judge(Before, Before, After), Look::Unclear);
        assert_eq!(judge(Before, Missing, After), Look::Broken);
        assert_eq!(judge(Torn, After, After), Look::Broken);
    }
}
