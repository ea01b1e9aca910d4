//! What is configured, and what each client is told.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;

use crate::{PartitionCount, Topic};

/// Settings of a log in Kafka.
#[derive(Clone, Debug)]
pub struct Config {
    /// Brokers to begin with, as `host:port,host:port`.
    pub brokers: String,
    /// What stands before each topic's name, group and transactional id: several Weirs may share a cluster.
    pub prefix: String,
    /// How many partitions each topic has; fixed for life.
    pub partitions: PartitionCount,
    /// The name under which this process is a member of groups: it keeps its partitions over a restart. Of its own for
    /// each process.
    pub member: String,
    /// How long an append may take before it is refused.
    pub delivery_timeout: Duration,
    /// Bytes of records that may wait to be acknowledged; beyond them an append is refused as [`crate::Error::Busy`].
    pub in_flight_bytes: usize,
    /// Passed to librdkafka as they are: encryption, authentication, time-outs.
    pub settings: BTreeMap<String, Secretive>,
}

/// A value that may be a password: it is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secretive(String);

impl std::fmt::Debug for Secretive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("\"…\"")
    }
}

impl From<String> for Secretive {
    fn from(value: String) -> Self {
        Self(value)
    }
}

/// A setting that may not be passed, because a promise rests on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is Weir's own to set: what it promises rests on it")]
pub struct ForbiddenSetting(String);

/// Those that promises rest on.
const OURS: [&str; 26] = [
    "acks",
    "auto.offset.reset",
    "bootstrap.servers",
    "check.crcs",
    "client.id",
    "delivery.report.only.error",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "isolation.level",
    "max.in.flight.requests.per.connection",
    "message.timeout.ms",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queue.buffering.max.ms",
    "request.required.acks",
    "retries",
    "transactional.id",
];

impl Config {
    /// The log at `brokers`, with 20 seconds to deliver (the failure of a broker is noticed within 9) and 64 MiB under way.
    pub fn new(brokers: impl Into<String>, partitions: PartitionCount) -> Self {
        Self {
            brokers: brokers.into(),
            prefix: "weir.".to_owned(),
            partitions,
            member: "weir".to_owned(),
            delivery_timeout: Duration::from_secs(20),
            in_flight_bytes: 64 << 20,
            settings: BTreeMap::new(),
        }
    }

    /// Passes a setting to librdkafka.
    ///
    /// # Errors
    ///
    /// [`ForbiddenSetting`] where a promise of Weir's rests on it.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) -> Result<(), ForbiddenSetting> {
        let name = name.into();
        if OURS.contains(&name.as_str()) {
            return Err(ForbiddenSetting(name));
        }
        self.settings.insert(name, Secretive(value.into()));
        Ok(())
    }

    /// The topic's name in Kafka.
    pub(super) fn topic(&self, topic: Topic) -> String {
        format!("{}{}", self.prefix, topic.name())
    }

    pub(super) fn admin(&self) -> ClientConfig {
        self.client(&[])
    }

    /// Of the one who appends. Nothing is acknowledged by fewer than all replicas in sync, and a retry of the client's own
    /// is not a second record.
    pub(super) fn producer(&self) -> ClientConfig {
        let timeout = self.delivery_timeout.as_millis().to_string();
        // The queue is bounded by `in_flight_bytes`; librdkafka's own bounds lie beyond it and are never met.
        self.client(&[
            ("acks", "all"),
            ("compression.type", "lz4"),
            ("enable.idempotence", "true"),
            ("message.timeout.ms", &timeout),
            ("queue.buffering.max.kbytes", "2097151"),
            ("queue.buffering.max.messages", "10000000"),
        ])
    }

    /// Of the one who speaks for a partition.
    pub(super) fn speaker(&self, id: &str) -> ClientConfig {
        let mut config = self.producer();
        config.set("transactional.id", id).set("transaction.timeout.ms", "30000").set("message.timeout.ms", "15000");
        config.set("linger.ms", "1");
        config
    }

    /// Of a member of a group.
    pub(super) fn member(&self, group: &str) -> ClientConfig {
        let group = format!("{}{group}", self.prefix);
        let mut config = self.client(&[
            ("auto.offset.reset", "error"),
            ("check.crcs", "true"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("isolation.level", "read_committed"),
            ("partition.assignment.strategy", "cooperative-sticky"),
            ("queued.max.messages.kbytes", "16384"),
            ("fetch.error.backoff.ms", "100"),
            // A full queue is looked at again soon: the default of a second is the time of many thousand records.
            ("fetch.queue.backoff.ms", "5"),
        ]);
        config.set("group.id", group);
        config
    }

    /// Of one who reads outside any group. librdkafka asks for a group's name all the same.
    pub(super) fn reader(&self) -> ClientConfig {
        let mut config = self.member("reader");
        config.set("auto.offset.reset", "earliest").set("enable.partition.eof", "true");
        config
    }

    fn client(&self, own: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", &self.member)
            .set("allow.auto.create.topics", "false")
            .set("socket.keepalive.enable", "true")
            .set("reconnect.backoff.max.ms", "1000");
        for (name, value) in own {
            config.set(*name, *value);
        }
        for (name, Secretive(value)) in &self.settings {
            config.set(name, value);
        }
        config
    }
}
