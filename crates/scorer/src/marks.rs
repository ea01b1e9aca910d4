//! What stands beside a partition's share of the fleet: which policies the log has put in force there.

use std::collections::BTreeSet;

use bytes::Bytes;
use log::Record;
use model::Timestamp;

/// Digests of policies, as far as records brought them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyMarks {
    /// Of the one in force.
    pub(crate) policy: Option<String>,
    /// Of the latest that came from a file.
    pub(crate) file: Option<String>,
}

impl PolicyMarks {
    const POLICY: &'static str = "ce_policy";
    const FILE: &'static str = "ce_policyfile";

    /// The headers of the share's record: extensions of `CloudEvents`.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (Box<str>, Bytes)> {
        let marks = [(Self::POLICY, &self.policy), (Self::FILE, &self.file)];
        marks.into_iter().filter_map(|(name, digest)| Some((Box::from(name), Bytes::from(digest.clone()?))))
    }

    /// Those of the share that is `record`.
    pub(crate) fn of(record: &Record) -> Self {
        let digest = |name| Some(std::str::from_utf8(record.header(name)?).ok()?.to_owned());
        Self { policy: digest(Self::POLICY), file: digest(Self::FILE) }
    }
}

/// Notices that partitions are under different policies, as after two that were sent at once and stand on the log in one order
/// here and in another there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicySplit {
    /// The policies of the newest shares, and the tick of those.
    seen: (Option<Timestamp>, BTreeSet<Option<String>>),
    told: BTreeSet<Option<String>>,
}

impl PolicySplit {
    /// Takes in the policies of the shares of one tick. Whether they are news: different, not told yet, and the same as at an
    /// earlier tick, since a policy on its way reaches one partition before a tick and the next one behind it.
    pub(crate) fn is_news(&mut self, tick: Option<Timestamp>, policies: BTreeSet<Option<String>>) -> bool {
        if policies.len() < 2 {
            *self = Self::default();
            return false;
        }
        let (before, known) = &self.seen;
        if *known != policies {
            self.seen = (tick, policies);
            return false;
        }
        if *before == tick || self.told == policies {
            return false;
        }
        self.told = policies;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lasting_split_is_told_once_and_one_that_passes_is_not() {
        let policies = |names: &[&str]| -> BTreeSet<_> { names.iter().map(|name| Some((*name).to_owned())).collect() };
        let mut split = PolicySplit::default();
        let mut at =
            |minute: i64, names: &[&str]| split.is_news(Some(Timestamp::from_seconds(60 * minute)), policies(names));
        assert!(!at(1, &["a"]));
        assert!(!at(2, &["a", "b"]), "it may be on its way");
        assert!(!at(2, &["a", "b"]), "the same tick tells nothing new");
        assert!(!at(3, &["b"]), "it came");
        assert!(!at(4, &["b", "c"]));
        assert!(at(5, &["b", "c"]));
        assert!(!at(6, &["b", "c"]), "told already");
        assert!(!at(7, &["b", "d"]));
        assert!(at(8, &["b", "d"]), "another one");
        assert!(!at(9, &["d"]));
        assert!(!at(10, &["b", "d"]));
        assert!(at(11, &["b", "d"]), "anew");
    }
}
