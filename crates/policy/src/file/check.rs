//! Checks ranges, and collects what is wrong.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use model::{Millis, Stage};
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::Fault;
use super::raw::{RawIncident, RawLadder, RawLimit, RawPilot, RawPolicy, RawRule, RawRung, RawStages};
use super::units::{self, NO_RATE};
use crate::budget::Shares;
use crate::incident::Incident;
use crate::judge::CALM;
use crate::ladder::{Ladder, OFFENCES_KEPT, Rung};
use crate::policy::{Maturity, Pools};
use crate::{Budget, Limit, Pilot, Policy};

/// The version of the file's shape.
const VERSION: u32 = 2;

/// Checks ranges, and collects what is wrong.
pub(super) struct Check<'t> {
    text: &'t str,
    faults: Vec<Fault>,
    /// Of the rules and limits so far.
    names: BTreeSet<String>,
}

impl<'t> Check<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, faults: Vec::new(), names: BTreeSet::new() }
    }

    /// What was found wrong, in the order of the file.
    pub(super) fn faults(mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|fault| (fault.line, fault.column));
        self.faults
    }

    pub(super) fn policy(&mut self, raw: RawPolicy) -> Policy {
        if *raw.version.get_ref() != VERSION {
            let found = raw.version.get_ref();
            self.fault(&raw.version, format!("version {found} is not known; this Weir reads version {VERSION}"));
        }
        let budget = Budget {
            mails_a_year: *raw.budget.mails_a_year.get_ref(),
            wrongly_moved_a_year: self.accepted(&raw.budget.wrongly_moved_a_year),
            wrongly_watched_a_year: self.accepted(&raw.budget.wrongly_watched_a_year),
        };
        self.ways_down(&raw.rule, &raw.limit);
        let stages = raw.rule.iter().map(|rule| &rule.stage).chain(raw.limit.iter().map(|limit| &limit.stage));
        let shares = Shares::new(budget, stages.map(|stage| *stage.get_ref()));
        let pilot = self.pilot(&raw.pilot);
        let rules = self.rules(raw.rule, &shares);
        Policy {
            pilot_rules: rules.iter().map(|rule| rule.at(pilot.strictness)).collect(),
            rules: rules.iter().map(|rule| rule.at(1.0)).collect(),
            limits: raw.limit.into_iter().map(|limit| self.limit(limit, &shares)).collect(),
            incident: self.incident(&raw.incident),
            ladder: self.ladder(raw.stage, &raw.ladder),
            pilot,
            budget,
            pools: Pools { home: raw.pools.home, quarantine: raw.pools.quarantine },
            maturity: Maturity {
                complaints: self.span(&raw.maturity.complaints, "complaints"),
                bounces: self.span(&raw.maturity.bounces, "bounces"),
            },
            mode: raw.mode,
            digest: digest(self.text),
        }
    }

    fn ladder(&mut self, stages: RawStages, raw: &RawLadder) -> Ladder {
        let RawStages { watch, throttled, quarantined, suspended } = stages;
        // A banned customer stays where a suspended one is; nothing but a person brings it down.
        let suspended = self.rung(suspended);
        let banned = Rung { dwell: None, ..suspended };
        let rungs =
            [Rung::default(), self.rung(watch), self.rung(throttled), self.rung(quarantined), suspended, banned];
        if *raw.slower.get_ref() == 0 {
            self.fault(&raw.slower, "slower is at least 1: an offender can't come down faster".to_owned());
        }
        if *raw.person_after.get_ref() < 2 {
            self.fault(&raw.person_after, "person_after is at least 2; leave `dwell` out for a person only".to_owned());
        }
        if *raw.person_after.get_ref() > OFFENCES_KEPT {
            self.fault(
                &raw.person_after,
                format!("person_after is at most {OFFENCES_KEPT}: no more offences are kept"),
            );
        }
        Ladder {
            rungs,
            memory: self.span(&raw.memory, "memory"),
            slower: *raw.slower.get_ref(),
            longest: self.span(&raw.longest, "longest"),
            person_after: *raw.person_after.get_ref(),
        }
    }

    fn rung(&mut self, raw: Option<RawRung>) -> Rung {
        let Some(raw) = raw else { return Rung::default() };
        let dwell = raw.dwell.map(|dwell| self.span(&dwell, "dwell"));
        if let Some(cap) = raw.daily_cap.as_ref().filter(|cap| *cap.get_ref() == 0) {
            self.fault(cap, "daily_cap is at least 1: SendGrid knows no cap of 0; suspend instead".to_owned());
        }
        Rung { dwell, daily_cap: raw.daily_cap.map(Spanned::into_inner) }
    }

    fn pilot(&mut self, raw: &RawPilot) -> Pilot {
        let caps = raw.daily_caps.get_ref();
        if caps.is_empty() || caps.contains(&0) || !caps.is_sorted() {
            self.fault(&raw.daily_caps, "daily_caps are caps of at least 1, the lowest first".to_owned());
        }
        Pilot {
            newcomers: raw.newcomers,
            strictness: self.share(&raw.strictness, "strictness"),
            daily_caps: caps.clone(),
            proof: self.share(&raw.proof, "proof"),
        }
    }

    fn incident(&mut self, raw: &RawIncident) -> Incident {
        Incident {
            rate: self.share(&raw.rate, "rate"),
            deferral_rate: self.share(&raw.deferral_rate, "deferral_rate"),
            minimum_mails: raw.minimum_mails.max(1),
        }
    }

    /// Whoever is moved must be able to come down by a rule that looks at more than what Weir itself brings about.
    fn ways_down(&mut self, rules: &[RawRule], limits: &[RawLimit]) {
        if rules.iter().any(|rule| !rule.signal.is_caused_at(Stage::Banned)) {
            return;
        }
        let mut stages = rules.iter().map(|rule| &rule.stage).chain(limits.iter().map(|limit| &limit.stage));
        if let Some(stage) = stages.find(|stage| *stage.get_ref() >= Stage::Throttled) {
            let message = "no rule looks at anything but blocks and deferrals, which Weir brings about itself while a \
                           customer is held back: add one, for example of hard_bounce, or nobody comes down again";
            self.fault(stage, message.to_owned());
        }
    }

    /// Names stand in decisions: each is of one rule or limit, and none is what Weir calls its own moves.
    pub(super) fn name(&mut self, raw: &Spanned<String>) {
        let name = raw.get_ref();
        if name == CALM || name.starts_with("command:") {
            self.fault(raw, format!("{name:?} is what Weir calls a move of its own; use another name"));
        }
        if !self.names.insert(name.clone()) {
            self.fault(raw, format!("{name:?} stands twice; names are unique among rules and limits"));
        }
    }

    fn limit(&mut self, raw: RawLimit, shares: &Shares) -> Limit {
        let ahead = self.span(&raw.ahead, "ahead");
        if ahead > Millis::days(1) {
            self.fault(&raw.ahead, "ahead is at most 24 h: beyond a day nothing is left of today's figures".to_owned());
        }
        #[expect(clippy::cast_precision_loss, reason = "spans of hours are far below 2^53 milliseconds")]
        let ahead_hours = ahead.get() as f64 / Millis::hours(1).get() as f64;
        self.name(&raw.name);
        let stage = self.stage(&raw.stage, "limit");
        Limit {
            name: raw.name.into_inner(),
            of: raw.of,
            signal: raw.signal,
            enter: self.share(&raw.enter, "enter"),
            alpha: shares.of(stage),
            ahead_hours,
            stage,
            at_most: *raw.at_most.get_ref(),
        }
    }

    pub(super) fn stage(&mut self, raw: &Spanned<Stage>, what: &str) -> Stage {
        let stage = *raw.get_ref();
        if matches!(stage, Stage::Healthy | Stage::Banned) {
            self.fault(raw, format!("a {what} can't lead to {stage}: use watch, throttled, quarantined or suspended"));
        }
        stage
    }

    fn accepted(&mut self, value: &Spanned<f64>) -> f64 {
        let number = *value.get_ref();
        if !(number > 0.0 && number.is_finite()) {
            self.fault(value, "a budget is a number above 0: no test is without error".to_owned());
        }
        number
    }

    pub(super) fn share(&mut self, value: &Spanned<String>, name: &str) -> f64 {
        let share = units::share(value.get_ref()).filter(|share| *share > 0.0);
        share.unwrap_or_else(|| {
            self.fault(value, format!("{name} {:?}: {NO_RATE}, above 0 and at most 100 %", value.get_ref()));
            0.5
        })
    }

    fn span(&mut self, value: &Spanned<String>, name: &str) -> Millis {
        value.get_ref().parse().unwrap_or_else(|error| {
            self.fault(value, format!("{name} {:?}: {error}", value.get_ref()));
            Millis::ZERO
        })
    }

    pub(super) fn fault<T>(&mut self, at: &Spanned<T>, message: String) {
        self.faults.push(Fault::new(self.text, at.span().start, message));
    }
}

fn digest(text: &str) -> String {
    let mut hex = "sha256:".to_owned();
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string can't fail.
        let _unfailing = write!(hex, "{byte:02x}");
    }
    hex
}
