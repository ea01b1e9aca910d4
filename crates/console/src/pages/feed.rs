//! New decisions as they come: a stream of server-sent events, each with the row that the script puts on top of the list.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use model::{Decision, DecisionId};
use tokio::sync::watch;

use super::parts;
use super::visit::Visit;
use crate::admin::Admin;

/// Decisions in one event at most: whoever was asleep loads the page again.
const AT_ONCE: usize = 50;
/// How often whoever listens hears that the connection stands.
const KEPT_ALIVE: Duration = Duration::from_secs(15);

struct Listener {
    admin: Admin,
    read: watch::Receiver<u64>,
    /// The newest that were told.
    told: Vec<DecisionId>,
}

impl Listener {
    /// Waits for decisions that were not told yet; `None` once the index is read no more.
    async fn next(&mut self) -> Option<Vec<Decision>> {
        loop {
            self.read.changed().await.ok()?;
            self.read.mark_unchanged();
            let latest = self.admin.index.latest_decisions(AT_ONCE, None);
            let news: Vec<_> = latest.iter().filter(|decision| !self.told.contains(&decision.id)).cloned().collect();
            self.told = latest.into_iter().map(|decision| decision.id).collect();
            if !news.is_empty() {
                return Some(news);
            }
        }
    }
}

/// Answers `/decisions/feed`.
pub(super) async fn feed(
    State(admin): State<Admin>,
    _visit: Visit,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut read = admin.index.decisions_read();
    read.mark_unchanged();
    let told = admin.index.latest_decisions(AT_ONCE, None).into_iter().map(|decision| decision.id).collect();
    let listener = Listener { admin, read, told };
    let events = stream::unfold(listener, |mut listener| async move {
        let news = listener.next().await?;
        Some((Ok(event(&news, &listener.admin)), listener))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEPT_ALIVE))
}

/// The rows, the newest first. A line break ends a line of an event, and a row holds none.
fn event(news: &[Decision], admin: &Admin) -> Event {
    let now = (admin.clock)();
    let rows: String = news.iter().map(|decision| parts::decision_row(decision, now).into_string()).collect();
    Event::default().event("decisions").data(rows.replace(['\r', '\n'], " "))
}
