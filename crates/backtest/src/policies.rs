//! The policies that a partition's records put in force.

use std::collections::BTreeSet;

use model::{Mode, PolicyInForce, PolicyOrigin};
use policy::Policy;

use crate::outcome::PutInForce;

/// The policies of life, as one partition tells them.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    /// Whence that in force came.
    origin: Option<PolicyOrigin>,
    /// Each that was another than the one before.
    pub(crate) put_in_force: Vec<PutInForce>,
    /// The digests of those whose decisions are meant to be carried out.
    pub(crate) enforced: BTreeSet<String>,
}

impl Policies {
    /// Takes a record, as a scorer does.
    pub(crate) fn take(&mut self, policy: &Policy, PolicyInForce { since, change, .. }: PolicyInForce) {
        let digest = policy.digest().to_owned();
        if policy.mode() == Mode::Enforce {
            self.enforced.insert(digest.clone());
        }
        if !change.origin.replaces(self.origin) {
            return;
        }
        self.origin = Some(change.origin);
        if self.put_in_force.last().is_none_or(|last| last.digest != digest) {
            self.put_in_force.push(PutInForce { digest, since, change });
        }
    }
}
