//! A platform with customers of known kinds, and the events that their mail brings about.

mod ledger;
mod mail;
mod population;
mod recipients;
mod schedule;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use model::{CustomerId, Millis, Timestamp};

pub use ledger::Ledger;
use mail::{Mail, Occurrence};
use population::Character;

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Everything random follows from it.
    pub seed: u64,
    /// How many customers there are.
    pub customers: usize,
    /// When it begins.
    pub start: Timestamp,
    /// How long mail is sent. Events of the last mails come later.
    pub length: Millis,
    /// Mails that the good customers send, about.
    pub good_mails: usize,
}

impl Scenario {
    /// An hour in the life of 300 customers. What takes hours in life, complaints above all, takes minutes here, and the
    /// customers send in an hour what others send in a day.
    pub const fn hour(seed: u64, start: Timestamp) -> Self {
        Self { seed, customers: 300, start, length: Millis::hours(1), good_mails: 60_000 }
    }
}

/// What a customer really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// Sends wanted mail to a clean list.
    Good,
    /// The same, but so little that one bounce looks like many.
    SmallGood,
    /// Sends to a list that it bought, at least 1,500 mails: dead addresses, blocks, complaints.
    BoughtList,
    /// Sends to live addresses mail that nobody wants, at least 5,000 mails. Fewer could not be convicted within a tenth
    /// of them: complaints are rare events, and two in five recipients' providers send none.
    ComplaintMagnet,
    /// Its list rots away slowly.
    RottingList,
    /// Good, until somebody else sends from its account, at least 2,500 mails to a bought list.
    Hijacked,
}

impl Truth {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Good, Self::SmallGood, Self::BoughtList, Self::ComplaintMagnet, Self::RottingList, Self::Hijacked];

    /// Whether it must be left alone.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Good | Self::SmallGood)
    }

    /// Whether it must be found before a tenth of its mail has left.
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::BoughtList | Self::ComplaintMagnet | Self::Hijacked)
    }

    /// For tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::SmallGood => "small and good",
            Self::BoughtList => "bought list",
            Self::ComplaintMagnet => "complaint magnet",
            Self::RottingList => "rotting list",
            Self::Hijacked => "hijacked account",
        }
    }
}

/// How a customer exists at SendGrid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// A subuser of this name.
    Subuser(String),
    /// IPs of its own in the parent's account.
    DedicatedIps(Vec<String>),
    /// Nothing of its own: the mailer asks Weir which pool to name.
    Route,
}

/// A customer of the platform.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name.
    pub id: CustomerId,
    /// What it really is.
    pub truth: Truth,
    /// How it exists at SendGrid.
    pub placement: Placement,
    /// Mails that it would send if nobody stopped it. Of a hijacked account, those that are not its own.
    pub planned_mails: usize,
    /// From when on it is bad; its beginning for those that always were, or never.
    pub bad_from: Timestamp,
}

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
    /// Whose it is.
    pub customer: CustomerId,
    /// One raw JSON object.
    pub event: String,
}

/// A running platform.
#[derive(Debug)]
pub struct Platform {
    accounts: Vec<Account>,
    characters: Vec<Character>,
    /// For each customer, when each of its mails is due, and how many were.
    schedules: Vec<Vec<Timestamp>>,
    due: Vec<usize>,
    sent: Vec<usize>,
    sent_bad: Vec<usize>,
    waiting: BinaryHeap<Reverse<Waiting>>,
    posted: u64,
    seed: u64,
    ledger: Ledger,
    outage: (Timestamp, Timestamp),
}

/// An event that is yet to come, ordered by arrival.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    at: Timestamp,
    number: u64,
    customer: usize,
    event: String,
}

impl Platform {
    /// The platform of `scenario`, before its first mail.
    pub fn new(scenario: &Scenario) -> Self {
        let (accounts, characters) = population::populate(scenario);
        let schedules: Vec<_> = accounts
            .iter()
            .zip(&characters)
            .enumerate()
            .map(|(index, (account, character))| schedule::schedule(scenario, index, account, character))
            .collect();
        let number = accounts.len();
        let outage = schedule::outage(scenario);
        Self {
            accounts,
            characters,
            schedules,
            due: vec![0; number],
            sent: vec![0; number],
            sent_bad: vec![0; number],
            waiting: BinaryHeap::new(),
            posted: 0,
            seed: scenario.seed,
            ledger: Ledger::default(),
            outage,
        }
    }

    /// The customers, in no order of meaning.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// When one provider refuses nearly everybody's mail.
    pub const fn outage(&self) -> (Timestamp, Timestamp) {
        self.outage
    }

    /// Mails that the customer has sent so far; of a hijacked account, those that are not its own.
    pub fn sent(&self, id: &CustomerId) -> usize {
        let index = self.accounts.iter().position(|account| account.id == *id);
        index.map_or(0, |index| match self.accounts[index].truth {
            Truth::Hijacked => self.sent_bad[index],
            _ => self.sent[index],
        })
    }

    /// What was reported so far, each event once.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether all mail is sent and every event has arrived.
    pub fn is_finished(&self) -> bool {
        self.waiting.is_empty() && self.due.iter().zip(&self.schedules).all(|(due, schedule)| *due == schedule.len())
    }

    /// Goes on to `until`: sends what is due, as far as `gate` lets it, and hands out what arrives, in order.
    pub fn advance(&mut self, until: Timestamp, gate: &mut dyn FnMut(&Account) -> Gate) -> Vec<Arrival> {
        for customer in 0..self.accounts.len() {
            while self.schedules[customer].get(self.due[customer]).is_some_and(|due| *due <= until) {
                let at = self.schedules[customer][self.due[customer]];
                let number = self.due[customer];
                self.due[customer] += 1;
                if let Gate::Send(pool) = gate(&self.accounts[customer]) {
                    self.send((customer, number), at, pool);
                }
            }
        }
        let mut arrivals = Vec::new();
        while self.waiting.peek().is_some_and(|Reverse(next)| next.at <= until) {
            let Some(Reverse(Waiting { at, customer, event, .. })) = self.waiting.pop() else { break };
            arrivals.push(Arrival { at, customer: self.accounts[customer].id.clone(), event });
        }
        arrivals
    }

    fn send(&mut self, (customer, number): (usize, usize), at: Timestamp, pool: Option<Arc<str>>) {
        let account = &self.accounts[customer];
        self.sent[customer] += 1;
        let bad = at >= account.bad_from && !account.truth.is_good();
        self.sent_bad[customer] += usize::from(bad);
        let mail = Mail { seed: self.seed, customer, number, at, account, pool, outage: self.outage };
        for occurrence in mail.occurrences(&self.characters[customer]) {
            let Occurrence { counter, attributed, copies } = occurrence;
            let owner = if attributed { Some(&account.id) } else { None };
            self.ledger.count(owner, counter);
            for (at, event) in copies {
                self.posted += 1;
                self.waiting.push(Reverse(Waiting { at, number: self.posted, customer, event }));
            }
        }
    }
}
