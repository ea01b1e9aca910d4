//! What other sites, other names and whoever is not the proxy can do: nothing.

use std::time::{Duration, Instant};

use console::{HeaderName, Proxy, Role};
use log::{Start, Topic};
use reqwest::{Client, Method, RequestBuilder, Response, redirect};
use serde_json::Value;

use crate::house::{House, PATIENCE};

/// What a browser adds to a request that another site makes it send.
const ELSEWHERE: [(&str, &str); 5] = [
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    ("origin", "http://evil.example"),
    ("origin", "http://localhost:1"),
    ("origin", "null"),
];
/// What pages can be made to send without asking first, and what they can't.
const KINDS: [&str; 4] =
    ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/json"];
const USER: (&str, &str) = ("x-user", "ana");
const LEADS: (&str, &str) = ("x-groups", "leads");
const SECRET: (&str, &str) = ("x-proof", "hush");

fn asked(house: &House, method: &str, path: &str) -> RequestBuilder {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
    client.request(method, format!("http://{}{path}", house.address))
}

/// A house that a proxy from this machine tells who somebody is, with a secret.
async fn behind_a_proxy() -> House {
    House::behind(Proxy {
        user_header: HeaderName::from_static(USER.0),
        groups_header: HeaderName::from_static(LEADS.0),
        roles: [("ops".to_owned(), Role::Operator), (LEADS.1.to_owned(), Role::Approver)].into(),
        addresses: vec!["127.0.0.0/8".parse().unwrap()],
        secret: Some((HeaderName::from_static(SECRET.0), SECRET.1.to_owned())),
    })
    .await
}

/// The cookie of an approver's session.
async fn session(house: &House) -> String {
    let login = asked(house, "post", "/login").header("sec-fetch-site", "same-origin");
    let login = login.header("content-type", "application/x-www-form-urlencoded");
    let answer = login.body(format!("token={}", house.tokens["approver"])).send().await.unwrap();
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// All that changes something: what the description has, and the pages' forms.
async fn changes(house: &House) -> Vec<String> {
    let asked = asked(house, "get", "/v1/openapi.json").header("host", "localhost");
    let asked = house.tokens.get("viewer").into_iter().fold(asked, RequestBuilder::bearer_auth);
    let document: Value = asked.send().await.unwrap().json().await.unwrap();
    let described = document["paths"].as_object().unwrap().iter();
    let described = described.filter(|(_, item)| item.get("post").is_some());
    let forms = ["/enforcement/pause", "/enforcement/resume", "/customers/{id}/answer", "/customers/{id}/hold"];
    let all = described.map(|(path, _)| path.as_str()).chain(forms);
    let all: Vec<_> = all.map(|path| path.replace("{id}", "acme")).collect();
    assert!(all.len() >= 12, "{all:?}");
    all
}

/// A body that would be good for most of them, if it came from here.
fn body(kind: &str) -> &'static str {
    match kind {
        "application/json" | "text/plain" => r#"{"type":"hold","by":"ana","reason":"a test","messages":1}"#,
        _ => "reason=a%20test",
    }
}

/// Every change, of every kind, by somebody who is known by `credential`.
async fn change_nothing(house: &House, credential: &[(&str, &str)], site: Option<(&str, &str)>) {
    for path in changes(house).await {
        for kind in KINDS {
            let asked = asked(house, "post", &path).header("content-type", kind).body(body(kind));
            let asked = credential.iter().chain(&site).fold(asked, |asked, (name, value)| asked.header(*name, *value));
            let answer = asked.send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path} as {kind} with {site:?}");
        }
    }
    is_untouched(house);
}

fn is_untouched(house: &House) {
    for topic in [Topic::Events, Topic::Enforcement] {
        let mut tail = house.log.tail(topic, Start::Earliest).unwrap();
        assert_eq!(tail.next(Duration::ZERO).unwrap(), [], "{topic:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_changes_nothing_through_the_browser_of_somebody_who_is_signed_in() {
    let house = House::guarded().await;
    let cookie = session(&house).await;
    for site in ELSEWHERE.map(Some).into_iter().chain([None]) {
        change_nothing(&house, &[("cookie", &cookie)], site).await;
    }
    let out = asked(&house, "post", "/logout").header("cookie", &cookie).header("sec-fetch-site", "cross-site");
    assert_eq!(out.send().await.unwrap().status(), 403, "nor does it sign them out");
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_through_that_of_somebody_whom_a_proxy_has_signed_in() {
    let house = behind_a_proxy().await;
    for site in ELSEWHERE.map(Some).into_iter().chain([None]) {
        change_nothing(&house, &[USER, LEADS, SECRET], site).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_through_a_browser_on_the_machine_whose_listener_is_open() {
    let house = House::new().await;
    for site in ELSEWHERE {
        change_nothing(&house, &[], Some(site)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_was_pointed_at_the_open_listener_shows_nothing() {
    let house = House::new().await;
    let paths = ["/", "/customers", "/login", "/assets/base.css", "/v1/customers", "/v1/docs/", "/metrics", "/healthz"];
    let port = house.address.port();
    for name in ["rebound.example", "localhost.rebound.example", "127.0.0.1.rebound.example", "10.0.0.1", "[::2]"] {
        for host in [name.to_owned(), format!("{name}:{port}")] {
            for path in paths {
                let answer = asked(&house, "get", path).header("host", &host).send().await.unwrap();
                assert_eq!(answer.status(), 421, "{path} at {host}");
                let text = answer.text().await.unwrap();
                assert!(text.contains("ask it as localhost"), "{path} at {host}: {text}");
            }
        }
    }
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        for path in paths {
            let answer = asked(&house, "get", path).header("host", format!("{host}:{port}")).send().await.unwrap();
            assert_ne!(answer.status(), 421, "{path} at {host}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_for_tls_alone_where_the_browser_or_the_proven_proxy_says_that_it_speaks_it() {
    let ours = ("sec-fetch-site", "same-origin");
    let (tls, plain) = (("origin", "https://weir.example"), ("origin", "http://localhost:8081"));
    let (proto, null) = (("x-forwarded-proto", "https"), ("origin", "null"));
    for (house, headers, is_secure) in [
        (House::guarded().await, &[ours, tls][..], true),
        (House::guarded().await, &[ours, plain], false),
        (House::guarded().await, &[ours, proto], false),
        (behind_a_proxy().await, &[ours, plain, proto, SECRET], false),
        (behind_a_proxy().await, &[ours, proto, SECRET], true),
        (behind_a_proxy().await, &[ours, null, proto, SECRET], true),
        (behind_a_proxy().await, &[ours, proto], false),
    ] {
        let login = asked(&house, "post", "/login").header("content-type", "application/x-www-form-urlencoded");
        let login = headers.iter().fold(login, |login, (name, value)| login.header(*name, *value));
        let answer = login.body(format!("token={}", house.tokens["approver"])).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert_eq!(cookie.contains("; Secure"), is_secure, "{headers:?}: {cookie}");
    }
}

/// Asks as the headers say who it is.
async fn said(house: &House, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let asked = asked(house, method, path).header("content-type", "application/json").body(r#"{"reason":"a test"}"#);
    headers.iter().fold(asked, |asked, (name, value)| asked.header(*name, *value)).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxys_word_is_taken_only_with_its_proof_and_only_for_what_the_groups_may_do() {
    let house = behind_a_proxy().await;
    let fleet = async |headers: &[(&str, &str)]| said(&house, "get", "/v1/fleet", headers).await.status().as_u16();
    assert_eq!(fleet(&[USER, LEADS, SECRET]).await, 200);
    for (headers, why) in [
        (&[USER, LEADS][..], "no proof"),
        (&[USER, LEADS, ("x-proof", "hus")], "a wrong one"),
        (&[USER, LEADS, ("x-proof", "")], "an empty one"),
        (&[LEADS, SECRET], "nobody is named"),
        (&[USER, ("x-user", "root"), LEADS, SECRET], "two are named"),
        (&[("authorization", "Bearer weir_no"), USER, LEADS, SECRET], "a token that is none"),
    ] {
        assert_eq!(fleet(headers).await, 401, "{why}");
    }
    assert_eq!(fleet(&[USER, SECRET]).await, 403, "in no group");
    assert_eq!(fleet(&[USER, ("x-groups", "leads2, Leads"), SECRET]).await, 403, "in others");
    assert_eq!(fleet(&[USER, ("x-groups", "ops"), LEADS, SECRET]).await, 403, "the person's own beside the proxy's");
    let ours = ("sec-fetch-site", "same-origin");
    let path = "/v1/approvals/acme";
    assert_eq!(said(&house, "post", path, &[USER, ("x-groups", "ops"), SECRET, ours]).await.status(), 403);
    is_untouched(&house);
    let path = "/v1/enforcer/pause";
    assert_eq!(said(&house, "post", path, &[USER, ("x-groups", "ops"), SECRET, ours]).await.status(), 202);
    let headers = [USER, LEADS, SECRET];
    let told = async || said(&house, "get", "/v1/enforcer", &headers).await.json::<Value>().await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mut told_last = told().await;
    while told_last["paused"] != true {
        assert!(Instant::now() < deadline, "{told_last}");
        tokio::time::sleep(Duration::from_millis(10)).await;
        told_last = told().await;
    }
    assert_eq!(told_last["switch"]["by"], "ana", "{told_last}");
}
