//! Customers, the riskiest first: who stands where, and who is to be looked at.

mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use model::{HeldWhy, Phase, PoolName, Stage, Standing, Timestamp};
use serde::Deserialize;

use super::faults::Fault;
use super::shell::{self, Place};
use super::visit::Visit;
use super::words;
use crate::admin::Admin;
use crate::problem::Problem;
use crate::{CustomersQuery, Listed, Risk};

/// Customers on one page.
const PAGE: usize = 50;

/// What the form says. A field that is left empty is sent as well.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    search: String,
    stage: String,
    phase: String,
    pool: String,
    after: String,
}

/// Which customers are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// A part of the name.
    pub(crate) search: String,
    pub(crate) stage: Option<Stage>,
    pub(crate) phase: Option<Phase>,
    pub(crate) pool: Option<PoolName>,
}

impl Filter {
    fn of(asked: &Asked) -> Result<Self, Problem> {
        let stage = named("stage", &asked.stage, &Stage::ALL, |stage| stage.name())?;
        let phase = named("phase", &asked.phase, &Phase::ALL, |phase| phase.name())?;
        let pool = (!asked.pool.is_empty()).then(|| PoolName::new(&asked.pool));
        Ok(Self { search: asked.search.trim().to_owned(), stage, phase, pool })
    }

    /// The same at another stage, or at all.
    pub(crate) fn at(&self, stage: Option<Stage>) -> Self {
        Self { stage, ..self.clone() }
    }

    /// Whether all are wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.search.is_empty() && self.stage.is_none() && self.phase.is_none() && self.pool.is_none()
    }

    /// Where these are, from the riskiest on.
    pub(crate) fn path(&self) -> String {
        let stage = self.stage.map_or_else(String::new, |stage| stage.name().to_owned());
        let phase = self.phase.map_or_else(String::new, |phase| phase.name().to_owned());
        let pool = self.pool.as_ref().map_or_else(String::new, |pool| words::encoded(pool.as_str()));
        let fields = [("search", words::encoded(&self.search)), ("stage", stage), ("phase", phase), ("pool", pool)];
        let told: Vec<_> = fields.iter().filter(|(_, value)| !value.is_empty()).collect();
        let query: Vec<_> = told.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if query.is_empty() { "/customers".to_owned() } else { format!("/customers?{}", query.join("&")) }
    }

    /// Where these are, from behind a place on.
    pub(crate) fn path_behind(&self, place: &Risk) -> String {
        let path = self.path();
        let joint = if path.contains('?') { '&' } else { '?' };
        format!("{path}{joint}after={}", words::encoded(&place.cursor()))
    }
}

/// The one of `all` that is called `name`; none where the field is empty.
fn named<T: Copy>(
    field: &str,
    name: &str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> Result<Option<T>, Problem> {
    if name.is_empty() {
        return Ok(None);
    }
    let found = all.iter().copied().find(|one| name_of(*one) == name);
    let names = || all.iter().map(|one| name_of(*one)).collect::<Vec<_>>().join(", ");
    found.map(Some).ok_or_else(|| Problem::invalid(format!("there is no such {field}; there are: {}", names())))
}

/// What the page tells.
#[derive(Debug)]
pub(crate) struct Customers {
    pub(crate) now: Timestamp,
    pub(crate) filter: Filter,
    /// How many are at each stage, of the filter's pool or of all.
    pub(crate) stages: BTreeMap<Stage, usize>,
    /// The pools that can be asked for.
    pub(crate) pools: Vec<PoolName>,
    pub(crate) rows: Vec<Row>,
    /// Whether the riskiest are on this page.
    pub(crate) is_first: bool,
    /// Where the next page begins.
    pub(crate) next: Option<Risk>,
}

/// One customer.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) standing: Arc<Standing>,
    /// 0 for whoever is not among the worst.
    pub(crate) times_the_fleet: f64,
    /// Why what was decided is not carried out.
    pub(crate) held_back: Option<HeldWhy>,
}

impl Customers {
    fn gather(admin: &Admin, visit: &Visit, asked: &Asked) -> Result<Self, Problem> {
        let filter = Filter::of(asked)?;
        let after = (!asked.after.is_empty()).then(|| Risk::parse(&asked.after).ok_or_else(Problem::no_cursor));
        let after = after.transpose()?;
        let is_first = after.is_none();
        let search = Some(filter.search.clone());
        let (stage, phase, pool) = (filter.stage, filter.phase, filter.pool.clone());
        let page = admin.index.customers(&CustomersQuery { search, stage, phase, pool, after, limit: PAGE });
        Ok(Self {
            now: visit.now,
            stages: admin.index.stages(filter.pool.as_ref()),
            filter,
            pools: admin.index.pools(),
            rows: rows(admin, page.items),
            is_first,
            next: page.next,
        })
    }
}

fn rows(admin: &Admin, listed: Vec<Listed>) -> Vec<Row> {
    admin.index.enforcement(|enforcement| {
        let row = |Listed { standing, times_the_fleet }| {
            let held = enforcement.cases.get(&standing.customer).and_then(|case| case.held.as_ref());
            Row { held_back: held.map(|held| held.why), standing, times_the_fleet }
        };
        listed.into_iter().map(row).collect()
    })
}

/// Answers `/customers`.
pub(super) async fn show(
    State(admin): State<Admin>,
    visit: Visit,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Fault> {
    let fault = Fault::of(&visit);
    let Query(asked) = asked.map_err(|rejection| fault(Problem::unreadable(&rejection.body_text())))?;
    let customers = Customers::gather(&admin, &visit, &asked).map_err(fault)?;
    Ok(shell::page(&visit, Place::Customers, "Customers", &view::customers(&customers)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_stays_the_same_in_its_address_whatever_its_names_hold() {
        let asked = Asked { search: " a&b=\"<".to_owned(), pool: "p q&stage=banned".to_owned(), ..Asked::default() };
        let filter = Filter::of(&asked).unwrap();
        let path = filter.at(Some(Stage::Watch)).path();
        let Query(again) = Query::<Asked>::try_from_uri(&path.parse().unwrap()).unwrap();
        assert_eq!((again.search.as_str(), again.pool, again.stage), ("a&b=\"<", asked.pool, "watch".to_owned()));
        assert_eq!(Filter::of(&Asked::default()).unwrap().path(), "/customers");
        assert!(Filter::of(&Asked { stage: "poor".to_owned(), ..Asked::default() }).is_err());
    }
}
