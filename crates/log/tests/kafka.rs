//! The laws of every backend, held by a real Kafka; and what only Kafka promises.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use std::time::{Duration, Instant};

use broker::Cluster;
use log::kafka::{Config, KafkaLog, Replication, create_topics};
use log::{Error, Log, Output, Sequence, Topic};
use model::{Offset, PartitionId, Timestamp};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

use crate::laws::{self, Backend, PARTITIONS, PATIENCE, read, record, values, wait};

/// One broker for all laws that are tried at a time; each has topics of its own.
fn cluster() -> Arc<Cluster> {
    static CLUSTER: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
    let mut cluster = CLUSTER.lock().unwrap_or_else(PoisonError::into_inner);
    cluster.upgrade().unwrap_or_else(|| {
        let fresh = Arc::new(Cluster::start(1));
        *cluster = Arc::downgrade(&fresh);
        fresh
    })
}

/// The laws' records are of 1970: a broker that came to look at its retention would drop them.
const REPLICATION: Replication = Replication { factor: 1, min_in_sync: 1, retention_millis: i64::MAX.unsigned_abs() };

struct Kafka {
    config: Config,
    /// Held so that it lives as long as the law is tried.
    _cluster: Arc<Cluster>,
}

impl Kafka {
    /// Without topics.
    fn empty() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let cluster = cluster();
        let mut config = Config::new(cluster.addresses(), PARTITIONS);
        config.prefix = format!("law-{}.", NEXT.fetch_add(1, Ordering::Relaxed));
        Self { config, _cluster: cluster }
    }

    /// Makes the topic of the standings with these settings, before Weir makes the others.
    fn make_standings(&self, settings: &[(&str, &str)]) {
        let brokers = &self.config.brokers;
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
        let name = format!("{}standings", self.config.prefix);
        let topic = NewTopic::new(&name, PARTITIONS.get().try_into().unwrap(), TopicReplication::Fixed(1));
        let topic = settings.iter().fold(topic, |topic, (name, value)| topic.set(name, value));
        let made = wait(admin.create_topics(&[topic], &AdminOptions::new())).unwrap();
        assert!(made.iter().all(Result::is_ok), "{made:?}");
    }
}

impl Backend for Kafka {
    fn new() -> Self {
        let empty = Self::empty();
        wait(create_topics(&empty.config, REPLICATION)).unwrap();
        empty
    }

    fn open(&self) -> Arc<dyn Log> {
        Arc::new(KafkaLog::open(self.config.clone()).unwrap())
    }

    fn open_narrow(&self, bytes: usize) -> Arc<dyn Log> {
        Arc::new(KafkaLog::open(Config { in_flight_bytes: bytes, ..self.config.clone() }).unwrap())
    }
}

laws::hold_for!(one_broker: crate::kafka::Kafka);

/// A standing of `customer` that says its own number.
fn standing(sequence: u64, customer: &str) -> Output {
    let mut record = record(customer, sequence.to_string());
    // A segment ends by its records' times.
    record.at = Timestamp::from_seconds(i64::try_from(sequence).unwrap() * 60);
    Output { sequence: Sequence::new(sequence), said_at: Offset::new(sequence), topic: Topic::Standings, record }
}

/// Else what is old would become the newest of its key.
#[test]
fn an_output_that_compaction_removed_is_not_published_again() {
    let kafka = Kafka::empty();
    // Compacted as soon as there is anything to compact.
    let soon = [("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0.001"), ("segment.ms", "1")];
    kafka.make_standings(&soon);
    wait(create_topics(&kafka.config, REPLICATION)).unwrap();
    let log = kafka.open();
    let partition = PartitionId::new(1);
    let mut said = vec![standing(1, "before"), standing(2, "acme"), standing(3, "acme")];
    let mut outputs = log.outputs(partition).unwrap();
    outputs.publish(&said).unwrap();
    let deadline = Instant::now() + PATIENCE * 3;
    while values(&read(log.as_ref(), Topic::Standings)).contains(&"2") {
        assert!(Instant::now() < deadline, "nothing is compacted");
        std::thread::sleep(Duration::from_millis(100));
        said.push(standing(said.len() as u64 + 1, "another"));
        outputs.publish(&said).unwrap();
    }
    log.outputs(partition).unwrap().publish(&said).unwrap();
    let read = read(log.as_ref(), Topic::Standings);
    let acme = read.iter().rfind(|stored| stored.record.key == "acme").unwrap();
    assert_eq!(acme.record.value, "3");
}

/// A member of the group that polls until it is refused, or until `deadline`.
fn member(kafka: &Kafka, deadline: Instant) -> Option<Error> {
    let mut subscription = kafka.open().subscribe(Topic::Events, "group").unwrap();
    while Instant::now() < deadline {
        if let Err(error) = subscription.poll(Duration::from_millis(50)) {
            return Some(error);
        }
    }
    None
}

#[test]
fn two_members_of_one_name_are_told_and_one_of_them_stays() {
    let mut kafka = Kafka::new();
    kafka.config.set("session.timeout.ms", "6000").unwrap();
    kafka.config.set("heartbeat.interval.ms", "500").unwrap();
    let (kafka, deadline) = (&kafka, Instant::now() + PATIENCE * 3);
    let [one, two] = std::thread::scope(|scope| {
        [(); 2].map(|()| scope.spawn(move || member(kafka, deadline))).map(|member| member.join().unwrap())
    });
    let refused: Vec<_> = [one, two].into_iter().flatten().collect();
    assert!(matches!(refused.as_slice(), [Error::MemberTaken { member }] if member == "weir"), "{refused:?}");
}

#[test]
fn a_topic_that_would_lose_standings_is_refused() {
    let kafka = Kafka::empty();
    kafka.make_standings(&[("cleanup.policy", "delete")]);
    let refused = wait(create_topics(&kafka.config, REPLICATION));
    let Err(Error::TopicSetting { topic, found, .. }) = refused else { panic!("{refused:?}") };
    assert!(topic.ends_with("standings") && found == "delete", "{topic} {found}");
}
