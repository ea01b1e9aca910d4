//! Every page is sound at every size, in light and dark, whatever others have written into it.

use reqwest::Method;
use serde_json::{Value, json};
use simulator::sendgrid::QUARANTINE;
use site::new_token;

use super::rig::{BAD, BINARY, HOSTILE, Rig, api_of, page_of, pictures};

/// Every page that is there for who is let in, with a name for its picture.
async fn pages(rig: &Rig) -> Value {
    let mut pages = vec![
        json!({"name": "overview", "path": "/"}),
        json!({"name": "customers", "path": "/customers"}),
        json!({"name": "customer", "path": page_of(BAD[0])}),
        json!({"name": "pools", "path": "/pools"}),
        json!({"name": "policy", "path": "/policy"}),
        json!({"name": "activity", "path": "/activity"}),
        json!({"name": "undo", "path": rig.link("/activity", "/activity/undo?").await}),
    ];
    if let Some(only) = std::env::var_os("WEIR_PAGES") {
        pages.retain(|page| only.to_str().unwrap().split(',').any(|name| page["name"] == name));
        return pages.into();
    }
    for (n, name) in HOSTILE.iter().enumerate() {
        let path = page_of(name);
        pages.push(json!({"name": format!("decision-{n}"), "path": rig.link(&path, "/decisions/").await}));
        pages.push(json!({"name": format!("hostile-{n}"), "path": path}));
    }
    pages.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_sound_at_every_size() {
    let rig = Rig::found("").await;
    sound(&rig, pages(&rig).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_let_in_is_asked_on_a_sound_page() {
    let (_, config) = new_token(BINARY, "viewer");
    let rig = Rig::new(&config).await;
    rig.until_ready().await;
    let pages = json!([
        {"name": "login", "path": "/customers"},
        {"name": "login-refused", "path": "/login?failed=true&next=%2Fcustomers"},
    ]);
    sound(&rig, pages).await;
}

async fn sound(rig: &Rig, pages: Value) {
    let found = rig.browse("look.mjs", json!({"pages": pages, "pictures": pictures()})).await;
    assert_eq!(found["looked"], pages.as_array().unwrap().len() * 4);
    let wrong: Vec<_> = found["wrong"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The pictures of the README, of a platform whose customers have ordinary names.
#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_taken() {
    let rig = Rig::found_with("", &[]).await;
    rig.old_list_goes_out("garden-club", 0..400).await;
    rig.until(&api_of("garden-club"), |answer| answer["stage"] == "watch").await;
    let word = json!({"answer": "approve", "reason": "bought at a fair, they say", "by": "ana"});
    let answer = rig.request(Method::POST, &format!("/v1/approvals/{}", BAD[0])).json(&word).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    rig.until_in(BAD[0], QUARANTINE).await;
    let pages = json!([
        {"name": "readme-overview", "path": "/"},
        {"name": "readme-customer", "path": page_of(BAD[0]), "height": 1_500},
    ]);
    sound(&rig, pages).await;
}
