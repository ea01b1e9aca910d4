//! Every decision of a simulated month can be explained: derived again, byte for byte, and its numbers counted again from the
//! raw events by an independent, straightforward count.

use std::collections::BTreeMap;
use std::sync::Arc;

use explain::{Derived, Recorded, Review};
use model::{Command, CustomerId, Decision, Fleet, Millis, Offset, Order, PartitionId, Stage, Standing, Test, Tick};
use policy::Policy;
use scoring::{Fold, Input, MemoryStore, Partition, Said};
use simulator::month::{Arrival, Gate, Month, Scenario};

const SCENARIO: Scenario = Scenario { seed: 3, customers: 150, days: 9 };

/// A record, as the log would hold it.
enum Record {
    Event(CustomerId, Arrival),
    Command(CustomerId, Command),
    Tick(Tick),
}

/// A month under one fold, and everything that was on its log.
struct Life {
    month: Month,
    fold: Fold,
    store: MemoryStore,
    log: Vec<Record>,
    share: Fleet,
    standings: BTreeMap<CustomerId, Standing>,
    decisions: Vec<Decision>,
}

impl Life {
    fn new(policy: &Arc<Policy>) -> Self {
        let mut life = Self {
            month: Month::new(&SCENARIO, 0, 1),
            fold: Fold::new(Arc::clone(policy), PartitionId::new(0), Partition::default()),
            store: MemoryStore::default(),
            log: Vec::new(),
            share: Fleet::default(),
            standings: BTreeMap::new(),
            decisions: Vec::new(),
        };
        life.take(Record::Tick(Tick { at: Scenario::START, fleet: Fleet::default() }));
        life
    }

    fn run(&mut self) {
        let mut now = Scenario::START;
        while now < SCENARIO.end() {
            now = now + Millis::minutes(5);
            let ids: Vec<_> = self.month.customers().iter().map(|customer| customer.id.clone()).collect();
            let standings = &self.standings;
            let arrivals = self.month.advance(now, &|place| match standings.get(&ids[place]) {
                Some(standing) if standing.stage >= Stage::Suspended => Gate::Stop,
                standing => Gate::Send { pool: None, daily_cap: standing.and_then(|standing| standing.daily_cap) },
            });
            for arrival in arrivals {
                self.take(Record::Event(ids[arrival.place].clone(), arrival));
            }
            self.take(Record::Tick(Tick { at: now, fleet: self.share.clone() }));
            if now == Scenario::START + Millis::days(5) {
                self.release_all();
            }
        }
    }

    /// Everybody begins anew.
    fn release_all(&mut self) {
        let held_back = self.standings.values().filter(|standing| standing.stage >= Stage::Throttled);
        for id in held_back.map(|standing| standing.customer.clone()).collect::<Vec<_>>() {
            let command = Command {
                order: Order::Release { fully: true },
                reason: "an amnesty".to_owned(),
                by: "ana".to_owned(),
                role: None,
            };
            self.take(Record::Command(id, command));
        }
    }

    fn take(&mut self, record: Record) {
        let offset = Offset::new(u64::try_from(self.log.len()).unwrap());
        let Ok(applied) = match &record {
            Record::Event(id, arrival) => {
                self.fold.apply(&mut self.store, offset, Input::Event(id, &arrival.event(), arrival.at))
            }
            Record::Command(id, command) => {
                self.fold.apply(&mut self.store, offset, Input::Command(id, command.clone()))
            }
            Record::Tick(tick) => self.fold.apply(&mut self.store, offset, Input::Tick(tick.clone())),
        };
        self.log.push(record);
        for said in applied.said {
            match said {
                Said::Decision(decision) => self.decisions.push(decision),
                Said::Standing(standing) => drop(self.standings.insert(standing.customer.clone(), standing)),
                Said::Profile(_) => {}
                Said::Share(share) => self.share = share,
                Said::AccountStatus(_) => {}
            }
        }
    }

    /// What is wrong with the explanation of a decision, if anything is.
    fn fault(&self, policy: &Arc<Policy>, decision: &Decision) -> Option<String> {
        let recorded = Recorded::read(&serde_json::to_vec(decision).unwrap()).unwrap();
        let mut review = Review::new(recorded, self.decisions.clone(), Arc::clone(policy));
        for (offset, record) in (0..=decision.offset.offset.get()).zip(&self.log) {
            let offset = Offset::new(offset);
            match record {
                Record::Event(id, arrival) if *id == decision.customer => {
                    review.begin_at(arrival.at);
                    review.take(offset, Input::Event(id, &arrival.event(), arrival.at));
                }
                Record::Command(id, command) if *id == decision.customer => {
                    review.take(offset, Input::Command(id, command.clone()));
                }
                Record::Event(..) | Record::Command(..) => {}
                Record::Tick(tick) => review.take(offset, Input::Tick(tick.clone())),
            }
        }
        let explanation = review.finish(Offset::ZERO);
        let is_sound = explanation.derived == Derived::Same
            && explanation.recount.as_ref().is_none_or(|recount| recount.agrees)
            && explanation.recount.is_some() == decision.evidence.is_some()
            && !explanation.for_the_customer.is_empty();
        (!is_sound).then(|| format!("{explanation}\n{}", serde_json::to_string(decision).unwrap()))
    }
}

#[test]
fn every_decision_of_a_month_is_derived_again_and_its_numbers_recounted() {
    let policy = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
    let mut life = Life::new(&policy);
    life.run();
    let faults: Vec<_> = life.decisions.iter().filter_map(|decision| life.fault(&policy, decision)).collect();
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), life.decisions.len(), faults.join("\n\n"));

    // All kinds of evidence are among them.
    let evidence: Vec<_> = life.decisions.iter().filter_map(|decision| decision.evidence.as_ref()).collect();
    let has = |wanted: &dyn Fn(&model::Evidence) -> bool| evidence.iter().any(|evidence| wanted(evidence));
    assert!(evidence.len() > 30, "{}", evidence.len());
    assert!(has(&|evidence| evidence.test == Test::Bound) && has(&|evidence| evidence.test == Test::Sequential));
    assert!(has(&|evidence| evidence.signal == "spam_report"));
    assert!(has(&|evidence| !evidence.set_aside.is_empty()), "mail set aside in an incident");
    assert!(has(&|evidence| evidence.counted_after.is_some()), "windows that began anew");
    assert!(life.decisions.iter().any(|decision| decision.to < decision.from), "somebody came down");
}
