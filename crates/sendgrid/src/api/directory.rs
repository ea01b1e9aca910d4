//! Which id a name has, and which name an id.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::id::Id;

/// Names and ids as they were last listed. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory(Arc<Mutex<BTreeMap<String, Id>>>);

impl Directory {
    /// The id of a name, as far as it was listed.
    pub(super) fn id(&self, name: &str) -> Option<Id> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Names by id.
    pub(super) fn names(&self) -> BTreeMap<Id, String> {
        let ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.iter().map(|(name, id)| (id.clone(), name.clone())).collect()
    }

    /// Takes a new list for the old one.
    pub(super) fn replace(&self, ids: BTreeMap<String, Id>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ids;
    }
}
