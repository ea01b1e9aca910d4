//! A real endpoint for what is said in a chat.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::Value;

/// A chat that takes everything; its URL, and what it took.
pub(crate) async fn chat() -> (String, Arc<Mutex<Vec<Value>>>) {
    let posts = Arc::new(Mutex::new(Vec::new()));
    let take = async |State(posts): State<Arc<Mutex<Vec<Value>>>>, axum::Json(body): axum::Json<Value>| {
        posts.lock().unwrap().push(body);
    };
    let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&posts));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, posts)
}
