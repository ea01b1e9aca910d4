//! Test events, and whether they arrive: signed, and by a key that is known.
//!
//! Where the receiver's address is free, a receiver opens there for the moment. It answers 2xx to test events alone: what
//! real mail did is refused and comes again from SendGrid, so that none of it is lost. Where a Weir runs, its own receiver
//! takes the test events, and its metrics tell.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use log::{Append, BoxFuture, Producer};
use receiver::{Receiver, Source};
use sendgrid::webhook::WebhookEvent;
use telemetry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::running_weir::RunningWeir;

/// How often is looked.
const LOOKING: Duration = Duration::from_millis(200);

/// How many POSTs had which outcome, by source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Requests(BTreeMap<(String, String), u64>);

/// Where test events arrive.
pub(super) enum Watch {
    /// At a receiver that is open for the moment.
    Own { registry: Registry, shutdown: CancellationToken, serving: JoinHandle<Result<(), receiver::Error>> },
    /// At a Weir that runs.
    Running(RunningWeir),
}

/// What became of a test event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It came, and its signature is good.
    Verified,
    /// It did not; this is what was seen instead.
    Missing(&'static str),
}

/// Takes made-up events, and keeps nothing.
#[derive(Debug)]
struct TestsOnly;

impl Producer for TestsOnly {
    fn append(&self, records: Vec<Append>) -> BoxFuture<'_, log::Result<()>> {
        let is_test = records.iter().all(|append| is_made_up(&append.record.value));
        Box::pin(async move { if is_test { Ok(()) } else { Err(log::Error::Busy("only test events are waited for")) } })
    }
}

fn is_made_up(event: &[u8]) -> bool {
    WebhookEvent::parse(event).is_ok_and(|event| event.is_test())
}

impl Watch {
    /// Opens a receiver of these sources where Weir's will be.
    pub(super) async fn open(config: receiver::Config, sources: Vec<Source>) -> anyhow::Result<Self> {
        let registry = Registry::new();
        let producer = std::sync::Arc::new(TestsOnly);
        let receiver = Receiver::bind(config, sources, producer, clock::system(), &registry).await?;
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(receiver.run(shutdown.clone()));
        Ok(Self::Own { registry, shutdown, serving })
    }

    /// What has come so far.
    pub(super) async fn requests(&self) -> anyhow::Result<Requests> {
        let text = match self {
            Self::Own { registry, .. } => registry.text()?,
            Self::Running(weir) => {
                let unheard = || format!("Weir at {} does not tell its metrics; does it run?", weir.base());
                let answer = weir.get("/metrics").send().await.with_context(unheard)?;
                answer.error_for_status().with_context(unheard)?.text().await.with_context(unheard)?
            }
        };
        Ok(Requests::of(&text))
    }

    /// Waits until a signed POST has come for each of these sources since `before`, in the order of the sources.
    pub(super) async fn wait(
        &self,
        sources: &[&str],
        before: &Requests,
        longest: Duration,
    ) -> anyhow::Result<Vec<Arrival>> {
        let deadline = tokio::time::Instant::now() + longest;
        loop {
            let now = self.requests().await?;
            let arrivals: Vec<_> = sources.iter().map(|source| now.since(before, source)).collect();
            let is_over = tokio::time::Instant::now() >= deadline;
            if is_over || arrivals.iter().all(|arrival| *arrival == Arrival::Verified) {
                return Ok(arrivals);
            }
            tokio::time::sleep(LOOKING).await;
        }
    }

    /// Closes the receiver, where one was opened.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        if let Self::Own { shutdown, serving, .. } = self {
            shutdown.cancel();
            serving.await??;
        }
        Ok(())
    }
}

impl Requests {
    /// Reads them from metrics.
    fn of(metrics: &str) -> Self {
        Self(metrics.lines().filter_map(request).collect())
    }

    fn count(&self, source: &str, outcome: &str) -> u64 {
        self.0.get(&(source.to_owned(), outcome.to_owned())).copied().unwrap_or_default()
    }

    /// What came for a source since `before`.
    fn since(&self, before: &Self, source: &str) -> Arrival {
        let came = |source: &str, outcomes: &[&str]| {
            outcomes.iter().any(|outcome| self.count(source, outcome) > before.count(source, outcome))
        };
        // A log that takes nothing is asked only once the signature is good.
        if came(source, &["durable", "no_events", "log_unavailable"]) {
            return Arrival::Verified;
        }
        Arrival::Missing(if came(source, &["bad_signature"]) {
            "POSTs came that are signed by another key than the source has"
        } else if came(source, &["no_signature"]) {
            "POSTs came without a signature: is the webhook's signing still on, does a proxy drop headers?"
        } else if came(source, &["stale_timestamp"]) {
            "POSTs came whose signed time is far from this machine's: is its clock right?"
        } else if came("unknown", &["not_found"]) {
            "POSTs came for no known source: does a proxy change the path, does the Weir that runs know the new source yet?"
        } else {
            "nothing came: is the address right and its TLS certificate valid, does a firewall or proxy let SendGrid in, and does \
             it lead to this machine (else --to says where Weir runs)?"
        })
    }
}

/// A line of metrics that tells of POSTs.
fn request(line: &str) -> Option<((String, String), u64)> {
    let (labels, count) = line.strip_prefix("weir_receiver_requests_total{")?.split_once('}')?;
    let label = |name: &str| {
        let mut labels = labels.split(',').filter_map(|label| label.split_once('='));
        labels.find(|(known, _)| *known == name).map(|(_, value)| value.trim_matches('"').to_owned())
    };
    Some(((label("source")?, label("outcome")?), count.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(lines: &[&str]) -> Requests {
        let line = |line: &&str| format!("weir_receiver_requests_total{{{line}\n");
        Requests::of(&lines.iter().map(line).collect::<String>())
    }

    #[test]
    fn only_what_came_since_counts() {
        let before = requests(&["outcome=\"durable\",source=\"a\"} 3", "source=\"b\",outcome=\"bad_signature\"} 1"]);
        assert_eq!(before.count("a", "durable"), 3);
        let after = requests(&["outcome=\"durable\",source=\"a\"} 4", "source=\"b\",outcome=\"bad_signature\"} 1"]);
        assert_eq!(after.since(&before, "a"), Arrival::Verified);
        assert!(matches!(after.since(&before, "b"), Arrival::Missing(why) if why.starts_with("nothing came")));
    }

    #[test]
    fn what_came_instead_is_told() {
        for (outcome, source, word) in [
            ("bad_signature", "a", "another key"),
            ("no_signature", "a", "without a signature"),
            ("stale_timestamp", "a", "clock"),
            ("not_found", "unknown", "no known source"),
        ] {
            let came = requests(&[&format!("outcome=\"{outcome}\",source=\"{source}\"}} 1")]);
            let arrival = came.since(&Requests::default(), "a");
            assert!(matches!(arrival, Arrival::Missing(why) if why.contains(word)), "{outcome}: {arrival:?}");
        }
        let full = requests(&["outcome=\"log_unavailable\",source=\"a\"} 1"]);
        assert_eq!(full.since(&Requests::default(), "a"), Arrival::Verified, "its signature was good");
    }

    #[tokio::test]
    async fn what_real_mail_did_is_not_taken() {
        // As SendGrid makes them up.
        const TEST: (&str, &str) = ("example@test.com", "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0");
        let append = |(email, message): (&str, &str)| {
            let value =
                format!(r#"{{"email":"{email}","event":"bounce","timestamp":1,"sg_message_id":"{message}"}}"#).into();
            let kind = log::RecordKind::Event;
            let record =
                log::Record { kind, at: model::Timestamp::from_seconds(0), key: "a".into(), headers: [].into(), value };
            Append { topic: log::Topic::Events, route: log::Route::ByKey, record }
        };
        assert!(TestsOnly.append(vec![append(TEST)]).await.is_ok());
        assert!(TestsOnly.append(vec![append(TEST), append((TEST.0, "another.filter0001.1"))]).await.is_err());
    }
}
