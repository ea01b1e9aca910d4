//! Another site can neither post our forms nor show our pages in its own.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::json;

use super::rig::Rig;

/// Another site: at another name of this machine, with a form that posts to the console, and the console in a frame.
fn attacker(base: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let page = format!(
        "<!doctype html><title>other</title><iframe src='{base}/'></iframe>\
         <form method=post action='{base}/enforcement/pause'><input name=reason value=gotcha><button>go</button></form>"
    );
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
        page.len()
    );
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4_096];
            // Whoever goes away goes away.
            let _served = stream.read(&mut request).and_then(|_| stream.write_all(answer.as_bytes())).is_ok();
        }
    });
    format!("http://localhost:{port}/")
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_posts_nothing_and_frames_nothing() {
    let rig = Rig::found("").await;
    let found = rig.browse("act.mjs", json!({"act": "attack", "attacker": attacker(&rig.base())})).await;
    assert_eq!(found["status"], 403, "{found}");
    assert_eq!(found["framed"], "chrome-error://chromewebdata/", "the browser shows that it may not: {found}");
    let status = rig.until("/v1/enforcer", |answer| answer["paused"].is_boolean()).await;
    assert_eq!((&status["paused"], &status["switch"]), (&json!(false), &json!(null)));
}
