//! What a producer makes of brokers that refuse: librdkafka's own mock cluster refuses as it is told. It needs no Java.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use log::kafka::{Config, KafkaLog};
use log::{Append, Error, Log, PartitionCount, Record, RecordKind, Route, Start, Topic};
use model::{PartitionId, Timestamp};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

type Brokers = MockCluster<'static, DefaultProducerContext>;

const PARTITIONS: i32 = 2;

fn brokers(prefix: &str) -> (Brokers, Config) {
    let brokers = MockCluster::new(1).unwrap();
    for topic in Topic::ALL {
        brokers.create_topic(&format!("{prefix}{}", topic.name()), PARTITIONS, 1).unwrap();
    }
    let count = PartitionCount::new(NonZeroU32::new(2).unwrap());
    let mut config = Config::new(brokers.bootstrap_servers(), count);
    config.prefix = prefix.to_owned();
    config.delivery_timeout = Duration::from_secs(3);
    (brokers, config)
}

fn append(log: &dyn Log, value: &str) -> log::Result<()> {
    let record = Record {
        kind: RecordKind::Event,
        at: Timestamp::from_seconds(1),
        key: Bytes::from_static(b"acme"),
        headers: Arc::new([]),
        value: Bytes::copy_from_slice(value.as_bytes()),
    };
    let append = Append { topic: Topic::Events, route: Route::To(PartitionId::new(0)), record };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(log.producer().append(vec![append]))
}

fn values(log: &dyn Log) -> Vec<Bytes> {
    let mut tail = log.tail(Topic::Events, Start::Earliest).unwrap();
    let mut values = Vec::new();
    while !tail.caught_up() {
        values.extend(tail.next(Duration::from_secs(10)).unwrap().into_iter().map(|stored| stored.record.value));
    }
    values
}

#[test]
fn what_passes_is_tried_again_and_is_there_once() {
    let (brokers, config) = brokers("passing.");
    let log = KafkaLog::open(config).unwrap();
    append(&log, "before").unwrap();
    let passing = [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
    ];
    brokers.request_errors(RDKafkaApiKey::Produce, &passing);
    append(&log, "during").unwrap();
    append(&log, "after").unwrap();
    assert_eq!(values(&log), ["before", "during", "after"]);
}

#[test]
fn what_is_refused_for_good_is_told_and_the_next_append_succeeds() {
    let (brokers, config) = brokers("refused.");
    let log = KafkaLog::open(config).unwrap();
    append(&log, "before").unwrap();
    brokers.request_errors(RDKafkaApiKey::Produce, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED]);
    let refused = append(&log, "refused");
    assert!(matches!(refused, Err(Error::Storage { .. })), "{refused:?}");
    append(&log, "after").unwrap();
    assert_eq!(values(&log), ["before", "after"]);
}

#[test]
fn brokers_that_are_away_are_told_and_found_again() {
    let (brokers, config) = brokers("away.");
    let log = KafkaLog::open(config).unwrap();
    append(&log, "before").unwrap();
    brokers.broker_down(1).unwrap();
    let refused = append(&log, "lost");
    assert!(matches!(refused, Err(Error::Unreachable { .. })), "{refused:?}");
    brokers.broker_up(1).unwrap();
    append(&log, "after").unwrap();
    assert_eq!(values(&log), ["before", "after"]);
}

#[test]
fn topics_that_are_missing_or_of_another_count_are_refused_by_name() {
    let (_brokers, config) = brokers("counted.");
    let missing = KafkaLog::open(Config { prefix: "none.".to_owned(), ..config.clone() });
    let Err(Error::NoTopic { topics, .. }) = missing else { unreachable!("there are none: {missing:?}") };
    assert!(topics.contains("none.events") && topics.contains("none.fleet"), "{topics}");
    let three = PartitionCount::new(NonZeroU32::new(3).unwrap());
    let other = KafkaLog::open(Config { partitions: three, ..config });
    assert!(matches!(other, Err(Error::Partitions { found: 2, wanted: 3, .. })), "{other:?}");
}

#[test]
fn every_way_to_authenticate_is_built_in() {
    // Nobody listens there: a client that can be made finds nobody, and one that can't is refused before it looks.
    let away = Config::new("127.0.0.1:1", PartitionCount::new(NonZeroU32::MIN));
    let oidc = [
        ("sasl.oauthbearer.method", "oidc"),
        ("sasl.oauthbearer.client.id", "weir"),
        ("sasl.oauthbearer.client.secret", "secret"),
        ("sasl.oauthbearer.token.endpoint.url", "https://127.0.0.1:1/token"),
    ];
    let password = [("sasl.username", "weir"), ("sasl.password", "secret")];
    let ways = [("PLAIN", password.as_slice()), ("SCRAM-SHA-512", &password), ("OAUTHBEARER", &oidc)];
    std::thread::scope(|scope| {
        for (mechanism, settings) in ways {
            let mut config = away.clone();
            scope.spawn(move || {
                let all = [("security.protocol", "SASL_SSL"), ("sasl.mechanisms", mechanism)];
                all.iter().chain(settings).for_each(|(name, value)| config.set(*name, *value).unwrap());
                let opened = KafkaLog::open(config);
                assert!(matches!(opened, Err(Error::Unreachable { .. })), "{mechanism}: {opened:?}");
            });
        }
    });
    let mut unknown = away;
    unknown.set("sasl.mechanisms", "GUESSING").unwrap();
    unknown.set("security.protocol", "SASL_SSL").unwrap();
    let opened = KafkaLog::open(unknown);
    assert!(matches!(opened, Err(Error::Storage { .. })), "{opened:?}");
}
