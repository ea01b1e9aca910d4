//! Customers: where they stand, and how they came there.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use model::{CaseView, CustomerId, CustomerView, Decision, Phase, PoolName, Stage};
use serde::{Deserialize, Serialize};

use crate::admin::Admin;
use crate::problem::Problem;
use crate::{CustomersQuery, Listed, Risk};

/// Customers on one page at most.
const PAGE: usize = 100;
/// Decisions, and calls to SendGrid, shown of one customer.
const HISTORY: usize = 100;

#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    /// A part of the name, in whatever case.
    search: Option<String>,
    stage: Option<Stage>,
    phase: Option<Phase>,
    pool: Option<PoolName>,
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Debug, Serialize)]
pub(crate) struct CustomerList {
    customers: Vec<Listed>,
    /// What to ask for as `after` to go on; nothing where this is the end.
    next: Option<String>,
}

/// Customers, the riskiest first.
pub(crate) async fn list(
    State(admin): State<Admin>,
    Query(query): Query<ListQuery>,
) -> Result<Json<CustomerList>, Problem> {
    let ListQuery { search, stage, phase, pool, after, limit } = query;
    let after = after.map(|after| Risk::parse(&after).ok_or_else(Problem::no_cursor)).transpose()?;
    let limit = limit.unwrap_or(PAGE).clamp(1, PAGE);
    let page = admin.index.customers(&CustomersQuery { search, stage, phase, pool, after, limit });
    Ok(Json(CustomerList { customers: page.items, next: page.next.map(|next| next.cursor()) }))
}

#[derive(Debug, Serialize)]
pub(crate) struct CustomerAnswer {
    #[serde(flatten)]
    view: CustomerView,
    /// Its decisions, oldest first.
    history: Vec<Decision>,
    /// Calls to SendGrid for it, oldest first.
    actions: Vec<serde_json::Value>,
    /// What the enforcer has let through for it and what it holds back; null where it has nothing to do with it.
    enforcement: Option<CaseView>,
}

pub(crate) async fn show(State(admin): State<Admin>, Path(id): Path<String>) -> Result<Json<CustomerAnswer>, Problem> {
    let id = customer(&id)?;
    let view = view(&admin, &id).await?.ok_or_else(|| unknown(&id))?;
    let history = admin.index.history(&id, HISTORY).iter().map(|decided| decided.decision.clone()).collect();
    let actions = admin.index.actions(&id, HISTORY).iter().map(|acted| acted.action.clone()).collect();
    let enforcement = admin.index.enforcement(|enforcement| enforcement.cases.get(&id).cloned());
    Ok(Json(CustomerAnswer { view, history, actions, enforcement }))
}

pub(crate) fn customer(id: &str) -> Result<CustomerId, Problem> {
    CustomerId::new(id).map_err(|error| Problem::invalid(error.to_string()))
}

async fn view(admin: &Admin, id: &CustomerId) -> Result<Option<CustomerView>, Problem> {
    Ok((admin.views)(id.clone()).await?)
}

fn unknown(id: &CustomerId) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no such customer", format!("no event of customer {id} was ever counted"))
}
