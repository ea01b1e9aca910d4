//! What persons ordered outlives the topic's retention and a lost state.

use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::Cluster;
use serde_json::{Value, json};
use simulator::sendgrid::{Poster, Retries, Signer};
use site::now;

use super::process::{Fleet, PATIENCE, Process};

const CUSTOMER: &str = "banned";

async fn until(weir: &Process, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let customer = weir.json(&format!("/v1/customers/{CUSTOMER}")).await.unwrap_or_default();
        if wanted(&customer) {
            return customer;
        }
        assert!(Instant::now() < deadline, "{customer}:\n{}", weir.told());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn mail_goes_out(weir: &Process, signer: &Arc<Signer>) {
    let at = now().millis();
    let event = format!(
        r#"{{"event":"processed","timestamp":{},"email":"ann@example.org","customer_id":"{CUSTOMER}","sg_event_id":"e{at}"}}"#,
        at / 1_000
    );
    let retries = Retries { first: Duration::from_millis(50), longest: Duration::from_millis(200), most: 1_000 };
    Poster::new(&weir.url(), Arc::clone(signer), retries, Arc::new(now)).unwrap().post(&[event]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_whose_record_the_topic_has_dropped_holds_after_the_state_is_lost() {
    let _turn = crate::turn().await;
    let cluster = Cluster::start(1);
    let signer = Arc::new(Signer::generate().unwrap());
    let fleet = Fleet::new(cluster.addresses(), &signer, (2, 1), "1s");
    let mut weir = fleet.process("weir", "receiver,scorer,console");
    fleet.create_topics(&weir);
    weir.start();
    weir.wait_until_ready().await;
    mail_goes_out(&weir, &signer).await;
    until(&weir, |customer| customer["stage"] == "healthy").await;
    let ban = json!({ "type": "set_stage", "stage": "banned", "reason": "phishing", "by": "ana" });
    assert_eq!(weir.post(&format!("/v1/customers/{CUSTOMER}/commands"), &ban).await, Some(202));
    // The history is read from the topics: what the scorer has not published yet would go with its state.
    let is_told = |customer: &Value| customer["history"].as_array().is_some_and(|all| !all.is_empty());
    let before = until(&weir, |customer| customer["stage"] == "banned" && is_told(customer)).await;
    weir.kill();

    cluster.delete_records(&format!("{}events", Fleet::PREFIX)).await;
    std::fs::remove_dir_all(weir.state()).unwrap();
    // A checkpoint may not have been stored yet.
    let _removed = std::fs::remove_dir_all(fleet.checkpoints());
    weir.start();
    weir.wait_until_ready().await;
    mail_goes_out(&weir, &signer).await;
    let after = until(&weir, |customer| customer["windows"]["24h"]["processed"] == 1).await;
    for member in ["stage", "since", "held", "reasons", "sending", "known_since", "ordered"] {
        assert_eq!(after[member], before[member], "{member}");
    }
}
