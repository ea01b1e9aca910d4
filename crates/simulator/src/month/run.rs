//! A scenario as it runs.

use std::collections::HashSet;

use model::{Bucket, Counter, Grain, Millis, PoolName, Provider, Timestamp};

use super::day::{Day, Due, Whose};
use super::dice::Dice;
use super::fate::{self, Happening, Mail};
use super::incident::{HOMES, Incident};
use super::nature::Nature;
use super::queue::{Coming, Queue};
use super::rhythm::day_of;
use super::scenario::Scenario;
use super::{Arrival, Badness, Customer, chances::Chances, population};

/// Whether and how a mail leaves, asked once for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate<'a> {
    /// It leaves.
    Send {
        /// Through this pool; `None`: through the one where the customer is at home.
        pool: Option<&'a str>,
        /// If fewer mails than this have left since midnight.
        daily_cap: Option<u32>,
    },
    /// It does not leave.
    Stop,
}

/// A part of a scenario's customers, and their mail.
#[derive(Debug)]
pub struct Month {
    scenario: Scenario,
    part: usize,
    parts: usize,
    customers: Vec<Customer>,
    natures: Vec<Nature>,
    states: Vec<State>,
    incidents: Vec<Incident>,
    pools: Vec<PoolName>,
    /// Days that were planned.
    days: u32,
    today: Day,
    coming: Queue,
    told: Vec<Happening>,
}

/// The mails of a customer that SendGrid tried to deliver so far; of a bad customer those since it is bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub sent: u32,
    /// When the first one left.
    pub first: Option<Timestamp>,
}

/// What a customer has done so far.
#[derive(Debug, Default)]
struct State {
    /// Mails that were planned.
    planned: u32,
    tally: Tally,
    /// The same by hour, of a bad customer.
    hours: Vec<(Bucket, u32)>,
    /// The day of its latest mail, and how many have left on it.
    today: (u32, u32),
    /// Addresses that SendGrid does not try any more. Nothing depends on their order.
    suppressed: HashSet<u32>,
}

impl Month {
    /// Part `part` of `parts` of the customers of `scenario`, before their first mail. Parts are alike in what they hold.
    pub fn new(scenario: &Scenario, part: usize, parts: usize) -> Self {
        let of_part = (part..scenario.customers).step_by(parts.max(1));
        let (customers, natures): (Vec<_>, Vec<_>) = of_part.map(|index| population::customer(scenario, index)).unzip();
        Self {
            scenario: *scenario,
            part,
            parts,
            states: customers.iter().map(|_| State::default()).collect(),
            customers,
            natures,
            incidents: scenario.incidents(),
            pools: HOMES.map(PoolName::new).into(),
            days: 0,
            today: Day::default(),
            coming: Queue::default(),
            told: Vec::new(),
        }
    }

    /// The customers of this part.
    pub fn customers(&self) -> &[Customer] {
        &self.customers
    }

    /// What the customer at `place` has sent so far.
    pub fn tally(&self, place: usize) -> Tally {
        self.states.get(place).map(|state| state.tally).unwrap_or_default()
    }

    /// The mails of a customer that are bad, each counted as far as what shows it can have come by `now`: complaints take their
    /// time.
    pub fn ripe(&self, place: usize, now: Timestamp) -> f64 {
        let (Some(state), Some(nature)) = (self.states.get(place), self.natures.get(place)) else { return 0.0 };
        let share = |hour: Bucket| match nature.badness {
            // Mails lie about the middle of their hour.
            Some(Badness { signal: Counter::SpamReport, .. }) => {
                nature.complaints.share_within(now.since(hour.start(Grain::Hour) + Millis::minutes(30)))
            }
            _ => 1.0,
        };
        state.hours.iter().map(|(hour, mails)| f64::from(*mails) * share(*hour)).sum()
    }

    /// Goes on to `until`: sends what is due, in order, as far as `gate` lets it (it is asked with the customer's place), and
    /// hands out what arrives, in order.
    pub fn advance<'g>(&mut self, until: Timestamp, gate: &dyn Fn(usize) -> Gate<'g>) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        while let Some((due, chances)) = self.next_due(until) {
            self.arrive(due.at, &mut arrivals);
            self.leave(due, chances, gate(due.place as usize));
        }
        self.arrive(until, &mut arrivals);
        arrivals
    }

    fn next_due(&mut self, until: Timestamp) -> Option<(Due, Chances)> {
        while self.today.is_over() && self.days < self.scenario.days && self.scenario.day(self.days) <= until {
            self.plan_day();
        }
        self.today.next(until)
    }

    fn plan_day(&mut self) {
        self.today = Day::default();
        for (place, (nature, state)) in (0_u32..).zip(self.natures.iter().zip(&mut self.states)) {
            let index = self.part + place as usize * self.parts;
            let whose = Whose { scenario: &self.scenario, index, place, nature };
            self.today.plan(&whose, self.days, &mut state.planned);
        }
        self.today.sort();
        self.days += 1;
    }

    fn arrive(&mut self, until: Timestamp, arrivals: &mut Vec<Arrival>) {
        while let Some(coming) = self.coming.pop(until) {
            if matches!(coming.counter, Counter::HardBounce | Counter::SpamReport | Counter::Unsubscribe) {
                self.states[coming.place as usize].suppressed.insert(coming.address);
            }
            let tells_pool = coming.counter == Counter::Processed;
            let pool = self.pools.get(coming.pool as usize).filter(|_| tells_pool).cloned();
            arrivals.push(Arrival::new(coming, self.index(coming.place), pool));
        }
    }

    fn leave(&mut self, due: Due, chances: Chances, gate: Gate<'_>) {
        let Gate::Send { pool, daily_cap } = gate else { return };
        let place = due.place as usize;
        if !self.states[place].may_leave(due.at, daily_cap) {
            return;
        }
        let pool = self.pool(pool.unwrap_or(self.customers[place].home));
        let restrained = daily_cap.is_some() || pool as usize >= HOMES.len();
        let mut dice = Dice::mails(self.scenario.seed, self.index(due.place), due.number as usize);
        let (address, provider) = self.natures[place].recipient(due.number, restrained, &mut dice);
        if self.states[place].suppressed.contains(&address) {
            fate::tell_drop(&mut dice, &mut self.told);
        } else {
            self.states[place].tally(due.at, &self.customers[place]);
            let mail = self.mail((due, chances), provider, pool, &mut dice);
            fate::tell(&mail, &mut dice, &mut self.told);
        }
        self.post(Letter { due, address, provider, pool }, &mut dice);
    }

    /// A mail that SendGrid tries to deliver, and the incident that it falls victim to.
    fn mail(&self, (due, chances): (Due, Chances), provider: Provider, pool: u8, dice: &mut Dice) -> Mail {
        let nature = &self.natures[due.place as usize];
        let pool = self.pools[pool as usize].as_str();
        let luck = dice.between(0.0, 1.0);
        let incident = self.incidents.iter().find(|incident| incident.concerns(provider, pool, due.at));
        Mail {
            provider,
            chances,
            complaints: nature.complaints,
            settled: nature.course.settled(due.number),
            incident: incident.filter(|incident| luck < incident.share).map(|incident| incident.effect),
        }
    }

    /// Puts what was told of a mail on its way.
    fn post(&mut self, letter: Letter, dice: &mut Dice) {
        let Letter { due, address, provider, pool } = letter;
        for (number, Happening { after, counter, facet }) in (0_u8..).zip(self.told.drain(..)) {
            let happened = due.at + after;
            self.coming.push(Coming {
                at: happened + waits(dice),
                place: due.place,
                mail: due.number,
                number,
                counter,
                facet,
                provider,
                pool,
                address,
                sent: due.at,
                happened,
            });
        }
    }

    /// Where a pool's name stands.
    fn pool(&mut self, name: &str) -> u8 {
        let place = self.pools.iter().position(|known| known.as_str() == name).unwrap_or_else(|| {
            self.pools.push(PoolName::new(name));
            self.pools.len() - 1
        });
        u8::try_from(place).unwrap_or_default()
    }

    /// The number of the customer at `place` among all of the scenario.
    fn index(&self, place: u32) -> usize {
        self.part + place as usize * self.parts
    }
}

/// A mail that was handed over, with what all of its events have in common.
#[derive(Clone, Copy)]
struct Letter {
    due: Due,
    address: u32,
    provider: Provider,
    pool: u8,
}

impl State {
    /// Counts a mail that SendGrid tries to deliver.
    fn tally(&mut self, at: Timestamp, customer: &Customer) {
        if customer.badness.is_none_or(|badness| at >= badness.since) {
            self.tally.sent += 1;
            self.tally.first.get_or_insert(at);
        }
        if customer.is_bad(at) {
            let hour = Bucket::of(Grain::Hour, at);
            match self.hours.last_mut().filter(|(last, _)| *last == hour) {
                Some((_, mails)) => *mails += 1,
                None => self.hours.push((hour, 1)),
            }
        }
    }

    /// Whether another mail may leave today; it then counts.
    fn may_leave(&mut self, at: Timestamp, daily_cap: Option<u32>) -> bool {
        let day = day_of(at);
        if self.today.0 != day {
            self.today = (day, 0);
        }
        let free = daily_cap.is_none_or(|cap| self.today.1 < cap);
        self.today.1 += u32::from(free);
        free
    }
}

/// How long an event waits for its batch: some seconds, and two in a hundred for minutes.
fn waits(dice: &mut Dice) -> Millis {
    let batch = dice.millis(300, 8_000);
    if dice.chance(0.02) { batch + dice.seconds(60, 300) } else { batch }
}
