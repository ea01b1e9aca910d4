//! What SendGrid did to the account and to subusers, and which of it somebody has acknowledged.

use std::collections::BTreeMap;

use model::{AccountStatusChange, CustomerId, Timestamp};

/// Changes of one customer that are kept in memory.
const KEPT: usize = 100;

/// The changes of each customer; those of the account stand under the source that told them.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// By time and key, so that changes that arrive in another order than they were made are told in theirs.
    changes: BTreeMap<CustomerId, BTreeMap<(Timestamp, String), AccountStatusChange>>,
    /// Until when somebody has acknowledged them.
    acknowledged: BTreeMap<CustomerId, Timestamp>,
}

impl Accounts {
    /// Takes in a change that is known by `key`; one that is read twice is there once.
    pub(super) fn take(&mut self, key: String, change: AccountStatusChange) {
        let theirs = self.changes.entry(change.customer.clone()).or_default();
        theirs.insert((change.at, key), change);
        if theirs.len() > KEPT {
            theirs.pop_first();
        }
    }

    /// Somebody has acknowledged all of a customer's changes up to `at`.
    pub(super) fn acknowledge(&mut self, customer: CustomerId, at: Timestamp) {
        let known = self.acknowledged.entry(customer).or_insert(at);
        *known = (*known).max(at);
    }

    /// The latest change of each customer that restricts it, and that nobody has acknowledged.
    pub(super) fn open(&self) -> Vec<AccountStatusChange> {
        let latest = self.changes.values().filter_map(|theirs| theirs.values().next_back());
        let is_open = |change: &&AccountStatusChange| {
            change.status.is_restricted() && self.acknowledged.get(&change.customer).is_none_or(|at| *at < change.at)
        };
        latest.filter(is_open).cloned().collect()
    }

    /// The latest change of a customer.
    pub(super) fn latest(&self, customer: &CustomerId) -> Option<AccountStatusChange> {
        self.changes.get(customer)?.values().next_back().cloned()
    }
}

#[cfg(test)]
mod tests {
    use model::AccountStatus;

    use super::*;

    fn take(accounts: &mut Accounts, customer: &str, status: AccountStatus, at: i64) {
        let customer = CustomerId::new(customer).unwrap();
        let change = AccountStatusChange { customer, status, at: Timestamp::from_seconds(at), event: String::new() };
        accounts.take(change.key(), change);
    }

    #[test]
    fn what_restricts_is_open_until_it_is_active_again_or_acknowledged_in_whatever_order_it_came() {
        let mut accounts = Accounts::default();
        let open = |accounts: &Accounts| accounts.open().iter().map(|one| one.at.seconds()).collect::<Vec<_>>();
        take(&mut accounts, "acme", AccountStatus::Active, 20);
        take(&mut accounts, "acme", AccountStatus::Suspended, 10);
        assert!(open(&accounts).is_empty(), "it was made active after that");
        take(&mut accounts, "acme", AccountStatus::Banned, 30);
        take(&mut accounts, "acme", AccountStatus::Banned, 30);
        take(&mut accounts, "unattributed:main", AccountStatus::Suspended, 5);
        assert_eq!(open(&accounts), [30, 5]);
        let acme = CustomerId::new("acme").unwrap();
        accounts.acknowledge(acme.clone(), Timestamp::from_seconds(30));
        assert_eq!(open(&accounts), [5]);
        take(&mut accounts, "acme", AccountStatus::Unknown, 31);
        assert_eq!(open(&accounts), [31, 5], "a later one is another");
        assert_eq!(accounts.latest(&acme).unwrap().status, AccountStatus::Unknown);
    }
}
