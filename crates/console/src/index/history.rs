//! The newest decisions and calls to SendGrid, of all and of each customer.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use model::{CustomerId, Decision, Offset, PartitionId, Position};

use super::cursor::Cursor;

/// How many of each are kept in memory; older ones are in the log.
const KEPT: usize = 10_000;

/// A decision, and its place on its topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// Its place.
    pub at: Position,
    /// What was decided.
    pub decision: Decision,
}

/// A call to SendGrid, or why there was none, and its place on its topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Acted {
    /// Its place.
    pub at: Position,
    /// For whom.
    pub customer: CustomerId,
    /// What the enforcer has recorded.
    pub action: serde_json::Value,
}

/// What lies somewhere and concerns somebody.
pub(super) trait Kept {
    fn at(&self) -> Position;
    fn customer(&self) -> &CustomerId;
}

impl Kept for Decided {
    fn at(&self) -> Position {
        self.at
    }

    fn customer(&self) -> &CustomerId {
        &self.decision.customer
    }
}

impl Kept for Acted {
    fn at(&self) -> Position {
        self.at
    }

    fn customer(&self) -> &CustomerId {
        &self.customer
    }
}

/// The newest records of a topic, in the order in which they were read.
#[derive(Debug)]
pub(super) struct History<T> {
    all: VecDeque<Arc<T>>,
    of: HashMap<CustomerId, VecDeque<Arc<T>>>,
    /// The last one of each partition that is no longer kept.
    forgotten: BTreeMap<PartitionId, Offset>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self { all: VecDeque::new(), of: HashMap::new(), forgotten: BTreeMap::new() }
    }
}

impl<T: Kept> History<T> {
    pub(super) fn push(&mut self, record: T) -> Arc<T> {
        if self.all.len() == KEPT {
            self.forget();
        }
        let record = Arc::new(record);
        self.of.entry(record.customer().clone()).or_default().push_back(Arc::clone(&record));
        self.all.push_back(Arc::clone(&record));
        record
    }

    fn forget(&mut self) {
        let Some(oldest) = self.all.pop_front() else { return };
        self.forgotten.insert(oldest.at().partition, oldest.at().offset);
        if let Some(theirs) = self.of.get_mut(oldest.customer()) {
            theirs.pop_front();
            if theirs.is_empty() {
                self.of.remove(oldest.customer());
            }
        }
    }

    /// The newest `limit` of one customer, oldest first.
    pub(super) fn of(&self, customer: &CustomerId, limit: usize) -> Vec<Arc<T>> {
        let theirs = self.of.get(customer);
        theirs.map(|all| all.iter().skip(all.len().saturating_sub(limit)).cloned().collect()).unwrap_or_default()
    }

    /// All of them, in the order in which they were read.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<T>> {
        self.all.iter()
    }

    /// Those behind `cursor`, in the order in which they were read, at most `limit`.
    pub(super) fn behind(&self, cursor: &Cursor, limit: usize) -> Vec<Arc<T>> {
        self.all.iter().filter(|record| cursor.is_before(record.at())).take(limit).cloned().collect()
    }

    /// Whether a reader at `cursor` has missed any, which are no longer kept; it then goes past them.
    pub(super) fn skip_gap(&self, cursor: &mut Cursor) -> bool {
        let mut has_gap = false;
        for at in self.forgotten.iter().map(|(partition, offset)| Position { partition: *partition, offset: *offset }) {
            has_gap |= cursor.is_before(at);
            cursor.pass(at);
        }
        has_gap
    }

    /// The cursor of a reader who has seen all.
    pub(super) fn end(&self) -> Cursor {
        let mut cursor = Cursor::default();
        let forgotten = self.forgotten.iter().map(|(partition, offset)| (*partition, *offset));
        forgotten.for_each(|(partition, offset)| cursor.pass(Position { partition, offset }));
        self.all.iter().for_each(|record| cursor.pass(record.at()));
        cursor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acted(number: usize) -> Acted {
        let partition = PartitionId::new(u32::try_from(number % 2).unwrap());
        let at = Position { partition, offset: Offset::new(u64::try_from(number).unwrap()) };
        let customer = CustomerId::new(&format!("c{}", number % 3)).unwrap();
        Acted { at, customer, action: serde_json::json!(number) }
    }

    #[test]
    fn the_newest_are_kept_of_all_as_of_each_and_who_has_missed_any_is_told() {
        let mut history = History::default();
        let mut beginning = history.end();
        for number in 0..KEPT {
            history.push(acted(number));
        }
        assert!(!history.skip_gap(&mut beginning));
        history.push(acted(KEPT));
        assert!(history.skip_gap(&mut beginning));
        assert!(!history.skip_gap(&mut beginning), "it is told once");
        let mut cursor = Cursor::default();
        cursor.pass(acted(0).at);
        assert!(!history.skip_gap(&mut cursor), "the one that is forgotten was seen");
        assert_eq!(history.all.len(), KEPT);
        assert_eq!(history.of.values().map(VecDeque::len).sum::<usize>(), KEPT);
        let numbers = |customer: &str, limit| -> Vec<u64> {
            let theirs = history.of(&CustomerId::new(customer).unwrap(), limit);
            theirs.iter().map(|one| one.action.as_u64().unwrap()).collect()
        };
        assert_eq!(numbers("c0", 2), [9_996, 9_999]);
        assert_eq!(numbers("c0", KEPT)[0], 3, "the first is forgotten");
        assert!(numbers("nobody", 9).is_empty());
        assert_eq!(history.behind(&history.end(), 9), []);
    }
}
