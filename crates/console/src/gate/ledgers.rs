//! The ledgers of all customers whose mail is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dashmap::DashMap;
use model::{CustomerId, Day};
use tokio::sync::Notify;

use super::ledger::{Ledger, Step};
use super::reservation::{Instance, Reservation};

/// A customer's days: more than one, since two machines may not agree on when a day ends.
#[derive(Debug, Default)]
struct Account {
    days: Vec<(Day, Ledger)>,
    /// Told whenever something was read or failed that others may wait for.
    changed: Arc<Notify>,
}

impl Account {
    fn ledger(&mut self, day: Day) -> &mut Ledger {
        let place = self.days.iter().position(|(known, _)| *known == day).unwrap_or_else(|| {
            self.days.push((day, Ledger::default()));
            self.days.len() - 1
        });
        &mut self.days[place].1
    }
}

/// Whose life a reservation that was read belongs to, where it is this instance's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// An earlier process of the same name.
    Earlier,
    /// This process.
    This,
}

/// The ledgers, by customer and day.
#[derive(Debug)]
pub(super) struct Ledgers {
    instance: Instance,
    accounts: DashMap<CustomerId, Account>,
    is_closed: AtomicBool,
}

impl Ledgers {
    pub(super) fn new(instance: Instance) -> Self {
        Self { instance, accounts: DashMap::new(), is_closed: AtomicBool::new(false) }
    }

    /// Who grants.
    pub(super) const fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Grants, or says what has to come first; `None` once this instance has handed back.
    pub(super) fn admit(&self, customer: &CustomerId, day: Day, cap: u32, wanted: u32) -> Option<(Step, u32)> {
        let mut account = match self.accounts.get_mut(customer.as_str()) {
            Some(account) => account,
            None => self.accounts.entry(customer.clone()).or_default(),
        };
        // Asked under the account's lock: whoever closes takes each lock afterwards.
        if self.is_closed.load(Ordering::Acquire) {
            return None;
        }
        let ledger = account.ledger(day);
        let step = ledger.admit(cap, wanted);
        Some((step, ledger.left(cap)))
    }

    /// What is left of a cap.
    pub(super) fn left(&self, customer: &CustomerId, day: Day, cap: u32) -> u32 {
        let account = self.accounts.get(customer.as_str());
        let ledger = account.as_ref().and_then(|account| account.days.iter().find(|(known, _)| *known == day));
        ledger.map_or(cap, |(_, ledger)| ledger.left(cap))
    }

    /// What is told when anything about the customer was read or failed.
    pub(super) fn changed(&self, customer: &CustomerId) -> Arc<Notify> {
        Arc::clone(&self.accounts.entry(customer.clone()).or_default().changed)
    }

    /// Takes in a reservation that was read.
    pub(super) fn read(&self, reservation: Reservation, life: Life) {
        let Reservation { customer, day, reserved, by } = reservation;
        let mut account = self.accounts.entry(customer).or_default();
        let ledger = account.ledger(day);
        match life {
            _ if by != self.instance => ledger.read_of(&by, reserved),
            Life::Earlier => ledger.inherit(reserved),
            Life::This => ledger.read_back(reserved),
        }
        account.changed.notify_waiters();
    }

    /// The log did not take this one.
    pub(super) fn failed(&self, reservation: &Reservation) {
        if let Some(mut account) = self.accounts.get_mut(reservation.customer.as_str()) {
            account.ledger(reservation.day).failed(reservation.reserved);
            account.changed.notify_waiters();
        }
    }

    /// Forgets the days before `oldest`.
    pub(super) fn forget_before(&self, oldest: Day) {
        self.accounts.retain(|_, account| {
            account.days.retain(|(day, _)| *day >= oldest);
            !account.days.is_empty()
        });
    }

    /// Grants nothing more; what is to be said so that others can have what was not granted.
    pub(super) fn hand_back(&self) -> Vec<Reservation> {
        self.is_closed.store(true, Ordering::Release);
        let mut unspent = Vec::new();
        for mut account in self.accounts.iter_mut() {
            let (customer, account) = account.pair_mut();
            for (day, ledger) in &mut account.days {
                let (customer, day, by) = (customer.clone(), *day, self.instance.clone());
                unspent.extend(ledger.hand_back().map(|reserved| Reservation { customer, day, reserved, by }));
            }
        }
        unspent
    }
}
