//! Addresses to which nothing is sent any more.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::super::server::Shared;
use super::super::user::{Entry, List};
use super::answers::{ok, refused_field};
use super::on_behalf_of::OnBehalfOf;

const LARGEST_PAGE: usize = 500;

/// Both times count as within.
#[derive(Deserialize)]
pub(super) struct Wanted {
    start_time: Option<i64>,
    end_time: Option<i64>,
    limit: Option<usize>,
    #[serde(default)]
    offset: usize,
}

impl Wanted {
    fn wants(&self, entry: &Entry) -> bool {
        self.start_time.is_none_or(|start| start <= entry.created)
            && self.end_time.is_none_or(|end| entry.created <= end)
    }
}

/// Each list is an endpoint of its own, with a scope and a budget of its own.
pub(super) fn router() -> Router<Shared> {
    List::ALL.into_iter().fold(Router::new(), |router, of| {
        let path = format!("/v3/suppression/{}", of.name());
        router.route(&path, get(async move |shared, user, wanted| list(of, shared, user, wanted)))
    })
}

fn list(
    list: List,
    State(shared): State<Shared>,
    OnBehalfOf(user): OnBehalfOf,
    Query(wanted): Query<Wanted>,
) -> Response {
    let limit = wanted.limit.unwrap_or(LARGEST_PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return refused_field(StatusCode::BAD_REQUEST, "limit", "limit must be between 1 and 500");
    }
    let mut world = shared.world();
    let found = world.user(user).suppressions.list(list).into_iter().filter(|entry| wanted.wants(entry));
    ok(found.skip(wanted.offset).take(limit).map(|entry| entry.shown.clone()).collect())
}
