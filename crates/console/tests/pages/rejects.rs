//! The pages of rejects.

use crate::api::rejects::{event, rejected};
use crate::house::{House, NOW};

use super::browser::{Browser, HOSTILE};

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_looks_at_rejects_and_replays_them() {
    let house = House::guarded().await;
    rejected(&house, "main", NOW, &format!("[{},{:?}]", event("one", NOW), HOSTILE[0])).await;
    let operator = Browser::signed_in(&house, "operator").await;
    let overview = operator.read("/").await;
    assert_eq!(overview.links("/rejects"), ["/rejects"]);
    let list = operator.until("/rejects?source=main", "it is no JSON object").await;
    assert!(!list.has("jo@example.org") && !list.has("<script>alert"), "{}", list.text);
    let [link] = &list.links("/rejects/")[..] else { panic!("{}", list.text) };
    let reject = operator.read(link).await;
    reject.holds(&["jo@example.org", "Replay reject"]);
    assert!(!reject.has("<script>alert"), "{}", reject.text);
    let done = operator.submit(&reject, &format!("{link}/replay"), &[("reason", "mended")]).await;
    assert_eq!(done.status(), 200);
    let text = done.text().await.unwrap();
    assert!(text.contains("1 event was found") && text.contains("it is no JSON object"), "{text}");
    let span = [("source", "main"), ("since", "2026-09-21T00:00"), ("reason", "mended")];
    let done = operator.submit(&list, "/rejects/replay", &span).await;
    assert_eq!(done.status(), 200);
    operator.until("/activity", "rejected record</a>").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_the_list_and_no_addresses() {
    let house = House::guarded().await;
    rejected(&house, "main", NOW, &event("one", NOW)).await;
    let viewer = Browser::signed_in(&house, "viewer").await;
    let list = viewer.until("/rejects", "it is no JSON object").await;
    assert!(!list.has("jo@example.org"), "{}", list.text);
    assert_eq!((list.links("/rejects/"), list.form("/rejects/replay")), (Vec::<String>::new(), None));
    for id in ["0-0", "1-0"] {
        assert_eq!(viewer.ask(&format!("/rejects/{id}")).await.status(), 403, "{id}");
    }
}
