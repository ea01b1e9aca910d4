//! New decisions as they come: a stream of server-sent events, each with the row that the script puts on top of the list.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream, StreamExt as _};
use tokio::sync::watch;

use super::parts;
use crate::admin::Admin;
use crate::index::{Cursor, Decided};

/// Decisions in one event at most.
const AT_ONCE: usize = 50;
/// How often whoever listens hears that the connection stands.
const KEPT_ALIVE: Duration = Duration::from_secs(15);

struct Listener {
    admin: Admin,
    read: watch::Receiver<u64>,
    told: Cursor,
}

impl Listener {
    /// Begins with what comes from now on. While Weir starts, what was decided long ago is read as if it came just now: that is
    /// waited for.
    async fn begin(admin: Admin) -> Option<Self> {
        let is_read = admin.index.caught_up().await;
        let (read, told) = (admin.index.decisions_read(), admin.index.end_of_decisions());
        is_read.then_some(Self { admin, read, told })
    }

    /// Waits for decisions that were not told yet, the newest first; `None` once the index is read no more.
    async fn next(&mut self) -> Option<Vec<Arc<Decided>>> {
        loop {
            self.read.mark_unchanged();
            let mut news = self.admin.index.decisions(&self.told, AT_ONCE);
            if !news.is_empty() {
                news.iter().for_each(|decided| self.told.pass(decided.at));
                news.reverse();
                return Some(news);
            }
            self.read.changed().await.ok()?;
        }
    }
}

/// Answers `/decisions/feed`.
pub(super) async fn feed(State(admin): State<Admin>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = stream::once(Listener::begin(admin)).flat_map(|listener| {
        stream::unfold(listener, |listener| async move {
            let mut listener = listener?;
            let news = listener.next().await?;
            Some((Ok(event(&news, &listener.admin)), Some(listener)))
        })
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEPT_ALIVE))
}

/// The rows, the newest first. A line break ends a line of an event, and a row holds none.
fn event(news: &[Arc<Decided>], admin: &Admin) -> Event {
    let now = (admin.clock)();
    let rows: String = news.iter().map(|decided| parts::decision_row(&decided.decision, now).into_string()).collect();
    Event::default().event("decisions").data(rows.replace(['\r', '\n'], " "))
}
