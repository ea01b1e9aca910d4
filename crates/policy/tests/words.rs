//! What a policy says of itself is what it does.

use model::{Bucket, Cell, Counter, Counts, Phase, Provider, Test, Window};
use policy::{Base, Moment, Paragraph, Policy, Rule, Signal, Visit};

use crate::case::{NOW, judged};

/// Each profile with all of its rules in shadow, so that each says for itself whether it is over its limit.
fn profiles() -> Vec<(&'static str, Policy)> {
    let in_shadow = |text: &str| text.replace("[[rule]]", "[[rule]]\nmode = \"shadow\"");
    policy::PROFILES.map(|(name, text)| (name, Policy::parse(&in_shadow(text)).unwrap())).into()
}

/// The counts of so many mails with so many of the signal's bad events.
fn counts(signal: Signal, hits: u32, mails: u32) -> Counts {
    let mut counts = Counts::ZERO;
    counts[Counter::Processed] = mails;
    counts[Counter::Delivered] = if signal.base() == Base::Attempted { mails - hits } else { mails };
    match signal {
        Signal::HardBounce => counts[Counter::HardBounce] = hits,
        Signal::ReputationBlock => {
            counts[Counter::Block] = hits;
            counts[Counter::ReputationBlock] = hits;
        }
        Signal::SpamReport => counts[Counter::SpamReport] = hits,
        other => panic!("no profile has a rule about {other:?}"),
    }
    counts
}

/// Whether the rule would move a customer with `hits` evenly among `mails`, sent evenly in so many buckets.
fn convicts(policy: &Policy, rule: &Rule, (hits, mails): (u32, u32), buckets: u32) -> bool {
    let until =
        |whole: u32, part: u32, of: u32| u32::try_from(u64::from(whole) * u64::from(part) / u64::from(of)).unwrap();
    let visit = |window: Window, visit: &mut Visit<'_>| {
        let grain = window.grain();
        for age in (0..buckets).rev() {
            let [from, to] = [buckets - age - 1, buckets - age].map(|part| until(mails, part, buckets));
            let bad = until(hits, to, mails) - until(hits, from, mails);
            let cell = Cell { grain, bucket: Bucket::of(grain, NOW).back(age), provider: Provider::Yahoo };
            visit(cell, &counts(rule.signal, bad, to - from));
        }
    };
    let judgement = judged(policy, Moment::Tick, Phase::Active, &visit);
    judgement.shadow.iter().any(|step| step.rule == rule.name)
}

/// The sentence of a paragraph that begins so, without its beginning and its end.
fn sentence<'p>(paragraph: &'p Paragraph, start: &str) -> &'p str {
    let found = paragraph.sentences.iter().find_map(|sentence| sentence.strip_prefix(start));
    found.unwrap_or_else(|| panic!("{start:?} in {paragraph:#?}")).trim_end_matches('.')
}

/// The pairs of numbers in a list such as `10 % after 213 mails, 20 % after 66 mails and 40 % not even by 10,000 blocks`;
/// without the second one where nothing is enough.
fn pairs(list: &str, between: &str) -> Vec<(f64, Option<u32>)> {
    let number = |text: &str| text.trim_start_matches("about ").trim_end_matches(" mails").replace(',', "");
    let pair = |item: &str| {
        if let Some((first, _)) = item.split_once(" % not even by 10,000 ") {
            return Some((first.parse().ok()?, None));
        }
        let (first, second) = item.split_once(between)?;
        Some((number(first).parse().ok()?, Some(number(second).parse().ok()?)))
    };
    let items = list.split(", ").flat_map(|item| item.split(" and "));
    items.map(|item| pair(item).unwrap_or_else(|| panic!("{item:?} is no pair"))).collect()
}

fn paragraph(policy: &Policy, rule: &Rule) -> Paragraph {
    policy.in_words().into_iter().find(|paragraph| paragraph.about == rule.name).unwrap()
}

fn rules_by(policy: &Policy, test: Test) -> impl Iterator<Item = &Rule> {
    policy.rules().iter().filter(move |rule| rule.test() == test)
}

/// How many buckets a window has.
fn whole_buckets(window: Window) -> u32 {
    match window {
        Window::Hour => 12,
        Window::Day => 24,
        Window::Week => 7,
        Window::Month => 30,
    }
}

#[test]
fn every_rule_and_every_limit_is_named_and_where_it_leads() {
    for (name, policy) in profiles() {
        let words = policy.in_words();
        let stages = policy.rules().iter().map(|rule| (&rule.name, rule.stage));
        for (about, stage) in stages.chain(policy.limits().iter().map(|limit| (&limit.name, limit.stage))) {
            let paragraph = words.iter().find(|paragraph| paragraph.about == *about);
            let text = paragraph.unwrap_or_else(|| panic!("{about} of {name}")).sentences.join(" ");
            assert!(text.contains(&format!("to {stage}")), "{name}: {text}");
        }
    }
}

#[test]
fn so_many_bad_events_as_are_told_convict_and_one_less_does_not() {
    for (name, policy) in profiles() {
        for rule in rules_by(&policy, Test::Bound) {
            let paragraph = paragraph(&policy, rule);
            let start = paragraph.sentences.iter().find_map(|sentence| sentence.split_once(" to convict: "));
            let told = pairs(start.unwrap().1.trim_end_matches('.'), " of ");
            let spread = paragraph.sentences.iter().any(|sentence| sentence.contains("at least 3 different days"));
            let buckets = if spread { 3 } else { 1 };
            assert_eq!(told.iter().map(|(_, mails)| mails.unwrap()).collect::<Vec<_>>(), [100, 1_000, 10_000]);
            for (hits, mails) in told {
                let mails = mails.unwrap();
                let hits = format!("{hits}").parse::<u32>().unwrap();
                assert!(convicts(&policy, rule, (hits, mails), buckets), "{name} {} {hits} of {mails}", rule.name);
                assert!(!convicts(&policy, rule, (hits - 1, mails), buckets), "{name} {} {hits} of {mails}", rule.name);
                assert!(!spread || !convicts(&policy, rule, (hits, mails), 2), "{name} {}: in two days", rule.name);
            }
        }
    }
}

/// Whether the rule would move a customer after so many mails at a rate of so many percent, all in one bucket or sent evenly.
fn finds(policy: &Policy, rule: &Rule, (percent, mails): (f64, u32), at_once: bool) -> bool {
    let even = mails.div_ceil(50).min(whole_buckets(rule.window));
    // Parts of a million are enough for rates as they are written.
    let millionths = u64::from(mails) * format!("{:.0}", percent * 1e4).parse::<u64>().unwrap();
    let hits = u32::try_from(millionths / 1_000_000).unwrap();
    convicts(policy, rule, (hits, mails), if at_once { 1 } else { even })
}

#[test]
fn so_many_mails_as_are_told_convict_and_a_tenth_fewer_do_not() {
    for (name, policy) in profiles() {
        for rule in rules_by(&policy, Test::Sequential) {
            let paragraph = paragraph(&policy, rule);
            for (start, at_once) in [("Mail sent evenly", false), ("Mail sent all within", true)] {
                let list = sentence(&paragraph, start).split_once(" convicts at ").unwrap().1;
                let told = pairs(list, " % after ");
                assert!(
                    told.len() >= 3 && told.iter().any(|(rate, mails)| *rate >= 100.0 && mails.is_some()),
                    "{list}"
                );
                for (rate, mails) in told {
                    let finds = |mails| finds(&policy, rule, (rate, mails), at_once);
                    let what = format!("{name} {} {start} {rate} % {mails:?}", rule.name);
                    match mails {
                        Some(mails) => assert!(finds(mails) && !finds(mails * 9 / 10), "{what}"),
                        None => assert!(![20_000, 100_000, 1_000_000].into_iter().any(finds), "{what}"),
                    }
                }
            }
        }
    }
}

#[test]
fn the_budget_is_told_as_what_each_rule_may_do_wrong() {
    let policy = Policy::parse(policy::DEFAULT).unwrap();
    let budget = &policy.in_words()[0].sentences;
    assert_eq!(
        budget[0],
        "At most 1 good customer of all wrongly moved to throttled or worse a year, at 120,000,000 mails a year: each of 8 \
         rules may err once in 960,000,000 mails of a customer exactly at its limit."
    );
    assert!(
        budget[1].starts_with("At most 50 good customers wrongly watched a year: each of 2 rules and 2 limits"),
        "{}",
        budget[1]
    );
}

#[test]
fn a_rule_that_is_only_said_says_so() {
    let with = |line: &str| policy::DEFAULT.replacen("minimum = 8", &format!("minimum = 8\n{line}"), 1);
    for (line, words) in [
        ("mode = \"shadow\"", "In shadow: it is only said, and moves nobody."),
        ("enforce_for = \"10 %\"", "Carried out for about 10 % of the customers; for the others it is only said."),
        ("enforce_for = [\"b\", \"a\"]", "Carried out for a and b only; for the others it is only said."),
    ] {
        let policy = Policy::parse(&with(line)).unwrap();
        let paragraph = paragraph(&policy, &policy.rules()[0]);
        assert_eq!(paragraph.sentences.last().unwrap(), words);
    }
    let shadow = policy::DEFAULT.replacen("mode = \"enforce\"", "mode = \"shadow\"", 1);
    let words = Policy::parse(&shadow).unwrap().in_words();
    assert!(words[0].sentences[0].contains("in shadow"), "{words:#?}");
}
