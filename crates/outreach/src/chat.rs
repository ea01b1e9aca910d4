//! A chat: Slack's incoming webhooks, and what is compatible with them.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::Error;
use crate::channel::Outcome;
use crate::config::Secret;
use crate::markdown::words_for_notification;
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

/// What is posted: the text for notifications, which is words alone, and blocks in which nothing is made a link that was not one.
pub(crate) fn body(message: &Message) -> Value {
    let heading: String = message.subject.chars().take(HEADING).collect();
    let mut blocks =
        vec![json!({ "type": "header", "text": { "type": "plain_text", "text": heading, "emoji": false } })];
    blocks.extend(
        parts(&message.chat)
            .into_iter()
            .map(|text| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } })),
    );
    json!({
        "text": words_for_notification(&message.subject),
        "mrkdwn": false,
        "parse": "none",
        "link_names": 0,
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// The text in parts that a block takes, cut between paragraphs where that is possible, else between lines, else anywhere:
/// nothing is left out.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    put(&mut parts, text, &["\n\n", "\n"]);
    parts.retain(|part| !part.is_empty());
    parts
}

/// Puts `text` behind what is there, cut at the first of `separators`, and only where a piece alone is too long at the others.
fn put(parts: &mut Vec<String>, text: &str, separators: &[&str]) {
    let Some((separator, finer)) = separators.split_first() else {
        let characters: Vec<char> = text.chars().collect();
        parts.extend(characters.chunks(BLOCK).map(|piece| piece.iter().collect::<String>()));
        return;
    };
    for piece in text.split(separator) {
        let length = piece.chars().count();
        match parts.last_mut() {
            Some(last) if last.is_empty() && length <= BLOCK => last.push_str(piece),
            Some(last) if last.chars().count() + separator.len() + length <= BLOCK => {
                last.push_str(separator);
                last.push_str(piece);
            }
            _ if length <= BLOCK => parts.push(piece.to_owned()),
            _ => {
                parts.push(String::new());
                put(parts, piece, finer);
            }
        }
    }
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

#[cfg(test)]
#[path = "chat_tests.rs"]
mod names;

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(parts: &[String]) -> bool {
        parts.iter().all(|part| (1..=BLOCK).contains(&part.chars().count()))
    }

    #[test]
    fn a_list_longer_than_a_block_goes_on_in_the_next_one() {
        let lines: Vec<_> = (1..=20).map(|number| format!("{number}. {}", "é".repeat(400))).collect();
        let list = lines.join("\n");
        let parts = parts(&format!("Whom to call\n\n{list}\n\nThat is all."));
        assert!(fits(&parts), "{parts:?}");
        let told: Vec<_> = parts.iter().flat_map(|part| part.lines()).filter(|line| !line.is_empty()).collect();
        let wanted: Vec<_> =
            ["Whom to call"].into_iter().chain(lines.iter().map(String::as_str)).chain(["That is all."]).collect();
        assert_eq!(told, wanted);
    }

    #[test]
    fn a_line_longer_than_a_block_is_cut_and_nothing_of_it_is_lost() {
        let line: String = ('a'..='z').cycle().take(2 * BLOCK + 7).collect();
        let parts = parts(&format!("first\n\n{line}"));
        assert!(fits(&parts), "{parts:?}");
        assert_eq!((parts[0].as_str(), parts[1..].concat()), ("first", line));
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        let text = format!("{}\n\n{}", "é".repeat(1_500), "é".repeat(1_000));
        assert_eq!(parts(&text), [text]);
    }
}
