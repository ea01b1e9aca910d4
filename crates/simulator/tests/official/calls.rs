//! SendGrid's own clients make every call, with and without the documents between them and the simulator.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use sendgrid::api::Endpoint;
use serde_json::json;

use super::answer::Answer;
use super::asked::endpoint;
use super::client::{Language, Official};
use super::scenario;
use super::stage::{Stage, prism_before};

#[tokio::test(flavor = "multi_thread")]
async fn the_node_client_makes_every_call_and_sees_what_it_did() {
    let stage = Stage::direct(Language::Node).await;
    scenario::play(&stage);
    assert_every_endpoint_was_asked(&stage);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_makes_every_call_and_sees_what_it_did() {
    let stage = Stage::direct(Language::Python).await;
    scenario::play(&stage);
    assert_every_endpoint_was_asked(&stage);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_have_nothing_against_what_the_node_client_asks_and_is_answered() {
    let Some(stage) = Stage::through_documents(Language::Node).await else { return };
    scenario::play(&stage);
    assert_every_endpoint_was_asked(&stage);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_have_nothing_against_what_the_python_client_asks_and_is_answered() {
    let Some(stage) = Stage::through_documents(Language::Python).await else { return };
    scenario::play(&stage);
    assert_every_endpoint_was_asked(&stage);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_the_documents_do_not_describe_are_found_out() {
    let created = async || (StatusCode::CREATED, axum::Json(json!({ "name": "new" })));
    let listed = async || axum::Json(json!([{ "nom": "misspelt" }]));
    let credits = async || axum::Json(json!({ "type": "recurring", "reset_frequency": "hourly", "remain": "7" }));
    let router = Router::new()
        .route("/v3/ips/pools", get(listed).post(created))
        .route("/v3/subusers/{name}/credits", get(credits));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let Some(prism) = prism_before(&upstream) else { return };
    let mut client = Official::start(Language::Node, &prism.base_url, "SG.key");
    let mut violations = |call: &str, of: serde_json::Value| {
        let told = client.ask(&json!({ "call": call, "of": of }));
        Answer { language: Language::Node, asked: call.to_owned(), told, is_validated: true }.violations().join("\n")
    };
    let said = violations("Pools", json!({}));
    assert!(said.contains("required property 'name'") && said.contains("found 'nom'"), "{said}");
    let said = violations("CreatePool", json!({ "pool": "new" }));
    assert!(said.contains("returned status code"), "{said}");
    let said = violations("Credits", json!({ "name": "acme" }));
    assert!(["reset_frequency", "remain", "'used'"].iter().all(|name| said.contains(name)), "{said}");
}

/// Each by the call of its name, and none in name only: the simulator noted what it was asked.
fn assert_every_endpoint_was_asked(stage: &Stage) {
    let called = stage.called();
    let world = stage.sendgrid.world();
    let done = world.calls().iter().filter(|call| (200..300).contains(&call.status));
    let asked: Vec<_> = done.filter_map(|call| endpoint(&call.method, call.path.split('?').next()?)).collect();
    let is_missing = |endpoint: &&Endpoint| !called.contains(&format!("{endpoint:?}")) || !asked.contains(endpoint);
    let missing: Vec<_> = Endpoint::ALL.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "{:?} did not do {missing:?}: a new call needs a scenario", stage.language);
}
