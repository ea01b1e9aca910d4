//! When the policy file that a process was started with goes to the log.
//!
//! Once a start, and only where it is not the file that came last, so that processes with different files do not take turns:
//! whoever is started later brings its file. A policy that an operator put in force by the API stays until there is another
//! file.

use model::{PolicyChange, PolicyOrigin};

use crate::marks::PolicyMarks;

/// The policy file that a process was started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its text, which is sound.
    pub text: String,
    /// The digest of its policy.
    pub digest: String,
}

impl PolicyFile {
    /// What stands beside it on the log.
    pub(crate) fn change(&self) -> PolicyChange {
        PolicyChange {
            origin: PolicyOrigin::File,
            by: "weir".to_owned(),
            reason: "the policy file was another when Weir was started".to_owned(),
            file: Some(self.digest.clone()),
        }
    }
}

/// Whether a process's policy file has yet to go to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proposal {
    /// What came last before this process is not known yet.
    Unknown(PolicyFile),
    /// It is another file than the one that came last before this process, if any did.
    Another {
        /// The file.
        file: PolicyFile,
        /// What was known when the process was started.
        before: PolicyMarks,
    },
    /// Some partitions may have it: it must go to the others, too.
    Begun {
        /// The file.
        file: PolicyFile,
        /// What was known when the process was started.
        before: PolicyMarks,
    },
    /// It is the one that came last, or a later policy was put in force since the process was started.
    Settled,
}

impl Proposal {
    /// Takes in what the partitions' shares tell.
    pub(crate) fn learn(&mut self, told: &PolicyMarks) {
        let known = std::mem::replace(self, Self::Settled);
        *self = match known {
            Self::Unknown(file) if told.file.as_ref() != Some(&file.digest) => {
                Self::Another { file, before: told.clone() }
            }
            Self::Another { file, before } if before == *told => Self::Another { file, before },
            Self::Begun { file, before } if before == *told || told.file.as_ref() == Some(&file.digest) => {
                Self::Begun { file, before }
            }
            Self::Unknown(_) | Self::Another { .. } | Self::Begun { .. } | Self::Settled => Self::Settled,
        };
    }

    /// The file that is to go to the log now, until it is [`Proposal::Settled`] that every partition has it.
    pub(crate) fn begin(&mut self) -> Option<PolicyFile> {
        let (Self::Another { file, before } | Self::Begun { file, before }) = self else { return None };
        let begun = file.clone();
        *self = Self::Begun { file: begun.clone(), before: std::mem::take(before) };
        Some(begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started_with(digest: &str) -> Proposal {
        Proposal::Unknown(PolicyFile { text: "version = 1".to_owned(), digest: digest.to_owned() })
    }

    fn told(policy: Option<&str>, file: Option<&str>) -> PolicyMarks {
        PolicyMarks { policy: policy.map(str::to_owned), file: file.map(str::to_owned) }
    }

    #[test]
    fn a_file_that_is_another_than_the_last_is_due_and_the_last_one_is_not() {
        for (last, is_due) in [(None, true), (Some("old"), true), (Some("new"), false)] {
            let mut proposal = started_with("new");
            assert_eq!(proposal.begin(), None, "nothing is known yet");
            proposal.learn(&told(Some("by the API"), last));
            assert_eq!(proposal.begin().is_some(), is_due, "{last:?}");
        }
    }

    #[test]
    fn a_file_that_some_partitions_have_stays_due_until_all_have_it() {
        let mut proposal = started_with("new");
        proposal.learn(&told(Some("old"), Some("old")));
        let file = proposal.begin();
        assert!(file.is_some());
        proposal.learn(&told(Some("new"), Some("new")));
        assert_eq!(proposal.begin(), file);
    }

    #[test]
    fn a_file_that_did_not_reach_all_gives_way_to_a_later_policy() {
        let mut proposal = started_with("new");
        proposal.learn(&told(Some("old"), Some("old")));
        assert!(proposal.begin().is_some());
        proposal.learn(&told(Some("by the API"), Some("old")));
        assert_eq!(proposal.begin(), None);
    }

    #[test]
    fn a_file_from_before_a_later_policy_is_never_due() {
        for (mine, later) in [
            ("old", told(Some("new"), Some("new"))),
            ("mine", told(Some("new"), Some("new"))),
            ("mine", told(Some("by the API"), Some("old"))),
        ] {
            let mut proposal = started_with(mine);
            proposal.learn(&told(Some("old"), Some("old")));
            proposal.learn(&later);
            assert_eq!(proposal.begin(), None, "{mine} after {later:?}");
        }
    }
}
