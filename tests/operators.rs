//! What operators do to enforcement: the real binary, asked by its own command line, over a simulated SendGrid.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use model::{CustomerId, Timestamp};
use serde_json::{Value, json};
use simulator::platform::{Account, Placement, Truth};
use simulator::sendgrid::{HOME, Options, Poster, QUARANTINE, Retries, SendGrid, Signer, World};

const BAD: [&str; 3] = ["bad-1", "bad-2", "bad-3"];
const PATIENCE: Duration = Duration::from_secs(60);
const BY: [&str; 4] = ["--by", "ann", "--reason", "a test"];

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(since.as_millis().try_into().unwrap())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Weir in mode `approve`, beside a SendGrid with three subusers.
struct House {
    _folder: tempfile::TempDir,
    sendgrid: SendGrid,
    config: PathBuf,
    receiver: u16,
    admin: u16,
    signer: Arc<Signer>,
    weir: Child,
}

impl Drop for House {
    fn drop(&mut self) {
        let _ended = self.weir.kill();
        let _ended = self.weir.wait();
    }
}

impl House {
    async fn new() -> Self {
        let account = |name: &str| Account {
            id: CustomerId::new(name).unwrap(),
            truth: Truth::Good,
            placement: Placement::Subuser(name.to_owned()),
            planned_mails: 0,
            bad_from: now(),
        };
        let world = World::of(&BAD.map(account));
        let sendgrid = SendGrid::start_with(world, Options::default()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let signer = Arc::new(Signer::generate().unwrap());
        let (receiver, admin) = (free_port(), free_port());
        let config = folder.path().join("weir.toml");
        let text = format!(
            r#"
            [receiver]
            listen = "127.0.0.1:{receiver}"
            [admin]
            listen = "127.0.0.1:{admin}"
            [log]
            path = "{log}"
            [state]
            path = "{state}"
            [scorer]
            tick_interval = "200ms"
            [enforcer]
            mode = "approve"
            settling = "1s"
            [sendgrid]
            api = "{api}"
            [[source]]
            name = "test"
            verification_keys = ["{key}"]
            customer = {{ custom_arg = "customer_id" }}
            "#,
            log = folder.path().join("log").display(),
            state = folder.path().join("state").display(),
            api = sendgrid.base_url(),
            key = signer.public_key(),
        );
        std::fs::write(&config, text).unwrap();
        let weir = run(&config, sendgrid.api_key());
        Self { _folder: folder, sendgrid, config, receiver, admin, signer, weir }
    }

    /// SIGKILL, and a new process.
    fn kill_and_restart(&mut self) {
        self.weir.kill().unwrap();
        self.weir.wait().unwrap();
        self.weir = run(&self.config, self.sendgrid.api_key());
    }

    /// Mail of customers whose lists are bought, and of many whose lists are not.
    async fn mail_goes_out(&self) {
        let at = now().seconds();
        let event = |customer: &str, number: u32, kind: &str, more: &str| {
            let id = format!("{customer}-{number}");
            format!(
                r#"{{"event":"{kind}","timestamp":{at},"email":"{id}@example.org","customer_id":"{customer}","sg_message_id":"{id}.x","sg_event_id":"{kind}-{id}"{more}}}"#
            )
        };
        let mut events = Vec::new();
        for number in 0..100 {
            for customer in BAD {
                events.push(event(customer, number, "processed", ""));
                let bounce = r#","type":"bounce","status":"5.1.1","reason":"550 5.1.1 no such user""#;
                events.push(event(customer, number, "bounce", bounce));
            }
            for good in 0..10 {
                let customer = format!("good-{good}");
                events.push(event(&customer, number, "processed", ""));
                events.push(event(&customer, number, "delivered", ""));
            }
        }
        let retries = Retries { first: Duration::from_millis(50), longest: Duration::from_millis(200), most: 1_000 };
        let url = format!("http://127.0.0.1:{}/webhooks/sendgrid/test", self.receiver);
        let poster = Poster::new(&url, Arc::clone(&self.signer), retries, Arc::new(now)).unwrap();
        for batch in events.chunks(200) {
            poster.post(batch).await.unwrap();
        }
    }

    async fn get(&self, path: &str) -> Option<Value> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("http://127.0.0.1:{}{path}", self.admin)).send().await.ok()?;
        answer.error_for_status().ok()?.json().await.ok()
    }

    /// Waits until Prometheus is told this line.
    async fn until_told(&self, line: &str) {
        let (client, deadline) = (reqwest::Client::builder().no_proxy().build().unwrap(), Instant::now() + PATIENCE);
        loop {
            let answer = client.get(format!("http://127.0.0.1:{}/metrics", self.admin)).send().await.unwrap();
            let metrics = answer.text().await.unwrap();
            if metrics.lines().any(|told| told == line) {
                return;
            }
            assert!(Instant::now() < deadline, "{line}: {metrics}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until what the API answers is as wanted.
    async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path).await.unwrap_or_default();
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{path}: {answer}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a subuser is in this pool, and in no other.
    async fn until_in(&self, subuser: &str, pool: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.pools(subuser) != [pool] {
            assert!(Instant::now() < deadline, "{subuser} is in {:?}", self.pools(subuser));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn pools(&self, subuser: &str) -> Vec<String> {
        self.sendgrid.world().pools_of(subuser).into_iter().collect()
    }

    fn changing_calls(&self) -> usize {
        self.sendgrid.world().calls().iter().filter(|call| call.method != "GET").count()
    }

    /// The command line asks the Weir that runs.
    fn asks(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.args(arguments).arg("--to").arg(format!("http://127.0.0.1:{}", self.admin));
        command.output().unwrap()
    }

    /// What it prints where it succeeds.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.asks(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it complains of where it fails.
    fn refuses(&self, arguments: &[&str]) -> String {
        let output = self.asks(arguments);
        assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }
}

fn run(config: &Path, api_key: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["run", "--config"])
        .arg(config)
        .env("WEIR_LOG", "error")
        .env("SENDGRID_API_KEY", api_key)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn with_author<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().copied().chain(BY).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_awaits_approval_is_approved_rejected_paused_and_taken_back() {
    let mut house = House::new().await;
    house.mail_goes_out().await;
    let waiting =
        house.until("/v1/approvals", |answer| answer["approvals"].as_array().is_some_and(|all| all.len() == 3)).await;
    assert_eq!(house.changing_calls(), 0, "nothing is done before a person has approved");
    house.until_told(r#"weir_enforcer_held_back_customers{why="approval"} 3"#).await;
    let listed = house.says(&["approvals"]);
    for approval in waiting["approvals"].as_array().unwrap() {
        let (customer, decision) = (approval["customer"].as_str().unwrap(), approval["decision"].as_str().unwrap());
        assert!(listed.contains(customer) && listed.contains(decision), "{listed}");
        assert!(approval["finding"].as_str().unwrap().contains("hard bounce"), "{approval}");
    }

    // One is approved, one rejected; a word about what does not wait is refused.
    let other = ["approve", "bad-1", "--decision", "00000000000000000000000000000000"];
    assert!(house.refuses(&with_author(&other)).contains("look at it and answer that"));
    assert!(house.refuses(&with_author(&["approve", "good-1"])).contains("nothing to approve"));
    let approved = house.says(&with_author(&["approve", "bad-1"]));
    let one = waiting["approvals"].as_array().unwrap().iter().find(|one| one["customer"] == "bad-1").unwrap();
    let told = format!("to {}, decision {}", one["stage"].as_str().unwrap(), one["decision"].as_str().unwrap());
    assert!(approved.contains("carried out now") && approved.contains(&told), "{approved}");
    house.until_in("bad-1", QUARANTINE).await;
    house.says(&with_author(&["reject", "bad-2"]));
    house.until("/v1/enforcer", |answer| answer["held_back"]["rejected"] == 1).await;
    assert!(house.refuses(&with_author(&["approve", "bad-1"])).contains("nothing to approve"));
    assert_eq!(house.pools("bad-2"), [HOME]);

    // Paused, also across a crash, an approved one stays where it is until enforcement goes on.
    house.says(&with_author(&["enforce", "pause"]));
    house.until("/v1/enforcer", |answer| answer["paused"] == true).await;
    let approved = house.says(&with_author(&["approve", "bad-3"]));
    assert!(approved.contains("ann has paused") && !approved.contains("carried out"), "{approved}");
    let is_held = |answer: &Value| {
        let held = answer["held_back"].as_array().into_iter().flatten().find(|case| case["customer"] == "bad-3");
        held.is_some_and(|case| case["held"]["reason"].as_str().unwrap().contains("ann has paused"))
    };
    house.until("/v1/enforcer/held?why=paused", is_held).await;
    house.kill_and_restart();
    house.until("/v1/enforcer/held?why=paused", is_held).await;
    let status = house.says(&["enforce", "status"]);
    assert!(
        status.contains("PAUSED by ann") && status.contains("bad-3") && status.contains("mode: approve"),
        "{status}"
    );
    assert_eq!(house.pools("bad-3"), [HOME]);
    house.says(&with_author(&["enforce", "resume"]));
    house.until_in("bad-3", QUARANTINE).await;

    // The rule is taken back: everybody whom it moved goes home, whatever was approved.
    let bad = house.get("/v1/customers/bad-1").await.unwrap();
    let rule = bad["reasons"][0]["rule"].as_str().unwrap().to_owned();
    let undo = |rule: &'static str| ["undo", "--since", "1h", "--rule", rule];
    assert!(house.refuses(&with_author(&undo("no-such-rule"))).contains(&rule));
    let undo = ["undo", "--since", "1h", "--rule", &rule];
    let dry: Vec<_> = with_author(&undo).into_iter().chain(["--dry-run"]).collect();
    assert!(house.says(&dry).contains("3 customers would go back"));
    assert_eq!(house.pools("bad-1"), [QUARANTINE]);
    let done = house.says(&with_author(&undo));
    assert!(done.contains("3 customers went back"), "{done}");
    for customer in BAD {
        house.until_in(customer, HOME).await;
        let customer = house.get(&format!("/v1/customers/{customer}")).await.unwrap();
        let last = customer["history"].as_array().unwrap().last().unwrap();
        assert_eq!((&customer["stage"], &last["rule"]), (&json!("healthy"), &json!("command:undo")));
    }
    assert!(house.says(&with_author(&undo)).contains("0 customers went back"), "nothing is left");
}
