//! The arithmetic of one customer's day, as one instance of Weir sees it. No clock, no log.
//!
//! An instance grants mail only from what it holds. To hold more it claims: it says its new total on the log, and holds it once
//! that record has been read back. All instances read the claims of a customer in one order, so whoever reads its own claim back
//! has read every claim that came before it, and holds only as much as those leave of the cap: a race is decided by the order of
//! the log, and however late the readers are, no more than the cap is granted.
//!
//! What an instance says only ever rises within a day, until it hands back at its end what it did not grant. A claim that is
//! larger than what it came to hold keeps others from the difference: that is mail granted too little, never too much.

use std::collections::BTreeMap;

use super::reservation::Instance;

/// A claim is for this part of the cap at least, so that the log is asked some 16 times a day for a customer, and a crash loses
/// no more than that.
const CHUNKS: u32 = 16;

/// What a request for mail leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// So many mails are granted.
    Granted(u32),
    /// This total is to be said on the log; then ask again.
    Claim(u32),
    /// A claim that is large enough is on its way; ask again when it was read back.
    Wait,
}

/// One customer's day.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    /// Mails granted by this instance.
    granted: u32,
    /// Mails that it may grant, with those that it has granted.
    held: u32,
    /// The largest total that it said, or tried to say.
    said: u32,
    /// The total that it said and has not read back yet.
    pending: Option<u32>,
    /// The cap under which it claimed last.
    cap: u32,
    /// The total that each other instance said last.
    others: BTreeMap<Instance, u32>,
}

impl Ledger {
    /// Grants up to `wanted` mails under a cap of `cap` mails a day, or says what has to come first.
    pub(super) fn admit(&mut self, cap: u32, wanted: u32) -> Step {
        let left = self.left(cap);
        let wanted = wanted.min(left);
        let needed = self.granted.saturating_add(wanted);
        if needed <= self.held {
            self.granted = needed;
            return Step::Granted(wanted);
        }
        if self.pending.is_some_and(|pending| pending >= needed) {
            return Step::Wait;
        }
        let chunk = (cap / CHUNKS).max(1).min(left);
        let total = self.granted.saturating_add(wanted.max(chunk)).max(self.said);
        self.said = total;
        self.pending = Some(total);
        self.cap = cap;
        Step::Claim(total)
    }

    /// Mails that this instance may still grant under a cap of `cap`: those that it holds, and those that nobody has claimed.
    pub(super) fn left(&self, cap: u32) -> u32 {
        let open = self.room(cap);
        // Under a lower cap than it was held under, what is held may be too much, and later claims of others count as well.
        let most = if cap < self.cap { open } else { open.max(self.held) };
        most.saturating_sub(self.granted)
    }

    /// This instance's own `total` was read back: it holds what the others' earlier claims leave of it.
    pub(super) fn read_back(&mut self, total: u32) {
        self.held = self.held.max(total.min(self.room(self.cap)));
        self.pending = self.pending.filter(|pending| *pending > total);
    }

    /// Another instance's total was read.
    pub(super) fn read_of(&mut self, other: &Instance, total: u32) {
        self.others.insert(other.clone(), total);
    }

    /// An earlier life of this instance said `total`. How much of it was granted nobody knows any more: all counts as granted.
    pub(super) fn inherit(&mut self, total: u32) {
        (self.granted, self.held, self.said) = (total, total, total);
    }

    /// The log did not take `total`; it may turn up there all the same.
    pub(super) fn failed(&mut self, total: u32) {
        self.pending = self.pending.filter(|pending| *pending != total);
    }

    /// At the end of this instance: the total to say so that others can have what it did not grant; nothing where that is
    /// nothing. It grants nothing more.
    pub(super) fn hand_back(&mut self) -> Option<u32> {
        let is_less = self.said > self.granted;
        self.inherit(self.granted);
        self.pending = None;
        is_less.then_some(self.granted)
    }

    /// What the others' claims leave of the cap.
    fn room(&self, cap: u32) -> u32 {
        self.others.values().fold(cap, |room, total| room.saturating_sub(*total))
    }
}
