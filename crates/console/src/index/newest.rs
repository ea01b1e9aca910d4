//! The newest decisions that are kept, for the pages.

use std::sync::Arc;

use model::DecisionId;

use super::{Decided, Index, read};

impl Index {
    /// The newest decisions, the newest first. Partitions are read one beside the other, so that they lie in memory in no order of
    /// time.
    pub(crate) fn newest_decisions(&self, limit: usize, wanted: impl Fn(&Decided) -> bool) -> Vec<Arc<Decided>> {
        let decisions = read(&self.known.decisions);
        let mut found: Vec<_> = decisions.all().filter(|decided| wanted(decided)).collect();
        found.sort_by(|a, b| {
            let (one, other) = (&a.decision, &b.decision);
            other.at.cmp(&one.at).then_with(|| other.offset.offset.cmp(&one.offset.offset))
        });
        found.into_iter().take(limit).cloned().collect()
    }

    /// One decision, where it is among those that are kept in memory.
    pub(crate) fn decision(&self, id: &DecisionId) -> Option<Arc<Decided>> {
        read(&self.known.decisions).all().rfind(|decided| decided.decision.id == *id).cloned()
    }
}
