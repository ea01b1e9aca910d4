//! Weir and a simulated SendGrid, and a browser that is told what to do.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use model::CustomerId;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use simulator::sendgrid::{HOME, Options, SendGrid, World};
use site::{Process, Site, now, segment, subuser};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_weir");
/// Subusers whose lists are bought.
pub(crate) const BAD: [&str; 3] = ["lucky-leads", "mega-list", "north-promo"];
/// Names that mean something in a page, in a URL, or to the eye. Their lists are bought, too, so that they stand everywhere.
pub(crate) const HOSTILE: [&str; 4] = [
    "<script>globalThis.hurt=1</script>",
    "\"'><img src=x onerror=globalThis.hurt=2>",
    "../../%2e%2e/?a=1&b=%3C#d",
    "\u{202e}gnihsihp \u{5d0}\u{5d1} <b>",
];
pub(crate) const MARKUP: &str = "<img src=x onerror=globalThis.hurt=3></td><script>globalThis.hurt=4</script>";
/// Where recipients have their mailboxes.
const DOMAINS: [&str; 4] = ["gmail.com", "outlook.com", "yahoo.com", "example.org"];
const PATIENCE: Duration = Duration::from_secs(60);
const LOOKING: Duration = Duration::from_millis(20);

/// Weir, beside a SendGrid with three subusers.
pub(crate) struct Rig {
    _weir: Process,
    site: Site,
    pub(crate) sendgrid: SendGrid,
}

impl Rig {
    /// In mode `approve`, with `access` in the configuration's `[admin]`.
    pub(crate) async fn new(access: &str) -> Self {
        Self::in_mode("approve", access).await
    }

    /// One that does what it decides.
    pub(crate) async fn enforcing() -> Self {
        Self::in_mode("enforce", "").await
    }

    async fn in_mode(mode: &str, access: &str) -> Self {
        let sendgrid = SendGrid::start_with(World::of(&BAD.map(subuser)), Options::default()).await.unwrap();
        let site = Site::new();
        site.configure(&format!(
            r#"
            [admin]
            {access}
            [enforcer]
            mode = "{mode}"
            settling = "1s"
            [sendgrid]
            api = "{api}"
            "#,
            api = sendgrid.base_url(),
        ));
        let mut weir = site.run(BINARY);
        weir.env("SENDGRID_API_KEY", sendgrid.api_key());
        Self { _weir: Process::start(weir), site, sendgrid }
    }

    /// With all bought lists found, the hostile names' too: they wait for a person.
    pub(crate) async fn found(access: &str) -> Self {
        Self::found_with(access, &HOSTILE).await
    }

    /// With all bought lists found: those of the subusers, and these customers'.
    pub(crate) async fn found_with(access: &str, others: &[&str]) -> Self {
        let rig = Self::new(access).await;
        rig.mail_goes_out(others).await;
        let all = BAD.len() + others.len();
        rig.until("/v1/approvals", |answer| answer["approvals"].as_array().is_some_and(|found| found.len() == all))
            .await;
        rig
    }

    /// Mail of customers whose lists are bought, and of many whose lists are not; receiving servers' words and categories are
    /// markup.
    async fn mail_goes_out(&self, others: &[&str]) {
        let mut events = Vec::new();
        for number in 0..100 {
            for customer in BAD.iter().chain(others) {
                events.push(event(customer, number, "processed", &json!({})));
                let bounce = json!({"type": "bounce", "status": "5.1.1", "reason": format!("550 5.1.1 {MARKUP}")});
                events.push(event(customer, number, "bounce", &bounce));
            }
        }
        // First, so that it is seen that providers take mail.
        self.shops_send().await;
        self.site.post(&events).await;
    }

    /// Mail of thirty customers whose lists are good.
    pub(crate) async fn shops_send(&self) {
        let mut events = Vec::new();
        for number in 0..100 {
            for shop in 0..30 {
                let customer = format!("shop-{shop:02}");
                events.push(event(&customer, number, "processed", &json!({})));
                events.push(event(&customer, number, "delivered", &json!({"response": MARKUP})));
            }
        }
        self.site.post(&events).await;
    }

    /// Mails of a customer whose list is rather old: one of ten bounces.
    pub(crate) async fn old_list_goes_out(&self, customer: &str, numbers: std::ops::Range<u32>) {
        let bounce = json!({"type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such user"});
        let fate =
            |number: u32| if number.is_multiple_of(10) { ("bounce", bounce.clone()) } else { ("delivered", json!({})) };
        let of_mail = |number: u32| {
            let (kind, more) = fate(number);
            [event(customer, number, "processed", &json!({})), event(customer, number, kind, &more)]
        };
        self.site.post(&numbers.flat_map(of_mail).collect::<Vec<_>>()).await;
    }

    pub(crate) fn base(&self) -> String {
        self.site.base()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.site.client.request(method, format!("{}{path}", self.base()))
    }

    pub(crate) async fn get(&self, path: &str) -> Option<Value> {
        self.request(Method::GET, path).send().await.ok()?.error_for_status().ok()?.json().await.ok()
    }

    pub(crate) async fn until_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.site.get("/readyz").await.is_none() {
            assert!(Instant::now() < deadline, "it is not ready");
            tokio::time::sleep(LOOKING).await;
        }
    }

    /// Where the first link of a page leads that begins so.
    pub(crate) async fn link(&self, page: &str, begins: &str) -> String {
        let html = self.site.get(page).await.unwrap();
        let (_, rest) = html.split_once(&format!("href=\"{begins}")).unwrap_or_else(|| panic!("{page}: {html}"));
        format!("{begins}{}", rest.split('"').next().unwrap().replace("&amp;", "&"))
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
            tokio::time::sleep(LOOKING).await;
        }
    }

    /// Waits until a subuser is in this pool, and in no other.
    pub(crate) async fn until_in(&self, subuser: &str, pool: &str) {
        let deadline = Instant::now() + PATIENCE;
        let pools = || self.sendgrid.world().pools_of(subuser).into_iter().collect::<Vec<_>>();
        while pools() != [pool] {
            assert!(Instant::now() < deadline, "{subuser} is in {:?}", pools());
            tokio::time::sleep(LOOKING).await;
        }
    }

    /// Waits until a subuser may not send, or may again.
    pub(crate) async fn until_suspended(&self, subuser: &str, suspended: bool) {
        let deadline = Instant::now() + PATIENCE;
        while self.sendgrid.world().is_disabled(subuser) != suspended {
            assert!(Instant::now() < deadline, "{subuser} is not as wanted");
            tokio::time::sleep(LOOKING).await;
        }
    }

    /// Runs a scenario in the browser, over this Weir; what it found.
    pub(crate) async fn browse(&self, scenario: &str, wanted: Value) -> Value {
        let mut wanted = wanted;
        wanted["base"] = json!(self.base());
        browse(scenario, wanted).await
    }
}

/// Runs a scenario in the browser; what it found.
pub(crate) async fn browse(scenario: &str, wanted: Value) -> Value {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), wanted.to_string()).unwrap();
    let mut command = Command::new("node");
    command.arg(here().join(scenario)).arg(file.path());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{scenario}: {told}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn event(customer: &str, number: u32, kind: &str, more: &Value) -> String {
    let (id, domain) = (format!("{kind}-{customer}-{number}"), DOMAINS[number as usize % DOMAINS.len()]);
    let mut event = json!({
        "event": kind, "timestamp": now().seconds(), "email": format!("{number}@{domain}"), "customer_id": customer,
        "category": [MARKUP], "pool": {"id": 1, "name": HOME}, "sg_message_id": format!("{customer}-{number}.x"), "sg_event_id": id,
    });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event.to_string()
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/console/browser")
}

/// Where pictures are put.
pub(crate) fn pictures() -> PathBuf {
    let told = std::env::var_os("WEIR_ARTEFACTS").map(PathBuf::from);
    told.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/artefacts"))
}

/// Where a customer's page is.
pub(crate) fn page_of(customer: &str) -> String {
    CustomerId::new(customer).unwrap().page_path()
}

/// A customer's path in the API.
pub(crate) fn api_of(customer: &str) -> String {
    format!("/v1/customers/{}", segment(customer))
}
