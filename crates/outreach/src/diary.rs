//! How far the digests are: a record on the topic `enforcement`.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::book::How;
use crate::channel::Channel;

/// All of them, by channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Diary {
    pub(crate) pages: BTreeMap<Channel, Page>,
}

/// One channel's. Digests go by the moment at which they are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Page {
    /// The last one that is done with.
    told: Timestamp,
    pub(crate) how: How,
    /// On its way: kept before it goes. Found at a start, it is not known whether it arrived.
    #[serde(default)]
    sending: Option<Timestamp>,
    #[serde(default)]
    pub(crate) tries: u32,
    #[serde(default)]
    next_try: Timestamp,
}

impl Page {
    /// The first digest is the one behind `moment`.
    pub(crate) fn new(moment: Timestamp) -> Self {
        Self { told: moment, how: How::Delivered, sending: None, tries: 0, next_try: Timestamp::default() }
    }

    /// Whether the one of `moment` is to be sent; those before it are not made up for.
    pub(crate) fn is_due(&self, moment: Timestamp, now: Timestamp) -> bool {
        self.waits(moment) && now >= self.next_try
    }

    /// Whether the one of `moment` is not done with.
    pub(crate) fn waits(&self, moment: Timestamp) -> bool {
        moment > self.told
    }

    pub(crate) fn start(&mut self, moment: Timestamp) {
        self.sending = Some(moment);
    }

    /// It is told, or never will be.
    pub(crate) fn end(&mut self, moment: Timestamp, how: How) {
        *self = Self { how, ..Self::new(moment) };
    }

    /// It failed.
    pub(crate) fn again(&mut self, next_try: Timestamp) {
        (self.sending, self.tries, self.next_try) = (None, self.tries.saturating_add(1), next_try);
    }

    /// What was on its way when the process ended is not repeated; whether there was something.
    pub(crate) fn recover(&mut self) -> bool {
        let Some(moment) = self.sending else { return false };
        self.end(moment, How::Unknown);
        true
    }
}

#[cfg(test)]
mod tests {
    use model::Millis;

    use super::*;

    const MOMENT: Timestamp = Timestamp::from_seconds(1_790_000_000);

    #[test]
    fn a_digest_is_due_once() {
        let mut page = Page::new(MOMENT);
        let next = MOMENT + Millis::days(7);
        assert!(!page.is_due(MOMENT, MOMENT + Millis::days(1)), "the one before the first start is nobody's");
        assert!(page.is_due(next, next));
        page.start(next);
        page.again(next + Millis::minutes(1));
        assert!(!page.is_due(next, next) && page.is_due(next, next + Millis::minutes(1)));
        page.end(next, How::Delivered);
        assert!(!page.waits(next));
    }

    #[test]
    fn what_was_on_its_way_at_a_crash_is_not_repeated() {
        let mut page = Page::new(MOMENT);
        let next = MOMENT + Millis::days(7);
        page.start(next);
        let written = serde_json::to_vec(&Diary { pages: [(Channel::DigestMail, page)].into() }).unwrap();
        let mut read: Diary = serde_json::from_slice(&written).unwrap();
        let page = read.pages.get_mut(&Channel::DigestMail).unwrap();
        assert!(page.recover() && !page.recover());
        assert!(!page.waits(next) && page.how == How::Unknown);
    }
}
