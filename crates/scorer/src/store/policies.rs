//! What the state knows of policies: which one the log put in force, and under which one everybody's standing was said.

use model::{CustomerId, PolicyInForce, PolicyOrigin};
use rocksdb::{DB, WriteBatch};

use super::{Place, keys};
use crate::Error;

/// The policy in force, and how far it was told to those outside.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    in_force: Option<PolicyInForce>,
    /// Whether what is in force is not on disk yet.
    is_changed: bool,
    /// Under which policy, by its digest, every customer's standing was said or is being said; `None` while they have yet to
    /// be.
    said_under: Option<String>,
    /// Behind which name standings have yet to be said again; `None` where all were.
    said_up_to: Option<String>,
}

impl Policies {
    pub(super) fn load(db: &DB, place: &Place) -> Result<Self, Error> {
        let meta = keys::cf(db, keys::META, place)?;
        let read = |key: &'static str| db.get_cf(meta, key).map_err(place.failed("reading its policy"));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| place.unreadable("a name is no text"));
        let in_force = read(keys::IN_FORCE)?.map(|bytes| postcard::from_bytes(&bytes)).transpose();
        Ok(Self {
            in_force: in_force.map_err(|error| place.unreadable(format!("the policy in force: {error}")))?,
            is_changed: false,
            said_under: read(keys::SAID_UNDER)?.map(text).transpose()?,
            said_up_to: read(keys::SAID_UP_TO)?.map(text).transpose()?,
        })
    }

    pub(super) fn write(&mut self, batch: &mut WriteBatch, db: &DB, place: &Place) -> Result<(), Error> {
        let meta = keys::cf(db, keys::META, place)?;
        // A policy's text is long, and it seldom changes.
        if let (true, Some(in_force)) = (std::mem::take(&mut self.is_changed), &self.in_force) {
            let bytes = postcard::to_stdvec(in_force)
                .map_err(|error| place.unreadable(format!("the policy in force can't be written: {error}")))?;
            batch.put_cf(meta, keys::IN_FORCE, bytes);
        }
        for (key, text) in [(keys::SAID_UNDER, &self.said_under), (keys::SAID_UP_TO, &self.said_up_to)] {
            match text {
                Some(text) => batch.put_cf(meta, key, text),
                None => batch.delete_cf(meta, key),
            }
        }
        Ok(())
    }

    /// What the log has put in force; `None` while the policy is that which the scorer was started with.
    pub(crate) fn in_force(&self) -> Option<&PolicyInForce> {
        self.in_force.as_ref()
    }

    /// Whether a record with a policy of this origin changes anything.
    pub(crate) fn takes(&self, origin: PolicyOrigin) -> bool {
        origin.replaces(self.in_force.as_ref().map(|in_force| in_force.change.origin))
    }

    /// Puts a policy in force. Which file came last is remembered beyond a policy that came from elsewhere.
    pub(crate) fn take(&mut self, mut policy: PolicyInForce) {
        let known = self.in_force.take().and_then(|before| before.change.file);
        policy.change.file = policy.change.file.or(known);
        self.in_force = Some(policy);
        self.is_changed = true;
    }

    /// Under which policy every customer's standing was said.
    pub(crate) fn said_under(&self) -> Option<&str> {
        self.said_under.as_deref()
    }

    /// Nobody's standing was said otherwise than under the policy with this digest.
    pub(crate) fn all_said(&mut self, digest: &str) {
        self.said_under = Some(digest.to_owned());
        self.said_up_to = None;
    }

    /// Everybody's standing is to be said under the policy with this digest, from now on.
    pub(crate) fn say_all(&mut self, digest: &str) {
        self.said_under = Some(digest.to_owned());
        self.said_up_to = Some(String::new());
    }

    /// Everybody's standing is to be said, and can't be yet.
    pub(crate) fn say_all_later(&mut self) {
        self.said_under = None;
        self.said_up_to = None;
    }

    /// Behind which name standings have yet to be said; `None` where none has.
    pub(crate) fn said_up_to(&self) -> Option<&str> {
        self.said_up_to.as_deref()
    }

    /// The standings up to this customer's are said; with `None`, all are.
    pub(crate) fn said(&mut self, last: Option<&CustomerId>) {
        self.said_up_to = last.map(|last| last.as_str().to_owned());
    }
}
