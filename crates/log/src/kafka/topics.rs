//! Making topics, and refusing those that are not as configured.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::brokers::{Brokers, failed};
use super::{ASKING, Config};
use crate::{Cleanup, Error, Result, Topic};

/// How long brokers may take to hear of a topic that was made.
const SPREADING: Duration = Duration::from_secs(2);

/// How the topics that are made are kept.
#[derive(Clone, Copy, Debug)]
pub struct Replication {
    /// On how many brokers each partition lies.
    pub factor: u16,
    /// How many of them must have a record before it is acknowledged.
    pub min_in_sync: u16,
    /// How long events, decisions, actions, drafts and rejects are kept, in milliseconds.
    pub retention_millis: u64,
}

/// Makes the topics that are not there yet; their names.
///
/// Topics that are there are left as they are, and refused where they are cleaned in another way than Weir relies on.
///
/// # Errors
///
/// [`Error::TopicSetting`], [`Error::Unreachable`] where the brokers can't make them now, and [`Error::Storage`] where they
/// refuse to.
pub async fn create_topics(config: &Config, replication: Replication) -> Result<Vec<String>> {
    let admin: AdminClient<DefaultClientContext> = config.admin().create().map_err(|source| failed(config, source))?;
    let names: Vec<_> = Topic::ALL.map(|topic| (topic, config.topic(topic))).into();
    let settings: Vec<_> = names.iter().map(|(topic, _)| settings(*topic, replication)).collect();
    let topics = names.iter().zip(&settings).map(|((_, name), settings)| {
        let partitions = i32::try_from(config.partitions.get()).unwrap_or(i32::MAX);
        let new = NewTopic::new(name, partitions, TopicReplication::Fixed(replication.factor.into()));
        settings.iter().fold(new, |new, (key, value)| new.set(key, value))
    });
    let topics: Vec<_> = topics.collect();
    let options = AdminOptions::new().operation_timeout(Some(ASKING)).request_timeout(Some(ASKING));
    let made = admin.create_topics(&topics, &options).await.map_err(|source| failed(config, source))?;
    let (mut created, mut there) = (Vec::new(), Vec::new());
    for result in made {
        match result {
            Ok(name) => created.push(name),
            Err((name, RDKafkaErrorCode::TopicAlreadyExists)) => there.push(name),
            Err((name, code)) => {
                tracing::warn!(topic = name, %code, "can't be made");
                return Err(failed(config, KafkaError::AdminOp(code)));
            }
        }
    }
    for (topic, name) in &names {
        if there.contains(name) {
            check_cleanup(&admin, config, (*topic, name)).await?;
        }
    }
    Ok(created)
}

/// Refuses a topic from which records would go that Weir relies on, or in which they would be taken for older ones.
async fn check_cleanup(
    admin: &AdminClient<DefaultClientContext>,
    config: &Config,
    (topic, name): (Topic, &String),
) -> Result<()> {
    let options = AdminOptions::new().request_timeout(Some(ASKING));
    let found = admin.describe_configs([&ResourceSpecifier::Topic(name)], &options).await;
    let found = found.map_err(|source| failed(config, source))?;
    let found = found.into_iter().find_map(|resource| resource.ok()?.entry_map().get(CLEANUP)?.value.clone());
    let wanted = cleanup_of(topic);
    match found {
        Some(found) if found != wanted => {
            let (place, topic) = (config.brokers.clone(), name.clone());
            Err(Error::TopicSetting { place, topic, setting: CLEANUP, found, wanted })
        }
        // Who may not ask is trusted to have set it.
        _ => Ok(()),
    }
}

const CLEANUP: &str = "cleanup.policy";

const fn cleanup_of(topic: Topic) -> &'static str {
    match topic.cleanup() {
        Cleanup::Delete => "delete",
        Cleanup::Compact => "compact",
    }
}

fn settings(topic: Topic, replication: Replication) -> Vec<(&'static str, String)> {
    let kept = match topic.cleanup() {
        Cleanup::Delete => ("retention.ms", replication.retention_millis.to_string()),
        // A customer that is taken back must be seen to be gone by whoever was away for a week.
        Cleanup::Compact => ("delete.retention.ms", "604800000".to_owned()),
    };
    vec![
        (CLEANUP, cleanup_of(topic).to_owned()),
        kept,
        ("min.insync.replicas", replication.min_in_sync.to_string()),
        ("unclean.leader.election.enable", "false".to_owned()),
        ("message.timestamp.type", "CreateTime".to_owned()),
        // A simulation's clock may run ahead.
        ("message.timestamp.after.max.ms", i64::MAX.to_string()),
    ]
}

/// Refuses topics that are missing or have other partitions than configured. Those just made may not yet be known to the
/// broker that is asked.
pub(super) fn check(brokers: &Brokers) -> Result<()> {
    let deadline = Instant::now() + SPREADING;
    loop {
        match check_once(brokers) {
            Err(Error::NoTopic { .. }) if Instant::now() < deadline => std::thread::sleep(SPREADING / 20),
            checked => return checked,
        }
    }
}

fn check_once(brokers: &Brokers) -> Result<()> {
    let metadata = brokers.metadata()?;
    let found: BTreeMap<_, _> =
        metadata.topics().iter().filter(|t| t.error().is_none()).map(|t| (t.name(), t.partitions().len())).collect();
    let place = || brokers.config().brokers.clone();
    let names = Topic::ALL.map(|topic| brokers.topic(topic));
    let missing: Vec<_> =
        names.into_iter().filter(|name| found.get(*name).is_none_or(|partitions| *partitions == 0)).collect();
    if !missing.is_empty() {
        let topics = missing.join(", ");
        return Err(Error::NoTopic { place: place(), topics });
    }
    let wanted = brokers.config().partitions.get();
    for name in names {
        let partitions = found.get(name).and_then(|found| u32::try_from(*found).ok()).unwrap_or(0);
        if partitions != wanted {
            return Err(Error::Partitions { place: format!("{} ({name})", place()), found: partitions, wanted });
        }
    }
    Ok(())
}
