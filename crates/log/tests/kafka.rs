//! The laws of every backend, held by a real Kafka; and what only Kafka promises.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod laws;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use broker::Cluster;
use log::Log;
use log::kafka::{Config, KafkaLog, Replication, create_topics};

use laws::{Backend, PARTITIONS, wait};

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

const REPLICATION: Replication = Replication { factor: 1, min_in_sync: 1, retention_millis: 86_400_000 };

struct Kafka {
    config: Config,
    /// Held so that it lives as long as the law is tried.
    _cluster: Arc<Cluster>,
}

impl Backend for Kafka {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let cluster = cluster();
        let mut config = Config::new(cluster.addresses(), PARTITIONS);
        config.prefix = format!("law-{}.", NEXT.fetch_add(1, Ordering::Relaxed));
        wait(create_topics(&config, REPLICATION)).unwrap();
        Self { config, _cluster: cluster }
    }

    fn open(&self) -> Arc<dyn Log> {
        Arc::new(KafkaLog::open(self.config.clone()).unwrap())
    }

    fn open_narrow(&self, bytes: usize) -> Arc<dyn Log> {
        Arc::new(KafkaLog::open(Config { in_flight_bytes: bytes, ..self.config.clone() }).unwrap())
    }
}

laws::hold_for!(kafka: crate::Kafka);
