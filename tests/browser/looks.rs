//! Every page is sound at every size, in light and dark, whatever others have written into it.

use serde_json::{Value, json};

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
    let hostile = HOSTILE.iter().enumerate();
    pages.extend(hostile.map(|(n, name)| json!({"name": format!("hostile-{n}"), "path": path_of("customers", name)})));
    pages.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_sound_at_every_size() {
    let rig = Rig::new("").await;
    rig.mail_goes_out().await;
    rig.until("/v1/approvals", |answer| answer["approvals"].as_array().is_some_and(|all| all.len() >= 3)).await;
    let found = rig.browse("look.mjs", json!({"pages": pages(), "pictures": pictures()})).await;
    assert_eq!(found["looked"], pages().as_array().unwrap().len() * 4);
    let wrong: Vec<_> = found["wrong"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
