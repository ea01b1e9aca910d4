//! Decisions as they come, as a stream of events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::admin::Admin;
use crate::api::extract::Asked;
use crate::index::{Cursor, Decided, Index};
use crate::problem::Problem;

/// Streams at once: each is a connection that stays.
const STREAMS: usize = 64;
/// Decisions that are taken from memory at once.
const STEP: usize = 100;
/// How often a quiet stream shows that it is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// How many streams there may be, and when all of them end.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    turn: Arc<Semaphore>,
    ending: CancellationToken,
}

impl Streams {
    pub(crate) fn until(ending: CancellationToken) -> Self {
        Self { turn: Arc::new(Semaphore::new(STREAMS)), ending }
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamQuery {
    /// Where to begin: the `next` of `/v1/decisions`, or `-` for all that is kept. What comes from now on without.
    pub(crate) after: Option<String>,
}

/// An event of the stream.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes what the stream writes")]
pub(crate) struct StreamEvent {
    /// `decision`, or `gap` where decisions are no longer kept.
    event: Option<String>,
    /// Where to go on from.
    id: Option<String>,
    /// A decision in JSON, as `/v1/decisions` has it; of a gap, what there is to say about it.
    data: Option<String>,
}

/// Decisions as they come (`text/event-stream`): `decision` events with the decision in JSON, and a `gap` event where some are no
/// longer kept. Each event's id is where to go on, which browsers send by themselves as `Last-Event-ID`.
#[utoipa::path(
    get,
    path = "/v1/decisions/stream",
    params(StreamQuery, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen")),
    responses(
        (status = 200, description = "The stream", body = StreamEvent, content_type = "text/event-stream"),
        (status = 503, description = "There are too many streams, or Weir is starting")
    )
)]
pub(crate) async fn stream(
    State(admin): State<Admin>,
    Extension(streams): Extension<Streams>,
    headers: HeaderMap,
    Asked(query): Asked<StreamQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    follow(&admin, streams, &headers, query, Box::new(one_by_one))
}

fn one_by_one(decisions: &[Arc<Decided>], mut cursor: Cursor) -> Vec<Event> {
    let mut events = Vec::with_capacity(decisions.len());
    for decided in decisions {
        cursor.pass(decided.at);
        match Event::default().event("decision").id(cursor.to_string()).json_data(&decided.decision) {
            Ok(event) => events.push(event),
            Err(error) => tracing::warn!(%error, "a decision can't be written; left out of a stream"),
        }
    }
    events
}

/// Makes events of decisions that were read behind a cursor, each with the cursor behind what it tells as its id.
type Tell = Box<dyn Fn(&[Arc<Decided>], Cursor) -> Vec<Event> + Send>;

/// A stream of what `tell` makes of the decisions behind the event that was seen last, or else behind `after`, or from now on.
pub(crate) fn follow(
    admin: &Admin,
    streams: Streams,
    headers: &HeaderMap,
    StreamQuery { after }: StreamQuery,
    tell: Tell,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>, Problem> {
    admin.caught_up()?;
    let last = headers.get("last-event-id").map(|id| id.to_str().unwrap_or("?").to_owned());
    let cursor = match last.or(after) {
        Some(after) => Cursor::parse(&after).ok_or_else(Problem::no_cursor)?,
        None => admin.index.end_of_decisions(),
    };
    let turn = Arc::clone(&streams.turn).try_acquire_owned();
    let turn = turn.map_err(|_| Problem::unavailable(format!("there are {STREAMS} streams already")))?;
    let read = admin.index.decisions_read();
    // Whoever is cut off before the first decision goes on from here as well.
    let first = Event::default().id(cursor.to_string());
    let waiting = VecDeque::from([first]);
    let index = admin.index.clone();
    let reader = Reader { index, read, cursor, waiting, tell, ending: streams.ending, _turn: turn };
    Ok(Sse::new(unfold(reader, Reader::next)).keep_alive(KeepAlive::new().interval(ALIVE)))
}

/// Who reads a stream.
struct Reader {
    index: Index,
    read: watch::Receiver<u64>,
    cursor: Cursor,
    waiting: VecDeque<Event>,
    tell: Tell,
    ending: CancellationToken,
    _turn: OwnedSemaphorePermit,
}

impl Reader {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some((Ok(event), self));
            }
            self.read.mark_unchanged();
            self.fill();
            if !self.waiting.is_empty() {
                continue;
            }
            tokio::select! {
                () = self.ending.cancelled() => return None,
                changed = self.read.changed() => changed.ok()?,
            }
        }
    }

    /// Takes the next decisions from memory.
    fn fill(&mut self) {
        let (has_gap, decisions) = self.index.decisions_or_gap(&mut self.cursor, STEP);
        if has_gap {
            let detail = "decisions before the next one are no longer kept: they are in the log";
            self.waiting.push_back(Event::default().event("gap").data(detail));
        }
        if !decisions.is_empty() {
            self.waiting.extend((self.tell)(&decisions, self.cursor.clone()));
            decisions.iter().for_each(|decided| self.cursor.pass(decided.at));
        }
    }
}
