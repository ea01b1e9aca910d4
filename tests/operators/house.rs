//! Weir, asked by its own command line, over a simulated SendGrid.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::sendgrid::{Options, SendGrid, World};
use site::{Process, Site, now, subuser};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_weir");
pub(crate) const BAD: [&str; 3] = ["bad-1", "bad-2", "bad-3"];
/// A customer that sends good mail, under a name that has a meaning in a URL, and one in a terminal.
pub(crate) const ODD: &str = "odd/../näme?#% \u{202e}<b>";
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const BY: [&str; 4] = ["--by", "ann", "--reason", "a test"];

/// Weir in mode `approve`, beside a SendGrid with three subusers.
pub(crate) struct House {
    pub(crate) weir: Process,
    pub(crate) site: Site,
    pub(crate) sendgrid: SendGrid,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with_access("").await
    }

    /// With who is let in, as the configuration says it.
    pub(crate) async fn with_access(access: &str) -> Self {
        let sendgrid = SendGrid::start_with(World::of(&BAD.map(subuser)), Options::default()).await.unwrap();
        let site = Site::new();
        site.configure(&format!(
            r#"
            {access}
            [enforcer]
            mode = "approve"
            settling = "1s"
            [sendgrid]
            api = "{api}"
            "#,
            api = sendgrid.base_url(),
        ));
        let mut weir = site.run(BINARY);
        weir.env("SENDGRID_API_KEY", sendgrid.api_key());
        Self { weir: Process::start(weir), site, sendgrid }
    }

    /// Mail of customers whose lists are bought, and of many whose lists are not.
    pub(crate) async fn mail_goes_out(&self) {
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
            for customer in (0..10).map(|good| format!("good-{good}")).chain([ODD.to_owned()]) {
                events.push(event(&customer, number, "processed", ""));
                events.push(event(&customer, number, "delivered", ""));
            }
        }
        self.site.post(&events).await;
    }

    pub(crate) async fn get(&self, path: &str) -> Option<Value> {
        serde_json::from_str(&self.site.get(path).await?).ok()
    }

    /// Waits until Prometheus is told this line.
    pub(crate) async fn until_told(&self, line: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let metrics = self.site.get("/metrics").await.unwrap();
            if metrics.lines().any(|told| told == line) {
                return;
            }
            assert!(Instant::now() < deadline, "{line}: {metrics}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until what the API answers is as wanted.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
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
    pub(crate) async fn until_in(&self, subuser: &str, pool: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.pools(subuser) != [pool] {
            assert!(Instant::now() < deadline, "{subuser} is in {:?}", self.pools(subuser));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn pools(&self, subuser: &str) -> Vec<String> {
        self.sendgrid.world().pools_of(subuser).into_iter().collect()
    }

    pub(crate) fn changing_calls(&self) -> usize {
        self.sendgrid.world().calls().iter().filter(|call| call.method != "GET").count()
    }

    /// The command line that asks the Weir that runs.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).env("WEIR_ADMIN", self.base()).env_remove("WEIR_TOKEN");
        command
    }

    pub(crate) fn base(&self) -> String {
        self.site.base()
    }

    pub(crate) fn asks(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it prints as JSON, a value a line.
    pub(crate) fn lines(&self, arguments: &[&str]) -> Vec<Value> {
        let arguments: Vec<_> = arguments.iter().copied().chain(["--json"]).collect();
        self.says(&arguments).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How it ends where it fails.
    pub(crate) fn ends(&self, arguments: &[&str]) -> i32 {
        self.asks(arguments).status.code().unwrap()
    }

    /// What it prints where it succeeds.
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let output = self.asks(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it complains of where it fails.
    pub(crate) fn refuses(&self, arguments: &[&str]) -> String {
        let output = self.asks(arguments);
        assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }
}

pub(crate) fn with_author<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().copied().chain(BY).collect()
}
