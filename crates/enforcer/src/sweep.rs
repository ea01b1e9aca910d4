//! Everyone whom Weir has moved is looked at again, by a few calls for all.

use model::{CustomerId, InForce};
use tokio::time::Instant;

use crate::Enforcer;
use crate::eyes::{Eyes, Snapshot};
use crate::placement::Placement;
use crate::reconcile::Subject;

/// A sweep under way.
#[derive(Debug)]
pub(crate) struct Sweep {
    snapshot: Snapshot,
    left: Vec<CustomerId>,
}

impl Enforcer {
    /// Takes a snapshot and begins, unless the one before is still under way.
    pub(crate) async fn begin_sweep(&mut self) {
        let acts = self.office_since.is_some() && !self.config.modes.is_all_shadow();
        let Some(client) = self.client.clone().filter(|_| acts) else { return };
        let routed = |customer: &CustomerId| self.placement_of(customer) == Placement::Route;
        let left: Vec<_> = self.memory.all().map(|case| case.customer.clone()).filter(|id| !routed(id)).collect();
        if self.sweep.is_some() || left.is_empty() || self.breaker.open_until(Instant::now()).is_some() {
            return;
        }
        match Snapshot::take(&client).await {
            Ok(snapshot) => {
                self.sweep = Some(Sweep { snapshot, left });
            }
            Err(error) => tracing::warn!(%error, "SendGrid can't be looked at as a whole just now"),
        }
    }

    /// Looks at the next customer of the sweep, and queues it where there is anything to do; whether there was one.
    pub(crate) async fn go_on_sweeping(&mut self) -> bool {
        let Some(mut sweep) = self.sweep.take() else { return false };
        let Some(customer) = sweep.left.pop() else { return false };
        if self.is_to_be_attended(&customer, &sweep.snapshot).await
            && let Some(severity) = self.standings.get(&customer).map(model::Standing::severity)
        {
            self.queue.put_again(&customer, severity);
        }
        self.sweep = Some(sweep);
        true
    }

    async fn is_to_be_attended(&mut self, customer: &CustomerId, snapshot: &Snapshot) -> bool {
        let Some((client, standing)) = self.client.clone().zip(self.standings.get(customer)) else { return false };
        let Some(case) = self.memory.get(customer) else { return false };
        let is_home = standing.severity() <= model::Stage::Watch;
        if case.held.is_some() || !case.is_carried(standing) || is_home || self.is_at_former_place(customer) {
            return true;
        }
        let placement = self.placement_of(customer);
        let subject = Subject { placement: &placement, standing, before: case.before.as_ref() };
        match subject.observe(&Eyes { client: &client, snapshot: Some(snapshot) }, &self.pools).await {
            Ok(seen) => {
                let seen = self.recent.over(seen, Instant::now());
                let is_as_it_should_be = subject.plan(&seen, &self.pools).calls.is_empty();
                if is_as_it_should_be && !self.watched.has(customer) {
                    self.watch_mail(&InForce::of(standing), customer, &seen);
                }
                !is_as_it_should_be
            }
            // It is looked at alone, which says what is wrong.
            Err(_) => true,
        }
    }
}
