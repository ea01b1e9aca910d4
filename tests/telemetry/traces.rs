//! One trace from a POST to the call at SendGrid, over a real Weir, a simulated SendGrid and a collector that speaks OTLP.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use simulator::sendgrid::{Options, SendGrid, World};
use site::{Process, Site, now, subuser};
use tokio::sync::MutexGuard;

const PATIENCE: Duration = Duration::from_secs(60);
const ROOT: &str = "POST /webhooks/sendgrid/{source}";

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
    _weir: Process,
    site: Site,
    _sendgrid: SendGrid,
    _turn: MutexGuard<'static, ()>,
}

impl House {
    async fn new(collector: &str) -> Self {
        let turn = crate::turn().await;
        let sendgrid = SendGrid::start_with(World::of(&[subuser("bad-1")]), Options::default()).await.unwrap();
        let site = Site::new();
        site.configure(&format!(
            r#"
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
            "#,
            api = sendgrid.base_url(),
        ));
        let mut weir = site.run(env!("CARGO_BIN_EXE_weir"));
        weir.env("SENDGRID_API_KEY", sendgrid.api_key());
        weir.env("WEIR_TEST_HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        Self { _weir: Process::start(weir), site, _sendgrid: sendgrid, _turn: turn }
    }

    async fn mail_goes_out(&self) {
        self.site.post(&mail()).await;
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
