//! One partition under one policy: its fold, and what is noted of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Command, Counter, CustomerId, Event, Fleet, Offset, PartitionId, Stage, Tick, Timestamp, Window};
use policy::Policy;
use scoring::{Applied, Effect, Fold, Input, MemoryStore, Partition, Said, Store};

use crate::outcome::{Effects, Force, Made};
use crate::peaks::Steps;
use crate::series::{Sample, Series};

/// The fold of one partition under one policy.
#[derive(Debug)]
pub(crate) struct Lane {
    fold: Fold,
    store: MemoryStore,
    pub(crate) id: PartitionId,
    /// This partition's share of the fleet's counts, as of the last tick.
    pub(crate) share: Option<Fleet>,
    pub(crate) noted: Noted,
}

/// What is noted on the way.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    pub(crate) made: Vec<Made>,
    pub(crate) series: Series,
    pub(crate) steps: Steps,
    pub(crate) effects: Effects,
    /// Events that name no customer.
    pub(crate) unattributed: u64,
    /// Where those customers stand that were ever moved.
    stages: BTreeMap<CustomerId, Stage>,
    bad: u64,
    unfound: u64,
}

impl Lane {
    pub(crate) fn new(policy: &Arc<Policy>, id: PartitionId) -> Self {
        Self {
            fold: Fold::new(Arc::clone(policy), id, Partition::default()),
            store: MemoryStore::default(),
            id,
            share: None,
            noted: Noted::default(),
        }
    }

    /// Tells the time before the first tick: to be called for every record, whatever it is.
    pub(crate) fn begin_at(&mut self, appended: Timestamp) {
        self.fold.begin_at(appended);
    }

    /// The time: that of the last tick, or before it that of the first record.
    fn now(&self) -> Option<Timestamp> {
        self.fold.partition().now()
    }

    /// The time of the last tick.
    pub(crate) fn ticked(&self) -> Option<Timestamp> {
        self.share.as_ref().and_then(|share| share.as_of)
    }

    /// Folds an event that stands at `offset` and was appended at `appended`.
    pub(crate) fn event(&mut self, offset: Offset, appended: Timestamp, (customer, event): (&CustomerId, &Event<'_>)) {
        self.noted.unattributed += u64::from(customer.is_unattributed());
        let effect = self.apply(offset, Input::Event(customer, event, appended));
        let Effect::Counted(counter) = effect else { return };
        let is_bad = matches!(counter, Counter::HardBounce | Counter::SpamReport)
            || event.facet == Some(Counter::ReputationBlock);
        if is_bad {
            self.noted.bad(customer);
        }
    }

    /// Has a command followed.
    pub(crate) fn command(&mut self, offset: Offset, (customer, command): (&CustomerId, Command)) {
        self.apply(offset, Input::Command(customer, command));
    }

    /// Lets time pass.
    pub(crate) fn tick(&mut self, offset: Offset, tick: Tick) {
        self.apply(offset, Input::Tick(tick));
        let at = self.now().unwrap_or_default();
        let counts = self.fold.partition().stages();
        let stages = Stage::ALL.map(|stage| counts.get(&stage).copied().unwrap_or_default());
        self.noted.steps.push(at, stages);
        self.noted.series.push(Sample { at, stages, bad: self.noted.bad, unfound: self.noted.unfound });
    }

    fn apply(&mut self, offset: Offset, input: Input<'_>) -> Effect {
        let Ok(Applied { effect, said }) = self.fold.apply(&mut self.store, offset, input);
        self.noted.effects.count(effect);
        let mut said = said.into_iter().peekable();
        while let Some(this) = said.next() {
            match this {
                Said::Decision(decision) => {
                    let mails = self.mails(&decision.customer);
                    let moves = matches!(said.peek(), Some(Said::Standing(standing)) if standing.is_after(&decision));
                    let force = if moves { Force::Real } else { Force::WouldBe };
                    self.noted.made(Made { decision, mails: Some(mails), force });
                }
                Said::Share(share) => self.share = Some(share),
                Said::Standing(_) | Said::Profile(_) | Said::AccountStatus(_) => {}
            }
        }
        effect
    }

    /// The customer's mails of the last thirty days.
    fn mails(&mut self, customer: &CustomerId) -> u32 {
        let now = self.now().unwrap_or_default();
        let Ok(customer) = self.store.customer(customer);
        customer.mail().sum(Window::Month, now).total().attempted()
    }

    /// How many customers it has seen.
    pub(crate) fn customers(&self) -> usize {
        self.store.customers().filter(|(id, customer)| !customer.is_new() && !id.is_unattributed()).count()
    }
}

impl Noted {
    fn made(&mut self, made: Made) {
        if made.force == Force::Real {
            self.stages.insert(made.decision.customer.clone(), made.decision.to);
        }
        self.made.push(made);
    }

    fn bad(&mut self, customer: &CustomerId) {
        self.bad += 1;
        if self.stages.get(customer).is_none_or(|stage| *stage < crate::FOUND) {
            self.unfound += 1;
        }
    }
}
