//! What stands beside a partition's share of the fleet: which policies the log has put in force there.

use bytes::Bytes;
use log::Record;

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
