//! A customer: where it stands and why, what its mail does, what was decided and done, and what a person can do.

mod acting;
mod acts;
mod chart;
mod charts;
mod drawing;
mod rates;
mod timeline;
mod view;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use explain::{Told, tell};
use model::{AccountStatusChange, CaseView, CustomerId, CustomerView, DecisionId, Fleet, Held, Standing, Timestamp};
use policy::Policy;

pub(super) use self::acting::{exempt, hold, note, release, set_phase, set_stage};
use super::acting::customer;
use super::faults::Fault;
use super::shell::{self, Place};
use super::visit::Visit;
use crate::Unavailable;
use crate::acts::awaiting;
use crate::admin::Admin;
use crate::api::customers::unknown;
use crate::index::{Acted, Decided};
use crate::problem::Problem;

/// Decisions, and calls to SendGrid, that are shown.
const HISTORY: usize = 50;

/// What the page tells.
#[derive(Debug)]
struct Customer {
    now: Timestamp,
    standing: Arc<Standing>,
    /// Its counts, or why nobody tells them.
    view: Result<CustomerView, Unavailable>,
    policy: Option<Arc<Policy>>,
    /// All customers' mail.
    fleet: Arc<Fleet>,
    /// What was decided, oldest first.
    history: Vec<Arc<Decided>>,
    /// Calls to SendGrid, oldest first.
    actions: Vec<Arc<Acted>>,
    enforcement: Option<CaseView>,
    /// What SendGrid did last to its subuser.
    account_status: Option<AccountStatusChange>,
    /// The decision that waits for a person.
    waiting: Option<(DecisionId, Held)>,
}

/// Answers `/customers/{id}`.
pub(super) async fn show(State(admin): State<Admin>, visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let fault = Fault::of(&visit);
    let id = customer(&id).map_err(&fault)?;
    let customer = Customer::gather(&admin, id, visit.now).await.map_err(&fault)?;
    let title = customer.standing.customer.to_string();
    Ok(shell::page(&visit, Place::Customers, &title, &view::customer(&customer, &visit)).into_response())
}

impl Customer {
    async fn gather(admin: &Admin, id: CustomerId, now: Timestamp) -> Result<Self, Problem> {
        let asked = (admin.views)(id.clone()).await;
        let standing = match &asked {
            Ok(Some(view)) => Some(Arc::new(view.standing.clone())),
            Ok(None) | Err(_) => admin.index.standing(&id),
        };
        let (Some(standing), view) = (standing, asked.and_then(|view| view.ok_or(Unavailable::Busy))) else {
            return Err(unknown(&id));
        };
        let account_status = admin.index.account_status(&id);
        let (enforcement, waiting) =
            admin.index.enforcement(|enforcement| (enforcement.cases.get(&id).cloned(), awaiting(enforcement, &id)));
        Ok(Self {
            now,
            standing,
            view,
            policy: admin.policies.in_force(&admin.policy).await,
            fleet: admin.index.fleet(),
            history: admin.index.history(&id, HISTORY),
            actions: admin.index.actions(&id, HISTORY),
            enforcement,
            account_status,
            waiting,
        })
    }

    /// One of its decisions in sentences, where that is in memory and the policy is known.
    fn told(&self, id: &DecisionId) -> Option<Told> {
        let policy = self.policy.as_ref()?;
        let at = self.history.iter().position(|decided| decided.decision.id == *id)?;
        let (before, rest) = self.history.split_at(at);
        let before: Vec<_> = before.iter().map(|decided| decided.decision.clone()).collect();
        let decision = &rest.first()?.decision;
        Some(tell(decision, &before, policy, Some(Standing::clone(&self.standing))))
    }
}
