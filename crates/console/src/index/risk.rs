//! The order in which customers are shown: who is to be looked at first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{CustomerId, Stage};

/// By how many times a customer's bad events exceed the fleet's: 0 for whoever is not among the worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Harm(u64);

impl Harm {
    /// So many times the fleet's; what is no positive number is none.
    pub(crate) fn times(times: f64) -> Self {
        // The bits of positive numbers are in the order of the numbers.
        Self(if times > 0.0 { times.to_bits() } else { 0 })
    }

    /// So many times the fleet's.
    pub(crate) const fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// A customer's place among all: the lesser, the riskier.
///
/// By stage, the strictest first; then by how much harm it does now; then by its mail of the last 24 hours; then by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Risk {
    stage: Reverse<Stage>,
    harm: Reverse<Harm>,
    sent_24h: Reverse<u32>,
    customer: CustomerId,
}

impl Risk {
    pub(super) const fn new(customer: CustomerId, stage: Stage, harm: Harm, sent_24h: u32) -> Self {
        Self { stage: Reverse(stage), harm: Reverse(harm), sent_24h: Reverse(sent_24h), customer }
    }

    /// Whose place it is.
    pub const fn customer(&self) -> &CustomerId {
        &self.customer
    }

    pub(super) const fn harm(&self) -> Harm {
        self.harm.0
    }

    pub(super) const fn stage(&self) -> Stage {
        self.stage.0
    }

    /// The place as text, to go on behind it.
    pub fn cursor(&self) -> String {
        let place = (self.stage(), self.harm.0.0, self.sent_24h.0, &self.customer);
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&place).unwrap_or_default())
    }

    /// Reads such a text; `None` for one that is none.
    pub fn parse(cursor: &str) -> Option<Self> {
        let (stage, harm, sent_24h, customer) = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        Some(Self::new(customer, stage, Harm(harm), sent_24h))
    }
}

/// Places in their order, by stage.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<Reverse<Stage>, BTreeSet<Risk>>);

impl Places {
    pub(super) fn insert(&mut self, place: Risk) {
        self.0.entry(place.stage).or_default().insert(place);
    }

    pub(super) fn remove(&mut self, place: &Risk) {
        if let Some(places) = self.0.get_mut(&place.stage) {
            places.remove(place);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// How many are at each stage.
    pub(super) fn stages(&self) -> BTreeMap<Stage, usize> {
        let filled = self.0.iter().filter(|(_, places)| !places.is_empty());
        filled.map(|(stage, places)| (stage.0, places.len())).collect()
    }

    /// Those at `stage`, or all, behind `after`, the riskiest first.
    pub(super) fn walk<'a>(&'a self, stage: Option<Stage>, after: Option<&'a Risk>) -> impl Iterator<Item = &'a Risk> {
        let is_wanted = move |at: Stage| {
            stage.is_none_or(|stage| stage == at) && after.is_none_or(|after| Reverse(at) >= after.stage)
        };
        self.0.iter().filter(move |(at, _)| is_wanted(at.0)).flat_map(move |(at, places)| {
            let from = match after {
                Some(after) if after.stage == *at => Bound::Excluded(after),
                _ => Bound::Unbounded,
            };
            places.range::<Risk, _>((from, Bound::Unbounded))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, stage: Stage, harm: f64, sent: u32) -> Risk {
        Risk::new(CustomerId::new(name).unwrap(), stage, Harm::times(harm), sent)
    }

    #[test]
    fn the_stage_goes_before_the_harm_and_that_before_the_mail_and_that_before_the_name() {
        let ordered = [
            place("z", Stage::Suspended, 0.0, 0),
            place("y", Stage::Watch, 3.5, 1),
            place("x", Stage::Watch, 0.25, 9),
            place("b", Stage::Watch, 0.0, 9),
            place("c", Stage::Watch, 0.0, 9),
            place("a", Stage::Watch, 0.0, 8),
        ];
        assert!(ordered.is_sorted());
        let mut places = Places::default();
        ordered.iter().rev().cloned().for_each(|place| places.insert(place));
        assert_eq!(places.walk(None, None).cloned().collect::<Vec<_>>(), ordered);
        assert_eq!(places.walk(Some(Stage::Watch), Some(&ordered[3])).collect::<Vec<_>>(), [&ordered[4], &ordered[5]]);
        assert_eq!(places.walk(None, Some(&place("m", Stage::Throttled, 0.0, 0))).count(), 5);
    }

    #[test]
    fn a_cursor_reads_back_the_place_whatever_the_customer_is_called() {
        let place = place("Ä, \"b\"", Stage::Banned, 1.0 / 3.0, u32::MAX);
        assert_eq!(Risk::parse(&place.cursor()), Some(place));
        assert_eq!(Risk::parse("nonsense"), None);
        assert_eq!(Harm::times(f64::NAN), Harm::default());
    }
}
