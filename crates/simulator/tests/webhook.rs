//! Batches are signed as SendGrid signs them, and posted until they are taken.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Timestamp;
use sendgrid::webhook::{VerificationKey, Verifier};
use serde_json::Value;
use simulator::sendgrid::{Batching, Clock, Feed, Poster, PosterError, Retries, Signer};

/// A POST as it came.
#[derive(Clone, Debug)]
struct Post {
    headers: HeaderMap,
    body: Bytes,
}

impl Post {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    fn timestamp(&self) -> &str {
        self.header("x-twilio-email-event-webhook-timestamp")
    }

    fn signature(&self) -> &str {
        self.header("x-twilio-email-event-webhook-signature")
    }
}

/// A webhook that answers with these statuses first, and 204 ever after.
#[derive(Clone, Debug, Default)]
struct Receiver {
    posts: Arc<Mutex<Vec<Post>>>,
    refusals: Arc<Mutex<Vec<StatusCode>>>,
    busy: Arc<Mutex<(usize, usize)>>,
}

impl Receiver {
    async fn start(refusals: &[StatusCode]) -> (Self, String) {
        let receiver = Self { refusals: Arc::new(Mutex::new(refusals.to_vec())), ..Self::default() };
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, url)
    }

    fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    {
        let mut busy = receiver.busy.lock().unwrap();
        busy.0 += 1;
        busy.1 = busy.1.max(busy.0);
    }
    tokio::time::sleep(Duration::from_millis(2)).await;
    receiver.busy.lock().unwrap().0 -= 1;
    receiver.posts.lock().unwrap().push(Post { headers, body });
    let mut refusals = receiver.refusals.lock().unwrap();
    let status = if refusals.is_empty() { StatusCode::NO_CONTENT } else { refusals.remove(0) };
    // A client that follows redirects would be led back here, and be found out by the number of POSTs.
    (status, [("location", "/hook")]).into_response()
}

/// A clock that is a second later each time it is read.
fn ticking() -> Clock {
    let seconds = Mutex::new(1_740_300_000);
    Arc::new(move || {
        let mut seconds = seconds.lock().unwrap();
        *seconds += 1;
        Timestamp::from_seconds(*seconds)
    })
}

fn retries(most: u32) -> Retries {
    Retries { first: Duration::from_millis(1), longest: Duration::from_millis(4), most }
}

fn poster(url: &str, most: u32) -> (Poster, Arc<Signer>) {
    let signer = Arc::new(Signer::generate().unwrap());
    (Poster::new(url, Arc::clone(&signer), retries(most), ticking()).unwrap(), signer)
}

fn event(number: usize) -> String {
    format!(r#"{{"event":"open","timestamp":1740300000,"sg_event_id":"id-{number}"}}"#)
}

fn ids(posts: &[Post]) -> Vec<String> {
    let of_post = |post: &Post| -> Vec<Value> { serde_json::from_slice(&post.body).unwrap() };
    posts.iter().flat_map(of_post).map(|event| event["sg_event_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_batch_is_posted_until_it_is_taken_and_signed_anew_each_time() {
    let refusals = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::FOUND, StatusCode::BAD_REQUEST];
    let (receiver, url) = Receiver::start(&refusals).await;
    let (poster, signer) = poster(&url, 10);
    let posted = poster.post(&[event(1), event(2)]).await.unwrap();
    assert_eq!((posted.tries, posted.events), (4, 2));
    let posts = receiver.posts();
    assert_eq!(posts.len(), 4, "every answer but 2xx is one more try, and redirects are not followed");
    let times: BTreeSet<_> = posts.iter().map(|post| post.timestamp().to_owned()).collect();
    assert_eq!(times.len(), 4, "each try has a time, and so a signature, of its own");
    let key = STANDARD.decode(signer.public_key()).unwrap();
    // The point is the last 65 bytes of the DER.
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &key[key.len() - 65..]);
    for post in &posts {
        let message = [post.timestamp().as_bytes(), &post.body].concat();
        key.verify(&message, &STANDARD.decode(post.signature()).unwrap()).unwrap();
        assert_eq!(post.body, posts[0].body, "the bytes stay the same");
    }
}

#[tokio::test]
async fn weirs_own_verifier_takes_the_key_as_it_is_shown() {
    let (receiver, url) = Receiver::start(&[]).await;
    let (poster, signer) = poster(&url, 1);
    poster.post(&[event(1)]).await.unwrap();
    let verifier = Verifier::new(vec![VerificationKey::from_base64(&signer.public_key()).unwrap()]).unwrap();
    let post = &receiver.posts()[0];
    let verify = |body: &[u8]| verifier.verify(post.timestamp().as_bytes(), post.signature().as_bytes(), body);
    assert!(verify(&post.body).is_ok());
    assert!(verify(post.body.trim_ascii_end()).is_err(), "the line break at the end is signed too");
}

#[tokio::test]
async fn a_post_looks_like_sendgrids() {
    let (receiver, url) = Receiver::start(&[]).await;
    poster(&url, 1).0.post(&[event(1), event(2)]).await.unwrap();
    let post = &receiver.posts()[0];
    assert_eq!(post.header("content-type"), "application/json;charset=utf-8");
    assert_eq!(post.header("user-agent"), "SendGrid Event API");
    assert_eq!(post.body, format!("[{},\r\n{}]\r\n", event(1), event(2)));
}

#[tokio::test]
async fn a_batch_that_nobody_takes_is_given_up_after_the_last_try() {
    let (receiver, url) = Receiver::start(&[StatusCode::SERVICE_UNAVAILABLE; 9]).await;
    let error = poster(&url, 3).0.post(&[event(1)]).await.unwrap_err();
    assert!(matches!(error, PosterError::GivenUp { tries: 3, .. }), "{error}");
    assert_eq!(receiver.posts().len(), 3);
}

#[tokio::test]
async fn a_receiver_that_is_not_there_yet_is_tried_again() {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = poster(&format!("http://{address}/hook"), 3).0.post(&[event(1)]).await.unwrap_err();
    assert!(matches!(error, PosterError::GivenUp { tries: 3, .. }), "{error}");
}

#[tokio::test]
async fn a_feed_brings_every_event_once_however_often_it_is_refused() {
    let (receiver, url) = Receiver::start(&[StatusCode::SERVICE_UNAVAILABLE; 5]).await;
    let accepted = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&accepted);
    let batching = Batching { events: 10, bytes: 1 << 20, connections: 3 };
    let feed = Feed::new(poster(&url, 20).0, batching);
    let mut feed = feed.on_accepted(move |events| noted.lock().unwrap().extend_from_slice(events));
    for number in 0..205 {
        feed.push(event(number)).await.unwrap();
    }
    let tally = feed.settle().await.unwrap();
    assert_eq!((tally.accepted_batches, tally.accepted_events, tally.given_up_batches), (21, 205, 0));
    assert_eq!((tally.posts, tally.retries), (26, 5));
    let mut accepted = accepted.lock().unwrap().clone();
    accepted.sort();
    let mut expected: Vec<_> = (0..205).map(event).collect();
    expected.sort();
    assert_eq!(accepted, expected);
    assert_eq!(ids(&receiver.posts()).len(), 255, "five batches came twice");
    let most = receiver.busy.lock().unwrap().1;
    assert!((2..=3).contains(&most), "{most} connections were busy at a time");
}

#[tokio::test]
async fn a_batch_is_full_by_bytes_too() {
    let (receiver, url) = Receiver::start(&[]).await;
    let batching = Batching { events: 1_000, bytes: 200, connections: 1 };
    let mut feed = Feed::new(poster(&url, 1).0, batching);
    for number in 0..9 {
        feed.push(event(number)).await.unwrap();
    }
    feed.settle().await.unwrap();
    let sizes: Vec<_> = receiver.posts().iter().map(|post| post.body.len()).collect();
    assert_eq!(sizes.len(), 3);
    assert!(sizes.iter().all(|size| *size < 280), "{sizes:?}");
}

#[tokio::test]
async fn what_was_given_up_is_told_and_the_rest_goes_on() {
    let (_receiver, url) = Receiver::start(&[StatusCode::BAD_GATEWAY; 2]).await;
    let batching = Batching { events: 1, bytes: 1 << 20, connections: 1 };
    let mut feed = Feed::new(poster(&url, 2).0, batching);
    for number in 0..3 {
        feed.push(event(number)).await.unwrap();
    }
    let tally = feed.settle().await.unwrap();
    assert_eq!((tally.given_up_events, tally.accepted_events, tally.posts, tally.retries), (1, 2, 4, 1));
}
