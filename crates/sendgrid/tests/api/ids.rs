//! Pools and subusers that the newer API gives ids are still named.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use sendgrid::api::Error;
use serde_json::{Value, json};

use super::server::{Call, Server, client_by_id};

const PLACE: &str = "POST /v3/send_ips/pools/";

fn list(items: Value) -> Response {
    json!({ "result": items, "_metadata": { "next_params": { "after_key": null } } }).to_string().into_response()
}

fn account(call: &Call, pool_id: &str) -> Response {
    let asked = call.asked.as_str();
    if asked.starts_with("GET /v3/send_ips/pools?") {
        list(json!([{ "name": "quarantine", "id": pool_id }]))
    } else if asked.starts_with("GET /v3/send_ips/ips?") {
        list(json!([{ "ip": "192.0.2.1", "pools": [{ "name": "quarantine", "id": pool_id }] }]))
    } else if asked.contains("/subusers?limit") && asked.contains("send_ips") {
        list(json!(["12"]))
    } else if asked.starts_with("GET /v3/subusers") {
        json!([{ "username": "sub", "disabled": false, "id": 12 }]).to_string().into_response()
    } else if asked.contains(&format!("/pools/{pool_id}/ips")) {
        if asked.starts_with("GET") { list(json!([])) } else { StatusCode::BAD_REQUEST.into_response() }
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

#[tokio::test]
async fn ips_have_the_names_of_their_pools_and_subusers() {
    let server = Server::start(|call, _| account(call, "7")).await;
    let ips = client_by_id(&server.base_url).all_ips().await.unwrap();
    assert_eq!(
        (ips[0].pools.first().unwrap().as_str(), ips[0].subusers.first().unwrap().as_str()),
        ("quarantine", "sub")
    );
    assert_eq!(client_by_id(&server.base_url).subuser_ips("sub").await.unwrap(), ips);
}

#[tokio::test]
async fn a_pool_that_was_made_anew_is_found_again() {
    let server = Server::start(|call, before| {
        let id = if before < 2 { "7" } else { "8" };
        match call.asked.as_str() {
            asked if asked.starts_with(&format!("{PLACE}{id}/ips:batchAdd")) => "{}".into_response(),
            _ => account(call, id),
        }
    })
    .await;
    let client = client_by_id(&server.base_url);
    client.add_to_pool("quarantine", "192.0.2.1").await.unwrap();
    client.add_to_pool("quarantine", "192.0.2.1").await.unwrap();
    let placed: Vec<_> =
        server.calls().into_iter().map(|call| call.asked).filter(|asked| asked.starts_with(PLACE)).collect();
    assert_eq!(placed.len(), 3, "by the id that was, the one that is gone, and the new one: {placed:?}");
}

#[tokio::test]
async fn an_ip_that_is_not_in_the_pool_is_out_already() {
    let server = Server::start(|call, _| account(call, "7")).await;
    let client = client_by_id(&server.base_url);
    client.remove_from_pool("quarantine", "192.0.2.9").await.unwrap();
    client.remove_from_pool("no such pool", "192.0.2.9").await.unwrap();
    assert_eq!(client.pool_ips("no such pool").await.unwrap(), None);
    let error = client.add_to_pool("no such pool", "192.0.2.9").await.unwrap_err();
    assert!(matches!(error, Error::NoSuch { .. }), "{error:?}");
}
