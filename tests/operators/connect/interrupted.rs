//! Cut connections, and a process that is killed half-way: run again, it ends as if nothing had been.

use std::time::Duration;

use serde_json::Value;

use super::rig::Rig;

/// One webhook each, signing and on, and a configuration that is sound.
async fn assert_connected(rig: &Rig) {
    for user in [None, Some("acme")] {
        let [webhook] = rig.webhooks(user).await.try_into().unwrap();
        assert!(webhook["public_key"].is_string() && webhook["enabled"] == true, "{webhook}");
    }
    assert!(rig.checked().await.contains("sources [sendgrid, sendgrid-acme]"));
}

async fn assert_as_before(rig: &Rig) {
    assert_eq!(rig.all_webhooks().await, [(); 3].map(|()| Vec::<Value>::new()));
    assert_eq!(rig.config(), rig.written);
    assert!(!rig.path("weir.connect.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_nobody_knows_was_made_is_found_again() {
    let rig = Rig::new().await;
    rig.sendgrid.world().faults.after = 1;
    let said = rig.connect(&["--subuser", "acme"]).await.failed();
    assert!(said.contains("not known") && said.contains("run this again"), "{said}");
    assert_eq!(rig.webhooks(None).await.len(), 1, "it was made");
    rig.connect(&["--subuser", "acme"]).await.done();
    assert_connected(&rig).await;
    rig.disconnect().await.done();
    assert_as_before(&rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_now_and_then_are_gone_on_with() {
    let rig = Rig::new().await;
    {
        let faults = &mut rig.sendgrid.world().faults;
        (faults.fail_before, faults.fail_after, faults.cut) = (0.1, 0.1, 1.0);
    }
    let mut tries = 1;
    while !rig.connect(&["--subuser", "acme"]).await.status.success() {
        tries += 1;
        assert!(tries < 30, "it never ends");
    }
    rig.sendgrid.world().faults = Default::default();
    assert_connected(&rig).await;
    rig.disconnect().await.done();
    assert_as_before(&rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_behind_any_call_it_goes_on_where_it_was_in_both_directions() {
    for changes in 1..=7 {
        let rig = Rig::new().await;
        rig.sendgrid.world().faults.latency = Duration::from_millis(30);
        let url = rig.url();
        let connect = ["connect", "--url", &url, "--subuser", "acme", "--yes"];
        assert!(rig.killed_after(&connect, changes).await, "{changes}: it had ended");
        rig.weir(&connect).await.done();
        assert_connected(&rig).await;
        rig.killed_after(&["disconnect", "--yes"], changes.min(2)).await;
        rig.disconnect().await.done();
        assert_as_before(&rig).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_connected_half_way_can_be_undone() {
    for changes in 1..=5 {
        let rig = Rig::new().await;
        rig.sendgrid.world().faults.latency = Duration::from_millis(30);
        let url = rig.url();
        let connect = ["connect", "--url", &url, "--subuser", "acme", "--yes"];
        assert!(rig.killed_after(&connect, changes).await, "{changes}: it had ended");
        rig.disconnect().await.done();
        assert_as_before(&rig).await;
    }
}
