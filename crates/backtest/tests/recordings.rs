//! What a backtest over files promises: the same events give the same decisions however they are cut, packed and folded, what
//! is no event is told, and two policies differ where they must.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::BTreeSet;
use std::io::{Cursor, Read, Write as _};
use std::sync::Arc;

use backtest::{Candidate, Error, Kind, Outcome, Reading, Recording, differences, over_recordings, report};
use model::{CustomerId, Millis, Timestamp};
use policy::Policy;
use simulator::platform::{Gate, Platform, Scenario, Truth};

const START: Timestamp = Timestamp::from_seconds(1_790_000_000);

fn scenario() -> Scenario {
    Scenario { customers: 60, good_mails: 8_000, ..Scenario::hour(3, START) }
}

/// A platform's hour, in the order of arrival.
fn events() -> Vec<String> {
    let mut platform = Platform::new(&scenario());
    let arrivals = platform.advance(START + Millis::days(2), &mut |_| Gate::Send(Some("good-1".into())));
    arrivals.into_iter().map(|arrival| arrival.event).collect()
}

fn candidate(name: &str, text: &str) -> Candidate {
    Candidate { name: name.to_owned(), policy: Arc::new(Policy::parse(text).unwrap()) }
}

fn default() -> Candidate {
    candidate("default", policy::DEFAULT)
}

/// The default policy without the rules that look at complaints.
fn deaf_to_complaints() -> Candidate {
    let (mut sections, mut section) = (Vec::new(), String::new());
    for line in policy::DEFAULT.lines() {
        if line.starts_with('[') {
            sections.push(std::mem::take(&mut section));
        }
        section.push_str(line);
        section.push('\n');
    }
    sections.push(section);
    sections.retain(|section| !(section.starts_with("[[rule]]") && section.contains("\"spam_report\"")));
    candidate("deaf", &sections.concat())
}

fn recording(text: impl Into<Vec<u8>>) -> Recording {
    Recording::reader("events", Cursor::new(text.into()))
}

fn run(candidates: &[Candidate], recordings: Vec<Recording>) -> Outcome {
    over_recordings(candidates, recordings, &Reading::default()).unwrap()
}

fn lines(events: &[String]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

/// Everything that an outcome tells.
fn told(outcome: &Outcome) -> [String; 3] {
    [outcome.json_lines().unwrap(), report::text(outcome), report::html(outcome)]
}

#[test]
fn events_cut_and_packed_in_any_way_give_the_same_decisions() {
    let events = events();
    let expected = told(&run(&[default()], vec![recording(lines(&events))]));
    assert!(expected[0].lines().count() > 5, "too few decisions to compare");

    let parts = events.chunks(7_001).map(|part| recording(lines(part))).collect();
    assert_eq!(told(&run(&[default()], parts)), expected, "several files");

    let packed = zstd::encode_all(Cursor::new(lines(&events)), 1).unwrap();
    assert_eq!(told(&run(&[default()], vec![recording(packed)])), expected, "zstd");

    let posts: String = events.chunks(333).map(|post| format!("[{}]\r\n\r\n", post.join(", "))).collect();
    assert_eq!(told(&run(&[default()], vec![recording(posts)])), expected, "posted arrays");
}

#[test]
fn no_outcome_depends_on_the_number_of_threads() {
    let text = lines(&events());
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| told(&run(&[default(), deaf_to_complaints()], vec![recording(text.clone())])))
    };
    let expected = on(1);
    for threads in [2, 5] {
        assert_eq!(on(threads), expected, "{threads} threads");
    }
}

#[test]
fn two_policies_differ_about_those_whom_only_one_of_them_looks_for() {
    let outcome = run(&[default(), deaf_to_complaints()], vec![recording(lines(&events()))]);
    let [with, without] = outcome.runs.as_slice() else { unreachable!("two candidates") };
    let platform = Platform::new(&scenario());
    let accounts = platform.accounts().iter();
    let magnets: BTreeSet<&CustomerId> =
        accounts.filter(|account| account.truth == Truth::ComplaintMagnet).map(|account| &account.id).collect();
    let differences = differences(with, without);
    let only_with = differences.iter().filter(|difference| matches!(difference.kind, Kind::OnlyFirst(_)));
    let missed: BTreeSet<_> = only_with.map(|difference| difference.customer).collect();
    assert!(!missed.is_empty() && missed.is_subset(&magnets), "{missed:?} of {magnets:?}");

    let alone = run(&[deaf_to_complaints()], vec![recording(lines(&events()))]);
    assert_eq!(alone.runs[0].made, without.made, "a candidate decides the same alone");
    let bad = |run: &backtest::Run| run.samples.last().map(|sample| (sample.bad, sample.unfound)).unwrap();
    assert_eq!(bad(with).0, bad(without).0);
    assert!(bad(with).1 < bad(without).1, "more bad mail comes from customers that are not found");
}

#[test]
fn what_rules_in_shadow_would_do_is_told_apart_and_finds_nobody() {
    let text = lines(&events());
    let shadowed = policy::DEFAULT.replace("[[rule]]\n", "[[rule]]\nmode = \"shadow\"\n");
    let outcome = run(&[default(), candidate("shadowed", &shadowed)], vec![recording(text.clone())]);
    let [with, without] = outcome.runs.as_slice() else { unreachable!("two candidates") };
    assert_eq!(with.would_be(), 0);
    assert!(without.would_be() > 5, "{}", without.would_be());
    assert_eq!(backtest::findings(without).len(), 0);
    let bad = |run: &backtest::Run| run.samples.last().map(|sample| (sample.bad, sample.unfound)).unwrap();
    assert_eq!(bad(without).0, bad(without).1, "nobody is found");
    for report in [report::text(&outcome), report::html(&outcome)] {
        assert!(report.contains("(would-be)") && report.contains("only said (shadow)"));
    }

    let in_shadow = policy::DEFAULT.replace("mode = \"enforce\"", "mode = \"shadow\"");
    let outcome = run(&[candidate("in shadow", &in_shadow)], vec![recording(text)]);
    assert_eq!(outcome.runs[0].would_be(), 0, "what a policy in shadow does leads on");
    assert_eq!(backtest::findings(&outcome.runs[0]).len(), backtest::findings(with).len());
}

#[test]
fn lines_that_are_no_events_are_left_out_and_told() {
    let events = events();
    let expected = run(&[default()], vec![recording(lines(&events))]);
    let mut spoilt = vec!["no json".to_owned(), "[{\"event\":\"open\"}, 7]".to_owned()];
    spoilt.extend(events);
    spoilt.push("[{}".to_owned());
    let outcome = run(&[default()], vec![recording(lines(&spoilt))]);
    assert_eq!(outcome.json_lines().unwrap(), expected.json_lines().unwrap());
    assert_eq!(outcome.read.faulty, 5);
    let [first, second, third, fourth, last] = outcome.read.faults.as_slice() else { unreachable!("five faults") };
    assert!(first.starts_with("events:1: it is no JSON object"), "{first}");
    assert_eq!(second, "events:2: `timestamp` is missing");
    assert!(third.starts_with("events:2: it is no JSON object"), "{third}");
    assert_eq!(*fourth, format!("events:{}: `event` is missing or no text", spoilt.len()));
    assert!(last.starts_with(&format!("events:{}: the array that begins here does not end", spoilt.len())), "{last}");
    assert!(report::text(&outcome).contains("5 elements are no events and left out"));
}

#[test]
fn events_are_read_in_every_shape_they_are_stored_in() {
    let events = events();
    let expected = run(&[default()], vec![recording(lines(&events))]).json_lines().unwrap();
    let posts: Vec<String> = events.chunks(37).map(|post| format!("[{}]\r\n", post.join(",\r\n"))).collect();
    let values: Vec<serde_json::Value> = events.iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    let gzip = |text: &str| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    let halves = posts.split_at(posts.len() / 2);
    let members = [gzip(&halves.0.concat()), gzip(&halves.1.concat())].concat();
    let shapes = [
        ("bodies as SendGrid posts them", posts.concat().into_bytes()),
        ("objects without a separator", events.concat().into_bytes()),
        ("one indented array", serde_json::to_vec_pretty(&values).unwrap()),
        ("a byte order mark", [b"\xef\xbb\xbf", lines(&events).as_bytes()].concat()),
        ("gzip", gzip(&posts.concat())),
        ("two members of gzip", members),
        ("zstd", zstd::encode_all(Cursor::new(posts.concat()), 1).unwrap()),
    ];
    for (shape, text) in shapes {
        let outcome = run(&[default()], vec![recording(text)]);
        assert_eq!((outcome.read.faulty, outcome.json_lines().unwrap()), (0, expected.clone()), "{shape}");
    }
}

#[test]
fn a_cut_file_is_told_with_how_far_it_could_be_read() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(lines(&events()).as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let cut = recording(&packed[..packed.len() / 2]);
    let error = over_recordings(&[default()], vec![cut], &Reading::default()).unwrap_err();
    let Error::Unreadable { after, .. } = &error else { unreachable!("{error:?}") };
    assert!(*after > 0 && error.to_string().contains(&format!("beyond byte {after} of its text; ")), "{error}");
}

#[test]
fn events_are_told_whose_customer_is_not_named_where_it_was_looked_for() {
    let events = events();
    let mut reading = Reading { customer: "custom_arg:nothing".parse().unwrap(), ..Reading::default() };
    let nobody = over_recordings(&[default()], vec![recording(lines(&events))], &reading).unwrap();
    assert_eq!((nobody.read.customers, nobody.read.unattributed), (0, nobody.read.effects.events()));
    assert!(report::summary(&nobody).contains("events name no customer"));
    reading.customer = "fixed:acme".parse().unwrap();
    let one = over_recordings(&[default()], vec![recording(lines(&events))], &reading).unwrap();
    assert_eq!((one.read.customers, one.read.unattributed), (1, 0));
}

#[test]
fn files_without_any_event_are_refused_with_the_first_reason() {
    let refused = over_recordings(&[default()], vec![recording("\n"), recording("x\n")], &Reading::default());
    let Err(error @ Error::NoEvent { .. }) = refused else { unreachable!("{refused:?}") };
    assert!(error.to_string().starts_with("no event was found in events, events; events:1: it is no JSON"), "{error}");
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Recording::file(&folder.path().join("missing.ndjson"));
    let good = || recording(lines(&events()));
    let packed = zstd::encode_all(Cursor::new(lines(&events())), 1).unwrap();
    let cut = recording(&packed[..packed.len() / 2]);
    for (unreadable, name) in [(missing, "missing.ndjson"), (cut, "events")] {
        let refused = over_recordings(&[default()], vec![good(), unreadable, good()], &Reading::default());
        let Err(Error::Unreadable { name: told, .. }) = refused else { unreachable!("{refused:?}") };
        assert!(told.ends_with(name), "{told}");
    }
    let endless = Recording::reader("endless", std::io::repeat(b'x').take(65 << 20));
    let refused = over_recordings(&[default()], vec![endless], &Reading::default());
    assert!(matches!(refused, Err(Error::NoLines { .. })), "{refused:?}");
}

#[test]
fn a_mistaken_clock_spoils_only_its_own_event() {
    let mut events = events();
    let expected = run(&[default()], vec![recording(lines(&events))]);
    events.insert(events.len() / 2, r#"{"event":"open","timestamp":4000000000,"customer_id":"acme"}"#.to_owned());
    let outcome = run(&[default()], vec![recording(lines(&events))]);
    assert_eq!((outcome.read.effects.future, outcome.read.span), (1, expected.read.span));
    let who = |outcome: &Outcome| -> Vec<_> {
        let made = outcome.runs[0].made.iter();
        made.map(|made| (made.decision.at, made.decision.customer.clone(), made.decision.to)).collect()
    };
    assert_eq!(who(&outcome), who(&expected));
}

/// The page's tags, each closed in its turn.
fn is_well_formed(page: &str) -> bool {
    const VOID: [&str; 2] = ["meta", "br"];
    let mut open = Vec::new();
    let (_, body) = page.split_once("<!DOCTYPE html>").unwrap();
    for tag in body.split('<').skip(1) {
        let Some((tag, text)) = tag.split_once('>') else { return false };
        let name = tag.split_whitespace().next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(closed) if open.pop() != Some(closed) => return false,
            None if !VOID.contains(&name) => open.push(name),
            _ => {}
        }
        // In the style sheet `>` is a combinator.
        if text.contains('>') && open.last() != Some(&"style") {
            return false;
        }
    }
    open.is_empty()
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_shows_names_as_they_are() {
    let evil = r#"<script src='//x'>"&"#;
    let bounced = |number: i64| {
        let customer = evil.replace('"', "\\\"");
        let (at, event) = (START.seconds() + number / 2, if number % 2 == 0 { "processed" } else { "bounce" });
        format!(
            r#"{{"event":"{event}","type":"bounce","timestamp":{at},"email":"a@b.example","sg_event_id":"{number}","customer_id":"{customer}"}}"#
        )
    };
    let mut events = events();
    events.extend((0..6_000).map(bounced));
    let outcome = run(&[default(), deaf_to_complaints()], vec![recording(lines(&events))]);
    assert!(outcome.runs[0].made.iter().any(|made| made.decision.customer.as_str() == evil));
    let page = report::html(&outcome);
    assert!(is_well_formed(&page));
    let quiet = page.replace("&lt;script src='//x'&gt;&quot;&amp;", "");
    assert!(quiet.len() < page.len(), "the name is shown");
    for foreign in ["<script", "http", "//", "url(", "src=", "href=", "@import", "<link", "<img"] {
        assert!(!quiet.contains(foreign), "{foreign}");
    }
    assert_eq!(page.matches("role=\"img\"").count(), page.matches("role=\"img\" aria-label=\"").count());
}
