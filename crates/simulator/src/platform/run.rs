//! A scenario as it runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{CustomerId, Timestamp};

use super::character::Character;
use super::dice::Dice;
use super::fate::{Circumstances, fate};
use super::letter::Letter;
use super::mess::{Telling, tell};
use super::queue::{Queue, Waiting};
use super::recipients::provider;
use super::{Account, Ledger, Scenario, Truth, population};

/// Whether a mail leaves, asked once for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It leaves through this pool, or through none in particular.
    Send(Option<Arc<str>>),
    /// It does not leave.
    Stop,
}

/// An event on its way to the webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When SendGrid posts it.
    pub at: Timestamp,
    /// Whose it is, whether or not the event says so.
    pub customer: CustomerId,
    /// One raw JSON object.
    pub event: String,
}

/// A running platform.
#[derive(Debug)]
pub struct Platform {
    accounts: Vec<Account>,
    characters: Vec<Character>,
    /// Where each customer stands in `accounts`.
    places: BTreeMap<CustomerId, usize>,
    seed: u64,
    outage: (Timestamp, Timestamp),
    /// Every mail, in the order in which they are due.
    plan: Vec<Due>,
    /// How many of them were due.
    due: usize,
    sent: Vec<Sent>,
    waiting: Queue,
    ledger: Ledger,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Timestamp,
    customer: usize,
    /// Its number among the customer's mails.
    number: usize,
}

/// What a customer sent so far.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    mails: usize,
    /// Those since it is bad.
    bad: usize,
    /// Events told, copies and all.
    told: u64,
}

impl Platform {
    /// The platform of `scenario`, before its first mail.
    pub fn new(scenario: &Scenario) -> Self {
        let mut accounts = Vec::with_capacity(scenario.customers);
        let mut characters = Vec::with_capacity(scenario.customers);
        let mut plan = Vec::new();
        for (customer, new) in population::populate(scenario).into_iter().enumerate() {
            plan.extend(new.schedule.iter().enumerate().map(|(number, at)| Due { at: *at, customer, number }));
            accounts.push(new.account);
            characters.push(new.character);
        }
        plan.sort_unstable();
        Self {
            places: accounts.iter().enumerate().map(|(place, account)| (account.id.clone(), place)).collect(),
            sent: vec![Sent::default(); accounts.len()],
            accounts,
            characters,
            seed: scenario.seed,
            outage: scenario.outage(),
            plan,
            due: 0,
            waiting: Queue::default(),
            ledger: Ledger::default(),
        }
    }

    /// The customers, in no order of meaning.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// From when to when [`FAILING`](super::FAILING) refuses nearly everybody's mail.
    pub const fn outage(&self) -> (Timestamp, Timestamp) {
        self.outage
    }

    /// Replaces the scenario's outage by one from the first moment to the second. Mail that was sent before the call keeps
    /// its events.
    pub const fn set_outage(&mut self, outage: (Timestamp, Timestamp)) {
        self.outage = outage;
    }

    /// Mails that the customer has sent so far; of a hijacked account, those that are not its own.
    pub fn sent(&self, id: &CustomerId) -> usize {
        self.places.get(id).map_or(0, |place| match self.accounts[*place].truth {
            Truth::Hijacked => self.sent[*place].bad,
            _ => self.sent[*place].mails,
        })
    }

    /// What was told so far, each event once.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether all mail is sent and every event has arrived.
    pub fn is_finished(&self) -> bool {
        self.waiting.is_empty() && self.due == self.plan.len()
    }

    /// Goes on to `until`: sends what is due, in order, as far as `gate` lets it at that moment, and hands out what
    /// arrives, in order.
    pub fn advance(&mut self, until: Timestamp, gate: &mut dyn FnMut(&Account) -> Gate) -> Vec<Arrival> {
        while let Some(due) = self.plan.get(self.due).copied().filter(|due| due.at <= until) {
            self.due += 1;
            if let Gate::Send(pool) = gate(&self.accounts[due.customer]) {
                self.send(due, pool);
            }
        }
        let mut arrivals = Vec::new();
        while let Some(Waiting { at, customer, event, counts, .. }) = self.waiting.pop(until) {
            let id = &self.accounts[customer].id;
            match counts {
                Some(count) => self.ledger.count(id, count),
                None => self.ledger.count_copy(),
            }
            arrivals.push(Arrival { at, customer: id.clone(), event });
        }
        arrivals
    }

    fn send(&mut self, due: Due, pool: Option<Arc<str>>) {
        let Due { at, customer, number } = due;
        let (account, character) = (&self.accounts[customer], &self.characters[customer]);
        let sent = &mut self.sent[customer];
        sent.mails += 1;
        sent.bad += usize::from(at >= account.bad_from);
        let mut dice = Dice::mails(self.seed, customer, number);
        let domain = character.recipients.domain(&mut dice);
        let letter = Letter::new((customer, account, character), (number, at), domain, pool, &mut dice);
        let circumstances = Circumstances::new(provider(domain), at, self.outage, character.group.is_some());
        let happenings = fate(&circumstances, character.chances(number, at), &mut dice);
        for (place, happening) in happenings.iter().enumerate() {
            let Telling { count, first, copies } = tell(&letter, (at, place), happening, &mut dice);
            let copies = copies.into_iter().map(|copy| (copy, None));
            for ((at, event), counts) in [(first, Some(count))].into_iter().chain(copies) {
                sent.told += 1;
                self.waiting.push(Waiting { at, customer, number: sent.told, event, counts });
            }
        }
    }
}
