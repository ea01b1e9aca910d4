//! A chat: Slack's incoming webhooks, and what is compatible with them.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::Error;
use crate::channel::Outcome;
use crate::config::Secret;
use crate::markdown::words_for_chat;
use crate::templates::Message;

/// How many characters Slack takes in a block, and how many in a heading.
const BLOCK: usize = 2_900;
const HEADING: usize = 140;

/// The client for chats.
pub(crate) fn client() -> Result<reqwest::Client, Error> {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(20))
        .connect_timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("Weir/", env!("CARGO_PKG_VERSION")));
    client.build().map_err(Error::Client)
}

/// What is posted: the text for notifications, and blocks in which nothing is made a link that was not one.
pub(crate) fn body(message: &Message) -> Value {
    let heading: String = message.subject.chars().take(HEADING).collect();
    let mut blocks =
        vec![json!({ "type": "header", "text": { "type": "plain_text", "text": heading, "emoji": false } })];
    blocks.extend(
        parts(&message.chat)
            .into_iter()
            .map(|text| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } })),
    );
    json!({ "text": words_for_chat(&message.subject), "blocks": blocks, "unfurl_links": false, "unfurl_media": false })
}

/// The text in parts that a block takes, cut between paragraphs where that is possible.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for paragraph in text.split("\n\n") {
        let paragraph: String = paragraph.chars().take(BLOCK).collect();
        match parts.last_mut() {
            Some(last) if last.len() + paragraph.len() < BLOCK => {
                if !last.is_empty() {
                    last.push_str("\n\n");
                }
                last.push_str(&paragraph);
            }
            _ => parts.push(paragraph),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Posts it; `keep` keeps that it is on its way, or says that it can't.
pub(crate) async fn send(
    client: &reqwest::Client,
    url: &Secret,
    message: &Message,
    keep: impl AsyncFnOnce() -> bool,
) -> Outcome {
    let request = client.post(url.reveal()).json(&body(message));
    if !keep().await {
        return Outcome::NotKept;
    }
    match request.send().await {
        Ok(answer) if answer.status().is_success() => Outcome::Delivered,
        Ok(answer) => match answer.status() {
            status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT) => {
                Outcome::Failed(status.to_string())
            }
            // A webhook that was taken back may be set up again; a message that is wrong stays so.
            status @ StatusCode::BAD_REQUEST => Outcome::Refused(status.to_string()),
            status => Outcome::Failed(status.to_string()),
        },
        Err(error) if error.is_connect() || error.is_builder() => Outcome::Failed("it can't be reached".to_owned()),
        Err(_) => Outcome::Unknown("it did not say that it has it".to_owned()),
    }
}
