//! A real Kafka for tests and benches: Apache Kafka in KRaft mode, one broker or several, on free ports, with data of its
//! own that goes with it.
//!
//! Brokers are processes: they can be stopped, killed and started again. They end with the process that started them, also
//! where that is killed.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests fails the test")]

mod process;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::metadata::Metadata;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tempfile::TempDir;

use process::Broker;

/// How long a cluster may take to come up.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long a broker may take to answer one question.
const ANSWERING: Duration = Duration::from_secs(1);

/// A cluster of Kafka.
#[derive(Debug)]
pub struct Cluster {
    brokers: Vec<Broker>,
    _folder: TempDir,
}

impl Cluster {
    /// Starts `count` brokers, each a controller too, and waits until all serve.
    pub fn start(count: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports: Vec<_> = (0..count).map(|_| (free_port(), free_port())).collect();
        let voters: Vec<_> =
            ports.iter().zip(1..).map(|((_, controller), id)| format!("{id}@127.0.0.1:{controller}")).collect();
        let voters = voters.join(",");
        let replicas = count.min(3);
        let brokers = ports.iter().zip(1..).map(|((port, controller), id)| {
            let settings = settings(id, (*port, *controller), &voters, replicas);
            Broker::prepare(folder.path(), id, *port, &settings)
        });
        let mut cluster = Self { brokers: brokers.collect(), _folder: folder };
        cluster.brokers.iter_mut().for_each(Broker::start);
        for id in 0..usize::from(count) {
            cluster.wait_for(id);
        }
        cluster
    }

    /// Where to connect to: `host:port,host:port`.
    pub fn addresses(&self) -> String {
        let addresses: Vec<_> = self.brokers.iter().map(|broker| format!("127.0.0.1:{}", broker.port())).collect();
        addresses.join(",")
    }

    /// SIGKILLs a broker, counted from 0.
    pub fn kill(&mut self, broker: usize) {
        self.brokers[broker].kill();
    }

    /// Starts a broker that was killed, and waits until it has what it missed.
    pub fn restart(&mut self, broker: usize) {
        self.brokers[broker].start();
        self.wait_for(broker);
    }

    /// SIGSTOPs a broker: connections to it stay open, and nothing is answered until [`Cluster::thaw`].
    pub fn freeze(&self, broker: usize) {
        self.brokers[broker].signal("STOP");
    }

    /// Lets a frozen broker go on.
    pub fn thaw(&self, broker: usize) {
        self.brokers[broker].signal("CONT");
    }

    /// Deletes all records of a topic, as retention does in time.
    pub async fn delete_records(&self, topic: &str) {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.addresses());
        let asking: BaseConsumer = config.create().unwrap();
        let found = asking.fetch_metadata(Some(topic), PATIENCE).unwrap();
        let mut ends = TopicPartitionList::new();
        for partition in found.topics().iter().flat_map(|topic| topic.partitions()) {
            ends.add_partition_offset(topic, partition.id(), Offset::End).unwrap();
        }
        let admin: AdminClient<_> = config.create().unwrap();
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE));
        let deleted = admin.delete_records(&ends, &options).await.unwrap();
        deleted.elements().iter().for_each(|partition| partition.error().unwrap());
    }

    /// Waits until the broker serves, is known to be there, and has all that it missed.
    fn wait_for(&self, broker: usize) {
        let id = i32::try_from(broker + 1).unwrap();
        let address = format!("127.0.0.1:{}", self.brokers[broker].port());
        let asking: BaseConsumer = ClientConfig::new().set("bootstrap.servers", address).create().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while !asking.fetch_metadata(None, ANSWERING).is_ok_and(|found| is_whole(&found, id)) {
            if Instant::now() > deadline {
                panic!("broker {broker} does not come up:\n{}", self.brokers[broker].log());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn is_whole(found: &Metadata, broker: i32) -> bool {
    let partitions = found.topics().iter().flat_map(|topic| topic.partitions());
    found.brokers().iter().any(|known| known.id() == broker)
        && partitions.filter(|p| p.replicas().contains(&broker)).all(|p| p.isr().contains(&broker))
}

fn settings(id: u16, (port, controller): (u16, u16), voters: &str, replicas: u16) -> String {
    let in_sync = replicas.saturating_sub(1).max(1);
    format!(
        "process.roles=broker,controller\n\
         node.id={id}\n\
         controller.quorum.voters={voters}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         auto.create.topics.enable=false\n\
         offsets.topic.replication.factor={replicas}\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor={replicas}\n\
         transaction.state.log.min.isr={in_sync}\n\
         transaction.state.log.num.partitions=4\n\
         group.initial.rebalance.delay.ms=0\n\
         group.min.session.timeout.ms=3000\n\
         log.cleaner.backoff.ms=500\n\
         log.segment.bytes=67108864\n"
    )
}

/// A port that is free at this moment, and not one that this process was given before: whoever was may not use it yet.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap();
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if given.insert(port) {
            return port;
        }
    }
}

/// The folder with Kafka's jars.
fn libs() -> PathBuf {
    let cache = Path::new(&std::env::var("HOME").unwrap()).join(".cache/weir");
    let mut versions = include_str!("../pom.xml").lines().filter_map(|line| {
        let version = line.trim().strip_prefix("<version>")?.strip_suffix("</version>")?;
        version.contains('.').then_some(version)
    });
    let libs = cache.join(format!("kafka-{}", versions.next_back().unwrap()));
    assert!(libs.join("complete").exists(), "no Kafka in {}: run `make setup-kafka`", libs.display());
    libs
}
