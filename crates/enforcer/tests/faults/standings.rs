//! Random standings of all customers, by a seed.

use std::collections::BTreeMap;

use model::{CustomerId, DecisionId, Reason, Stage, Standing, Timestamp};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::fleet::Customer;

/// How many standings one sequence has at most.
const LONGEST: usize = 5;
/// Out of a hundred, so many standings are of each stage.
const STAGES: [(Stage, u32); 6] = [
    (Stage::Healthy, 28),
    (Stage::Watch, 7),
    (Stage::Throttled, 20),
    (Stage::Quarantined, 25),
    (Stage::Suspended, 13),
    (Stage::Banned, 7),
];

/// Makes standings, and remembers everybody's last one.
#[derive(Debug)]
pub(crate) struct Standings {
    pub(crate) rng: ChaCha8Rng,
    pub(crate) last: BTreeMap<CustomerId, Standing>,
    number: u32,
}

impl Standings {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), last: BTreeMap::new(), number: 0 }
    }

    /// A sequence for each customer, one shuffled into the other; what one customer gets keeps its order.
    pub(crate) fn sequences(&mut self, customers: &[Customer]) -> Vec<Standing> {
        let mut order: Vec<&CustomerId> = Vec::new();
        for customer in customers {
            let length = self.rng.random_range(1..=LONGEST);
            order.extend(std::iter::repeat_n(&customer.id, length));
        }
        order.shuffle(&mut self.rng);
        order.into_iter().map(|id| self.next(id)).collect()
    }

    /// Everybody is released.
    pub(crate) fn releases(&mut self, customers: &[Customer]) -> Vec<Standing> {
        customers.iter().map(|customer| self.stands(&customer.id, Stage::Healthy, None)).collect()
    }

    fn next(&mut self, id: &CustomerId) -> Standing {
        let mut at: u32 = self.rng.random_range(0..100);
        let mut stage = Stage::Healthy;
        for (next, share) in STAGES {
            stage = next;
            match at.checked_sub(share) {
                Some(left) => at = left,
                None => break,
            }
        }
        let is_capped = self.rng.random_bool(if stage == Stage::Throttled { 0.8 } else { 0.15 });
        // A cap of 0 stops the customer.
        let least = u32::from(self.rng.random_bool(0.9));
        let cap = is_capped.then(|| if least == 0 { 0 } else { self.rng.random_range(1..=5_000) });
        self.stands(id, stage, cap)
    }

    pub(crate) fn stands(&mut self, id: &CustomerId, stage: Stage, daily_cap: Option<u32>) -> Standing {
        self.number += 1;
        let now = Timestamp::from_seconds(1_790_000_000 + i64::from(self.number));
        // A customer that stays in its stage, with another cap or the same one, is there since it came.
        let since = self.last.get(id).filter(|last| last.stage == stage).map_or(now, |last| last.since);
        let decision = DecisionId::from_bits(u128::from(self.number));
        let standing = Standing {
            sent_24h: self.rng.random_range(0..1_000),
            reasons: vec![Reason { decision, rule: "test".to_owned(), text: String::new() }],
            ..Standing::at(id.clone(), stage, daily_cap, since)
        };
        self.last.insert(id.clone(), standing.clone());
        standing
    }
}
