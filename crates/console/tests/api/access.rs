//! Who is let in.

use reqwest::{Client, Method, RequestBuilder, Response, redirect};
use serde_json::Value;

use crate::house::House;

fn client() -> Client {
    Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap()
}

fn asked(house: &House, method: &str, path: &str) -> RequestBuilder {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    client().request(method, format!("http://{}{path}", house.address))
}

async fn is_problem(answer: Response, status: u16, what: &str) {
    assert_eq!(answer.status(), status, "{what}");
    assert_eq!(answer.headers()["content-type"], "application/problem+json", "{what}");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["status"], status, "{what}: {problem}");
    for member in ["type", "title", "detail"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{what}: {problem}");
    }
}

/// The operations of the description that a house serves: method, path with names put in, role.
async fn operations(house: &House) -> Vec<(String, String, String)> {
    let answer = asked(house, "get", "/v1/openapi.json").bearer_auth(&house.tokens["viewer"]).send().await.unwrap();
    let document: Value = answer.json().await.unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let role = operation["x-weir-role"].as_str().unwrap_or_else(|| panic!("{method} {path} has no role"));
            all.push((method.clone(), path.replace("{id}", "acme"), role.to_owned()));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_of_the_description_refuses_no_token_a_wrong_one_and_one_that_is_too_weak() {
    let all = operations(&House::guarded().await).await;
    assert!(all.len() >= 20, "{all:?}");
    // So few that none is told to wait.
    for some in all.chunks(8) {
        are_refused(some).await;
    }
}

async fn are_refused(operations: &[(String, String, String)]) {
    let house = House::guarded().await;
    for (method, path, role) in operations {
        let what = format!("{method} {path}");
        let refused = asked(&house, method, path).send().await.unwrap();
        assert!(refused.headers().contains_key("www-authenticate"), "{what}");
        is_problem(refused, 401, &what).await;
        is_problem(asked(&house, method, path).bearer_auth("weir_no").send().await.unwrap(), 401, &what).await;
        let weaker: &[&str] = match role.as_str() {
            "viewer" => &[],
            "operator" => &["viewer"],
            "approver" => &["viewer", "operator"],
            other => panic!("{what}: {other}"),
        };
        for weaker in weaker {
            let answer = asked(&house, method, path).bearer_auth(&house.tokens[*weaker]).send().await.unwrap();
            is_problem(answer, 403, &format!("{what} as {weaker}")).await;
        }
        if !path.ends_with("/stream") {
            let answer = asked(&house, method, path).bearer_auth(&house.tokens[role]).send().await.unwrap();
            assert!(![401, 403].contains(&answer.status().as_u16()), "{what}: {}", answer.status());
        }
    }
    let mut tail = house.log.tail(log::Topic::Events, log::Start::Earliest).unwrap();
    let mut changes = tail.next(std::time::Duration::ZERO).unwrap();
    // A mailer that asks about a customer that nobody knows registers it.
    changes.retain(|stored| !stored.record.value.starts_with(br#"{"type":"register""#));
    assert_eq!(changes, [], "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_described_is_not_there() {
    let house = House::guarded().await;
    let token = &house.tokens["approver"];
    is_problem(asked(&house, "get", "/v1/nothing").bearer_auth(token).send().await.unwrap(), 404, "nothing").await;
    is_problem(asked(&house, "get", "/v1/nothing").send().await.unwrap(), 401, "not even told").await;
    let answer = asked(&house, "delete", "/v1/policy").bearer_auth(token).send().await.unwrap();
    is_problem(answer, 405, "delete").await;
    let answer = asked(&house, "post", "/v1/undo").bearer_auth(token).body("{}").send().await.unwrap();
    is_problem(answer, 415, "no content type").await;
    is_problem(asked(&house, "get", "/v1/customers?stage=poor").bearer_auth(token).send().await.unwrap(), 400, "query")
        .await;
    for open in ["/healthz", "/metrics"] {
        assert_eq!(asked(&house, "get", open).send().await.unwrap().status(), 200, "{open}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn to_ban_is_an_approvers_and_the_author_is_named_with_the_token() {
    let house = House::guarded().await;
    let path = "/v1/customers/acme/commands";
    let send = async |role: &str, body: &str| {
        let request = asked(&house, "post", path).bearer_auth(&house.tokens[role]);
        request.header("content-type", "application/json").body(body.to_owned()).send().await.unwrap()
    };
    let ban = r#"{"type":"set_stage","stage":"banned","reason":"phishing"}"#;
    is_problem(send("operator", ban).await, 403, "a ban").await;
    assert_eq!(send("approver", ban).await.status(), 202);
    assert_eq!(send("operator", r#"{"type":"note","reason":"asked them","by":"ana"}"#).await.status(), 202);
    let mut tail = house.log.tail(log::Topic::Events, log::Start::Earliest).unwrap();
    let authors: Vec<_> = tail
        .next(std::time::Duration::ZERO)
        .unwrap()
        .iter()
        .map(|stored| {
            let command: Value = serde_json::from_slice(&stored.record.value).unwrap();
            (command["type"].as_str().unwrap().to_owned(), command["by"].as_str().unwrap().to_owned())
        })
        .collect();
    let expected = [("set_stage", "approver"), ("note", "ana (with the token operator)")];
    assert_eq!(authors, expected.map(|(order, by)| (order.to_owned(), by.to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn to_try_a_policy_is_an_operators_here_and_on_its_page() {
    let house = House::guarded().await;
    let tried = async |role: &str| {
        let asked = asked(&house, "post", "/v1/policy/backtest").bearer_auth(&house.tokens[role]);
        asked.body(crate::house::policy_text(2)).send().await.unwrap()
    };
    is_problem(tried("viewer").await, 403, "a viewer").await;
    is_problem(tried("operator").await, 404, "an operator: there is nothing to try it on").await;
    for (role, may) in [("viewer", false), ("operator", true)] {
        let page = asked(&house, "get", "/policy").bearer_auth(&house.tokens[role]).send().await.unwrap();
        assert_eq!(page.text().await.unwrap().contains("formaction=\"/policy/try\""), may, "{role}");
        let form = asked(&house, "post", "/policy/try").bearer_auth(&house.tokens[role]);
        let form = form.header("content-type", "application/x-www-form-urlencoded").body("text=version%20%3D%202");
        let answer = form.send().await.unwrap();
        assert_eq!(answer.status() != 403, may, "{role}: {}", answer.status());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begins_with_a_token_and_changes_nothing_for_another_site() {
    let house = House::guarded().await;
    let login = async |token: &str, site: &str| {
        let request = asked(&house, "post", "/login").header("sec-fetch-site", site);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(format!("token={token}&next=%2Fpools")).send().await.unwrap()
    };
    let wrong = login("weir_no", "same-origin").await;
    assert!(wrong.headers()["location"].to_str().unwrap().starts_with("/login?failed=true"), "{wrong:?}");
    assert!(!wrong.headers().contains_key("set-cookie"));
    is_problem(login(&house.tokens["operator"], "cross-site").await, 403, "another site's form").await;
    let right = login(&house.tokens["operator"], "same-origin").await;
    assert_eq!((right.status().as_u16(), right.headers()["location"].to_str().unwrap()), (303, "/pools"));
    let set = right.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Max-Age="), "{set}");
    let cookie = set.split(';').next().unwrap();
    let pause = |site: Option<(&'static str, &'static str)>| {
        let request = asked(&house, "post", "/v1/enforcer/pause").header("cookie", cookie);
        let request = request.header("content-type", "application/json").body(r#"{"reason":"a test"}"#);
        site.into_iter().fold(request, |request, (name, value)| request.header(name, value))
    };
    assert_eq!(asked(&house, "get", "/v1/enforcer").header("cookie", cookie).send().await.unwrap().status(), 200);
    for site in [None, Some(("sec-fetch-site", "cross-site")), Some(("origin", "http://evil.example"))] {
        is_problem(pause(site).send().await.unwrap(), 403, &format!("{site:?}")).await;
    }
    assert_eq!(pause(Some(("sec-fetch-site", "same-origin"))).send().await.unwrap().status(), 202);
    let form =
        asked(&house, "post", "/v1/enforcer/pause").header("cookie", cookie).header("sec-fetch-site", "same-origin");
    let form = form.header("content-type", "application/x-www-form-urlencoded").body("reason=x&csrf=guessed");
    is_problem(form.send().await.unwrap(), 403, "a form of another session").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_open_listener_is_reached_by_this_machines_names_and_by_no_other_site() {
    let house = House::new().await;
    let named = |host: &str| asked(&house, "get", "/v1/fleet").header("host", host.to_owned()).send();
    assert_eq!(named("localhost:8081").await.unwrap().status(), 200);
    is_problem(named("rebound.example").await.unwrap(), 421, "a name that was pointed here").await;
    let post = || asked(&house, "post", "/v1/enforcer/pause").header("content-type", "application/json");
    let body = r#"{"by":"ana","reason":"a test"}"#;
    is_problem(post().header("origin", "http://evil.example").body(body).send().await.unwrap(), 403, "a site").await;
    assert_eq!(post().body(body).send().await.unwrap().status(), 202);
    is_problem(post().body(r#"{"reason":"a test"}"#).send().await.unwrap(), 400, "nobody says who").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_forbids_what_is_from_elsewhere_and_failures_are_slowed_down_and_counted() {
    let house = House::guarded().await;
    for path in ["/healthz", "/v1/fleet", "/v1/docs/", "/nothing"] {
        let answer = asked(&house, "get", path).send().await.unwrap();
        let headers = answer.headers();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(
            (&headers["x-content-type-options"], &headers["referrer-policy"]),
            (&"nosniff".parse().unwrap(), &"same-origin".parse().unwrap())
        );
    }
    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.push(asked(&house, "get", "/v1/fleet").bearer_auth("weir_no").send().await.unwrap().status().as_u16());
    }
    assert_eq!((statuses[0], statuses[29]), (401, 429), "{statuses:?}");
    let right = asked(&house, "get", "/v1/fleet").bearer_auth(&house.tokens["viewer"]).send().await.unwrap();
    assert_eq!(right.status(), 200, "whoever has a token is not kept out by others");
    let metrics = asked(&house, "get", "/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("weir_console_refused_total{reason=\"wrong_token\"}"), "{metrics}");
    assert!(!metrics.contains("weir_no"));
}
