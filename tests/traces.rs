//! One trace from a POST to the call at SendGrid, over a real Weir, a simulated SendGrid and a collector that speaks OTLP.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use model::{CustomerId, Timestamp};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use simulator::platform::{Account, Placement, Truth};
use simulator::sendgrid::{Options, Poster, Retries, SendGrid, Signer, World};

const PATIENCE: Duration = Duration::from_secs(60);
const ROOT: &str = "POST /webhooks/sendgrid/{source}";

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(since.as_millis().try_into().unwrap())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What came by OTLP, and what a hook was told beside its body.
#[derive(Clone, Default)]
struct Collected {
    spans: Arc<Mutex<Vec<Span>>>,
    hooked: Arc<Mutex<Vec<Option<String>>>>,
}

impl Collected {
    /// A collector, which is an endpoint for hooks, too; its address.
    async fn serve(&self) -> String {
        let spans = async |State(collected): State<Self>, body: Bytes| {
            let request = ExportTraceServiceRequest::decode(body).unwrap();
            let scopes = request.resource_spans.into_iter().flat_map(|of_resource| of_resource.scope_spans);
            collected.spans.lock().unwrap().extend(scopes.flat_map(|of_scope| of_scope.spans));
        };
        let hook = async |State(collected): State<Self>, headers: HeaderMap| {
            let trace = headers.get("traceparent").map(|value| value.to_str().unwrap().to_owned());
            collected.hooked.lock().unwrap().push(trace);
        };
        let router = Router::new().route("/v1/traces", post(spans)).route("/hook", post(hook));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = router.with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }

    /// The spans of the trace in which SendGrid was asked to change something, once they are all there.
    fn whole(&self) -> Option<Vec<Span>> {
        let spans = self.spans();
        let call = spans.iter().find(|span| span.name == "set_subuser_ips")?;
        let of_trace: Vec<_> = spans.iter().filter(|span| span.trace_id == call.trace_id).cloned().collect();
        let names = [ROOT, "append", "decide", "look at SendGrid"];
        names.iter().all(|name| of_trace.iter().any(|span| span.name == *name)).then_some(of_trace)
    }
}

/// A Weir that traces every POST, beside a SendGrid with one bad subuser.
struct House {
    _folder: tempfile::TempDir,
    _sendgrid: SendGrid,
    receiver: u16,
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
    async fn new(collector: &str) -> Self {
        let bad = Account {
            id: CustomerId::new("bad-1").unwrap(),
            truth: Truth::Good,
            placement: Placement::Subuser("bad-1".to_owned()),
            planned_mails: 0,
            bad_from: now(),
        };
        let sendgrid = SendGrid::start_with(World::of(&[bad]), Options::default()).await.unwrap();
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
            tick_interval = "500ms"
            [enforcer]
            mode = "enforce"
            settling = "1s"
            [sendgrid]
            api = "{api}"
            [tracing]
            otlp = "{collector}"
            sample = "100 %"
            [[hook]]
            name = "platform"
            url = "{collector}/hook"
            secret_env = "WEIR_TEST_HOOK_SECRET"
            allow_private = true
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
        let weir = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(["run", "--config"])
            .arg(&config)
            .env("WEIR_LOG", "error")
            .env("SENDGRID_API_KEY", sendgrid.api_key())
            .env("WEIR_TEST_HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { _folder: folder, _sendgrid: sendgrid, receiver, signer, weir }
    }

    async fn mail_goes_out(&self) {
        let retries = Retries { first: Duration::from_millis(50), longest: Duration::from_millis(200), most: 1_000 };
        let url = format!("http://127.0.0.1:{}/webhooks/sendgrid/test", self.receiver);
        let poster = Poster::new(&url, Arc::clone(&self.signer), retries, Arc::new(now)).unwrap();
        for batch in mail().chunks(200) {
            poster.post(batch).await.unwrap();
        }
    }
}

/// Mail of a customer whom everybody calls a spammer, and of many whom nobody does.
fn mail() -> Vec<String> {
    let at = now().seconds();
    let event = |customer: &str, number: u32, kind: &str| {
        let id = format!("{customer}-{number}");
        format!(
            r#"{{"event":"{kind}","timestamp":{at},"email":"{id}@yahoo.com","customer_id":"{customer}","sg_message_id":"{id}.x","sg_event_id":"{kind}-{id}"}}"#
        )
    };
    let mut events = Vec::new();
    for number in 0..100 {
        for customer in 0..10 {
            let customer = format!("good-{customer}");
            events.extend([event(&customer, number, "processed"), event(&customer, number, "delivered")]);
        }
        events.extend([event("bad-1", number, "processed"), event("bad-1", number, "delivered")]);
    }
    events.extend((0..100).map(|number| event("bad-1", number, "spamreport")));
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_holds_the_post_the_append_the_decision_and_the_call_and_hooks_are_told_of_it() {
    let collected = Collected::default();
    let collector = collected.serve().await;
    let house = House::new(&collector).await;
    house.mail_goes_out().await;

    let deadline = Instant::now() + PATIENCE;
    let whole = loop {
        if let Some(whole) = collected.whole() {
            break whole;
        }
        let names: Vec<_> = collected.spans().into_iter().map(|span| span.name).collect();
        assert!(Instant::now() < deadline, "{names:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let of = |name: &str| whole.iter().find(|span| span.name == name).unwrap();
    let root = of(ROOT);
    assert!(root.parent_span_id.is_empty());
    for name in ["append", "decide", "look at SendGrid", "set_subuser_ips"] {
        assert_eq!(of(name).parent_span_id, root.span_id, "{name}");
        assert!(of(name).start_time_unix_nano >= root.start_time_unix_nano, "{name}");
    }
    // What is appended may be decided before whoever appended it hears of it.
    let order = ["append", "decide", "set_subuser_ips"].map(|name| of(name).start_time_unix_nano);
    assert!(order.is_sorted(), "{whole:?}");
    let said = |span: &Span| span.attributes.iter().map(|attribute| format!("{attribute:?}")).collect::<String>();
    assert!(said(of("decide")).contains("bad-1") && said(of("decide")).contains("weir.rule"), "{:?}", of("decide"));
    assert!(!whole.iter().any(|span| said(span).contains('@')), "no recipient is in a trace");

    // The platform's own endpoint can go on with it.
    let trace: String = root.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
    let is_told = || collected.hooked.lock().unwrap().iter().flatten().any(|told| told.contains(&trace));
    while !is_told() {
        assert!(Instant::now() < deadline, "{:?}", collected.hooked.lock().unwrap());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
