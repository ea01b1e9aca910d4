//! A webhook that keeps what is posted to it, as it came.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A POST as it came.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
}

pub(crate) const TIMESTAMP: &str = "x-twilio-email-event-webhook-timestamp";
pub(crate) const SIGNATURE: &str = "x-twilio-email-event-webhook-signature";

impl Post {
    /// What the libraries are asked about it.
    pub(crate) fn to_verify(&self, key: &str) -> Value {
        json!({ "call": "Verify", "of": { "key": key, "headers": self.headers, "body": STANDARD.encode(&self.body) } })
    }

    /// The same with another header.
    pub(crate) fn with_header(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.headers.insert(name.to_owned(), value.to_owned());
        changed
    }

    /// The same with another body.
    pub(crate) fn with_body(&self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self.clone() }
    }
}

/// The webhook. It ends with the test's runtime.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    posts: Mutex<mpsc::Receiver<Post>>,
}

const PATIENCE: Duration = Duration::from_secs(30);
const LARGEST: usize = 1 << 22;

impl Receiver {
    pub(crate) async fn start() -> Self {
        let (sender, posts) = mpsc::channel();
        let take = async move |headers: HeaderMap, body: Bytes| {
            let texts = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
            // Whoever does not look at the post does not miss it.
            let kept = sender.send(Post { headers: texts.collect(), body });
            if kept.is_ok() { StatusCode::NO_CONTENT } else { StatusCode::GONE }
        };
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let limit = axum::extract::DefaultBodyLimit::max(LARGEST);
        let router = Router::new().route("/hook", post(take)).layer(limit);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, posts: Mutex::new(posts) }
    }

    /// The next post, as soon as there is one.
    pub(crate) fn post(&self) -> Post {
        self.posts.lock().unwrap().recv_timeout(PATIENCE).unwrap()
    }
}
