//! What is published can be read by a client of another make, which knows nothing but the schemas.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use broker::Cluster;
use serde_json::Value;
use simulator::sendgrid::Signer;

use super::load::Load;
use super::process::Fleet;

const CUSTOMERS: u16 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_client_finds_every_customer_where_its_own_partitioner_looks_and_as_the_schemas_say() {
    let _turn = crate::turn().await;
    let cluster = Cluster::start(1);
    let signer = Arc::new(Signer::generate().unwrap());
    let fleet = Fleet::new(cluster.addresses(), &signer, (16, 1), "2s");
    let mut weir = fleet.process("weir", "receiver,scorer,console");
    fleet.create_topics(&weir);
    weir.start();
    weir.wait_until_ready().await;
    let mut load = Load::new(CUSTOMERS, 12_000, 500);
    load.begin(&[weir.url()], &signer, 4, Duration::ZERO);
    load.finish().await;
    let weir = [weir];
    load.check(&fleet, &weir).await;
    let [mut weir] = weir;
    weir.stop();

    let read = read(&fleet);
    println!("another client reads: {read}");
    assert_eq!(read["partitions"], 16);
    assert!(read["decisions"].as_u64().unwrap() > 0, "{read}");
    assert!(read["customers"].as_u64().unwrap() >= CUSTOMERS.into(), "{read}");
}

fn read(fleet: &Fleet) -> Value {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let python = format!("{}/.cache/weir/clients/bin/python", std::env::var("HOME").unwrap());
    let read = Command::new(&python)
        .arg(format!("{root}/tests/clients/read_topics.py"))
        .args(["--brokers", &fleet.brokers, "--prefix", Fleet::PREFIX, "--schemas", &format!("{root}/docs/schemas")])
        .output()
        .unwrap_or_else(|error| panic!("{python}: {error}; run `make setup-kafka`"));
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    serde_json::from_slice(&read.stdout).unwrap()
}
