//! One record after the other.

use std::sync::Arc;

use model::{
    AccountStatus, AccountStatusChange, Bucket, Cell, Command, Counter, CustomerId, Customers, Decision, Digest, Event,
    EventKind, Fleet, Grain, Millis, Offset, PartitionId, Phase, PilotStep, Profile, Provider, Stage, Standing, Tick,
    Timestamp,
};
use policy::{Moment, Policy, Signal, Suspicions};
use xxhash_rust::xxh3::xxh3_128;

use crate::partition::{Counted, VOTED};
use crate::scheduled::Place;
use crate::{Customer, Hour, Partition, Store};

mod command;
mod pin;
mod resumption;
mod step;
mod tick;
mod verdict;

/// How long a copy of an event is recognised, by the event's own time. Older events are not counted.
///
/// SendGrid retries a delivery for 24 hours after the event; the rest is for Weir's own receiver and scorer lagging.
pub const HORIZON: Millis = Millis::hours(72);

/// How far an event may lie ahead of the moment at which it was appended or of the last tick; clocks differ.
/// Events from further ahead are not counted.
pub const AHEAD: Millis = Millis::hours(1);

/// A record, as the fold takes it.
#[derive(Debug)]
pub enum Input<'a> {
    /// A customer's mail event, and when it was appended to the log.
    Event(&'a CustomerId, &'a Event<'a>, Timestamp),
    /// A person's command about a customer.
    Command(&'a CustomerId, Command),
    /// Time passing.
    Tick(Tick),
    /// The policy in force from here on.
    Policy(Arc<Policy>),
}

/// Something the fold says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A customer was moved.
    Decision(Decision),
    /// Where a customer stands now.
    Standing(Standing),
    /// Everything about a customer that is not a count.
    Profile(Profile),
    /// This partition's share of the fleet's counts.
    Share(Fleet),
    /// What SendGrid did to the account or to a subuser.
    AccountStatus(AccountStatusChange),
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Counted.
    Counted(Counter),
    /// Of a kind that is not counted.
    NotCounted,
    /// A copy of an event that was counted.
    Duplicate,
    /// Older than [`HORIZON`].
    Late,
    /// From a future too far ahead to be true.
    Future,
    /// A command was followed.
    Followed,
    /// A command was refused: its decision says why.
    Refused,
    /// Time passed.
    Ticked,
    /// Another policy is in force.
    PolicyTaken,
}

/// What the fold made of a record.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Applied {
    /// What became of it.
    pub effect: Effect,
    /// What is to be said, in order.
    pub said: Vec<Said>,
}

/// Who is looked at, and the record that asks for it.
#[derive(Clone, Copy)]
struct Subject<'a> {
    id: &'a CustomerId,
    offset: Offset,
}

/// The fold of one partition.
#[derive(Clone, Debug)]
pub struct Fold {
    policy: Arc<Policy>,
    id: PartitionId,
    partition: Partition,
    /// When the fleet may have had an incident: follows from the partition's fleet and the policy.
    suspicions: Suspicions,
    /// Records up to this one are only counted: what came of them is known.
    counted_only_to: Option<Offset>,
}

impl Fold {
    /// The fold of partition `id` under `policy`, going on from `partition`.
    pub fn new(policy: Arc<Policy>, id: PartitionId, partition: Partition) -> Self {
        let suspicions = policy.suspicions(&partition.fleet);
        Self { policy, id, partition, suspicions, counted_only_to: None }
    }

    /// The partition's state: to be stored together with the customers'.
    pub const fn partition(&self) -> &Partition {
        &self.partition
    }

    /// The policy in force.
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Tells the time for as long as no tick has: what is folded before the first tick is folded at the time at which the
    /// partition's first record was appended.
    pub fn begin_at(&mut self, appended: Timestamp) {
        self.partition.now.get_or_insert(appended);
    }

    /// Takes one record, which stands at `offset`.
    ///
    /// # Errors
    ///
    /// Those of the store. The record must then be taken again, on a store as it was before.
    pub fn apply<S: Store>(&mut self, store: &mut S, offset: Offset, input: Input<'_>) -> Result<Applied, S::Error> {
        let mut said = Vec::new();
        let effect = match input {
            Input::Event(id, event, appended) => self.event(store, offset, (id, event, appended), &mut said)?,
            Input::Command(..) if self.only_counts(offset) => Effect::Followed,
            Input::Command(id, command) => self.command(store, offset, (id, command), &mut said)?,
            Input::Tick(tick) => self.tick(store, offset, tick, &mut said)?,
            Input::Policy(policy) => {
                self.suspicions = policy.suspicions(&self.partition.fleet);
                self.policy = policy;
                Effect::PolicyTaken
            }
        };
        Ok(Applied { effect, said })
    }

    fn event<S: Store>(
        &mut self,
        store: &mut S,
        offset: Offset,
        (id, event, appended): (&CustomerId, &Event<'_>, Timestamp),
        said: &mut Vec<Said>,
    ) -> Result<Effect, S::Error> {
        let now = self.partition.now.unwrap_or(appended);
        if event.at > now.max(appended) + AHEAD {
            return Ok(Effect::Future);
        }
        let now = self.partition.clock.event(now, event.at);
        if self.partition.now.is_some() {
            self.partition.now = Some(now);
        }
        let is_late = event.at < self.partition.clock.horizon(now);
        if is_late && !matches!(event.kind, EventKind::AccountStatusChange(_)) {
            return Ok(Effect::Late);
        }
        self.partition.clock.remember(event.at);
        // A late copy is no longer recognised: it has the same key on the log, and replaces the record of the first.
        if !is_late && !store.is_first(Hour::of(event.at), digests_of(id, event))? {
            return Ok(Effect::Duplicate);
        }
        if let EventKind::AccountStatusChange(status) = event.kind {
            self.account_status(store, (id, offset), (event, status), said)?;
        }
        let EventKind::Counted(counter) = event.kind else {
            if event.kind == EventKind::Test && !id.is_unattributed() {
                self.register(store, (id, offset, event.at), said)?;
            }
            return Ok(Effect::NotCounted);
        };
        self.count_event(store, Subject { id, offset }, (event, counter, now), said)?;
        Ok(Effect::Counted(counter))
    }

    /// Counts an event, and asks the rules about its customer where they look at such.
    fn count_event<S: Store>(
        &mut self,
        store: &mut S,
        Subject { id, offset }: Subject<'_>,
        (event, counter, now): (&Event<'_>, Counter, Timestamp),
        said: &mut Vec<Said>,
    ) -> Result<(), S::Error> {
        let customer = customer_at(store, id, offset)?;
        let new = customer.is_new();
        if new {
            let phase = self.phase_of_newcomers(offset);
            self.welcome(customer, phase, event.at);
        }
        Self::take_pool(customer, event);
        let sent = match customer.scheduled.place(event) {
            Place::At(sent) => Some(sent),
            Place::Later => None,
        };
        self.count_due(customer, now.max(event.at));
        for (sent, counter) in sent.into_iter().flat_map(|sent| [Some(counter), event.facet].map(|part| (sent, part))) {
            if let Some(counter) = counter {
                self.count(customer, event.provider, sent, counter);
            }
        }
        if new {
            self.tell(customer, id, self.partition.now.unwrap_or(event.at), said);
        }
        let sent = sent.unwrap_or(event.at);
        let arrives = customer.is_told(event.provider, sent, counter, now);
        let waits = arrives || (new && customer.is_under_observation());
        if self.policy.asks_about(counter) {
            for signal in self.policy.signals().filter(|signal| signal.counts(counter, event.facet)) {
                customer.latest_bad.remember(signal, event.id);
            }
            if !id.is_unattributed() {
                Self::note_trouble(customer, counter, sent);
                self.partition.worst.count(id, now);
                self.look(store, Subject { id, offset }, Moment::Event(counter), said)?;
            }
        }
        if waits && !id.is_unattributed() {
            store.attend(id, true);
        }
        Ok(())
    }

    /// Says what SendGrid did to the customer's account.
    fn account_status<S: Store>(
        &mut self,
        store: &mut S,
        (id, offset): (&CustomerId, Offset),
        (event, status): (&Event<'_>, AccountStatus),
        said: &mut Vec<Said>,
    ) -> Result<(), S::Error> {
        let (customer, event_id) = (id.clone(), event.id.to_owned());
        said.push(Said::AccountStatus(AccountStatusChange { customer, status, at: event.at, event: event_id }));
        if !id.is_unattributed() {
            self.register(store, (id, offset, event.at), said)?;
        }
        Ok(())
    }

    /// What tells of a customer and counts nothing makes it known, so that it has a page.
    fn register<S: Store>(
        &mut self,
        store: &mut S,
        (id, offset, at): (&CustomerId, Offset, Timestamp),
        said: &mut Vec<Said>,
    ) -> Result<(), S::Error> {
        let customer = customer_at(store, id, offset)?;
        if customer.is_new() {
            let phase = self.phase_of_newcomers(offset);
            self.welcome(customer, phase, at);
            self.tell(customer, id, self.partition.now.unwrap_or(at), said);
            let wanted = customer.needs_attention();
            store.attend(id, wanted);
        }
        Ok(())
    }

    /// Trouble that may be an incident's is looked into.
    fn note_trouble(customer: &mut Customer, counter: Counter, sent: Timestamp) {
        let may_be = |signal: &Signal| signal.trouble().is_some() && signal.is_fed_by(counter);
        if Signal::ALL.iter().any(may_be) {
            let hour = Bucket::of(Grain::Hour, sent);
            customer.troubled_in = customer.troubled_in.max(Some(hour));
        }
    }

    /// The first hour of which the fleet has not told everything yet.
    fn open_hour(&self) -> Bucket {
        Bucket::of(Grain::Hour, self.partition.fleet.as_of.unwrap_or_default())
    }

    /// A customer is first heard of, by an event of the moment `at`, a mailer's question or a person's command.
    fn welcome(&mut self, customer: &mut Customer, phase: Phase, at: Timestamp) {
        customer.since = Some(at);
        customer.known_since = at;
        customer.phase = phase;
        customer.pilot = PilotStep { step: 0, since: at };
        self.partition.moved(None, customer.stage);
    }

    /// The phase of a customer that the record at `offset` is the first to tell of. One whose first record is only counted began
    /// as an active customer: any other would have a profile.
    fn phase_of_newcomers(&self, offset: Offset) -> Phase {
        if self.policy.pilot().newcomers && !self.only_counts(offset) { Phase::Pilot } else { Phase::Active }
    }

    /// Tells where a customer stands, and its profile where there is anything to tell.
    fn tell(&self, customer: &Customer, id: &CustomerId, now: Timestamp, said: &mut Vec<Said>) {
        said.push(Said::Standing(customer.standing(id, &self.policy, now)));
        if !customer.is_plain() {
            said.push(Said::Profile(customer.profile(id)));
        }
    }

    /// Remembers the pool that the event names.
    fn take_pool(customer: &mut Customer, event: &Event<'_>) {
        if let Some(pool) = event.pool.filter(|pool| customer.pool.as_ref().is_none_or(|known| known.as_str() != *pool))
        {
            customer.pool = Some(model::PoolName::new(pool));
        }
    }

    /// Counts the mails that the customer scheduled and that are due by `now`.
    fn count_due(&mut self, customer: &mut Customer, now: Timestamp) {
        for (provider, sent, mails) in customer.scheduled.due(now) {
            (0..mails).for_each(|_| self.count(customer, provider, sent, Counter::Processed));
        }
    }

    fn count(&mut self, customer: &mut Customer, provider: Provider, sent: Timestamp, counter: Counter) {
        if counter == Counter::FirstDeferral && customer.stage >= Stage::Throttled {
            // The caps bring these about: they say nothing of a provider or a pool.
            customer.count(provider, sent, counter);
            return;
        }
        let cells = VOTED.map(|grain| Cell { grain, bucket: Bucket::of(grain, sent), provider });
        let votes = cells.map(|cell| Customers::added(&customer.mail.at(cell), counter));
        customer.count(provider, sent, counter);
        let pool = customer.pool.as_ref();
        self.partition.count(Counted { provider, sent, counter, pool, votes });
    }
}

/// The customer as the record at `offset` finds it.
fn customer_at<'s, S: Store>(store: &'s mut S, id: &CustomerId, offset: Offset) -> Result<&'s mut Customer, S::Error> {
    let customer = store.customer(id)?;
    customer.catch_up_with_release(offset);
    Ok(customer)
}

/// The event's digests. SendGrid gives an id once, so an event that comes by two sources, under whatever customers, is one. What
/// it tells besides is made the customer's own: two customers can have alike complaints of one recipient in one second.
fn digests_of(id: &CustomerId, event: &Event<'_>) -> [Digest; 2] {
    let content = Digest(event.content_digest.0 ^ xxh3_128(id.as_str().as_bytes()));
    let has_id = event.id_digest != event.content_digest;
    [if has_id { event.id_digest } else { content }, content]
}
