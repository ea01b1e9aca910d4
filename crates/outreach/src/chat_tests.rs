//! What a chat, read as broadly as any of its readers does, makes of hostile names.

use serde_json::{Value, json};

use super::body;
use crate::markdown::words_for_notification;
use crate::{Audience, Circumstances, Force, Letter, Message, Templates};

/// Names that a chat, or what shows its notifications, would make more of than words.
const HOSTILE: [&str; 22] = [
    "evil.example",
    "www.evil.example",
    "http://evil.example/a?b=c",
    "https://evil.example",
    "<https://evil.example|acme>",
    "[acme](https://evil.example)",
    "<!channel>",
    "<!here|here>",
    "<!subteam^S1>",
    "<@U123>",
    "<#C123>",
    "@here",
    "@channel acme",
    "#general",
    "ops@evil.example",
    "mailto:ops@evil.example",
    "xn--80ak6aa92e。com",
    "*bold* _slanted_ ~struck~ `code`",
    ":wave: acme",
    ">>> quoted",
    "a&lt;!channel&gt;b",
    "\u{202e}elpmaxe.live",
];

/// What Slack's format, read as broadly as any of its readers does, makes of a text other than words. `links` where addresses
/// and names are looked for: a block that is verbatim has none.
fn parsed(text: &str, links: bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let controls = text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
    found.extend(controls.map(|control| format!("<{control}>")));
    // What a control sequence holds is no text.
    let text: String = text.split('<').map(|rest| rest.split_once('>').map_or(rest, |(_, text)| text)).collect();
    found.extend(text.lines().filter(|line| line.starts_with("&gt;")).map(|_| "quotation".to_owned()));
    for mark in ['*', '_', '~', '`'] {
        let is_edge = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
        let parts: Vec<_> = text.split(mark).collect();
        let at_edge = |pair: &&[&str]| is_edge(pair[0].chars().next_back()) || is_edge(pair[1].chars().next());
        found.extend(parts.windows(2).filter(at_edge).map(|_| mark.to_string()));
    }
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || "_-+'".contains(letter);
    let between: Vec<_> = text.split(':').collect();
    let names = between.get(1..between.len().saturating_sub(1)).unwrap_or_default();
    found.extend(
        names.iter().filter(|name| !name.is_empty() && name.chars().all(is_of_name)).map(|name| format!(":{name}:")),
    );
    if links {
        for word in text.split_whitespace() {
            let labels: Vec<_> = word.split(['.', '。', '．', '｡']).collect();
            let touches = |pair: &[&str]| {
                pair[0].chars().next_back().is_some_and(char::is_alphanumeric)
                    && pair[1].chars().next().is_some_and(char::is_alphanumeric)
            };
            let is_address = labels.windows(2).any(touches) || word.contains("://") || word.contains("mailto:");
            if is_address || word.contains(['@', '#']) || word.contains("](") {
                found.push(word.to_owned());
            }
        }
    }
    found
}

fn message(templates: &Templates, name: &str, template: &str) -> Message {
    let example = crate::example(model::Stage::Suspended, None).unwrap();
    let customer = model::CustomerId::new(name).unwrap();
    let decision = model::Decision { customer, reason: Some(name.to_owned()), by: Some(name.to_owned()), ..example };
    let mut circumstances = Circumstances::new(Audience::Success, Force::HeldBack(name.to_owned()));
    circumstances.console = url::Url::parse("https://weir.example.com").ok();
    templates.letter(template, &Letter::new(&decision, &circumstances)).unwrap()
}

#[test]
fn no_name_is_more_than_words_in_a_notification_or_a_block() {
    let templates = Templates::built_in().unwrap();
    for template in Templates::names().filter(|name| name.starts_with("success/")) {
        let plain = body(&message(&templates, "acme", template));
        for name in HOSTILE {
            let body = body(&message(&templates, name, template));
            let text = body["text"].as_str().unwrap();
            assert!(parsed(text, true).is_empty(), "{name}: {text}: {:?}", parsed(text, true));
            assert_eq!(
                [&body["mrkdwn"], &body["parse"], &body["link_names"]],
                [&json!(false), &json!("none"), &json!(0)]
            );
            assert_eq!(body["blocks"][0]["text"]["type"], "plain_text", "{name}");
            let of_block = |body: &Value, number: usize| {
                let text = body["blocks"][number]["text"].clone();
                assert_eq!((&text["type"], &text["verbatim"]), (&json!("mrkdwn"), &json!(true)), "{name}");
                // The page's address holds the name.
                let found = parsed(text["text"].as_str().unwrap(), false).into_iter();
                found.map(|one| one.split("/customers/").next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
            };
            let blocks = plain["blocks"].as_array().unwrap().len();
            assert_eq!(body["blocks"].as_array().unwrap().len(), blocks);
            for number in 1..blocks {
                assert_eq!(of_block(&body, number), of_block(&plain, number), "{name}: {body}");
            }
        }
    }
}

#[test]
fn what_a_notification_says_reads_as_it_was() {
    for (subject, text) in [
        ("[shadow] evil.example is suspended", "[shadow] evil․example is suspended"),
        ("Whom to call: @here first", "Whom to call: ＠here first"),
        ("see http://evil.example.", "see http꞉//evil․example."),
    ] {
        assert_eq!(words_for_notification(subject), text);
    }
}
