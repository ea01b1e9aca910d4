//! Channels that fail, or do not answer, are left alone for a while, so that not everything is tried in vain at once.

use std::collections::BTreeMap;

use model::{Millis, Timestamp};

use crate::channel::Channel;

/// The first pause of a channel that fails: doubled with each failure on end, up to the longest.
const PAUSE: Millis = Millis::seconds(1);
const LONGEST: Millis = Millis::minutes(5);

/// The channels that are left alone.
#[derive(Debug, Default)]
pub(crate) struct Pauses(BTreeMap<Channel, Pause>);

#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    failures: u32,
    until: Timestamp,
}

impl Pauses {
    /// Whether it is left alone now.
    pub(crate) fn has(&self, channel: Channel, now: Timestamp) -> bool {
        self.0.get(&channel).is_some_and(|pause| pause.until > now)
    }

    /// It failed, or did not answer.
    pub(crate) fn lengthen(&mut self, channel: Channel, now: Timestamp) {
        let pause = self.0.entry(channel).or_default();
        let longer = Millis::new(PAUSE.get().saturating_mul(1 << pause.failures.min(12)));
        pause.failures = pause.failures.saturating_add(1);
        pause.until = now + longer.min(LONGEST);
    }

    /// It works.
    pub(crate) fn end(&mut self, channel: Channel) {
        self.0.remove(&channel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_left_alone_ever_longer_until_it_works() {
        let (channel, other) = (Channel::SuccessMail, Channel::SuccessChat);
        let (mut pauses, now) = (Pauses::default(), Timestamp::from_seconds(1_790_000_000));
        for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            pauses.lengthen(channel, now);
            let end = now + Millis::seconds(seconds);
            assert!(pauses.has(channel, end - Millis::new(1)) && !pauses.has(channel, end), "{seconds}");
        }
        assert!(!pauses.has(other, now));
        pauses.end(channel);
        assert!(!pauses.has(channel, now));
        pauses.lengthen(channel, now);
        assert!(!pauses.has(channel, now + PAUSE), "it begins anew");
    }
}
