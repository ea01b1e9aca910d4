//! A server whose every answer a test decides.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use sendgrid::api::{ApiKey, Client, Config, IpApi};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// A call as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Method, path and query.
    pub(crate) asked: String,
    pub(crate) headers: HeaderMap,
}

/// A server over real sockets. It ends with the test's runtime.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) base_url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Server {
    /// A server that answers as `answer` says, which is told the call and how many came before it.
    pub(crate) async fn start(answer: impl Fn(&Call, usize) -> Response + Clone + Send + Sync + 'static) -> Self {
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let heard = Arc::clone(&calls);
        let router = Router::new().fallback(move |request: Request| {
            let (answer, heard) = (answer.clone(), Arc::clone(&heard));
            async move {
                let asked = format!("{} {}", request.method(), request.uri());
                let call = Call { asked, headers: request.headers().clone() };
                let before = {
                    let mut heard = heard.lock().unwrap();
                    heard.push(call.clone());
                    heard.len() - 1
                };
                answer(&call, before)
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base_url, calls }
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

/// A server that reads each request and closes the connection without an answer; and how many requests it read.
pub(crate) async fn cutting() -> (String, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let read: Arc<Mutex<usize>> = Arc::default();
    let count = Arc::clone(&read);
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            if connection.read(&mut request).await.is_ok_and(|read| read > 0) {
                *count.lock().unwrap() += 1;
            }
        }
    });
    (base_url, read)
}

/// An address where nobody listens.
pub(crate) async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Settings that try often and wait briefly.
pub(crate) fn config(base_url: &str) -> Config {
    let mut config = Config::new(base_url.to_owned(), ApiKey::new("SG.secret"));
    config.backoff = Duration::from_millis(2);
    config.tries = 3;
    config.calls_per_second = NonZeroU32::new(100_000).unwrap();
    config
}

pub(crate) fn client(base_url: &str) -> Client {
    Client::new(config(base_url)).unwrap()
}

pub(crate) fn client_by_id(base_url: &str) -> Client {
    let mut config = config(base_url);
    config.ip_api = IpApi::Ids;
    Client::new(config).unwrap()
}
