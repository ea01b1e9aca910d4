//! Whoever is told: takes posts over HTTP, keeps them, and answers as it is told to.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use axum::serve::ListenerExt as _;
use serde_json::Value;
use standardwebhooks::{Webhook, WebhookError};

use crate::platform::until;

/// How it answers once.
#[derive(Clone)]
pub(crate) struct Reply {
    status: u16,
    header: Option<(&'static str, &'static str)>,
    says: &'static str,
    manner: Manner,
}

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Plain,
    Long,
    Silent,
}

impl Reply {
    pub(crate) const fn status(status: u16) -> Self {
        Self { status, header: None, says: "", manner: Manner::Plain }
    }

    pub(crate) const fn header(self, name: &'static str, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    pub(crate) const fn says(self, says: &'static str) -> Self {
        Self { says, ..self }
    }

    pub(crate) const fn long(status: u16) -> Self {
        Self { manner: Manner::Long, ..Self::status(status) }
    }

    pub(crate) const fn silent() -> Self {
        Self { manner: Manner::Silent, ..Self::status(200) }
    }

    async fn answer(self) -> Response<Body> {
        let body = match self.manner {
            Manner::Plain => Body::from(self.says),
            Manner::Long => Body::from(vec![b'x'; 64 << 20]),
            Manner::Silent => std::future::pending().await,
        };
        let mut response = Response::builder().status(self.status);
        if let Some((name, value)) = self.header {
            response = response.header(name, value);
        }
        response.body(body).unwrap()
    }
}

/// Something that was posted.
#[derive(Clone)]
pub(crate) struct Post {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) came: Instant,
    raw: Bytes,
    headers: HeaderMap,
    is_taken: bool,
}

impl Post {
    pub(crate) fn verify(&self, secret: &str) -> Result<(), WebhookError> {
        Webhook::new(secret).unwrap().verify(&self.raw, &self.headers)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn number(&self) -> u64 {
        u64::from_str_radix(self.id.strip_prefix("decision_").unwrap(), 16).unwrap()
    }
}

#[derive(Default)]
struct Desk {
    posts: Mutex<Vec<Post>>,
    /// The first answers; behind them 204.
    replies: Mutex<VecDeque<Reply>>,
    refuses: AtomicBool,
    connections: AtomicUsize,
}

pub(crate) struct Endpoint {
    port: u16,
    desk: Arc<Desk>,
}

impl Endpoint {
    pub(crate) async fn start(replies: &[Reply]) -> Self {
        let desk = Arc::new(Desk { replies: Mutex::new(replies.to_vec().into()), ..Desk::default() });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let counted = Arc::clone(&desk);
        let listener = listener.tap_io(move |_| {
            counted.connections.fetch_add(1, Ordering::SeqCst);
        });
        let router = Router::new().fallback(take).with_state(Arc::clone(&desk));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, desk }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Whether everything is answered 500 from now on.
    pub(crate) fn refuses(&self, refuses: bool) {
        self.desk.refuses.store(refuses, Ordering::SeqCst);
    }

    pub(crate) fn connections(&self) -> usize {
        self.desk.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn all(&self) -> Vec<Post> {
        self.desk.posts.lock().unwrap().clone()
    }

    /// How many different deliveries came, taken or not.
    pub(crate) fn distinct(&self) -> usize {
        self.all().into_iter().map(|post| post.id).collect::<BTreeSet<_>>().len()
    }

    /// All posts, once there are so many.
    pub(crate) async fn posts(&self, count: usize) -> Vec<Post> {
        until(async || self.all().len() >= count).await;
        self.all()
    }

    /// Their numbers.
    pub(crate) async fn numbers(&self, count: usize) -> Vec<u64> {
        self.posts(count).await.iter().map(Post::number).collect()
    }

    /// Waits until so many different deliveries were taken.
    pub(crate) async fn taken(&self, count: usize) {
        let taken = || self.all().iter().filter(|post| post.is_taken).map(Post::number).collect::<BTreeSet<_>>();
        until(async || taken().len() >= count).await;
    }
}

async fn take(State(desk): State<Arc<Desk>>, uri: Uri, headers: HeaderMap, raw: Bytes) -> Response<Body> {
    let planned = desk.replies.lock().unwrap().pop_front();
    let usual = Reply::status(if desk.refuses.load(Ordering::SeqCst) { 500 } else { 204 });
    let reply = planned.unwrap_or(usual);
    let is_taken = StatusCode::from_u16(reply.status).unwrap().is_success() && reply.manner == Manner::Plain;
    desk.posts.lock().unwrap().push(Post {
        id: headers["webhook-id"].to_str().unwrap().to_owned(),
        path: uri.path().to_owned(),
        body: serde_json::from_slice(&raw).unwrap(),
        came: Instant::now(),
        raw,
        headers,
        is_taken,
    });
    reply.answer().await
}
