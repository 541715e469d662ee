//! Which blobs a file consists of, for very many files at once: most are one blob, and need no list of their own.

use rustic_core::DataId;

/// The blobs of one file, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Content {
    /// Nobody has said yet, or it is no file.
    #[default]
    Unknown,
    /// One blob.
    One(DataId),
    /// Several, or none.
    Several(Box<[DataId]>),
}

impl Content {
    pub(crate) fn ids(&self) -> &[DataId] {
        match self {
            Self::Unknown => &[],
            Self::One(id) => std::slice::from_ref(id),
            Self::Several(ids) => ids,
        }
    }

    pub(crate) fn is_known(&self) -> bool {
        *self != Self::Unknown
    }

    /// The blob, where it is only one.
    pub(crate) fn only(&self) -> Option<&DataId> {
        match self {
            Self::One(id) => Some(id),
            Self::Unknown | Self::Several(_) => None,
        }
    }
}

impl From<Vec<DataId>> for Content {
    fn from(ids: Vec<DataId>) -> Self {
        match ids.as_slice() {
            [only] => Self::One(*only),
            _ => Self::Several(ids.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_kept_in_their_order_and_none_is_not_unknown() {
        let ids: Vec<DataId> = (0..3).map(|at| DataId::from(rustic_core::Id::new([at; 32]))).collect();
        for count in 0..=3 {
            let content = Content::from(ids[..count].to_vec());
            assert_eq!(content.ids(), &ids[..count]);
            assert!(content.is_known());
            assert_eq!(content.only().is_some(), count == 1);
        }
        assert!(!Content::Unknown.is_known());
    }
}
