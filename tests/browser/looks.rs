//! Every page is sound at every size, in light and dark, whatever others have written into it.

use reqwest::Method;
use serde_json::{Value, json};
use simulator::sendgrid::QUARANTINE;

use crate::rig::{BAD, HOSTILE, Rig, path_of, pictures};

/// Every page that there is, with a name for its picture.
fn pages() -> Value {
    let mut pages = vec![
        json!({"name": "overview", "path": "/"}),
        json!({"name": "customers", "path": "/customers"}),
        json!({"name": "customer", "path": path_of("customers", BAD[0])}),
        json!({"name": "pools", "path": "/pools"}),
        json!({"name": "policy", "path": "/policy"}),
        json!({"name": "activity", "path": "/activity"}),
    ];
    if let Some(only) = std::env::var_os("WEIR_PAGES") {
        pages.retain(|page| only.to_str().unwrap().split(',').any(|name| page["name"] == name));
        return pages.into();
    }
    let hostile = HOSTILE.iter().enumerate();
    pages.extend(hostile.map(|(n, name)| json!({"name": format!("hostile-{n}"), "path": path_of("customers", name)})));
    pages.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_sound_at_every_size() {
    let rig = Rig::found("").await;
    let found = rig.browse("look.mjs", json!({"pages": pages(), "pictures": pictures()})).await;
    assert_eq!(found["looked"], pages().as_array().unwrap().len() * 4);
    let wrong: Vec<_> = found["wrong"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The pictures of the README, of a platform whose customers have ordinary names.
#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_taken() {
    let rig = Rig::found_with("", &[]).await;
    rig.old_list_goes_out("garden-club", 0..400).await;
    rig.until(&format!("/v1{}", path_of("customers", "garden-club")), |answer| answer["stage"] == "watch").await;
    let word = json!({"answer": "approve", "reason": "bought at a fair, they say", "by": "ana"});
    let answer = rig.request(Method::POST, &path_of("v1/approvals", BAD[0])).json(&word).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    rig.until_in(BAD[0], QUARANTINE).await;
    let pages = json!([
        {"name": "readme-overview", "path": "/"},
        {"name": "readme-customer", "path": path_of("customers", BAD[0]), "height": 1_500},
    ]);
    let found = rig.browse("look.mjs", json!({"pages": pages, "pictures": pictures()})).await;
    assert_eq!(found["wrong"], json!([]));
}
