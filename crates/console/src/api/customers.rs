//! Customers: where they stand, and how they came there.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use model::{CaseView, CustomerId, CustomerView, Decision, Stage, Standing};
use serde::{Deserialize, Serialize};

use crate::admin::Admin;
use crate::problem::Problem;

/// Customers on one page at most.
const PAGE: usize = 100;
/// Decisions shown of one customer.
const HISTORY: usize = 100;

#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    stage: Option<Stage>,
    #[serde(default)]
    after: usize,
    limit: Option<usize>,
}

#[derive(Debug, Serialize)]
pub(crate) struct CustomerList {
    customers: Vec<Standing>,
    /// What to ask for as `after` to go on; nothing where this is the end.
    next: Option<usize>,
}

pub(crate) async fn list(State(admin): State<Admin>, Query(query): Query<ListQuery>) -> Json<CustomerList> {
    let wanted = |standing: &Standing| query.stage.is_none_or(|stage| standing.stage == stage);
    let found = admin.index.standings(wanted);
    let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let next = query.after.saturating_add(limit);
    let next = (next < found.len()).then_some(next);
    Json(CustomerList { customers: found.into_iter().skip(query.after).take(limit).collect(), next })
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
    let history = admin.index.decisions(HISTORY, |_, decision| decision.customer == id);
    let history = history.into_iter().map(|(_, decision)| decision).collect();
    let enforcement = admin.index.enforcement(|enforcement| enforcement.cases.get(&id).cloned());
    Ok(Json(CustomerAnswer { view, history, actions: admin.index.actions(&id), enforcement }))
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
