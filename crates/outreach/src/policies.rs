//! Which policy is in force: what letters promise is derived from it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use model::PolicyView;
use policy::Policy;

type Asking = Pin<Box<dyn Future<Output = Option<PolicyView>> + Send>>;
type Ask = Arc<dyn Fn() -> Asking + Send + Sync>;

/// A way to learn the policy in force.
#[derive(Clone)]
pub struct Policies {
    configured: Arc<Policy>,
    ask: Option<Ask>,
    /// The last one that was read from its text.
    read: Arc<Mutex<Option<Arc<Policy>>>>,
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policies").field("configured", &self.configured.digest()).finish_non_exhaustive()
    }
}

impl Policies {
    /// Only the configured policy, which counts for the decisions that it made.
    pub fn new(configured: Arc<Policy>) -> Self {
        Self { configured, ask: None, read: Arc::default() }
    }

    /// Asks a scorer for the policy in force first.
    #[must_use]
    pub fn asking<F>(self, ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Option<PolicyView>> + Send + 'static,
    {
        Self { ask: Some(Arc::new(move || Box::pin(ask()))), ..self }
    }

    /// Returns the policy in force. If no scorer answers, returns the configured one if it made the decision.
    pub(crate) async fn in_force(&self, of_decision: &str) -> Option<Arc<Policy>> {
        let asked = match &self.ask {
            Some(ask) => ask().await,
            None => None,
        };
        let Some(in_force) = asked else { return self.named(of_decision) };
        self.named(&in_force.digest).or_else(|| self.parsed(&in_force))
    }

    fn named(&self, digest: &str) -> Option<Arc<Policy>> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let known = [Some(Arc::clone(&self.configured)), read];
        known.into_iter().flatten().find(|policy| policy.digest() == digest)
    }

    /// Parses a policy once, not for each message.
    fn parsed(&self, in_force: &PolicyView) -> Option<Arc<Policy>> {
        let policy = Arc::new(Policy::parse(&in_force.record.as_ref()?.text).ok()?);
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&policy));
        Some(policy)
    }
}

#[cfg(test)]
mod tests {
    use model::{PolicyChange, PolicyInForce, PolicyOrigin, Timestamp};

    use super::*;

    #[tokio::test]
    async fn what_is_in_force_counts_and_the_configured_policy_only_for_its_own_decisions() {
        let configured = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
        let other = format!("{}# Another.\n", policy::DEFAULT);
        let other_digest = Policy::parse(&other).unwrap().digest().to_owned();
        let alone = Policies::new(Arc::clone(&configured));
        assert_eq!(alone.in_force(configured.digest()).await, Some(Arc::clone(&configured)));
        assert_eq!(alone.in_force(&other_digest).await, None);
        let change =
            PolicyChange { origin: PolicyOrigin::Api, by: "ana".to_owned(), reason: "test".to_owned(), file: None };
        let record = PolicyInForce { text: other, since: Timestamp::default(), change };
        let in_force = PolicyView { digest: other_digest.clone(), record: Some(record) };
        let asked = alone.clone().asking(move || std::future::ready(Some(in_force.clone())));
        let found = asked.in_force(configured.digest()).await;
        assert_eq!(found.map(|policy| policy.digest().to_owned()), Some(other_digest));
        let busy = alone.asking(|| std::future::ready(None));
        assert_eq!(busy.in_force(configured.digest()).await, Some(configured));
    }
}
