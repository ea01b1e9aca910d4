//! The API does what its description says, whatever is asked: a program that knows nothing else of Weir makes requests from it,
//! good ones and bad ones, and holds every answer against it.

mod asker;
#[path = "../../operators/house.rs"]
#[expect(dead_code, reason = "the operators' suite needs more of it")]
mod house;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};

use self::asker::{Asked, Asker};
use self::house::{BAD, BINARY, House, ODD, PATIENCE};

/// Whose subuser SendGrid has suspended.
const SUSPENDED: &str = "good-1";
const APPROVALS: &str = "/v1/approvals/{id}";

/// Who asks, as an approver.
struct Approver {
    base: String,
    token: String,
    client: Client,
}

impl Approver {
    async fn get(&self, path: &str) -> Value {
        let asked = self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.token);
        asked.send().await.unwrap().json().await.unwrap_or_default()
    }

    async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{path}: {answer}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Approves what was decided about the first of the bad ones, and has another for itself: so that there is of everything.
    async fn has_all(&self) -> Asked {
        let length = |answer: &Value, of: &str| answer[of].as_array().map_or(0, Vec::len);
        self.until("/v1/approvals", |answer| length(answer, "approvals") == BAD.len()).await;
        let word = json!({"answer": "approve", "reason": "a test"});
        let path = format!("{}/v1/approvals/{}", self.base, BAD[0]);
        let answer = self.client.post(path).bearer_auth(&self.token).json(&word).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        self.until(&format!("/v1/customers/{}", BAD[0]), |answer| length(answer, "actions") > 0).await;
        let customers = self.until("/v1/customers?limit=2", |answer| answer["next"].is_string()).await;
        let decisions = self.until("/v1/decisions?limit=2", |answer| length(answer, "decisions") == 2).await;
        let rejects = self.until("/v1/rejects", |answer| length(answer, "rejects") == 1).await;
        self.until("/v1/account-status", |answer| length(answer, "open") == 1).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Asked {
            customers: [BAD[0], ODD, "good-1", "nobody"].map(str::to_owned).into(),
            waiting: BAD.into_iter().skip(1).map(str::to_owned).collect(),
            decisions: decisions["decisions"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect(),
            rules: vec![text(&decisions["decisions"][0]["rule"]), "no-such-rule".to_owned()],
            rejects: rejects["rejects"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect(),
            account: SUSPENDED.to_owned(),
            source: text(&rejects["rejects"][0]["source"]),
            since: text(&decisions["decisions"][0]["at"]),
            places: vec![text(&customers["next"])],
            cursors: vec!["-".to_owned(), text(&decisions["next"])],
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_whatever_is_asked_is_as_the_description_says() {
    let (token, config) = site::new_token(BINARY, "approver");
    let house = House::with_access(&config).await;
    house.mail_goes_out().await;
    let at = site::now().seconds();
    let suspended = format!(
        r#"{{"event":"account_status_change","timestamp":{at},"sg_event_id":"s","type":"compliance_suspend","customer_id":"{SUSPENDED}"}}"#
    );
    house.site.post(&["7".to_owned(), suspended]).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let approver = Approver { base: house.base(), token, client };
    let known = approver.has_all().await;
    let document = approver.get("/v1/openapi.json").await;
    let asker = Asker { base: &approver.base, document: &document, token: &approver.token, known: &known };
    // What waits first: it waits no longer where enforcement is paused, or a customer is moved on.
    let mut answered = asker.ask(&["--include-path", APPROVALS]);
    let others = asker.ask(&["--exclude-path", APPROVALS]);
    answered.well.extend(others.well);
    answered.report += &others.report;
    let described: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| operation(method, path)))
        .collect();
    assert_eq!(answered.well, described, "each of them was also answered as wished: {}", answered.report);
    let ready = approver.client.get(format!("{}/readyz", house.base())).send().await.unwrap();
    assert_eq!(ready.status(), 200, "Weir works as before");
}

fn operation(method: &str, path: &str) -> String {
    format!("{} {path}", method.to_uppercase())
}
