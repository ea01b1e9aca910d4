//! Weir's fold watches a month, and its verdicts take effect.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use model::{CustomerId, Evidence, Fleet, Millis, Offset, PartitionId, Stage, Standing, Tick, Timestamp};
use policy::Policy;
use scoring::{Fold, Input, MemoryStore, Partition, Said};
use simulator::month::{Gate, Month, Scenario};

use crate::outcome::Move;
use crate::{PARTS, STEP, TICK};

/// A part of the month, and the partition that watches it.
pub(crate) struct Part {
    pub(crate) month: Month,
    /// What was done about each customer, by its place; not what rules in shadow would have done.
    pub(crate) decided: Vec<Vec<Decided>>,
    /// Records folded so far.
    pub(crate) records: u64,
    fold: Fold,
    store: MemoryStore,
    places: BTreeMap<CustomerId, usize>,
    standings: Vec<Option<Standing>>,
    share: Fleet,
}

/// A move, and why.
#[derive(Clone)]
pub(crate) struct Decided {
    pub(crate) step: Move,
    pub(crate) rule: String,
    pub(crate) evidence: Option<Evidence>,
    /// The customer's bad mails by then, as far as what shows that they are bad could have come.
    pub(crate) ripe: f64,
}

/// Watches the whole month under `policy`; `day` is told each day that is over.
pub(crate) fn watch(policy: &Arc<Policy>, scenario: &Scenario, day: &mut dyn FnMut(u32)) -> Vec<Part> {
    let mut parts: Vec<_> = (0_u32..).take(PARTS).map(|part| Part::new(policy, scenario, part)).collect();
    let mut now = Scenario::START;
    let mut days = 0;
    while now < scenario.end() {
        let fleet = Fleet::sum(parts.iter().map(|part| &part.share));
        let until = now + TICK;
        thread::scope(|scope| {
            for part in &mut parts {
                scope.spawn(|| part.run(now, until, &fleet));
            }
        });
        now = until;
        if now >= Scenario::START + Millis::days(i64::from(days) + 1) {
            days += 1;
            day(days);
        }
    }
    parts
}

impl Part {
    fn new(policy: &Arc<Policy>, scenario: &Scenario, part: u32) -> Self {
        let month = Month::new(scenario, part as usize, PARTS);
        let customers = month.customers();
        let mut new = Self {
            decided: vec![Vec::new(); customers.len()],
            places: customers.iter().enumerate().map(|(place, customer)| (customer.id.clone(), place)).collect(),
            standings: vec![None; customers.len()],
            month,
            records: 0,
            fold: Fold::new(Arc::clone(policy), PartitionId::new(part), Partition::default()),
            store: MemoryStore::default(),
            share: Fleet::default(),
        };
        new.tick(Scenario::START, &Fleet::default());
        new
    }

    /// Goes on from `now` to `until`, when a tick tells what `fleet` did.
    fn run(&mut self, now: Timestamp, until: Timestamp, fleet: &Fleet) {
        let mut now = now;
        while now < until {
            now = (now + STEP).min(until);
            let standings = &self.standings;
            let arrivals = self.month.advance(now, &|place| gate(standings[place].as_ref()));
            for arrival in arrivals {
                let id = self.month.customers()[arrival.place].id.clone();
                self.apply(arrival.at, Input::Event(&id, &arrival.event(), arrival.at));
            }
        }
        self.tick(until, fleet);
    }

    fn tick(&mut self, at: Timestamp, fleet: &Fleet) {
        self.apply(at, Input::Tick(Tick { at, fleet: fleet.clone() }));
    }

    fn apply(&mut self, at: Timestamp, input: Input<'_>) {
        let Ok(applied) = self.fold.apply(&mut self.store, Offset::new(self.records), input);
        self.records += 1;
        let mut said = applied.said.into_iter().peekable();
        while let Some(this) = said.next() {
            match this {
                Said::Decision(decision) => {
                    let moves = matches!(said.peek(), Some(Said::Standing(standing)) if standing.is_after(&decision));
                    let Some(place) = self.places.get(&decision.customer).filter(|_| moves) else { continue };
                    let step = Move { at, to: decision.to, sent: self.month.tally(*place) };
                    let ripe = self.month.ripe(*place, at);
                    self.decided[*place].push(Decided { step, rule: decision.rule, evidence: decision.evidence, ripe });
                }
                Said::Standing(standing) => {
                    let Some(place) = self.places.get(&standing.customer) else { continue };
                    self.standings[*place] = Some(standing);
                }
                Said::Profile(_) => {}
                Said::Share(share) => self.share = share,
                Said::AccountStatus(_) => {}
            }
        }
    }
}

/// How a customer's mail leaves, by its standing. It stays in its own pool until it is quarantined.
fn gate(standing: Option<&Standing>) -> Gate<'_> {
    match standing {
        None => Gate::Send { pool: None, daily_cap: None },
        Some(standing) if standing.sending.is_stopped() => Gate::Stop,
        Some(standing) => {
            let moved = standing.pool.as_ref().filter(|_| standing.stage >= Stage::Quarantined);
            Gate::Send { pool: moved.map(model::PoolName::as_str), daily_cap: standing.sending.daily_cap() }
        }
    }
}
