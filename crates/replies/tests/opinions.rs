//! The table against a second opinion: what a library that has parsed bounces for twenty years says of real refusals.

use std::fs;

use replies::ReplyTable;

/// Real refusals with the opinion of Sisimai, where they are present.
const OPINIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/replies/replies.tsv");

/// Why Weir's cause is another than Sisimai's, for replies of one kind; `docs/replies.md` says it in full.
fn stated(reason: &str, rule: Option<&str>) -> Option<&'static str> {
    match (reason, rule?) {
        ("filtered", "no-such-user" | "no-such-user-at-domain" | "google-no-such-user") => {
            Some("a server that says `user unknown` says so of the list, at whatever step of the conversation")
        }
        ("networkerror" | "notaccept", "no-such-domain") => {
            Some("a domain that does not exist, or says that it takes no mail, is an address that leads nowhere")
        }
        _ => None,
    }
}

#[test]
fn causes_agree_with_the_second_opinion_or_differ_for_a_stated_reason() {
    let Ok(opinions) = fs::read_to_string(OPINIONS) else { return };
    let table = ReplyTable::built_in();
    let (mut same, mut reasons, mut all) = (0, 0, 0);
    for line in opinions.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let (cause, reason, text) = (columns[2], columns[3], columns[6]);
        let read = table.classify(text);
        all += 1;
        if read.cause.name() == cause {
            same += 1;
        } else if stated(reason, read.rule).is_some() {
            reasons += 1;
        } else {
            eprintln!("{cause}/{reason} but {} by {:?}: {text}", read.cause, read.rule);
        }
    }
    eprintln!("{same} of {all} the same, {reasons} otherwise for a stated reason");
    assert!(same * 100 >= all * 88 && (same + reasons) * 100 >= all * 97, "{same} and {reasons} of {all}");
}
