//! Which log, and how it is had.

use std::num::NonZeroU32;
use std::time::Duration;

use log::kafka::Replication;
use log::{PartitionCount, embedded, kafka};
use model::Millis;
use toml::{Spanned, Value};

use super::check::Check;
use super::raw::RawLog;

/// Which log.
#[derive(Clone, Debug)]
pub(crate) enum LogSettings {
    /// The log of a single machine.
    Embedded(embedded::Config),
    /// Kafka.
    Kafka(Box<KafkaSettings>),
}

/// Kafka, and what Weir makes there.
#[derive(Clone, Debug)]
pub(crate) struct KafkaSettings {
    /// How to reach it.
    pub(crate) config: kafka::Config,
    /// How topics are made.
    pub(crate) replication: Replication,
    /// Whether they are made at start-up.
    pub(crate) create_topics: bool,
}

pub(super) fn check(check: &mut Check<'_>, raw: &RawLog) -> LogSettings {
    let partitions = partitions(check, raw);
    match raw.backend.as_ref().map(|backend| backend.get_ref().as_str()) {
        Some("kafka") => LogSettings::Kafka(Box::new(kafka(check, raw, partitions))),
        backend => {
            if let (Some(written), false) = (&raw.backend, matches!(backend, None | Some("embedded"))) {
                let found = written.get_ref();
                check.fault(written, format!("log backend {found:?} is not known; \"embedded\" and \"kafka\" are"));
            }
            LogSettings::Embedded(embedded(check, raw, partitions))
        }
    }
}

fn partitions(check: &mut Check<'_>, raw: &RawLog) -> PartitionCount {
    let partitions = raw.partitions.as_ref().map_or(4, |count| *count.get_ref());
    PartitionCount::new(match (NonZeroU32::new(partitions), &raw.partitions) {
        (Some(count), _) if count.get() <= 1_024 => count,
        (_, Some(written)) => {
            check.fault(written, "partitions is from 1 to 1024".to_owned());
            NonZeroU32::MIN
        }
        (_, None) => NonZeroU32::MIN,
    })
}

fn embedded(check: &mut Check<'_>, raw: &RawLog, partitions: PartitionCount) -> embedded::Config {
    let mut config = embedded::Config::new(raw.path.as_deref().unwrap_or("data/log"), partitions);
    config.max_age = max_age(check, raw, config.max_age);
    config.max_bytes = raw.max_bytes.as_ref().map_or(config.max_bytes, |bytes| *bytes.get_ref());
    config
}

fn max_age(check: &mut Check<'_>, raw: &RawLog, default: Millis) -> Millis {
    let age = check.span(raw.max_age.as_ref(), default);
    let age = Millis::new(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    if let Some(written) = raw.max_age.as_ref().filter(|_| age <= model::Window::Month.span()) {
        check.fault(written, "max_age is over 30d, the longest window: events rebuild state that is lost".to_owned());
    }
    age
}

fn kafka(check: &mut Check<'_>, raw: &RawLog, partitions: PartitionCount) -> KafkaSettings {
    let brokers = raw.brokers.as_ref().map_or("", |brokers| brokers.get_ref().trim());
    if brokers.is_empty() {
        let at = raw.backend.as_ref().map(|backend| backend.span().start);
        check.fault_at(at, "backend = \"kafka\" needs brokers = \"host:9092,host:9092\"");
    }
    let mut config = kafka::Config::new(brokers, partitions);
    if let Some(prefix) = &raw.topic_prefix {
        config.prefix = name(check, prefix, "topic_prefix");
    }
    config.member = member(check, raw);
    let timeout = Millis::new(i64::try_from(config.delivery_timeout.as_millis()).unwrap_or(i64::MAX));
    config.delivery_timeout = check.span(raw.delivery_timeout.as_ref(), timeout).max(Duration::from_secs(1));
    for (name, value) in raw.kafka.as_ref().map(Spanned::get_ref).into_iter().flatten() {
        let set = config.set(name, plain(value));
        if let (Err(error), Some(written)) = (set, &raw.kafka) {
            check.fault(written, format!("[log.kafka] {error}"));
        }
    }
    if let Some(variable) = &raw.sasl_password_env {
        match std::env::var(variable.get_ref()) {
            Ok(password) => drop(config.set("sasl.password", password)),
            Err(_) => check.fault(variable, format!("{} holds no password", variable.get_ref())),
        }
    }
    let factor = raw.replication.as_ref().map_or(3, |factor| *factor.get_ref());
    if let Some(written) = raw.replication.as_ref().filter(|_| factor == 0) {
        check.fault(written, "replication is at least 1".to_owned());
    }
    let age = max_age(check, raw, Millis::days(45));
    KafkaSettings {
        config,
        replication: Replication {
            factor,
            // One broker may be away, where there are several.
            min_in_sync: factor.saturating_sub(1).max(1),
            retention_millis: u64::try_from(age.get()).unwrap_or(u64::MAX),
        },
        create_topics: raw.create_topics.unwrap_or(false),
    }
}

/// The name of this process: of its own for each, and the same after a restart.
pub(super) fn member(check: &mut Check<'_>, raw: &RawLog) -> String {
    match &raw.member {
        Some(member) if !member.get_ref().is_empty() => name(check, member, "member"),
        _ => host_name(),
    }
}

/// What Kafka takes in names of topics and groups.
fn name(check: &mut Check<'_>, written: &Spanned<String>, key: &str) -> String {
    let name = written.get_ref();
    let is_sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.chars().all(is_sound) || name.len() > 200 {
        check.fault(written, format!("{key} {name:?} may hold letters, digits, '.', '_' and '-', at most 200"));
    }
    name.clone()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The machine's name: of its own for each machine, and the same after a restart.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    name.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_else(|| "weir".to_owned())
}
