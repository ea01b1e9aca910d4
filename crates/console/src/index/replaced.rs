//! The texts of policies that were replaced, so that one can be put back.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Deed, Timestamp};

use super::{Index, read};

/// How many texts are kept in memory, each of at most 256 KiB: whoever puts one back means one of the last.
const KEPT: usize = 20;

/// The texts of the policies that were replaced last, by digest.
#[derive(Debug, Default)]
pub(super) struct Replaced(BTreeMap<String, (Timestamp, Arc<str>)>);

impl Replaced {
    /// Takes in the text of a policy that was replaced at `at`. Partitions are read one beside the other: the oldest need not come
    /// first.
    pub(super) fn take(&mut self, digest: &str, at: Timestamp, text: &str) {
        self.0.insert(digest.to_owned(), (at, text.into()));
        if self.0.len() > KEPT {
            let oldest = self.0.iter().min_by_key(|(_, (at, _))| *at).map(|(digest, _)| digest.clone());
            oldest.and_then(|digest| self.0.remove(&digest));
        }
    }
}

impl Index {
    /// The text of a policy that was replaced, where it is one of the last.
    pub(crate) fn replaced_policy(&self, digest: &str) -> Option<Arc<str>> {
        read(&self.known.replaced).0.get(digest).map(|(_, text)| Arc::clone(text))
    }

    /// The digest of the policy in whose place this one was put last; `None` where nobody could tell.
    pub(crate) fn policy_before(&self, digest: &str) -> Option<String> {
        let activity = read(&self.known.activity);
        activity.newest().find_map(|act| {
            let Deed::Policy { digest: theirs, previous, .. } = &act.deed else { return None };
            (theirs == digest).then(|| previous.clone())
        })?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_are_kept_in_whatever_order_they_are_read() {
        let mut replaced = Replaced::default();
        for at in (0..=i64::try_from(KEPT).unwrap()).rev() {
            replaced.take(&format!("sha256:{at}"), Timestamp::from_millis(at), "text");
        }
        assert_eq!((replaced.0.len(), replaced.0.contains_key("sha256:0")), (KEPT, false));
        replaced.take("sha256:1", Timestamp::from_millis(99), "text");
        replaced.take("sha256:98", Timestamp::from_millis(98), "text");
        assert!(replaced.0.contains_key("sha256:1"), "it was replaced again, later than others");
    }
}
