//! How many events of each kind.

use std::ops::{Add, AddAssign, Index, IndexMut};

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeTuple};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Provider;

macro_rules! counters {
    ($($variant:ident $name:literal $doc:literal),* $(,)?) => {
        /// A kind of event that is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum Counter { $(#[doc = $doc] $variant),* }

        impl Counter {
            /// Every counter, in the order of their numbers.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name in JSON and metrics.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

counters! {
    Processed "processed" "SendGrid took the mail and will try to deliver it.",
    Delivered "delivered" "The receiving server took the mail.",
    Deferred "deferred" "The receiving server asked to try again later; one mail may be deferred many times.",
    HardBounce "hard_bounce" "The receiving server refused the mail for good.",
    Block "block" "The receiving server refused this mail, not the address: reputation, content, policy, or trouble there.",
    SpamReport "spam_report" "The recipient called the mail spam.",
    Dropped "dropped" "SendGrid did not try: an echo of an earlier bounce, complaint or unsubscribe.",
    Unsubscribe "unsubscribe" "The recipient left the list, or a group of it.",
    Open "open" "A person opened the mail.",
    MachineOpen "machine_open" "A privacy proxy opened the mail.",
    Click "click" "The recipient followed a link.",
    InvalidAddress "invalid_address" "Of the hard bounces, those because no such mailbox exists.",
    ReputationBlock "reputation_block" "Of the blocks, those for the sender's conduct: reputation, content, or too much at once.",
    FirstDeferral "first_deferral" "Of the deferrals, the first of each mail: so many mails were deferred.",
}

impl Counter {
    /// The counter's number, for compact storage; [`Counter::ALL`] is indexed by it.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// How many events of each kind were seen. Each count stops at `u32::MAX` instead of wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = std::collections::BTreeMap<String, u32>))]
pub struct Counts([u32; Counter::ALL.len()]);

impl Counts {
    /// Nothing seen.
    pub const ZERO: Self = Self([0; Counter::ALL.len()]);

    /// Counts one event.
    pub fn count(&mut self, counter: Counter) {
        let slot = &mut self.0[counter.index()];
        *slot = slot.saturating_add(1);
    }

    /// Whether nothing was seen.
    pub fn is_zero(&self) -> bool {
        self.0 == [0; Counter::ALL.len()]
    }

    /// What remains without `part`; never below zero.
    #[must_use]
    pub fn without(mut self, part: &Self) -> Self {
        for (whole, part) in self.0.iter_mut().zip(part.0) {
            *whole = whole.saturating_sub(part);
        }
        self
    }

    /// Mails that SendGrid tried to deliver: the denominator of bounce and block rates.
    ///
    /// `processed` where those events arrive: there are no fewer of them than mails delivered, and than mails refused. Otherwise (the
    /// webhook leaves them out, or they are late) the outcomes seen. A mail may have two of these, since some servers take a
    /// mail and bounce it later; `processed` it is once. Drops are not `processed`: SendGrid does not try them.
    pub fn attempted(&self) -> u32 {
        let (processed, delivered) = (self[Counter::Processed], self[Counter::Delivered]);
        let refused = self[Counter::HardBounce].saturating_add(self[Counter::Block]);
        if processed >= delivered.max(refused) { processed } else { delivered.saturating_add(refused) }
    }
}

impl Index<Counter> for Counts {
    type Output = u32;

    fn index(&self, counter: Counter) -> &u32 {
        &self.0[counter.index()]
    }
}

impl IndexMut<Counter> for Counts {
    fn index_mut(&mut self, counter: Counter) -> &mut u32 {
        &mut self.0[counter.index()]
    }
}

impl AddAssign<&Self> for Counts {
    fn add_assign(&mut self, other: &Self) {
        for (sum, part) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(part);
        }
    }
}

impl Add<&Self> for Counts {
    type Output = Self;

    fn add(mut self, other: &Self) -> Self {
        self += other;
        self
    }
}

impl<'a> std::iter::Sum<&'a Self> for Counts {
    fn sum<I: Iterator<Item = &'a Self>>(parts: I) -> Self {
        parts.fold(Self::ZERO, |sum, part| sum + part)
    }
}

/// Counts by mailbox provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProviderCounts([Counts; Provider::ALL.len()]);

impl ProviderCounts {
    /// Adds `counts` to those of `provider`.
    pub fn add(&mut self, provider: Provider, counts: &Counts) {
        self.0[provider.index()] += counts;
    }

    /// The counts of `provider`.
    pub fn provider(&self, provider: Provider) -> &Counts {
        &self.0[provider.index()]
    }

    /// The providers that were seen, with their counts.
    pub fn seen(&self) -> impl Iterator<Item = (Provider, &Counts)> {
        Provider::ALL.into_iter().zip(&self.0).filter(|(_, counts)| !counts.is_zero())
    }

    /// The counts of all providers together.
    pub fn total(&self) -> Counts {
        self.0.iter().sum()
    }
}

/// In JSON every counter by its name; in binary formats a mask of the counters that are not zero, and those.
impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return self.serialize_compact(serializer);
        }
        let mut map = serializer.serialize_map(Some(Counter::ALL.len()))?;
        for counter in Counter::ALL {
            map.serialize_entry(counter.name(), &self[counter])?;
        }
        map.end()
    }
}

impl Counts {
    fn serialize_compact<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let filled = || self.0.iter().enumerate().filter(|(_, count)| **count > 0);
        let mask = filled().fold(0_u16, |mask, (index, _)| mask | 1 << index);
        let mut tuple = serializer.serialize_tuple(1 + filled().count())?;
        tuple.serialize_element(&mask)?;
        for (_, count) in filled() {
            tuple.serialize_element(count)?;
        }
        tuple.end()
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_map(CountsVisitor)
        } else {
            deserializer.deserialize_tuple(1 + Counter::ALL.len(), CountsVisitor)
        }
    }
}

struct CountsVisitor;

impl<'de> Visitor<'de> for CountsVisitor {
    type Value = Counts;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("counts by counter")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counts, A::Error> {
        let mut counts = Counts::ZERO;
        while let Some((counter, count)) = map.next_entry::<Counter, u32>()? {
            counts[counter] = count;
        }
        Ok(counts)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Counts, A::Error> {
        let missing = || A::Error::custom("counts end too soon");
        let mask: u16 = seq.next_element()?.ok_or_else(missing)?;
        if mask >> Counter::ALL.len() != 0 {
            return Err(A::Error::custom(format_args!("unknown counters in mask {mask:#06x}")));
        }
        let mut counts = Counts::ZERO;
        for (index, slot) in counts.0.iter_mut().enumerate() {
            if mask & 1 << index != 0 {
                *slot = seq.next_element()?.ok_or_else(missing)?;
            }
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_with_every_name() {
        let mut counts = Counts::ZERO;
        counts.count(Counter::HardBounce);
        let text = serde_json::to_string(&counts).unwrap();
        assert!(text.contains("\"hard_bounce\":1") && text.contains("\"machine_open\":0"), "{text}");
        assert_eq!(serde_json::from_str::<Counts>(&text).unwrap(), counts);
    }

    #[test]
    fn mails_attempted_are_known_without_processed_events() {
        let mut counts = Counts::ZERO;
        counts[Counter::Delivered] = 90;
        counts[Counter::HardBounce] = 10;
        assert_eq!(counts.attempted(), 100);
        counts[Counter::Processed] = 120;
        assert_eq!(counts.attempted(), 120);
        counts[Counter::Processed] = 60;
        assert_eq!(counts.attempted(), 100, "most of them are late");
    }

    #[test]
    fn a_mail_that_was_delivered_and_then_bounced_is_one_mail_in_any_order() {
        let events = [Counter::Processed, Counter::Delivered, Counter::HardBounce];
        for turn in 0..events.len() {
            for flip in [false, true] {
                let mut order = events;
                order.rotate_left(turn);
                if flip {
                    order.reverse();
                }
                let mut counts = Counts::ZERO;
                order.iter().for_each(|counter| counts.count(*counter));
                assert_eq!(counts.attempted(), 1, "{order:?}");
            }
        }
    }

    #[test]
    fn a_full_counter_stays_full() {
        let mut counts = Counts::ZERO;
        counts[Counter::Open] = u32::MAX;
        counts.count(Counter::Open);
        assert_eq!(counts[Counter::Open], u32::MAX);
    }
}
