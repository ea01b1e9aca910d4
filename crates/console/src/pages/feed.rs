//! New decisions as they come: a stream of server-sent events, each with the rows that the script puts on top of the list.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use futures_util::stream::Stream;

use super::parts;
use crate::admin::Admin;
use crate::api::stream::{StreamQuery, Streams, follow};
use crate::index::{Cursor, Decided};
use crate::problem::Problem;

/// Answers `/decisions/feed`: what was decided since the page that follows it was written, and then what comes.
pub(super) async fn feed(
    State(admin): State<Admin>,
    Extension(streams): Extension<Streams>,
    headers: HeaderMap,
    Query(query): Query<StreamQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    // While Weir starts, what was decided long ago is read as if it came just now: that is waited for.
    admin.index.caught_up().await;
    let clock = Arc::clone(&admin.clock);
    let rows = move |news: &[Arc<Decided>], mut cursor: Cursor| {
        let now = clock();
        // The newest first, as they stand in the list. A line break ends a line of an event, and a row holds none.
        let rows: Vec<_> =
            news.iter().rev().map(|decided| parts::decision_row(&decided.decision, now).into_string()).collect();
        news.iter().for_each(|decided| cursor.pass(decided.at));
        let event = Event::default().event("decisions").id(cursor.to_string());
        vec![event.data(rows.concat().replace(['\r', '\n'], " "))]
    };
    follow(&admin, streams, &headers, query, Box::new(rows))
}
