//! Every letter as a reader of mail shows it: sound on a telephone and in a wide window, and a picture of each.

use outreach::{Message, Templates};
use serde_json::{Value, json};

use super::rig::{browse, pictures};

/// A message, and what has to be seen of it: its words, by line, without the links' addresses.
fn letter(name: &str, message: &Message) -> Value {
    let lines: Vec<_> = message.text.lines().filter(|line| !line.is_empty()).collect();
    let mark = |line: &str| {
        let (number, words) = line.split_once(". ").unwrap_or_default();
        number.parse::<u32>().ok().map(|_| words.to_owned()).or_else(|| line.strip_prefix("- ").map(str::to_owned))
    };
    let bare = |line: &str| mark(line).unwrap_or_else(|| line.to_owned());
    // Where a link's address stands in the text, the page has the link.
    let text: Vec<_> = lines.iter().filter(|line| !line.contains("(https://")).map(|line| bare(line)).collect();
    let items = lines.iter().filter(|line| mark(line).is_some()).count();
    json!({"name": name, "html": message.html, "items": items, "text": text})
}

fn letters() -> Vec<Value> {
    let templates = Templates::built_in().unwrap();
    let examples = outreach::example_letters().into_iter().map(|example| {
        let message = templates.letter(&example.template, &example.letter).unwrap();
        (format!("letter-{}-{}", example.template, example.case), message)
    });
    let digests = outreach::example_digests().into_iter().enumerate().map(|(number, digest)| {
        let message = templates.digest(&digest).unwrap();
        (format!("letter-digest-{number}"), message)
    });
    let as_file = |name: &str| name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    examples.chain(digests).map(|(name, message)| letter(&as_file(&name), &message)).collect()
}

/// A name as long as one may be, without a place to break it, is no wider than a telephone.
fn with_a_long_name() -> Value {
    use outreach::{Audience, Circumstances, Force, Letter};
    let example = outreach::example(model::Stage::Throttled, Some("block")).unwrap();
    let customer = model::CustomerId::new(&"w".repeat(120)).unwrap();
    let reason = Some("x".repeat(300));
    let decision = model::Decision { customer, reason, ..example };
    let mut circumstances = Circumstances::new(Audience::Success, Force::HeldBack("y".repeat(300)));
    circumstances.console = Some("https://weir.example.com".parse().unwrap());
    let message = Templates::built_in().unwrap().letter("success/throttled", &Letter::new(&decision, &circumstances));
    letter("letter-long-name", &message.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_letter_is_sound_at_every_width() {
    let mut letters = letters();
    letters.push(with_a_long_name());
    let count = letters.len();
    let found = browse("letters.mjs", json!({"letters": letters, "pictures": pictures()})).await;
    assert_eq!(found["looked"], count * 2);
    let wrong: Vec<_> = found["wrong"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
