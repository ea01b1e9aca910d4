//! What every answer tells browsers: nothing from elsewhere, nothing inline, in no frame.

use reqwest::{Client, Method, Response, redirect};
use serde_json::Value;

use crate::house::House;

async fn answer(house: &House, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
    let asked = client.request(method, format!("http://{}{path}", house.address));
    headers.iter().fold(asked, |asked, (name, value)| asked.header(*name, *value)).send().await.unwrap()
}

fn is_guarded(answer: &Response, what: &str) {
    let header = |name: &str| {
        let mut all = answer.headers().get_all(name).iter();
        let first = all.next().unwrap_or_else(|| panic!("{what} has no {name}"));
        assert!(all.next().is_none(), "{what} has {name} twice, and browsers take the sum of them");
        first.to_str().unwrap()
    };
    let policy = header("content-security-policy");
    for part in
        ["default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "object-src 'none'"]
    {
        assert!(policy.split("; ").any(|said| said == part), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{what}: {policy}");
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(header(name), value, "{what}");
    }
    assert!(!answer.headers().contains_key("access-control-allow-origin"), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_that_it_is_not_to_be_framed_and_takes_nothing_from_elsewhere() {
    let house = House::guarded().await;
    let bearer = format!("Bearer {}", house.tokens["approver"]);
    let token = ("authorization", bearer.as_str());
    let document: Value = answer(&house, "get", "/v1/openapi.json", &[token]).await.json().await.unwrap();
    let tag = answer(&house, "get", "/v1/openapi.json", &[token]).await.headers()["etag"].to_str().unwrap().to_owned();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let path = path.replace("{id}", "acme");
            is_guarded(&answer(&house, method, &path, &[token]).await, &format!("{method} {path}"));
        }
    }
    let same = answer(&house, "get", "/v1/openapi.json", &[token, ("if-none-match", &tag)]).await;
    assert_eq!(same.status(), 304);
    is_guarded(&same, "what has not changed");
    let html = ("accept", "text/html");
    for path in
        ["/", "/customers", "/customers/acme", "/login", "/assets/base.css", "/v1/docs/", "/healthz", "/metrics"]
    {
        is_guarded(&answer(&house, "get", path, &[token, html]).await, path);
    }
    for (path, headers, status) in [
        ("/", &[html][..], 303),
        ("/v1/fleet", &[], 401),
        ("/v1/fleet", &[("authorization", "Bearer weir_no")], 401),
        ("/v1/nothing", &[token], 404),
        ("/nothing", &[token, html], 404),
        ("/v1/customers?after=nonsense", &[token], 400),
        ("/assets/..%2FCargo.toml", &[], 404),
    ] {
        let refused = answer(&house, "get", path, headers).await;
        assert_eq!(refused.status(), status, "{path}");
        is_guarded(&refused, path);
    }
    is_guarded(&answer(&house, "delete", "/v1/policy", &[token]).await, "a method that is none");
    is_guarded(&answer(&house, "options", "/v1/policy", &[("origin", "http://evil.example")]).await, "a preflight");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_open_listeners_refusals_say_it_too() {
    let house = House::new().await;
    is_guarded(&answer(&house, "get", "/", &[("host", "rebound.example")]).await, "another name");
    let elsewhere = [("origin", "http://evil.example")];
    is_guarded(&answer(&house, "post", "/v1/enforcer/pause", &elsewhere).await, "another site");
}
