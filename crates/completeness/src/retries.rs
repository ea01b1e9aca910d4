//! When accounts are asked for again that could not be compared.

use std::collections::BTreeMap;
use std::time::Duration;

use model::MailAccount;
use tokio::time::Instant;

/// The longest wait, unless SendGrid asks for a longer one.
const LONGEST: Duration = Duration::from_secs(3_600);

#[derive(Debug)]
pub(crate) struct Retries {
    first: Duration,
    /// Failures on end, and until when an account is left alone.
    waiting: BTreeMap<MailAccount, (u32, Instant)>,
}

impl Retries {
    /// The first wait is `first`, each next one twice as long.
    pub(crate) const fn new(first: Duration) -> Self {
        Self { first, waiting: BTreeMap::new() }
    }

    pub(crate) fn is_waiting(&self, account: &MailAccount) -> bool {
        self.waiting.get(account).is_some_and(|(_, until)| *until > Instant::now())
    }

    /// It failed, and SendGrid may have asked for a wait; how long it is left alone.
    pub(crate) fn failed(&mut self, account: &MailAccount, asked: Option<Duration>) -> Duration {
        let now = Instant::now();
        let (failures, until) = self.waiting.entry(account.clone()).or_insert((0, now));
        let wait = self.first.saturating_mul(2_u32.saturating_pow(*failures)).min(LONGEST);
        let wait = asked.map_or(wait, |asked| asked.max(wait));
        *failures += 1;
        *until = now + wait;
        wait
    }

    pub(crate) fn succeeded(&mut self, account: &MailAccount) {
        self.waiting.remove(account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_wait_is_longer_and_none_is_shorter_than_asked_for() {
        let mut retries = Retries::new(Duration::from_secs(300));
        let (account, other) = (MailAccount::Parent, MailAccount::of(Some("acme")));
        let waits: Vec<_> = (0..6).map(|_| retries.failed(&account, None).as_secs()).collect();
        assert_eq!(waits, [300, 600, 1_200, 2_400, 3_600, 3_600]);
        assert_eq!(retries.failed(&account, Some(Duration::from_secs(9_000))).as_secs(), 9_000);
        assert!(retries.is_waiting(&account) && !retries.is_waiting(&other));
        tokio::time::advance(Duration::from_secs(9_000)).await;
        assert!(!retries.is_waiting(&account));
        retries.succeeded(&account);
        assert_eq!(retries.failed(&account, None).as_secs(), 300);
    }
}
