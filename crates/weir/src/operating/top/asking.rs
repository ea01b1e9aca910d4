//! What `weir top` asks of the Weir that runs.

use std::sync::Arc;
use std::time::Duration;

use model::Decision;
use serde_json::Value;
use tokio::sync::mpsc::Sender;

use super::super::customers::policy_in_force;
use super::super::read;
use crate::rendering::customer::{CustomerAnswer, page};
use crate::rendering::customers::CustomersPage;
use crate::rendering::decisions::DecisionsPage;
use crate::rendering::enforcement::Status;
use crate::rendering::fleet::FleetAnswer;
use crate::rendering::top::{News, Snapshot};
use crate::rendering::{Look, printable_text};
use crate::running_weir::RunningWeir;

/// Customers that are shown.
const WORST: usize = 50;
/// Decisions that are shown of those before.
const LATEST: usize = 100;
/// How long Weir waits with its answer for a decision to come, in seconds.
const WAITING: u64 = 30;
const RETRYING: Duration = Duration::from_secs(1);

/// Asks, and tells the news. Cheap to clone.
#[derive(Clone)]
pub(super) struct Asker {
    weir: Arc<RunningWeir>,
    look: Look,
}

impl Asker {
    pub(super) fn new(weir: RunningWeir, look: Look) -> Self {
        Self { weir: Arc::new(weir), look: Look { colours: false, ..look } }
    }

    pub(super) fn base(&self) -> &str {
        self.weir.base()
    }

    /// How all is now.
    pub(super) async fn snapshot(&self) -> anyhow::Result<News> {
        let customers = self.weir.get("/v1/customers").query(&[("limit", WORST)]);
        let (enforcer, fleet, customers, lag) = tokio::join!(
            self.weir.answer::<Value>(self.weir.get("/v1/enforcer")),
            self.weir.answer::<Value>(self.weir.get("/v1/fleet")),
            self.weir.answer::<CustomersPage>(customers),
            self.lag(),
        );
        let enforcement: Status = read(enforcer?)?;
        let FleetAnswer { fleet, .. } = read(fleet?)?;
        let customers = customers?.customers.into_iter().map(read).collect::<anyhow::Result<_>>()?;
        let snapshot = Snapshot { enforcement, stages: fleet.stages, as_of: fleet.as_of, customers, lag };
        Ok(News::Snapshot(Box::new(snapshot)))
    }

    /// Records that the scorers of that process have not read yet.
    async fn lag(&self) -> Option<u64> {
        let answer = self.weir.response(self.weir.get("/metrics")).await.ok()?;
        lag_in(&answer.text().await.ok()?)
    }

    /// The decisions before, and the cursor of those that come.
    pub(super) async fn latest_decisions(&self) -> anyhow::Result<(News, String)> {
        let (mut latest, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.decisions(&after, 0).await?;
            after = page.next;
            if page.decisions.is_empty() {
                return Ok((News::Decisions(latest), after));
            }
            latest.extend(decisions(page.decisions)?);
            latest.drain(..latest.len().saturating_sub(LATEST));
        }
    }

    async fn decisions(&self, after: &str, wait: u64) -> anyhow::Result<DecisionsPage> {
        let request = self.weir.get("/v1/decisions").query(&[("after", after)]).query(&[("wait", wait)]);
        self.weir.answer(request).await
    }

    /// Looks every so often, as long as the news are heard.
    pub(super) async fn look(self, every: Duration, news: Sender<News>) {
        let mut looks = tokio::time::interval(every);
        while !news.is_closed() {
            looks.tick().await;
            let told = self.snapshot().await.unwrap_or_else(|error| trouble(&error));
            if news.send(told).await.is_err() {
                return;
            }
        }
    }

    /// Tells decisions as they come, as long as the news are heard.
    pub(super) async fn follow(self, news: Sender<News>) {
        let mut cursor: Option<String> = None;
        while !news.is_closed() {
            let told = match &cursor {
                None => self.latest_decisions().await,
                Some(after) => self.come_after(after).await,
            };
            // Whether Weir answers at all is for the looks to tell.
            let Ok((told, after)) = told else {
                tokio::time::sleep(RETRYING).await;
                continue;
            };
            cursor = Some(after);
            if news.send(told).await.is_err() {
                return;
            }
        }
    }

    async fn come_after(&self, after: &str) -> anyhow::Result<(News, String)> {
        let page = self.decisions(after, WAITING).await?;
        Ok((News::Decisions(decisions(page.decisions)?), page.next))
    }

    /// Tells all of a customer.
    pub(super) async fn customer(self, name: String, news: Sender<News>) {
        let page = self.page(&name).await.unwrap_or_else(|error| printable_text(&format!("{error:#}")));
        // Nobody hears it where it has ended.
        let _heard = news.send(News::Customer { name, page }).await.is_ok();
    }

    async fn page(&self, name: &str) -> anyhow::Result<String> {
        let answer: Value = self.weir.answer(self.weir.get_from(&["v1", "customers", name])?).await?;
        let policy = policy_in_force(&self.weir).await;
        let look = Look { now: crate::clock::system()(), ..self.look };
        Ok(page(&read::<CustomerAnswer>(answer)?, policy.as_ref(), &look))
    }
}

fn decisions(values: Vec<Value>) -> anyhow::Result<Vec<Decision>> {
    values.into_iter().map(read).collect()
}

fn trouble(error: &anyhow::Error) -> News {
    News::Trouble(printable_text(&format!("{error:#}")))
}

/// The sum over partitions, where the metric is there at all.
fn lag_in(metrics: &str) -> Option<u64> {
    let lags: Vec<f64> = metrics
        .lines()
        .filter(|line| line.starts_with("weir_scorer_lag_records{"))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse().ok())
        .collect();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of records, as metrics tell it"
    )]
    let sum = lags.iter().sum::<f64>() as u64;
    (!lags.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_that_of_all_partitions() {
        let metrics = "# HELP weir_scorer_lag_records Records.\nweir_scorer_lag_records{partition=\"0\"} 3\nweir_scorer_lag_records{partition=\"1\"} 14\n";
        assert_eq!(lag_in(metrics), Some(17));
        assert_eq!(lag_in("weir_other 1\n"), None);
    }
}
