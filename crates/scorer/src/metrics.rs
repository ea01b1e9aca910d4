//! What the scorer tells Prometheus.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{AccountStatus, Offset, PartitionId, Stage, Timestamp};
use policy::Policy;
use scoring::Effect;
use telemetry::{Gauge, Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Label, Registry, Tracing};

/// The scorer's metrics.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Records taken, by what became of them: [`Became`] is the place.
    records: [IntCounter; Became::ALL.len()],
    /// Mails that SendGrid took and that named a pool.
    pub(crate) processed_named: IntCounter,
    /// Mails that SendGrid took and that named none.
    pub(crate) processed_without: IntCounter,
    /// Decisions, by rule and the stage that they led to.
    pub(crate) decisions: IntCounterVec,
    /// What SendGrid did to accounts, in the order of [`AccountStatus::ALL`].
    account_statuses: [IntCounter; AccountStatus::ALL.len()],
    /// Customers in the write-back cache.
    pub(crate) cached: IntGauge,
    /// Outputs published.
    pub(crate) outputs: IntCounter,
    /// Outputs that are committed, and not yet known to be published.
    pub(crate) unpublished: IntGauge,
    /// States brought from a checkpoint.
    pub(crate) restored: IntCounter,
    /// Checkpoints stored.
    pub(crate) checkpoints_stored: IntCounter,
    /// Checkpoints that could not be stored.
    pub(crate) checkpoints_failed: IntCounter,
    /// Time to commit a partition's state.
    pub(crate) commit: Histogram,
    /// The time of the last tick.
    pub(crate) tick: IntGauge,
    /// How far what is folded lies behind the present, in seconds.
    pub(crate) freshness: Gauge,
    /// Makes the spans of decisions.
    pub(crate) tracing: Tracing,
    by_partition: ByPartition,
    shown: Arc<Mutex<BTreeMap<PartitionId, Shown>>>,
}

/// What is told of each partition.
#[derive(Clone, Debug)]
struct ByPartition {
    customers: IntGaugeVec,
    next: IntGaugeVec,
    lag: IntGaugeVec,
    bytes: IntGaugeVec,
    checkpointed: IntGaugeVec,
}

/// One partition's gauges, at hand without a look-up. Cheap to clone; clones are the same gauges.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// The first offset not yet folded.
    next: IntGauge,
    /// Records between there and the log's end, when it was last asked.
    pub(crate) lag: IntGauge,
    /// Bytes of the state on disk.
    pub(crate) bytes: IntGauge,
    /// Customers by stage, in the order of [`Stage::ALL`].
    customers: [IntGauge; Stage::ALL.len()],
    /// When the record folded last was appended, in milliseconds; 0 where none was.
    folded: Arc<AtomicI64>,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Became {
    Counted,
    NotCounted,
    Duplicate,
    Late,
    Future,
    Command,
    Tick,
    Policy,
    PolicyRepeated,
    Unreadable,
}

impl Became {
    const ALL: [Self; 10] = [
        Self::Counted,
        Self::NotCounted,
        Self::Duplicate,
        Self::Late,
        Self::Future,
        Self::Command,
        Self::Tick,
        Self::Policy,
        Self::PolicyRepeated,
        Self::Unreadable,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::NotCounted => "not_counted",
            Self::Duplicate => "duplicate",
            Self::Late => "late",
            Self::Future => "future",
            Self::Command => "command",
            Self::Tick => "tick",
            Self::Policy => "policy",
            Self::PolicyRepeated => "policy_repeated",
            Self::Unreadable => "unreadable",
        }
    }
}

impl From<Effect> for Became {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Counted(_) => Self::Counted,
            Effect::NotCounted => Self::NotCounted,
            Effect::Duplicate => Self::Duplicate,
            Effect::Late => Self::Late,
            Effect::Future => Self::Future,
            Effect::Followed | Effect::Refused => Self::Command,
            Effect::Ticked => Self::Tick,
            Effect::PolicyTaken => Self::Policy,
        }
    }
}

impl Shown {
    /// Everything before `next` is folded, the last of it a record that was appended at `appended`.
    pub(crate) fn folded(&self, next: Offset, appended: Timestamp) {
        self.next.set(gauge(next.get()));
        self.folded.store(appended.millis(), Ordering::Relaxed);
    }

    /// The first offset not yet folded.
    pub(crate) fn next(&self) -> Offset {
        Offset::new(u64::try_from(self.next.get()).unwrap_or(0))
    }

    /// When the record folded last was appended.
    pub(crate) fn last_folded(&self) -> Option<Timestamp> {
        Some(self.folded.load(Ordering::Relaxed)).filter(|at| *at != 0).map(Timestamp::from_millis)
    }

    /// Shows customers by stage.
    pub(crate) fn customers<'a>(&self, by_stage: impl IntoIterator<Item = (&'a Stage, &'a u64)>) {
        for (stage, customers) in by_stage {
            if let Some(shown) = self.customers.get(*stage as usize) {
                shown.set(gauge(*customers));
            }
        }
    }
}

impl Metrics {
    /// The same, with spans for what brings decisions about.
    pub(crate) fn traced(self, tracing: Tracing) -> Self {
        Self { tracing, ..self }
    }

    /// Exports from 0 on what the policy's rules and limits may decide: Prometheus sees no increase in a series that begins at 1.
    pub(crate) fn expect(&self, policy: &Policy) {
        let rules = policy.rules().iter().map(|rule| (&rule.name, rule.stage));
        let limits = policy.limits().iter().map(|limit| (&limit.name, limit.stage));
        for (name, stage) in rules.chain(limits) {
            self.decisions.with_label_values(&[name.as_str(), stage.name()]);
        }
    }

    /// A record was taken.
    pub(crate) fn took(&self, became: Became) {
        if let Some(counter) = self.records.get(became as usize) {
            counter.inc();
        }
    }

    /// SendGrid did something to the account or to a subuser.
    pub(crate) fn account_status(&self, status: AccountStatus) {
        if let Some(place) = AccountStatus::ALL.iter().position(|one| *one == status)
            && let Some(counter) = self.account_statuses.get(place)
        {
            counter.inc();
        }
    }

    /// The gauges of a partition, which are shown from now on.
    pub(crate) fn of(&self, partition: PartitionId) -> Shown {
        let make = || {
            let all = &self.by_partition;
            let name = partition.to_string();
            let of = |gauges: &IntGaugeVec| gauges.with_label_values(&[&name]);
            Shown {
                next: of(&all.next),
                lag: of(&all.lag),
                bytes: of(&all.bytes),
                customers: Stage::ALL.map(|stage| all.customers.with_label_values(&[name.as_str(), stage.name()])),
                folded: Arc::default(),
            }
        };
        self.shown().entry(partition).or_insert_with(make).clone()
    }

    /// Every partition that is shown.
    pub(crate) fn shown(&self) -> MutexGuard<'_, BTreeMap<PartitionId, Shown>> {
        // Each entry stands for itself: what a panic leaves behind is sound.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A checkpoint of a partition was stored at `at`; shown where the partition still is.
    pub(crate) fn checkpointed(&self, partition: PartitionId, at: Timestamp) {
        if self.shown().contains_key(&partition) {
            self.by_partition.checkpointed.with_label_values(&[&partition.to_string()]).set(at.seconds());
        }
    }

    /// Shows nothing more of a partition that is another's, so that sums over all scorers count it once.
    pub(crate) fn forget(&self, partition: PartitionId) {
        let mut shown = self.shown();
        shown.remove(&partition);
        let partition = partition.to_string();
        let all = &self.by_partition;
        for gauges in [&all.next, &all.lag, &all.bytes, &all.checkpointed] {
            // What was never shown can't be taken away, which is as good.
            let _never_shown = gauges.remove_label_values(&[&partition]).is_err();
        }
        for stage in Stage::ALL {
            let _never_shown = all.customers.remove_label_values(&[partition.as_str(), stage.name()]).is_err();
        }
    }

    /// Registers them with `registry`.
    ///
    /// # Errors
    ///
    /// Where a name is taken.
    pub fn register(registry: &Registry) -> telemetry::Result<Self> {
        let records = registry.words(
            "weir_scorer_records_total",
            "Records of the log taken, by what became of them.",
            ("effect", Became::ALL.map(Became::name)),
        )?;
        let [processed_named, processed_without] = registry.words(
            "weir_scorer_processed_mails_total",
            "Mails that SendGrid took, by whether they named a pool (named, none): what names none may leave through any IP of \
             the account, which no quarantine of customers without IPs of their own can hold.",
            ("pool", ["named", "none"]),
        )?;
        let [checkpoints_stored, checkpoints_failed] = registry.words(
            "weir_scorer_checkpoints_total",
            "Checkpoints of partitions, by whether they were stored.",
            ("outcome", ["stored", "failed"]),
        )?;
        Ok(Self {
            records,
            account_statuses: account_statuses(registry)?,
            processed_named,
            processed_without,
            checkpoints_stored,
            checkpoints_failed,
            decisions: registry.counters(
                "weir_scorer_decisions_total",
                "Decisions, by rule and by the stage they led to.",
                &[
                    Label::configured("rule", "rule or limit, or what else decided"),
                    Label::words("to", Stage::ALL.map(Stage::name)),
                ],
            )?,
            cached: registry.gauge("weir_scorer_cached_customers", "Customers in the write-back caches.")?,
            outputs: registry
                .counter("weir_scorer_outputs_total", "Decisions, standings and fleet shares published.")?,
            unpublished: registry.gauge(
                "weir_scorer_unpublished_outputs",
                "Decisions, standings and fleet shares that are committed and not yet known to be published.",
            )?,
            restored: registry.counter("weir_scorer_restored_total", "Partitions restored from a checkpoint.")?,
            commit: registry.histogram(
                "weir_scorer_commit_seconds",
                "Time to commit a partition's state, offset and outbox.",
                telemetry::exponential_buckets(0.000_25, 2.0, 16)?,
            )?,
            tick: registry.gauge(
                "weir_scorer_last_tick_timestamp_seconds",
                "The time of the last tick that was folded, as Unix seconds.",
            )?,
            freshness: registry.real_gauge(
                "weir_scorer_freshness_seconds",
                "How far the fold is behind: the age of the record folded last, of the partition that is furthest behind; 0 where \
                 all was folded that was in the log some seconds ago.",
            )?,
            tracing: Tracing::default(),
            by_partition: ByPartition::register(registry)?,
            shown: Arc::default(),
        })
    }
}

fn account_statuses(registry: &Registry) -> telemetry::Result<[IntCounter; AccountStatus::ALL.len()]> {
    registry.words(
        "weir_account_status_changes_total",
        "Changes of the status of the account or of a subuser, as SendGrid told them by the webhook.",
        ("status", AccountStatus::ALL.map(AccountStatus::name)),
    )
}

impl ByPartition {
    fn register(registry: &Registry) -> telemetry::Result<Self> {
        let gauges = |name: &str, help: &str| registry.gauges(name, help, &[Label::partition()]);
        Ok(Self {
            customers: registry.gauges(
                "weir_scorer_customers",
                "Customers by stage.",
                &[Label::partition(), Label::words("stage", Stage::ALL.map(Stage::name))],
            )?,
            next: gauges("weir_scorer_next_offset", "The first offset not yet folded, by partition.")?,
            lag: gauges(
                "weir_scorer_lag_records",
                "Records between the first one not yet folded and the end of the log; during a replay, what is left of it.",
            )?,
            bytes: gauges(
                "weir_scorer_state_bytes",
                "Bytes of a partition's state, on disk and in its memory tables.",
            )?,
            checkpointed: gauges(
                "weir_scorer_checkpoint_timestamp_seconds",
                "When this process last stored a checkpoint of the partition, as Unix seconds.",
            )?,
        })
    }
}

fn gauge(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Registers the part's metrics alone, for who only lists them.
///
/// # Errors
///
/// Where a name is taken.
pub fn list_metrics(registry: &Registry) -> telemetry::Result<()> {
    crate::fleet_gauges::list_metrics(registry)?;
    Metrics::register(registry).map(drop)
}
