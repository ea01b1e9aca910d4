//! What outlives a customer's counts, retention and a lost state: its profile.

use model::{CustomerId, Offset, Phase, Pin, Profile, Released, Stage, Standing};

use super::Customer;

impl Customer {
    /// Everything about it that is not a count.
    pub fn profile(&self, id: &CustomerId) -> Profile {
        let released = self.release.as_ref().map(|release| Released { at: release.at(), offset: release.offset });
        Profile {
            customer: id.clone(),
            known_since: self.known_since,
            phase: self.phase,
            pilot: self.pilot,
            stage: self.stage,
            since: self.since.unwrap_or_default(),
            ordered: self.ordered,
            pin: self.held.then_some(self.pin),
            exempt_until: self.exempt_until,
            offences: self.offences.clone(),
            released: self.release_ahead.or(released),
            reasons: self.reasons.clone(),
            notes: self.notes.clone(),
        }
    }

    /// Whether nothing but counts ever changed of it since it was first heard of, as an active customer: such a one has no profile,
    /// and needs none.
    pub fn is_plain(&self) -> bool {
        let is_unmoved = self.stage == Stage::Healthy
            && self.since == Some(self.known_since)
            && self.pilot.since == self.known_since
            && self.release.is_none()
            && self.release_ahead.is_none();
        let is_unspoken = self.ordered.is_none() && self.exempt_until.is_none() && self.notes.is_empty();
        let is_unpinned = !self.held && self.pin == Pin::default();
        self.phase == Phase::Active && is_unmoved && is_unspoken && is_unpinned
    }

    /// Puts it where its profile says. Counts stay; a release that they do not know is made when the events before it have been
    /// counted again.
    pub(crate) fn adopt(&mut self, profile: Profile) {
        let made = self.release.as_ref().map(|release| release.offset);
        if profile.released.map(|released| released.offset) != made {
            self.release = None;
            self.release_ahead = profile.released;
        }
        self.known_since = profile.known_since;
        self.phase = profile.phase;
        self.pilot = profile.pilot;
        self.arrives(profile.stage, profile.since);
        self.ordered = profile.ordered;
        self.held = profile.pin.is_some();
        self.pin = profile.pin.unwrap_or_default();
        self.exempt_until = profile.exempt_until;
        self.offences = profile.offences;
        self.reasons = profile.reasons;
        self.notes = profile.notes;
    }

    /// Puts it where its standing says, for one that has no profile: records of versions that wrote none.
    pub(crate) fn adopt_standing(&mut self, standing: Standing) {
        self.phase = standing.phase;
        self.arrives(standing.stage, standing.since);
        self.held = standing.held;
        self.pin = Pin { since: standing.since, until: standing.held_until, is_announced: false };
        self.exempt_until = standing.exempt_until;
        self.known_since = standing.known_since;
        self.ordered = standing.ordered;
        self.reasons = standing.reasons;
    }

    /// Makes the release that its profile tells of, where the record at `offset` lies behind it.
    pub(crate) fn catch_up_with_release(&mut self, offset: Offset) {
        if let Some(ahead) = self.release_ahead.take_if(|ahead| ahead.offset < offset) {
            self.is_released(ahead.at, ahead.offset);
        }
    }
}
