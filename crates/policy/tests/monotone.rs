//! One more good event never hurts a customer, and one more bad event never helps it, whatever the rule.

use std::sync::LazyLock;

use model::{Bucket, Cell, Counter, Counts, Phase, Provider, Stage, Window};
use policy::{Moment, Policy, Verdict, Visit};
use proptest::prelude::*;

use crate::case::{NOW, judged};

static POLICIES: LazyLock<Vec<Policy>> =
    LazyLock::new(|| policy::PROFILES.iter().map(|(_, text)| Policy::parse(text).unwrap()).collect());

/// A customer's mail of one window: buckets counted back from now, at two providers.
#[derive(Clone, Debug)]
struct Mail {
    cells: Vec<(u32, Provider, Counts)>,
}

impl Mail {
    fn counts(&mut self, at: usize) -> &mut Counts {
        let at = at % self.cells.len();
        &mut self.cells[at].2
    }

    fn visit(&self, window: Window, visit: &mut Visit<'_>) {
        let grain = window.grain();
        let newest = Bucket::of(grain, NOW);
        for provider in [Provider::Microsoft, Provider::Yahoo] {
            let mut own: Vec<_> = self.cells.iter().filter(|(_, of, _)| *of == provider).collect();
            own.sort_by_key(|(age, ..)| std::cmp::Reverse(*age));
            for (age, _, counts) in own {
                visit(Cell { grain, bucket: newest.back(*age), provider }, counts);
            }
        }
    }
}

/// Where the policy takes the customer; `None` where it leaves it.
fn moved_by(policy: &Policy, phase: Phase, counter: Counter, mail: &Mail) -> Option<Stage> {
    let visit = |window: Window, visit: &mut Visit<'_>| mail.visit(window, visit);
    match judged(policy, Moment::Event(counter), phase, &visit).verdict {
        Verdict::Move(step) => Some(step.to),
        Verdict::Stay { .. } => None,
    }
}

fn mail() -> impl Strategy<Value = Mail> {
    let provider = prop::sample::select(vec![Provider::Microsoft, Provider::Yahoo]);
    let cell = (0_u32..12, provider, 0_u32..150, 0.0..0.15_f64, 0.0..0.008_f64, 0.0..0.2_f64);
    prop::collection::vec(cell, 1..12).prop_map(|cells| {
        let mut seen = Vec::new();
        for (age, provider, mails, bounces, complaints, blocks) in cells {
            if seen.iter().any(|(other, of, _)| (*other, *of) == (age, provider)) {
                continue;
            }
            let part = |share: f64| (0..mails).filter(|mail| f64::from(*mail) < share * f64::from(mails)).count();
            let part = |share: f64| u32::try_from(part(share)).unwrap();
            let mut counts = Counts::ZERO;
            counts[Counter::HardBounce] = part(bounces);
            counts[Counter::Block] = part(blocks).min(mails - counts[Counter::HardBounce]);
            counts[Counter::ReputationBlock] = counts[Counter::Block];
            counts[Counter::Delivered] = mails - counts[Counter::HardBounce] - counts[Counter::Block];
            counts[Counter::SpamReport] = part(complaints);
            counts[Counter::Processed] = mails;
            seen.push((age, provider, counts));
        }
        Mail { cells: seen }
    })
}

const BAD: [Counter; 3] = [Counter::HardBounce, Counter::Block, Counter::SpamReport];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_good_event_never_hurts(
        mail in mail(), at in 0_usize..12, kind in 0_usize..3, bad in 0_usize..3, pilot in any::<bool>(),
    ) {
        let phase = if pilot { Phase::Pilot } else { Phase::Active };
        let mut with = mail.clone();
        let counts = with.counts(at);
        for counter in [[Counter::Processed, Counter::Delivered].as_slice(), &[Counter::Processed], &[Counter::Delivered]][kind] {
            counts.count(*counter);
        }
        for policy in POLICIES.iter() {
            let (before, after) = (moved_by(policy, phase, BAD[bad], &mail), moved_by(policy, phase, BAD[bad], &with));
            prop_assert!(after <= before, "{before:?} became {after:?}");
        }
    }

    #[test]
    fn a_bad_event_never_helps(mail in mail(), at in 0_usize..12, bad in 0_usize..3) {
        let mut with = mail.clone();
        let counts = with.counts(at);
        counts.count(BAD[bad]);
        if BAD[bad] == Counter::Block {
            counts.count(Counter::ReputationBlock);
        }
        for policy in POLICIES.iter() {
            let judged = |mail| moved_by(policy, Phase::Active, BAD[bad], mail);
            let (before, after) = (judged(&mail), judged(&with));
            prop_assert!(after >= before, "{before:?} became {after:?}");
        }
    }

    /// The property would hold of a policy that never moves anybody.
    #[test]
    fn some_of_these_customers_are_moved(mails in prop::collection::vec(mail(), 60)) {
        let moved = mails.iter().filter(|mail| moved_by(&POLICIES[1], Phase::Active, Counter::HardBounce, mail).is_some());
        let moved = moved.count();
        prop_assert!((5..55).contains(&moved), "{moved} of 60");
    }
}
