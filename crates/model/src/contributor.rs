//! The customers whose mail weighs most.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Counter, Counts, CustomerId, Fleet, PoolName, Provider, Stage};

/// A customer whose mail weighs much in what its pool and the account suffer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Contributor {
    /// Which customer.
    pub customer: CustomerId,
    /// The pool through which it sends.
    pub pool: Option<PoolName>,
    /// Its stage.
    pub stage: Stage,
    /// Its mail of the last hour, by provider.
    #[serde(with = "sparse", default)]
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<Provider, BTreeMap<Counter, u32>>))]
    pub hour: BTreeMap<Provider, Counts>,
    /// Its mail of the last 24 hours, by provider. In JSON only what is not zero: ticks carry many of these.
    #[serde(with = "sparse")]
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<Provider, BTreeMap<Counter, u32>>))]
    pub day: BTreeMap<Provider, Counts>,
}

impl Contributor {
    /// Its hard bounces, complaints and blocks for conduct.
    pub fn bad(&self) -> u32 {
        let bad = [Counter::HardBounce, Counter::SpamReport, Counter::ReputationBlock];
        self.day.values().flat_map(|counts| bad.map(|counter| counts[counter])).fold(0, u32::saturating_add)
    }

    /// Keeps those that are among the first [`Fleet::CONTRIBUTORS`] in any kind of bad event, and sorts them by
    /// [`bad`](Self::bad) events, most first, then by name.
    pub fn keep_worst(contributors: &mut Vec<Self>) {
        let mut kept = BTreeSet::new();
        for counter in RANKED {
            let many = |contributor: &Self| {
                contributor.day.values().map(|counts| counts[counter]).fold(0, u32::saturating_add)
            };
            let mut order: Vec<_> = contributors.iter().map(|one| (many(one), &one.customer)).collect();
            order.retain(|(many, _)| *many > 0);
            order.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.cmp(other)));
            kept.extend(order.into_iter().take(Fleet::CONTRIBUTORS).map(|(_, customer)| customer.clone()));
        }
        contributors.retain(|contributor| kept.contains(&contributor.customer));
        contributors.sort_by(|a, b| b.bad().cmp(&a.bad()).then_with(|| a.customer.cmp(&b.customer)));
    }
}

/// Complaints are rarer than bounces by far, so that each kind has a list of its own.
const RANKED: [Counter; 5] =
    [Counter::HardBounce, Counter::Block, Counter::SpamReport, Counter::Unsubscribe, Counter::FirstDeferral];

/// Counts without their zeros.
mod sparse {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::{Counter, Counts, Provider};

    pub(super) fn serialize<S: Serializer>(day: &BTreeMap<Provider, Counts>, serializer: S) -> Result<S::Ok, S::Error> {
        let filled = |counts: &Counts| -> BTreeMap<Counter, u32> {
            let counted = Counter::ALL.into_iter().map(|counter| (counter, counts[counter]));
            counted.filter(|(_, count)| *count > 0).collect()
        };
        serializer.collect_map(day.iter().map(|(provider, counts)| (provider, filled(counts))))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Provider, Counts>, D::Error> {
        let filled = BTreeMap::<Provider, BTreeMap<Counter, u32>>::deserialize(deserializer)?;
        let counts = |filled: BTreeMap<Counter, u32>| {
            filled.into_iter().fold(Counts::ZERO, |mut counts, (counter, count)| {
                counts[counter] = count;
                counts
            })
        };
        Ok(filled.into_iter().map(|(provider, filled)| (provider, counts(filled))).collect())
    }
}
