//! Whoever has a token signs in by the page that asks for it.

use serde_json::{Value, json};
use site::new_token;

use super::rig::{BINARY, Rig};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_and_kept_nowhere_in_the_page() {
    let (token, config) = new_token(BINARY, "operator");
    let rig = Rig::new(&config).await;
    rig.until_ready().await;
    let found = rig.browse("act.mjs", json!({"act": "signIn", "token": token})).await;
    let places: Vec<_> =
        ["asked", "refused", "into", "out"].iter().map(|place| found[place].as_str().unwrap()).collect();
    assert_eq!(places, ["/login", "/login", "/", "/login"], "{found}");
    assert!(found["who"].as_str().unwrap().contains("operator"), "{found}");
    assert_eq!(found["isKept"], json!(false), "{found}");
    assert_eq!(found["noted"], json!([]), "{found}");
    let cookies = found["cookies"].as_array().unwrap();
    assert_eq!(cookies.len(), 1, "{found}");
    let cookie: [&Value; 2] = ["httpOnly", "sameSite"].map(|what| &cookies[0][what]);
    assert_eq!(cookie, [&json!(true), &json!("Strict")], "{found}");
    assert!(!cookies[0]["value"].as_str().unwrap().contains(&token), "it is a session, not the token");
}
