//! A partition in memory that is told the time and its own share of the fleet.

use std::sync::Arc;

use model::{
    Command, Counter, Counts, CustomerId, Decision, Digest, Event, EventKind, Fleet, Millis, Mode, Offset, Order,
    PartitionId, Provider, Stage, Standing, Tick, Timestamp, Window,
};
use policy::Policy;
use scoring::{Effect, Fold, Input, MemoryStore, Partition, Said, Store, view};

pub(crate) const START: Timestamp = Timestamp::from_seconds(1_790_000_000);

/// A fold of one partition that is told the time and its own share of the fleet.
pub(crate) struct House {
    pub(crate) fold: Fold,
    pub(crate) store: MemoryStore,
    pub(crate) offset: u64,
    pub(crate) now: Timestamp,
    pub(crate) share: Fleet,
    pub(crate) decisions: Vec<Decision>,
    /// What the record before said.
    pub(crate) said: Vec<Said>,
    /// Where mail goes and where it leaves from.
    pub(crate) route: Route,
}

/// Where mail goes and where it leaves from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) pool: &'static str,
    /// One provider for all mail, or two in turns.
    pub(crate) provider: Option<Provider>,
}

pub(crate) fn id(name: &str) -> CustomerId {
    CustomerId::new(name).unwrap()
}

/// The default policy with parts of its text replaced, each of which must be there.
pub(crate) fn edited(edits: &[(&str, &str)]) -> Arc<Policy> {
    let text = edits.iter().fold(policy::DEFAULT.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from:?} is not in the policy");
        text.replace(from, to)
    });
    Arc::new(Policy::parse(&text).unwrap())
}

/// The `number`th event of the platform.
pub(crate) fn event(number: u128, counter: Counter, at: Timestamp) -> Event<'static> {
    Event {
        kind: EventKind::Counted(counter),
        facet: (counter == Counter::Block).then_some(Counter::ReputationBlock),
        at,
        sent_at: None,
        // A list has addresses everywhere; where all trouble is one provider's, it may be the provider's.
        provider: if number & 2 == 0 { Provider::Microsoft } else { Provider::Yahoo },
        pool: Some("good-1"),
        id: "an-event",
        id_digest: Digest(number << 1),
        content_digest: Digest(number << 1 | 1),
        accepted_at: None,
        send_at: None,
    }
}

impl House {
    pub(crate) fn new() -> Self {
        Self::under(edited(&[]))
    }

    /// A house in which mail is known to arrive: before that there is nothing to hold bad events against.
    pub(crate) fn under(policy: Arc<Policy>) -> Self {
        let mut house = Self::empty(policy);
        house.tick();
        house.sends("somebody", 3, 0, Counter::Block);
        house.tick();
        house.tick();
        house
    }

    /// A house that nothing has happened in.
    pub(crate) fn empty(policy: Arc<Policy>) -> Self {
        Self {
            fold: Fold::new(policy, PartitionId::new(0), Partition::default()),
            store: MemoryStore::default(),
            offset: 0,
            now: START,
            share: Fleet::default(),
            decisions: Vec::new(),
            said: Vec::new(),
            route: Route { pool: "good-1", provider: None },
        }
    }

    pub(crate) fn apply(&mut self, input: Input<'_>) -> Effect {
        self.offset += 1;
        let Ok(applied) = self.fold.apply(&mut self.store, Offset::new(self.offset), input);
        for said in &applied.said {
            match said {
                Said::Decision(decision) => self.decisions.push(decision.clone()),
                Said::Share(share) => self.share = share.clone(),
                Said::Standing(_) | Said::Profile(_) | Said::AccountStatus(_) => {}
            }
        }
        self.said = applied.said;
        applied.effect
    }

    pub(crate) fn tick(&mut self) {
        let tick = Tick { at: self.now, fleet: self.share.clone() };
        self.apply(Input::Tick(tick));
    }

    /// Lets time pass, with a tick each minute.
    pub(crate) fn pass(&mut self, span: Millis) {
        self.pass_by(span, Millis::minutes(1));
    }

    /// Lets days or weeks pass, with a tick each half hour.
    pub(crate) fn pass_quickly(&mut self, span: Millis) {
        self.pass_by(span, Millis::minutes(30));
    }

    fn pass_by(&mut self, span: Millis, step: Millis) {
        let end = self.now + span;
        while self.now < end {
            self.now = self.now + step;
            self.tick();
        }
    }

    /// One new event of this moment.
    pub(crate) fn happens(&mut self, customer: &str, counter: Counter) {
        let number = u128::from(self.offset) + 1_000_000;
        let usual = event(number, counter, self.now);
        let provider = self.route.provider.unwrap_or(usual.provider);
        let event = Event { provider, pool: Some(self.route.pool), ..usual };
        let effect = self.apply(Input::Event(&id(customer), &event, self.now));
        assert_eq!(effect, Effect::Counted(counter));
    }

    /// Mails that are taken, and some that end otherwise.
    pub(crate) fn sends(&mut self, customer: &str, mails: u32, bad: u32, how: Counter) {
        for number in 0..mails {
            let fate = if number < bad { how } else { Counter::Delivered };
            self.happens(customer, Counter::Processed);
            self.happens(customer, fate);
        }
    }

    pub(crate) fn commands(&mut self, customer: &str, order: Order) {
        let command = Command { order, reason: "because".to_owned(), by: "ana".to_owned(), role: None };
        self.apply(Input::Command(&id(customer), command));
    }

    pub(crate) fn standing(&mut self, customer: &str) -> Standing {
        let policy = Arc::clone(self.fold.policy());
        let now = self.fold.partition().now().unwrap_or_default();
        let Ok(found) = self.store.customer(&id(customer));
        found.standing(&id(customer), &policy, now)
    }

    pub(crate) fn stage(&mut self, customer: &str) -> Stage {
        self.standing(customer).stage
    }

    pub(crate) fn counts(&mut self, customer: &str, window: Window) -> Counts {
        let policy = Arc::clone(self.fold.policy());
        let Ok(found) = self.store.customer(&id(customer));
        view(&id(customer), found, &policy, self.now).windows[&window]
    }

    /// The decisions about a customer that were carried out.
    pub(crate) fn moves(&self, customer: &str) -> Vec<&Decision> {
        let moves = |decision: &&Decision| decision.customer.as_str() == customer && decision.mode == Mode::Enforce;
        self.decisions.iter().filter(moves).collect()
    }

    /// The decisions about a customer that were only said.
    pub(crate) fn shadows(&self, customer: &str) -> Vec<&Decision> {
        let said = |decision: &&Decision| decision.customer.as_str() == customer && decision.mode == Mode::Shadow;
        self.decisions.iter().filter(said).collect()
    }
}
