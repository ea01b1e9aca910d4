//! How far a reader of the decisions is.

use std::collections::BTreeMap;
use std::fmt;

use model::{Offset, PartitionId, Position};

/// How far a reader of the decisions is, in each partition: `0:17,3:4` as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor(BTreeMap<PartitionId, Offset>);

impl Cursor {
    /// Reads the text of a cursor; the empty text is the beginning.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts = text.split(',').filter(|part| !part.is_empty());
        let part = |part: &str| {
            let (partition, offset) = part.split_once(':')?;
            Some((PartitionId::new(partition.parse().ok()?), Offset::new(offset.parse().ok()?)))
        };
        parts.map(part).collect::<Option<_>>().map(Self)
    }

    /// Whether the record at `at` lies behind it.
    pub(crate) fn is_before(&self, at: Position) -> bool {
        self.0.get(&at.partition).is_none_or(|seen| at.offset > *seen)
    }

    /// Goes past the record at `at`.
    pub(crate) fn pass(&mut self, at: Position) {
        let seen = self.0.entry(at.partition).or_insert(at.offset);
        *seen = (*seen).max(at.offset);
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (partition, offset)) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "," };
            write!(f, "{separator}{partition}:{offset}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_what_it_wrote() {
        let mut cursor = Cursor::default();
        let at = |partition, offset| Position { partition: PartitionId::new(partition), offset: Offset::new(offset) };
        assert!(cursor.is_before(at(3, 0)));
        cursor.pass(at(3, 4));
        cursor.pass(at(0, 17));
        assert_eq!(cursor.to_string(), "0:17,3:4");
        assert_eq!(Cursor::parse("0:17,3:4"), Some(cursor.clone()));
        assert!(!cursor.is_before(at(3, 4)) && cursor.is_before(at(3, 5)));
        assert_eq!(Cursor::parse("nonsense"), None);
    }
}
