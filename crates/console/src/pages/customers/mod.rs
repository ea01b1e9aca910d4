//! The customers: who is to be looked at first.

mod view;

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use model::{Phase, PoolName, Stage};
use serde::Deserialize;

use super::faults::Fault;
use super::shell::{self, Place};
use super::visit::Visit;
use crate::admin::Admin;
use crate::index::{CustomersQuery, Listed, Page, Risk};
use crate::problem::Problem;

/// Customers on a page.
const PAGE: usize = 50;

/// What is asked for, as the form of the page sends it: what is left empty is not asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    search: String,
    #[serde(default)]
    stage: String,
    #[serde(default)]
    phase: String,
    #[serde(default)]
    pool: String,
    #[serde(default)]
    after: String,
}

/// What the page tells.
#[derive(Debug)]
struct Customers {
    wanted: Wanted,
    stage: Option<Stage>,
    phase: Option<Phase>,
    page: Page<Listed, Risk>,
    /// How many there are at each stage: of the pool's, where one is asked for.
    stages: BTreeMap<Stage, usize>,
    pools: Vec<PoolName>,
}

/// Answers `/customers`.
pub(super) async fn show(
    State(admin): State<Admin>,
    visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    let customers = Customers::gather(&admin, wanted).map_err(Fault::of(&visit))?;
    let body = view::customers(&customers, visit.now);
    Ok(shell::page(&visit, Place::Customers, "Customers", &body).into_response())
}

impl Customers {
    fn gather(admin: &Admin, wanted: Wanted) -> Result<Self, Problem> {
        let stage = named("stage", &wanted.stage, &Stage::ALL, |stage| stage.name())?;
        let phase = named("phase", &wanted.phase, &Phase::ALL, |phase| phase.name())?;
        let pool = Some(wanted.pool.as_str()).filter(|pool| !pool.is_empty()).map(PoolName::new);
        let after = Some(wanted.after.as_str()).filter(|after| !after.is_empty());
        let after = after.map(|after| Risk::parse(after).ok_or_else(Problem::no_cursor)).transpose()?;
        let stages = admin.index.stages(pool.as_ref());
        let search = Some(wanted.search.trim().to_owned()).filter(|search| !search.is_empty());
        let page = admin.index.customers(&CustomersQuery { search, stage, phase, pool, after, limit: PAGE });
        Ok(Self { stage, phase, page, stages, pools: admin.index.pools(), wanted })
    }
}

/// The one of `all` that is called `name`; nothing where no name is given.
fn named<T: Copy>(
    what: &str,
    name: &str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> Result<Option<T>, Problem> {
    if name.is_empty() {
        return Ok(None);
    }
    let found = all.iter().copied().find(|one| name_of(*one) == name);
    let names = || all.iter().map(|one| name_of(*one)).collect::<Vec<_>>().join(", ");
    found.map(Some).ok_or_else(|| Problem::invalid(format!("{name:?} is no {what}; there are: {}", names())))
}
