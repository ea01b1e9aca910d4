//! What is appended, measured where the backends can't be told apart.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use model::{Offset, PartitionId};
use telemetry::{Histogram, IntCounter, Registry, exponential_buckets};

use crate::Topic;
use crate::seam::{
    Append, BoxFuture, Candidacy, Log, Outputs, PartitionCount, Producer, Reach, Result, Start, Subscription, Tail,
};

/// The metrics of a process's producers.
#[derive(Clone, Debug)]
struct Metrics {
    took: Histogram,
    failures: IntCounter,
    /// By topic, in the order of [`Topic::ALL`].
    records: [IntCounter; Topic::ALL.len()],
    /// The same.
    bytes: [IntCounter; Topic::ALL.len()],
}

impl Metrics {
    fn register(registry: &Registry) -> telemetry::Result<Self> {
        Ok(Self {
            took: registry.histogram(
                "weir_log_append_seconds",
                "Time from an append to its durability; appends that became durable only.",
                exponential_buckets(0.000_5, 2.0, 16)?,
            )?,
            failures: registry.counter(
                "weir_log_append_failures_total",
                "Appends that failed, or whose appender waited no longer.",
            )?,
            records: registry.words(
                "weir_log_appended_records_total",
                "Records made durable by topic, without what scorers publish.",
                ("topic", Topic::ALL.map(Topic::name)),
            )?,
            bytes: registry.words(
                "weir_log_appended_bytes_total",
                "Bytes of keys, headers and values made durable by topic, without what scorers publish.",
                ("topic", Topic::ALL.map(Topic::name)),
            )?,
        })
    }
}

/// Registers the part's metrics alone, for who only lists them.
///
/// # Errors
///
/// Where a name is taken.
pub fn list_metrics(registry: &Registry) -> telemetry::Result<()> {
    Metrics::register(registry).map(drop)
}

/// `log`, with every append of its producers measured.
///
/// # Errors
///
/// Where a metric's name is taken.
pub fn measured(log: Arc<dyn Log>, registry: &Registry) -> telemetry::Result<Arc<dyn Log>> {
    Ok(Arc::new(Measured { log, metrics: Metrics::register(registry)? }))
}

struct Measured {
    log: Arc<dyn Log>,
    metrics: Metrics,
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.log.fmt(f)
    }
}

#[derive(Debug)]
struct MeasuredProducer {
    producer: Arc<dyn Producer>,
    metrics: Metrics,
}

/// Counts an append as failed unless it is told otherwise: a future may be dropped before it ends.
struct Pending<'a> {
    failures: Option<&'a IntCounter>,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(failures) = self.failures {
            failures.inc();
        }
    }
}

/// How many records and bytes go to each topic.
fn weigh(records: &[Append]) -> [(u64, u64); Topic::ALL.len()] {
    let mut sums = [(0, 0); Topic::ALL.len()];
    for Append { topic, record, .. } in records {
        let headers: usize = record.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if let Some((count, bytes)) = sums.get_mut(*topic as usize) {
            *count += 1;
            *bytes += (record.key.len() + record.value.len() + headers) as u64;
        }
    }
    sums
}

impl Producer for MeasuredProducer {
    fn append(&self, records: Vec<Append>) -> BoxFuture<'_, Result<()>> {
        let weight = weigh(&records);
        let appending = self.producer.append(records);
        Box::pin(async move {
            let (began, mut pending) = (Instant::now(), Pending { failures: Some(&self.metrics.failures) });
            appending.await?;
            pending.failures = None;
            self.metrics.took.observe(began.elapsed().as_secs_f64());
            let counters = self.metrics.records.iter().zip(&self.metrics.bytes);
            for ((count, size), (records, bytes)) in
                weight.into_iter().zip(counters).filter(|((count, _), _)| *count > 0)
            {
                records.inc_by(count);
                bytes.inc_by(size);
            }
            Ok(())
        })
    }
}

impl Log for Measured {
    fn producer(&self) -> Arc<dyn Producer> {
        Arc::new(MeasuredProducer { producer: self.log.producer(), metrics: self.metrics.clone() })
    }

    fn partitions(&self) -> PartitionCount {
        self.log.partitions()
    }

    fn identity(&self) -> Result<String> {
        self.log.identity()
    }

    fn subscribe(&self, topic: Topic, group: &str) -> Result<Box<dyn Subscription>> {
        self.log.subscribe(topic, group)
    }

    fn reach(&self, topic: Topic, partition: PartitionId) -> Result<Reach> {
        self.log.reach(topic, partition)
    }

    fn outputs(&self, partition: PartitionId) -> Result<Box<dyn Outputs>> {
        self.log.outputs(partition)
    }

    fn stand_for(&self, office: &str) -> Result<Box<dyn Candidacy>> {
        self.log.stand_for(office)
    }

    fn tail(&self, topic: Topic, start: Start) -> Result<Box<dyn Tail>> {
        self.log.tail(topic, start)
    }

    fn tail_of(&self, topic: Topic, partition: PartitionId, start: Start) -> Result<Box<dyn Tail>> {
        self.log.tail_of(topic, partition, start)
    }

    fn tail_from(&self, topic: Topic, places: &BTreeMap<PartitionId, Offset>) -> Result<Box<dyn Tail>> {
        self.log.tail_from(topic, places)
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;
    use crate::{Error, Record, RecordKind, Route};

    /// Takes what goes to the events, refuses the rest, and never ends about the fleet.
    #[derive(Debug)]
    struct Picky;

    impl Producer for Picky {
        fn append(&self, records: Vec<Append>) -> BoxFuture<'_, Result<()>> {
            match records.first().map(|append| append.topic) {
                Some(Topic::Fleet) => Box::pin(std::future::pending()),
                Some(Topic::Rejects) => Box::pin(async { Err(Error::Busy("test")) }),
                _ => Box::pin(async { Ok(()) }),
            }
        }
    }

    fn append(topic: Topic) -> Append {
        let headers: crate::Headers = [(Box::from("ab"), bytes::Bytes::from_static(b"c"))].into();
        let (key, value) = (bytes::Bytes::from_static(b"key"), bytes::Bytes::from_static(b"value"));
        let record = Record { kind: RecordKind::Event, at: Timestamp::default(), key, headers, value };
        Append { topic, route: Route::ByKey, record }
    }

    #[tokio::test]
    async fn what_is_durable_is_counted_and_what_fails_or_is_left_is_a_failure() {
        let registry = Registry::new();
        let metrics = Metrics::register(&registry).unwrap();
        let producer = MeasuredProducer { producer: Arc::new(Picky), metrics };
        producer.append(vec![append(Topic::Events), append(Topic::Events), append(Topic::Actions)]).await.unwrap();
        assert!(producer.append(vec![append(Topic::Rejects)]).await.is_err());
        let left =
            tokio::time::timeout(std::time::Duration::from_millis(1), producer.append(vec![append(Topic::Fleet)]));
        assert!(left.await.is_err());
        let text = registry.text().unwrap();
        for line in [
            "weir_log_appended_records_total{topic=\"events\"} 2\n",
            "weir_log_appended_bytes_total{topic=\"events\"} 22\n",
            "weir_log_appended_records_total{topic=\"actions\"} 1\n",
            "weir_log_appended_records_total{topic=\"rejects\"} 0\n",
            "weir_log_appended_records_total{topic=\"fleet\"} 0\n",
            "weir_log_append_failures_total 2\n",
            "weir_log_append_seconds_count 1\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
