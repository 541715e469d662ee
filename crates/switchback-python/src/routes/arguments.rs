//! The arguments of a call, as far as they could be read.

use super::value::Value;

/// The arguments of a call.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Arguments {
    /// By position.
    pub(super) places: Vec<Value>,
    /// By name.
    pub(super) names: Vec<(String, Value)>,
    /// Whether there may be more: `*items` or `**items` that could not be read.
    pub(super) is_open: bool,
}

impl Arguments {
    /// The argument at a position, or of a name.
    pub(super) fn get(&self, place: usize, name: &str) -> Option<&Value> {
        self.places.get(place).or_else(|| self.named(name))
    }

    /// The argument of a name.
    pub(super) fn named(&self, name: &str) -> Option<&Value> {
        self.names.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// The argument of a name as a path; what may be given and could not be read counts as unread.
    pub(super) fn path(&self, place: usize, name: &str) -> Option<String> {
        match self.get(place, name) {
            Some(value) => Some(value.path()),
            None if self.is_open => Some(super::template::UNREAD.to_owned()),
            None => None,
        }
    }
}
