//! A clock and surroundings that stand still, for tests that compare what is shown.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use switchback_core::world::{Clock, Surroundings};

/// A clock that only moves when somebody sleeps. Its first moment is given as seconds since 1970.
#[derive(Debug)]
pub struct FixedClock {
    start_s: i64,
    slept: Mutex<Duration>,
}

impl FixedClock {
    /// A clock that shows this moment.
    pub fn at(start_s: i64) -> Self {
        Self { start_s, slept: Mutex::default() }
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        let slept = *self.slept.lock().unwrap_or_else(PoisonError::into_inner);
        let start = Timestamp::from_second(self.start_s).unwrap_or(Timestamp::UNIX_EPOCH);
        start.checked_add(slept).unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        *self.slept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, duration: Duration) {
        *self.slept.lock().unwrap_or_else(PoisonError::into_inner) += duration;
    }
}

/// Surroundings that are the same on every machine.
#[derive(Debug, Clone)]
pub struct FixedSurroundings {
    /// Who acts.
    pub actor: String,
    /// The environment variables, sorted by name.
    pub variables: Vec<(String, String)>,
    /// The id of the process.
    pub process_id: u32,
}

impl Default for FixedSurroundings {
    fn default() -> Self {
        Self { actor: "tester@scratch".to_owned(), variables: Vec::new(), process_id: 4_711 }
    }
}

impl Surroundings for FixedSurroundings {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.variables.clone()
    }

    fn actor(&self) -> String {
        self.actor.clone()
    }

    fn process_id(&self) -> u32 {
        self.process_id
    }
}
