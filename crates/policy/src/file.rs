//! The policy file: read, checked, and every fault named with its place.

use std::fmt;

use model::{Millis, Mode, PoolName, Stage, Window};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use crate::incident::Incident;
use crate::{Rule, Signal};

/// A policy in force: rules and the ladder, all within their ranges.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub(crate) rules: Vec<Rule>,
    pub(crate) incident: Incident,
    ladder: [Rung; Stage::ALL.len()],
    pools: RawPools,
    mode: Mode,
    digest: String,
}

/// What a stage means.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Rung {
    dwell: Option<Millis>,
    daily_cap: Option<u32>,
}

/// One thing wrong with a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Fault {
    /// A fault at byte `at` of a file's text.
    pub fn new(text: &str, at: usize, message: String) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        Self { line, column, message }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// Everything wrong with a policy file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError {
    /// The faults, in the order of the file.
    pub faults: Vec<Fault>,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    version: Spanned<u32>,
    #[serde(default)]
    mode: Mode,
    pools: RawPools,
    #[serde(default)]
    stage: RawStages,
    incident: RawIncident,
    rule: Vec<RawRule>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPools {
    home: Option<PoolName>,
    quarantine: PoolName,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStages {
    watch: Option<RawRung>,
    throttled: Option<RawRung>,
    quarantined: Option<RawRung>,
    suspended: Option<RawRung>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRung {
    dwell: Option<Spanned<String>>,
    daily_cap: Option<Spanned<u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIncident {
    rate: Spanned<f64>,
    minimum_mails: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    name: Spanned<String>,
    signal: Signal,
    window: Window,
    enter: Spanned<f64>,
    exit: Spanned<f64>,
    confidence: Spanned<f64>,
    minimum: Spanned<u32>,
    stage: Spanned<Stage>,
}

impl Policy {
    /// Reads a policy file's text.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] lists every fault with line and column; faults of the syntax hide those behind them.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let raw: RawPolicy = toml::from_str(text).map_err(|error| PolicyError {
            faults: vec![Fault::new(text, error.span().map_or(0, |span| span.start), error.message().to_owned())],
        })?;
        let mut check = Check { text, faults: Vec::new() };
        let policy = check.policy(raw);
        check.faults.sort_by_key(|fault| (fault.line, fault.column));
        if check.faults.is_empty() { Ok(policy) } else { Err(PolicyError { faults: check.faults }) }
    }

    /// The rules, in the order of the file.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether decisions are meant to be carried out.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// What stands for this file in decisions: `sha256:` and the digest of its bytes.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Through which pool a customer at `stage` sends.
    pub fn pool(&self, stage: Stage) -> Option<PoolName> {
        if stage >= Stage::Quarantined { Some(self.pools.quarantine.clone()) } else { self.pools.home.clone() }
    }

    /// How many mails a day a customer at `stage` may send; `None` without a limit.
    pub fn daily_cap(&self, stage: Stage) -> Option<u32> {
        self.ladder[stage as usize].daily_cap
    }

    /// How long a customer at `stage` must have been calm before it comes down; `None` where only a person brings it
    /// down.
    pub fn dwell(&self, stage: Stage) -> Option<Millis> {
        self.ladder[stage as usize].dwell
    }
}

/// Checks ranges, and collects what is wrong.
struct Check<'t> {
    text: &'t str,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn policy(&mut self, raw: RawPolicy) -> Policy {
        if *raw.version.get_ref() != 1 {
            let found = raw.version.get_ref();
            self.fault(&raw.version, format!("version {found} is not known; this Weir reads version 1"));
        }
        let RawStages { watch, throttled, quarantined, suspended } = raw.stage;
        // A banned customer stays where a suspended one is; nothing but a person brings it down.
        let suspended = self.rung(suspended);
        let ladder = [
            Rung::default(),
            self.rung(watch),
            self.rung(throttled),
            self.rung(quarantined),
            suspended,
            Rung { dwell: None, ..suspended },
        ];
        let incident =
            Incident { rate: self.share(&raw.incident.rate, "rate"), minimum_mails: raw.incident.minimum_mails.max(1) };
        let mut rules: Vec<Rule> = Vec::with_capacity(raw.rule.len());
        for rule in raw.rule {
            if rules.iter().any(|earlier| earlier.name == *rule.name.get_ref()) {
                self.fault(&rule.name, format!("rule {:?} stands twice; names are unique", rule.name.get_ref()));
            }
            rules.push(self.rule(rule));
        }
        let digest = Sha256::digest(self.text.as_bytes()).iter().fold("sha256:".to_owned(), |hex, byte| {
            use fmt::Write as _;
            let mut hex = hex;
            // Writing to a string can't fail.
            let _unfailing = write!(hex, "{byte:02x}");
            hex
        });
        Policy { rules, incident, ladder, pools: raw.pools, mode: raw.mode, digest }
    }

    fn rung(&mut self, raw: Option<RawRung>) -> Rung {
        let Some(raw) = raw else { return Rung::default() };
        let dwell = raw.dwell.and_then(|dwell| {
            let span = dwell.get_ref().parse::<Millis>();
            span.map_err(|error| self.fault(&dwell, format!("dwell {:?}: {error}", dwell.get_ref()))).ok()
        });
        if let Some(cap) = raw.daily_cap.as_ref().filter(|cap| *cap.get_ref() == 0) {
            self.fault(cap, "daily_cap is at least 1: SendGrid knows no cap of 0; suspend instead".to_owned());
        }
        Rung { dwell, daily_cap: raw.daily_cap.map(Spanned::into_inner) }
    }

    fn rule(&mut self, raw: RawRule) -> Rule {
        let enter = self.share(&raw.enter, "enter");
        let exit = self.share(&raw.exit, "exit");
        if exit > enter {
            self.fault(&raw.exit, format!("exit {exit} is above enter {enter}: the customer would flap; set it below"));
        }
        let confidence = self.share(&raw.confidence, "confidence");
        if confidence < 0.5 {
            self.fault(&raw.confidence, format!("confidence {confidence} is below 0.5; usual is 0.999 and more"));
        }
        if *raw.minimum.get_ref() == 0 {
            self.fault(&raw.minimum, "minimum is at least 1: nobody is charged without a bad event".to_owned());
        }
        let stage = *raw.stage.get_ref();
        if matches!(stage, Stage::Healthy | Stage::Banned) {
            self.fault(
                &raw.stage,
                format!("a rule can't lead to {stage}: use watch, throttled, quarantined or suspended"),
            );
        }
        Rule {
            name: raw.name.into_inner(),
            signal: raw.signal,
            window: raw.window,
            enter,
            exit,
            alpha: 1.0 - confidence,
            minimum: raw.minimum.into_inner(),
            stage,
        }
    }

    fn share(&mut self, value: &Spanned<f64>, name: &str) -> f64 {
        let share = *value.get_ref();
        if !(share > 0.0 && share < 1.0) {
            self.fault(value, format!("{name} is a share between 0 and 1 (0.05 is 5 %), not {share}"));
        }
        share
    }

    fn fault<T>(&mut self, at: &Spanned<T>, message: String) {
        self.faults.push(Fault::new(self.text, at.span().start, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_policy_is_sound() {
        let policy = Policy::parse(crate::DEFAULT).unwrap();
        assert!(policy.digest().starts_with("sha256:"));
        assert_eq!(policy.pool(Stage::Quarantined).unwrap().as_str(), "quarantine");
        assert_eq!(policy.daily_cap(Stage::Throttled), Some(1000));
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        let text = crate::DEFAULT.replacen("enter = 0.05\nexit = 0.03", "enter = 5\nexit = 0.03", 1).replacen(
            "dwell = \"6h\"",
            "dwell = \"6 hours\"",
            1,
        );
        let error = Policy::parse(&text).unwrap_err();
        let places: Vec<_> = error.faults.iter().map(|fault| (fault.line, fault.column)).collect();
        let line_of = |needle: &str| text.lines().position(|line| line == needle).unwrap() + 1;
        assert_eq!(places, [(line_of("dwell = \"6 hours\""), 9), (line_of("enter = 5"), 9)], "{error}");
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_place() {
        let error = Policy::parse(&crate::DEFAULT.replacen("minimum_mails", "minimum_mail", 1)).unwrap_err();
        assert!(error.to_string().contains("minimum_mail") && error.faults[0].line > 40, "{error}");
    }
}
