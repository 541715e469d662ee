//! Work on all cores, with results in the order of the items.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// More threads than this do not help: the disk, or the kernel's own locks, become the limit.
const THREADS_MAX: usize = 8;

/// A thread takes so many items at once at most: asking for each one would cost more than a small item does.
const ITEMS_AT_ONCE_MAX: usize = 256;

/// Each thread comes back for more at least so often, so that none has the last of the work for itself.
const TURNS_MIN: usize = 64;

/// Does `each` for every item on all cores; the results are in the order of the items.
///
/// # Errors
///
/// The first error in the order of the items; after one, at most what a thread has taken already is begun.
pub fn in_parallel<T: Sync, R: Send, E: Send>(
    items: &[T],
    each: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    in_parallel_into(items, &mut vec![(); items.len()], |item, ()| each(item))
}

/// As [`in_parallel`], with a place for each item that is filled as well: lists of large results would have to be put together,
/// and need the room twice.
///
/// # Errors
///
/// As for [`in_parallel`].
pub(super) fn in_parallel_into<T: Sync, P: Send, R: Send, E: Send>(
    items: &[T],
    places: &mut [P],
    each: impl Fn(&T, &mut P) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let threads =
        std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX).min(items.len());
    if threads < 2 {
        return items.iter().zip(places).map(|(item, place)| each(item, place)).collect();
    }
    let at_once = (items.len() / (threads * TURNS_MIN)).clamp(1, ITEMS_AT_ONCE_MAX);
    let mut results: Vec<Option<R>> = Vec::new();
    results.resize_with(items.len(), || None);
    let failed: Mutex<Option<(usize, E)>> = Mutex::new(None);
    let has_failed = AtomicBool::new(false);
    {
        // Parts are handed out in order, so whatever stands before a failed item is finished by its own thread.
        let places = places.chunks_mut(at_once).zip(results.chunks_mut(at_once));
        let parts = Mutex::new(items.chunks(at_once).zip(places).enumerate());
        let take = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || {
            while !has_failed.load(Ordering::Relaxed) {
                let Some((part, (items, (places, results)))) = take() else { break };
                for (at, ((item, place), result)) in items.iter().zip(places).zip(results).enumerate() {
                    match each(item, place) {
                        Ok(done) => *result = Some(done),
                        Err(error) => {
                            keep_first(&failed, part * at_once + at, error);
                            has_failed.store(true, Ordering::Relaxed);
                            break;
                        }
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                // A panic of a thread goes on in its caller, with what it said.
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            }
        });
    }
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some((_, error)) => Err(error),
        // All of them are there.
        None => Ok(results.into_iter().flatten().collect()),
    }
}

/// Keeps the error of the item that stands first.
fn keep_first<E>(failed: &Mutex<Option<(usize, E)>>, at: usize, error: E) {
    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
    if failed.as_ref().is_none_or(|(first, _)| at < *first) {
        *failed = Some((at, error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_in_the_order_of_the_items_is_the_one_reported() {
        let items: Vec<usize> = (0..500).collect();
        for _ in 0..20 {
            let result = in_parallel(&items, |&item| if item % 50 == 49 { Err(item) } else { Ok(item) });
            assert_eq!(result, Err(49));
        }
    }

    #[test]
    fn every_item_is_done_once_and_in_order() {
        for count in [0, 1, 2, 3, 129, 1_000, 40_001] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(in_parallel(&items, |&item| Ok::<_, ()>(item)).unwrap(), items);
        }
    }
}
