//! The newest of what is kept, for the pages.

use model::{CustomerId, Decision};

use super::Index;

impl Index {
    /// The newest decisions, the newest first; of `customer` where one is named. Partitions are read one beside the other, so that
    /// they lie in memory in no order of time.
    pub(crate) fn latest_decisions(&self, limit: usize, customer: Option<&CustomerId>) -> Vec<Decision> {
        let known = self.known();
        let theirs = known.decisions.iter().map(|(_, decision)| decision);
        let mut found: Vec<_> = theirs.filter(|one| customer.is_none_or(|wanted| one.customer == *wanted)).collect();
        found.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.offset.offset.cmp(&a.offset.offset)));
        found.into_iter().take(limit).cloned().collect()
    }
}
