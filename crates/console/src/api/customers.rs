//! Customers: where they stand, and how they came there.

use std::num::NonZeroUsize;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{AccountStatusChange, CaseView, CustomerId, CustomerView, Decision, Phase, PoolName, Stage};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::Admin;
use crate::api::extract::{Asked, Whose};
use crate::problem::Problem;
use crate::{CustomersQuery, Listed, Risk};

/// Customers on one page at most.
const PAGE: usize = 100;
/// Decisions, and calls to SendGrid, shown of one customer.
const HISTORY: usize = 100;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// A part of the name, in whatever case.
    search: Option<String>,
    /// At this stage only.
    #[param(inline)]
    stage: Option<Stage>,
    /// In this phase only.
    #[param(inline)]
    phase: Option<Phase>,
    /// Whose mail should leave through this pool only.
    #[param(value_type = Option<String>)]
    pool: Option<PoolName>,
    /// The `next` of an earlier page.
    after: Option<String>,
    /// Customers on the page; 100 unless said, and at most.
    #[param(value_type = Option<usize>, minimum = 1)]
    limit: Option<NonZeroUsize>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CustomerList {
    customers: Vec<Listed>,
    /// What to ask for as `after` to go on; nothing where this is the end.
    next: Option<String>,
}

/// Customers, the riskiest first: by stage, then by the harm that they do now, then by their mail of 24 hours, then by name.
#[utoipa::path(get, path = "/v1/customers", params(ListQuery), responses((status = 200, description = "A page", body = CustomerList)))]
pub(crate) async fn list(
    State(admin): State<Admin>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<CustomerList>, Problem> {
    let ListQuery { search, stage, phase, pool, after, limit } = query;
    let after = after.map(|after| Risk::parse(&after).ok_or_else(Problem::no_cursor)).transpose()?;
    let limit = limit.map_or(PAGE, NonZeroUsize::get).min(PAGE);
    let page = admin.index.customers(&CustomersQuery { search, stage, phase, pool, after, limit });
    Ok(Json(CustomerList { customers: page.items, next: page.next.map(|next| next.cursor()) }))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CustomerAnswer {
    #[serde(flatten)]
    view: CustomerView,
    /// Its decisions, oldest first.
    history: Vec<Decision>,
    /// Calls to SendGrid for it, oldest first.
    actions: Vec<serde_json::Value>,
    /// What the enforcer has let through for it and what it holds back; null where it has nothing to do with it.
    enforcement: Option<CaseView>,
    /// What SendGrid did last to its subuser; null where it has done nothing.
    account_status: Option<AccountStatusChange>,
}

/// A customer: where it stands, its counts, and the newest of what was decided and done.
#[utoipa::path(get, path = "/v1/customers/{id}", params(("id" = String, Path, description = "The customer")), responses((status = 200, description = "The customer", body = CustomerAnswer), (status = 404, description = "No event of it was ever counted"), (status = 503, description = "Not just now: try again in a moment")))]
pub(crate) async fn show(State(admin): State<Admin>, Whose(id): Whose) -> Result<Json<CustomerAnswer>, Problem> {
    let view = view(&admin, &id).await?.ok_or_else(|| unknown(&id))?;
    let history = admin.index.history(&id, HISTORY).iter().map(|decided| decided.decision.clone()).collect();
    let actions = admin.index.actions(&id, HISTORY).iter().map(|acted| acted.action.clone()).collect();
    let enforcement = admin.index.enforcement(|enforcement| enforcement.cases.get(&id).cloned());
    let account_status = admin.index.account_status(&id);
    Ok(Json(CustomerAnswer { view, history, actions, enforcement, account_status }))
}

async fn view(admin: &Admin, id: &CustomerId) -> Result<Option<CustomerView>, Problem> {
    Ok((admin.views)(id.clone()).await?)
}

/// Nobody has heard of the customer.
pub(crate) fn unknown(id: &CustomerId) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no such customer", format!("no event of customer {id} was ever counted"))
}
