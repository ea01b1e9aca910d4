//! A whole Weir in memory: partitions, ticks and the pools that its standings bring about.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use log::{PartitionCount, partition_of};
use model::{CustomerId, Decision, Fleet, Millis, Offset, PartitionId, Stage, Standing, Tick, Timestamp};
use policy::Policy;
use scoring::{Fold, Input, MemoryStore, Partition, Said};
use sendgrid::webhook::WebhookEvent;
use simulator::platform::{Account, Gate, Platform, Scenario};

/// The folds of all partitions, and what they said.
#[derive(Debug)]
pub struct Partitioned {
    count: PartitionCount,
    folds: Vec<(Fold, MemoryStore, u64)>,
    shares: BTreeMap<PartitionId, Fleet>,
    /// Every decision, in the order in which it was made.
    pub decisions: Vec<Decision>,
    /// Where each customer stands.
    pub standings: BTreeMap<CustomerId, Standing>,
}

impl Partitioned {
    /// `count` partitions under `policy`, at the beginning.
    pub fn new(policy: &Arc<Policy>, count: NonZeroU32) -> Self {
        let count = PartitionCount::new(count);
        let fold = |id| (Fold::new(Arc::clone(policy), id, Partition::default()), MemoryStore::default(), 0);
        Self {
            count,
            folds: count.all().map(fold).collect(),
            shares: BTreeMap::new(),
            decisions: Vec::new(),
            standings: BTreeMap::new(),
        }
    }

    /// Folds one raw event.
    pub fn event(&mut self, customer: &CustomerId, raw: &str, appended: Timestamp) {
        let parsed = WebhookEvent::parse(raw.as_bytes());
        let Ok(parsed) = parsed else { return };
        let event = parsed.to_event();
        let partition = partition_of(customer.as_str().as_bytes(), self.count);
        self.apply(partition, Input::Event(customer, &event, appended));
    }

    /// The fleet as the partitions last told it.
    pub fn fleet(&self) -> Fleet {
        let mut fleet = Fleet::sum(self.shares.values());
        if self.shares.len() < self.folds.len() {
            fleet.as_of = None;
        }
        fleet
    }

    /// Ticks every partition, with the fleet as they last told it.
    pub fn tick(&mut self, at: Timestamp) {
        let fleet = self.fleet();
        for partition in self.count.all() {
            self.apply(partition, Input::Tick(Tick { at, fleet: fleet.clone() }));
        }
    }

    fn apply(&mut self, partition: PartitionId, input: Input<'_>) {
        let (fold, store, next) = &mut self.folds[partition.get() as usize];
        let Ok(applied) = fold.apply(store, Offset::new(*next), input);
        *next += 1;
        for said in applied.said {
            match said {
                Said::Decision(decision) => self.decisions.push(decision),
                Said::Standing(standing) => {
                    self.standings.insert(standing.customer.clone(), standing);
                }
                Said::Profile(_) | Said::AccountStatus(_) => {}
                Said::Share(share) => {
                    self.shares.insert(partition, share);
                }
            }
        }
    }
}

/// The customer that an event names, as a source with a custom argument tells it.
pub fn customer_of(raw: &str) -> CustomerId {
    let named = WebhookEvent::parse(raw.as_bytes()).ok().and_then(|event| {
        let name = event.arg("customer_id")?;
        CustomerId::new(&name).ok()
    });
    named.unwrap_or_else(|| CustomerId::unattributed("test"))
}

/// A platform and the Weir that watches it.
#[derive(Debug)]
pub struct MemoryRun {
    /// The platform.
    pub platform: Platform,
    /// The folds.
    pub folds: Partitioned,
    /// For each customer, the mails it had sent when it first reached the stage.
    pub reached: BTreeMap<(CustomerId, Stage), usize>,
    now: Timestamp,
    step: Millis,
}

impl MemoryRun {
    /// The scenario under `policy`, with a tick each simulated minute.
    pub fn new(scenario: &Scenario, policy: &Arc<Policy>, partitions: NonZeroU32) -> Self {
        let mut folds = Partitioned::new(policy, partitions);
        folds.tick(scenario.start);
        Self {
            platform: Platform::new(scenario),
            folds,
            reached: BTreeMap::new(),
            now: scenario.start,
            step: Millis::minutes(1),
        }
    }

    /// Runs until nothing more comes; customers send through the pools that their standings say, and a suspended one
    /// does not send.
    pub fn run(&mut self) {
        while !self.platform.is_finished() {
            self.minute();
        }
        self.folds.tick(self.now);
    }

    fn minute(&mut self) {
        // The webhook posts every few seconds, so verdicts take effect between two mails of a minute.
        let parts = 12;
        for part in 1..=parts {
            let until = self.now + Millis::new(self.step.get() * part / parts);
            let standings = &self.folds.standings;
            let arrivals = self.platform.advance(until, &mut |account| gate(account, standings));
            for arrival in arrivals {
                let customer = customer_of(&arrival.event);
                let before = self.folds.decisions.len();
                self.folds.event(&customer, &arrival.event, arrival.at);
                self.note(before);
            }
        }
        self.now = self.now + self.step;
        let before = self.folds.decisions.len();
        self.folds.tick(self.now);
        self.note(before);
    }

    fn note(&mut self, before: usize) {
        for decision in &self.folds.decisions[before..] {
            let sent = self.platform.sent(&decision.customer);
            self.reached.entry((decision.customer.clone(), decision.to)).or_insert(sent);
        }
    }
}

fn gate(account: &Account, standings: &BTreeMap<CustomerId, Standing>) -> Gate {
    match standings.get(&account.id) {
        Some(standing) if standing.stage >= Stage::Suspended => Gate::Stop,
        Some(standing) => Gate::Send(standing.pool.as_ref().map(|pool| pool.as_str().into())),
        None => Gate::Send(Some("good-1".into())),
    }
}
