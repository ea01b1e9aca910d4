//! Arbitrary stories of three customers, and how they are told to a fold.

use model::{Command, Counter, Digest, Event, EventKind, Millis, Order, Phase, Provider, Stage, Tick, Timestamp};
use policy::Policy;
use proptest::prelude::*;
use proptest::sample::Index;
use scoring::{Effect, Input};
use std::sync::Arc;

use crate::house::{House, edited, id};
use crate::journal::{Entry, Journal, Mail, Record};

pub(crate) const CUSTOMERS: [&str; 3] = ["ann", "bob", "cyd"];
const PROVIDERS: [Provider; 3] = [Provider::Gmail, Provider::Microsoft, Provider::Yahoo];

/// Part of a story.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// So many mails are taken, and some of them go wrong.
    Campaign { customer: usize, mails: u32, bad: u32, how: Counter, age: Millis },
    /// So many events of one kind.
    Burst { customer: usize, counter: Counter, facet: bool, provider: usize, age: Millis, times: u32 },
    /// An earlier event is told again, with its own id or a new one.
    Again { which: Index, same_id: bool },
    /// So many ticks, so far apart; back in time where negative.
    Ticks { apart: Millis, times: u32 },
    /// A person's order.
    Order { customer: usize, order: Spoken },
}

/// An order as a person would say it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spoken {
    /// A span from now, negative for one that is over.
    ExemptFor(Millis),
    /// Any other.
    Plain(Order),
}

fn age() -> impl Strategy<Value = Millis> {
    (-40_i64..180).prop_map(Millis::minutes)
}

fn how() -> impl Strategy<Value = Counter> {
    prop_oneof![
        4 => Just(Counter::HardBounce),
        2 => Just(Counter::Block),
        2 => Just(Counter::SpamReport),
        1 => Just(Counter::Deferred),
    ]
}

fn campaign() -> impl Strategy<Value = Part> {
    let badly = prop_oneof![2 => Just(0.0), 3 => 0.0..0.1_f64, 3 => 0.1..1.0_f64];
    (0_usize..3, 1_u32..60, badly, how(), age()).prop_map(|(customer, mails, badly, how, age)| {
        let bad = (0..mails).filter(|number| f64::from(*number) < badly * f64::from(mails)).count();
        Part::Campaign { customer, mails, bad: u32::try_from(bad).unwrap(), how, age }
    })
}

fn burst() -> impl Strategy<Value = Part> {
    let kinds: Vec<_> = Counter::ALL.into_iter().filter(|counter| facet_of(*counter).1).collect();
    (0_usize..3, prop::sample::select(kinds), any::<bool>(), 0_usize..3, age(), 1_u32..60).prop_map(
        |(customer, counter, facet, provider, age, times)| Part::Burst {
            customer,
            counter,
            facet,
            provider,
            age,
            times,
        },
    )
}

fn ticks() -> impl Strategy<Value = Part> {
    let apart = prop_oneof![
        4 => 1_i64..60,
        3 => 60_i64..2_880,
        1 => -600_i64..0,
    ];
    (apart, 1_u32..20).prop_map(|(apart, times)| Part::Ticks { apart: Millis::minutes(apart), times })
}

fn order() -> impl Strategy<Value = Part> {
    let stage = prop::sample::select(Stage::ALL.to_vec()).prop_map(|stage| Order::SetStage { stage });
    let phase = prop::sample::select(vec![Phase::Pilot, Phase::Active]).prop_map(|phase| Order::SetPhase { phase });
    let spoken = prop_oneof![
        1 => Just(Spoken::Plain(Order::Hold { until: None })),
        1 => Just(Spoken::Plain(Order::Note)),
        2 => Just(Spoken::Plain(Order::Release { fully: true })),
        1 => Just(Spoken::Plain(Order::Release { fully: false })),
        1 => Just(Spoken::Plain(Order::Undo { stage: Stage::Watch, since: Timestamp::from_seconds(0) })),
        1 => stage.prop_map(Spoken::Plain),
        1 => phase.prop_map(Spoken::Plain),
        2 => (-60_i64..6_000).prop_map(|minutes| Spoken::ExemptFor(Millis::minutes(minutes))),
    ];
    (0_usize..3, spoken).prop_map(|(customer, order)| Part::Order { customer, order })
}

/// A story.
pub(crate) fn story() -> impl Strategy<Value = Vec<Part>> {
    let part = prop_oneof![
        8 => campaign(),
        3 => burst(),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(which, same_id)| Part::Again { which, same_id }),
        8 => ticks(),
        1 => order(),
    ];
    prop::collection::vec(part, 1..50)
}

/// The policies that stories are told under.
pub(crate) fn policies() -> impl Strategy<Value = Arc<Policy>> {
    let profile = |name| policy::PROFILES.iter().find(|(known, _)| *known == name).unwrap().1;
    let own = [
        ("mails_a_year = 120_000_000", "mails_a_year = 100_000"),
        ("dwell = \"6 h\"", "dwell = \"1 h\""),
        ("dwell = \"24 h\"", "dwell = \"5 h\""),
        ("dwell = \"72 h\"", "dwell = \"9 h\""),
        ("# [stage.suspended] without `dwell`", "[stage.suspended]\ndwell = \"30 h\"\n#"),
        ("memory = \"90 d\"", "memory = \"10 d\""),
        ("person_after = 4", "person_after = 3"),
        ("newcomers = false", "newcomers = true"),
        ("complaints = \"48 h\"", "complaints = \"3 h\""),
        ("name = \"hard-bounce-week\"", "mode = \"shadow\"\nname = \"hard-bounce-week\""),
        ("name = \"complaint-watch\"", "enforce_for = [\"ann\"]\nname = \"complaint-watch\""),
        (
            "enter = \"8 %\"\nexit = \"3 %\"\nminimum = 8\ncorrelation = \"0.1 %\"\nstage = \"quarantined\"",
            "enter = \"8 %\"\nexit = \"3 %\"\nminimum = 8\ncorrelation = \"0.1 %\"\nstage = \"suspended\"",
        ),
        ("of = \"account\"\nsignal = \"hard_bounce\"", "of = \"pool\"\nsignal = \"hard_bounce\""),
    ];
    let parsed = |text| Arc::new(Policy::parse(text).unwrap());
    prop::sample::select(vec![parsed(profile("standard")), parsed(profile("strict")), edited(&own)])
}

/// What a counter may be counted as besides, and whether it is a kind of event of its own.
fn facet_of(counter: Counter) -> (Option<Counter>, bool) {
    match counter {
        Counter::HardBounce => (Some(Counter::InvalidAddress), true),
        Counter::Block => (Some(Counter::ReputationBlock), true),
        Counter::Deferred => (Some(Counter::FirstDeferral), true),
        Counter::InvalidAddress | Counter::ReputationBlock | Counter::FirstDeferral => (None, false),
        _ => (None, true),
    }
}

/// An event as a story tells it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) customer: usize,
    pub(crate) counter: Counter,
    facet: Option<Counter>,
    provider: Provider,
    at: Timestamp,
    id: String,
    pub(crate) id_digest: Digest,
    content_digest: Digest,
}

/// A house that is told a story.
pub(crate) struct Teller {
    pub(crate) house: House,
    pub(crate) journal: Journal,
    pub(crate) told: Vec<Told>,
    numbers: u128,
}

impl Teller {
    pub(crate) fn new(policy: &Arc<Policy>) -> Self {
        let mut teller = Self {
            house: House::empty(Arc::clone(policy)),
            journal: Journal::new(Arc::clone(policy)),
            told: Vec::new(),
            numbers: 0,
        };
        teller.ticks(Millis::minutes(1), 1);
        teller
    }

    /// Tells all of it.
    pub(crate) fn tell(policy: &Arc<Policy>, story: &[Part]) -> Self {
        let mut teller = Self::new(policy);
        for part in story {
            teller.part(part);
        }
        for name in CUSTOMERS {
            let standing = teller.house.standing(name);
            teller.journal.finally.push(standing);
        }
        teller
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Ticks { apart, times } => self.ticks(*apart, *times),
            Part::Order { customer, order } => self.order(*customer, *order),
            Part::Campaign { .. } | Part::Burst { .. } | Part::Again { .. } => {
                for told in self.events(part) {
                    self.event(told);
                }
            }
        }
    }

    /// The events of a part, in order.
    pub(crate) fn events(&mut self, part: &Part) -> Vec<Told> {
        match part {
            Part::Campaign { customer, mails, bad, how, age } => (0..*mails)
                .flat_map(|number| {
                    let provider = PROVIDERS[number as usize % PROVIDERS.len()];
                    let fate = if number < *bad { *how } else { Counter::Delivered };
                    let taken = self.new_event((*customer, Counter::Processed), None, provider, *age);
                    // A complaint is about mail that was delivered.
                    let arrives = (fate == Counter::SpamReport)
                        .then(|| self.new_event((*customer, Counter::Delivered), None, provider, *age));
                    let fate = self.new_event((*customer, fate), facet_of(fate).0, provider, *age);
                    [Some(taken), arrives, Some(fate)].into_iter().flatten()
                })
                .collect(),
            Part::Burst { customer, counter, facet, provider, age, times } => {
                let facet = facet_of(*counter).0.filter(|_| *facet);
                let provider = PROVIDERS[*provider];
                (0..*times).map(|_| self.new_event((*customer, *counter), facet, provider, *age)).collect()
            }
            Part::Again { which, same_id } if !self.told.is_empty() => {
                let again = self.told[which.index(self.told.len())].clone();
                self.numbers += 1;
                let id_digest = if *same_id { again.id_digest } else { Digest(self.numbers << 2 | 2) };
                vec![Told { id_digest, ..again }]
            }
            Part::Again { .. } | Part::Ticks { .. } | Part::Order { .. } => Vec::new(),
        }
    }

    fn new_event(
        &mut self,
        (customer, counter): (usize, Counter),
        facet: Option<Counter>,
        provider: Provider,
        age: Millis,
    ) -> Told {
        self.numbers += 1;
        let number = self.numbers;
        let told = Told {
            customer,
            counter,
            facet,
            provider,
            at: self.house.now - age,
            id: format!("event-{number}"),
            id_digest: Digest(number << 2),
            content_digest: Digest(number << 2 | 1),
        };
        self.told.push(told.clone());
        told
    }

    pub(crate) fn event(&mut self, told: Told) {
        let event = Event {
            kind: EventKind::Counted(told.counter),
            facet: told.facet,
            at: told.at,
            // Every other mail's moment is only known by the event's own.
            sent_at: (told.content_digest.0 & 4 == 0).then_some(told.at - Millis::minutes(2)),
            provider: told.provider,
            pool: (told.counter == Counter::Processed).then_some("good-1"),
            id: &told.id,
            id_digest: told.id_digest,
            content_digest: told.content_digest,
            accepted_at: None,
            send_at: None,
        };
        let effect = self.house.apply(Input::Event(&id(CUSTOMERS[told.customer]), &event, self.house.now));
        let mail = Mail {
            customer: CUSTOMERS[told.customer],
            counters: [Some(told.counter), told.facet],
            provider: told.provider,
            sent: event.sent_at.unwrap_or(event.at),
            id: told.id.clone(),
        };
        let record = if matches!(effect, Effect::Counted(_)) { Record::Mail(mail) } else { Record::NotCounted };
        self.write(record);
    }

    pub(crate) fn ticks(&mut self, apart: Millis, times: u32) {
        for _ in 0..times {
            let at = self.house.now + apart;
            let fleet = self.house.share.clone();
            self.house.apply(Input::Tick(Tick { at, fleet }));
            self.house.now = self.house.now.max(at);
            self.write(Record::Tick);
        }
    }

    fn order(&mut self, customer: usize, spoken: Spoken) {
        let order = match spoken {
            Spoken::ExemptFor(span) => Order::Exempt { until: self.house.now + span },
            Spoken::Plain(order) => order,
        };
        let command = Command { order, reason: "because".to_owned(), by: "ana".to_owned(), role: None };
        self.house.apply(Input::Command(&id(CUSTOMERS[customer]), command));
        self.write(Record::Order(order));
    }

    fn write(&mut self, record: Record) {
        let now = self.house.fold.partition().now().unwrap_or(self.house.now);
        let offset = self.house.offset;
        self.journal.entries.push(Entry { offset, now, record, said: self.house.said.clone() });
    }
}
