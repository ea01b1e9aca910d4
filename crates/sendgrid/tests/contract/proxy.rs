//! Between the client and the mock server: says which answer is wanted, records what was asked, and ends lists, because the
//! mock server remembers nothing and would give the same page for ever.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use sendgrid::api::Endpoint;
use serde_json::{Value, json};

use super::asked::endpoint;

/// A call as it was asked and answered.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) asked: String,
    pub(crate) on_behalf_of: Option<String>,
    pub(crate) status: u16,
    pub(crate) answer: String,
}

/// The proxy. It ends with the test's runtime.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) base_url: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    client: reqwest::Client,
    wanted: Mutex<Option<(Endpoint, String)>>,
    recorded: Mutex<Vec<Recorded>>,
}

const ON_BEHALF_OF: HeaderName = HeaderName::from_static("on-behalf-of");

impl Proxy {
    pub(crate) async fn start(upstream: &str) -> Self {
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            client: reqwest::Client::new(),
            wanted: Mutex::default(),
            recorded: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(forward).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base_url, shared }
    }

    /// Which answer an endpoint shall give from now on, in the mock server's words.
    pub(crate) fn want(&self, endpoint: Endpoint, answer: &str) {
        *self.shared.wanted.lock().unwrap() = Some((endpoint, answer.to_owned()));
    }

    /// Lets every endpoint answer with the documents' own examples.
    pub(crate) fn want_examples(&self) {
        *self.shared.wanted.lock().unwrap() = None;
    }

    /// What was asked since the last time.
    pub(crate) fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut *self.shared.recorded.lock().unwrap())
    }
}

async fn forward(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let endpoint = endpoint(parts.method.as_str(), parts.uri.path());
    let asked = parts.uri.path_and_query().unwrap().to_string();
    let mut headers = parts.headers.clone();
    headers.remove(header::HOST);
    if let Some(answer) = shared.wanted(endpoint) {
        headers.insert("prefer", answer.parse().unwrap());
    }
    let url = format!("{}{asked}", shared.upstream);
    let answer = shared.client.request(parts.method.clone(), url).headers(headers).body(body).send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.unwrap();
    let on_behalf_of = parts.headers.get(ON_BEHALF_OF).map(|name| name.to_str().unwrap().to_owned());
    shared.recorded.lock().unwrap().push(Recorded {
        endpoint,
        asked: format!("{} {asked}", parts.method),
        on_behalf_of,
        status: status.as_u16(),
        answer: String::from_utf8_lossy(&body).into_owned(),
    });
    respond(status, &headers, end_list(&asked, status, body))
}

impl Shared {
    fn wanted(&self, asked: Option<Endpoint>) -> Option<String> {
        let wanted = self.wanted.lock().unwrap();
        wanted.as_ref().filter(|(endpoint, _)| Some(*endpoint) == asked).map(|(_, answer)| answer.clone())
    }
}

fn respond(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if let Some(kind) = headers.get(header::CONTENT_TYPE) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
    }
    response
}

/// A list by key has a second page and no third, a list by offset has one page.
fn end_list(asked: &str, status: StatusCode, body: Bytes) -> Bytes {
    let Ok(mut value) = serde_json::from_slice::<Value>(&body) else { return body };
    if !status.is_success() {
        return body;
    }
    if value.is_array() && asked.contains("offset=") && !asked.contains("offset=0") {
        return Bytes::from_static(b"[]");
    }
    let is_second = asked.contains("after_key=");
    let Some(key) = value.pointer_mut("/_metadata/next_params/after_key") else { return body };
    *key = if is_second { Value::Null } else { json!("7") };
    value.to_string().into()
}
