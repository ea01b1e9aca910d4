//! What the scorer tells Prometheus.

use model::{PartitionId, Stage};
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

/// The scorer's metrics.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Records taken, by what became of them.
    pub(crate) records: IntCounterVec,
    /// Mails that SendGrid took, by whether they named a pool.
    pub(crate) processed: IntCounterVec,
    /// Decisions, by rule and the stage that they led to.
    pub(crate) decisions: IntCounterVec,
    /// Customers by stage, as this process knows its partitions.
    pub(crate) customers: IntGaugeVec,
    /// The next offset of each partition.
    pub(crate) offset: IntGaugeVec,
    /// Customers in the write-back cache.
    pub(crate) cached: IntGauge,
    /// Outputs published.
    pub(crate) outputs: IntCounter,
    /// States brought from a checkpoint.
    pub(crate) restored: IntCounter,
    /// Checkpoints stored, by outcome.
    pub(crate) checkpoints: IntCounterVec,
    /// Time to commit a partition's state.
    pub(crate) commit: Histogram,
    /// The time of the last tick.
    pub(crate) tick: IntGauge,
}

impl Metrics {
    /// Shows nothing more of a partition that is another's, so that sums over all scorers count it once.
    pub(crate) fn forget(&self, partition: PartitionId) {
        let partition = partition.to_string();
        // What was never shown can't be taken away, which is as good.
        let _never_shown = self.offset.remove_label_values(&[&partition]).is_err();
        for stage in Stage::ALL {
            let _never_shown = self.customers.remove_label_values(&[partition.as_str(), stage.name()]).is_err();
        }
    }

    /// Registers them with `registry`.
    ///
    /// # Errors
    ///
    /// Where a name is taken.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            records: IntCounterVec::new(
                Opts::new("weir_scorer_records_total", "Records of the log taken, by what became of them."),
                &["effect"],
            )?,
            processed: IntCounterVec::new(
                Opts::new(
                    "weir_scorer_processed_mails_total",
                    "Mails that SendGrid took, by whether they named a pool (named, none): what names none may leave through any \
                     IP of the account, which no quarantine of customers without IPs of their own can hold.",
                ),
                &["pool"],
            )?,
            decisions: IntCounterVec::new(
                Opts::new("weir_scorer_decisions_total", "Decisions, by rule and by the stage they led to."),
                &["rule", "to"],
            )?,
            customers: IntGaugeVec::new(
                Opts::new("weir_scorer_customers", "Customers by stage."),
                &["partition", "stage"],
            )?,
            offset: IntGaugeVec::new(
                Opts::new("weir_scorer_next_offset", "The first offset not yet taken, by partition."),
                &["partition"],
            )?,
            cached: IntGauge::new("weir_scorer_cached_customers", "Customers in the write-back caches.")?,
            outputs: IntCounter::new("weir_scorer_outputs_total", "Decisions, standings and fleet shares published.")?,
            restored: IntCounter::new("weir_scorer_restored_total", "Partitions restored from a checkpoint.")?,
            checkpoints: IntCounterVec::new(
                Opts::new("weir_scorer_checkpoints_total", "Checkpoints of partitions, by whether they were stored."),
                &["outcome"],
            )?,
            commit: Histogram::with_opts(HistogramOpts::new(
                "weir_scorer_commit_seconds",
                "Time to commit a partition's state, offset and outbox.",
            ))?,
            tick: IntGauge::new(
                "weir_scorer_last_tick_timestamp_seconds",
                "The time of the last tick, as Unix seconds.",
            )?,
        };
        registry.register(Box::new(metrics.records.clone()))?;
        registry.register(Box::new(metrics.processed.clone()))?;
        registry.register(Box::new(metrics.decisions.clone()))?;
        registry.register(Box::new(metrics.customers.clone()))?;
        registry.register(Box::new(metrics.offset.clone()))?;
        registry.register(Box::new(metrics.cached.clone()))?;
        registry.register(Box::new(metrics.outputs.clone()))?;
        registry.register(Box::new(metrics.restored.clone()))?;
        registry.register(Box::new(metrics.checkpoints.clone()))?;
        registry.register(Box::new(metrics.commit.clone()))?;
        registry.register(Box::new(metrics.tick.clone()))?;
        Ok(metrics)
    }
}
