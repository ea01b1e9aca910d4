//! The raw events are counted as the evidence says that they were.

use explain::{Recount, Recounting};
use model::{
    Blame, Counter, Decision, Digest, Event, EventKind, Evidence, Fleet, Millis, Offset, Provider, SetAside, Test,
    Tick, Timestamp, Window,
};
use scoring::Input;

use crate::made::{START, acme, decision, event, evidence};

const UNTIL: Timestamp = Timestamp::from_seconds(1_790_000_000 + 3_600);

fn minute(number: i64) -> Timestamp {
    START + Millis::minutes(number)
}

fn resting_on(evidence: Evidence) -> Decision {
    decision("a-rule", UNTIL, 1_000, Some(evidence))
}

/// A count that is given records one after the other.
struct Counting {
    recounting: Recounting,
    offset: u64,
}

impl Counting {
    fn of(evidence: Evidence) -> Self {
        let mut recounting = Recounting::of(&resting_on(evidence)).unwrap();
        recounting.begin_at(START);
        Self { recounting, offset: 0 }
    }

    fn event(&mut self, event: &Event<'_>) {
        self.recounting.take(Offset::new(self.offset), &Input::Event(&acme(), event, event.at));
        self.offset += 1;
    }

    fn tick(&mut self, at: Timestamp) {
        self.recounting.take(Offset::new(self.offset), &Input::Tick(Tick { at, fleet: Fleet::default() }));
        self.offset += 1;
    }

    fn finish(self) -> Recount {
        self.recounting.finish(Offset::ZERO)
    }

    fn figures(self) -> (u32, u32) {
        let recount = self.finish();
        (recount.numerator, recount.denominator)
    }
}

fn hard_bounces() -> Evidence {
    evidence("hard_bounce", UNTIL, (1, 2))
}

#[test]
fn mail_belongs_to_the_cohort_by_the_time_at_which_it_was_sent() {
    let mut counting = Counting::of(hard_bounces());
    let before = START - Millis::new(1);
    counting.event(&event(1, Counter::HardBounce, before));
    counting.event(&Event { sent_at: Some(before), ..event(2, Counter::HardBounce, minute(10)) });
    counting.event(&event(3, Counter::HardBounce, UNTIL));
    counting.event(&event(4, Counter::HardBounce, START));
    counting.event(&Event { sent_at: Some(minute(1)), ..event(5, Counter::Delivered, UNTIL) });
    let recount = counting.finish();
    assert_eq!((recount.numerator, recount.denominator, recount.agrees), (1, 2, true));
}

#[test]
fn a_copy_is_left_out_by_whichever_digest_it_is_known() {
    let mut counting = Counting::of(hard_bounces());
    let first = event(1, Counter::HardBounce, START);
    counting.event(&first);
    counting.event(&first);
    counting.event(&Event { id_digest: Digest(98), ..first.clone() });
    counting.event(&Event { content_digest: Digest(99), ..first });
    counting.event(&event(2, Counter::Delivered, START));
    let recount = counting.finish();
    assert_eq!((recount.numerator, recount.denominator, recount.copies), (1, 2, 3));
    assert!(recount.to_string().contains("1 of 2, the same; 3 copies were left out"), "{recount}");
}

#[test]
fn what_was_counted_before_the_last_release_is_not_counted_nor_a_copy_of_it() {
    let mut counting = Counting::of(Evidence { counted_after: Some(Offset::new(2)), ..hard_bounces() });
    for number in [1, 2, 3, 1, 4, 5] {
        counting.event(&event(number, Counter::HardBounce, START));
    }
    counting.event(&event(6, Counter::Delivered, START));
    counting.event(&event(7, Counter::Delivered, START));
    assert_eq!(counting.figures(), (2, 4), "the fourth and the fifth, beside mail that went through");
}

#[test]
fn mail_that_was_set_aside_is_not_counted() {
    let provider = Provider::Microsoft;
    let aside = SetAside { provider, from: minute(5), until: minute(10), mails: 2, blame: Blame::Provider };
    let mut counting = Counting::of(Evidence { set_aside: vec![aside], ..hard_bounces() });
    counting.event(&event(1, Counter::HardBounce, minute(5)));
    counting.event(&Event { sent_at: Some(minute(9)), ..event(2, Counter::HardBounce, minute(20)) });
    counting.event(&Event { provider: Provider::Yahoo, ..event(3, Counter::HardBounce, minute(5)) });
    counting.event(&Event { provider: Provider::Yahoo, ..event(4, Counter::Delivered, minute(5)) });
    counting.event(&event(5, Counter::Delivered, minute(10)));
    assert_eq!(counting.figures(), (1, 3));
}

#[test]
fn mails_attempted_are_those_processed_or_the_outcomes_whichever_are_more_in_each_bucket() {
    let mut counting = Counting::of(hard_bounces());
    let mut number = 0;
    let mut count = |provider, counter, times| {
        for _ in 0..times {
            number += 1;
            counting.event(&Event { provider, ..event(number, counter, START) });
        }
    };
    count(Provider::Microsoft, Counter::Processed, 10);
    count(Provider::Microsoft, Counter::HardBounce, 3);
    count(Provider::Yahoo, Counter::Delivered, 4);
    count(Provider::Yahoo, Counter::Block, 1);
    count(Provider::Yahoo, Counter::Open, 7);
    assert_eq!(counting.figures(), (3, 15));
}

#[test]
fn a_bad_event_is_charged_only_with_the_mail_that_it_is_of() {
    let figures = |test| {
        let mut counting = Counting::of(Evidence { test, window: Window::Day, until: minute(120), ..hard_bounces() });
        for (number, counter, at) in [
            (1, Counter::HardBounce, 0),
            (2, Counter::HardBounce, 1),
            (3, Counter::Processed, 1),
            (4, Counter::Processed, 61),
        ] {
            counting.event(&event(number, counter, minute(at)));
        }
        counting.figures()
    };
    assert_eq!(figures(Test::Sequential), (1, 2), "the second hour's mail is not the first one's");
    assert_eq!(figures(Test::Bound), (2, 2));
}

#[test]
fn complaints_are_of_mail_to_providers_that_report_them() {
    let mut counting = Counting::of(evidence("spam_report", UNTIL, (1, 1)));
    for (number, provider) in [(1, Provider::Microsoft), (2, Provider::Gmail)] {
        counting.event(&Event { provider, ..event(number, Counter::Delivered, START) });
        counting.event(&Event { provider, ..event(number + 10, Counter::SpamReport, START) });
    }
    assert_eq!(counting.figures(), (1, 1));
}

#[test]
fn what_came_too_late_or_from_the_future_or_is_of_no_known_kind_is_not_counted() {
    let mut counting = Counting::of(hard_bounces());
    counting.event(&Event { kind: EventKind::Unknown, ..event(1, Counter::HardBounce, START) });
    counting.event(&event(2, Counter::HardBounce, minute(1)));
    counting.event(&event(4, Counter::Delivered, minute(1)));
    counting.event(&event(5, Counter::Delivered, minute(1)));
    counting.tick(START + Millis::hours(73));
    counting.event(&event(6, Counter::Delivered, START + Millis::hours(73)));
    counting.event(&event(3, Counter::HardBounce, START));
    assert_eq!(counting.figures(), (1, 3));

    let mut counting = Counting::of(hard_bounces());
    let ahead = event(1, Counter::HardBounce, minute(61));
    let within = Evidence { until: minute(120), ..hard_bounces() };
    counting.recounting = Recounting::of(&resting_on(within)).unwrap();
    counting.recounting.take(Offset::ZERO, &Input::Event(&acme(), &ahead, START));
    assert_eq!(counting.figures(), (0, 0));
}

#[test]
fn what_came_after_the_last_record_that_the_evidence_counts_is_not_counted() {
    let mut counting = Counting::of(Evidence { counted_to: Offset::new(2), ..evidence("block", UNTIL, (1, 2)) });
    counting.event(&event(1, Counter::Block, START));
    counting.event(&event(2, Counter::Delivered, START));
    counting.tick(minute(1));
    counting.event(&event(3, Counter::Block, minute(1)));
    counting.tick(minute(2));
    let recount = counting.finish();
    assert_eq!((recount.numerator, recount.denominator, recount.as_of), (1, 2, minute(1)));
    assert!(recount.agrees);
}

#[test]
fn other_figures_and_a_log_without_its_beginning_are_said() {
    let mut recounting = Recounting::of(&resting_on(hard_bounces())).unwrap();
    recounting.begin_at(minute(1));
    let recount = recounting.finish(Offset::new(9));
    assert!(!recount.agrees && !recount.is_whole);
    let told = recount.to_string();
    assert!(told.contains("0 of 0, not the same") && told.contains("no longer holds the beginning"), "{told}");
}

#[test]
fn nothing_is_counted_where_the_evidence_names_no_mails() {
    assert!(Recounting::of(&decision("command:hold", UNTIL, 1, None)).is_none());
    assert!(Recounting::of(&resting_on(evidence("dropped_calls", UNTIL, (1, 2)))).is_none());
}
