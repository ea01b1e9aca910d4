//! A rule of the file: checked, and made for customers of whatever phase.

use model::{Mode, Stage, Test, Window};
use toml::Spanned;

use super::check::Check;
use super::raw::{RawRule, RawSlice};
use super::units::{self, NO_RATE};
use crate::budget::Shares;
use crate::likelihood::{Contrast, Shape};
use crate::rule::{ALTERNATIVES, Method};
use crate::slice::Slice;
use crate::{Rule, Signal};

/// A rule with its limits as they are written.
pub(super) struct Draft {
    name: String,
    signal: Signal,
    window: Window,
    test: DraftTest,
    enter: f64,
    exit: f64,
    alpha: f64,
    minimum: u32,
    stage: Stage,
    carried_out: Slice,
}

enum DraftTest {
    Bound { spread: u32 },
    Sequential { correlation: f64 },
}

impl Draft {
    /// The rule with its limits multiplied by `strictness`.
    pub(super) fn at(&self, strictness: f64) -> Rule {
        let enter = self.enter * strictness;
        let method = match self.test {
            DraftTest::Bound { spread } => Method::Bound { spread },
            DraftTest::Sequential { correlation } => Method::Sequential { contrasts: contrasts(enter, correlation) },
        };
        Rule {
            name: self.name.clone(),
            signal: self.signal,
            window: self.window,
            method,
            enter,
            exit: self.exit * strictness,
            alpha: self.alpha,
            minimum: self.minimum,
            stage: self.stage,
            carried_out: self.carried_out.clone(),
        }
    }
}

/// The limit against each worse rate that is below one half; at least one.
fn contrasts(enter: f64, correlation: f64) -> Vec<Contrast> {
    let worse = ALTERNATIVES.into_iter().map(|times| enter * times).filter(|rate| *rate <= 0.5);
    let worse = worse.chain((enter * 2.0 > 0.5).then(|| f64::midpoint(enter, 1.0)));
    let contrast = |rate| {
        let null = Shape::correlated(enter, correlation)?;
        Contrast::new(null, Shape::correlated(rate, correlation)?)
    };
    // What is out of range was named as a fault before.
    worse.filter_map(|rate| contrast(rate).ok()).collect()
}

impl Check<'_> {
    pub(super) fn rules(&mut self, raw: Vec<RawRule>, shares: &Shares) -> Vec<Draft> {
        let mut rules: Vec<Draft> = Vec::with_capacity(raw.len());
        for rule in raw {
            self.name(&rule.name);
            let stage = self.stage(&rule.stage, "rule");
            let alpha = shares.of(stage);
            rules.push(self.rule(rule, stage, alpha));
        }
        rules
    }

    fn rule(&mut self, raw: RawRule, stage: Stage, alpha: f64) -> Draft {
        let enter = self.share(&raw.enter, "enter");
        let exit = self.share(&raw.exit, "exit");
        if enter >= 1.0 {
            self.fault(&raw.enter, "enter is below 100 %: nothing is worse than that".to_owned());
        }
        if exit > enter {
            let (exit, enter) = (raw.exit.get_ref(), raw.enter.get_ref());
            self.fault(
                &raw.exit,
                format!("exit {exit:?} is above enter {enter:?}: the customer would flap; set it below"),
            );
        }
        if *raw.minimum.get_ref() == 0 {
            self.fault(&raw.minimum, "minimum is at least 1: nobody is charged without a bad event".to_owned());
        }
        let window = self.window(&raw.window);
        Draft {
            window,
            test: self.test(&raw, window),
            carried_out: self.slice(&raw),
            name: raw.name.into_inner(),
            signal: raw.signal,
            enter,
            exit,
            alpha,
            minimum: raw.minimum.into_inner(),
            stage,
        }
    }

    fn window(&mut self, raw: &Spanned<String>) -> Window {
        let name = raw.get_ref().replace(' ', "");
        Window::ALL.into_iter().find(|window| window.name() == name).unwrap_or_else(|| {
            self.fault(raw, format!("window {:?} is not known; use 1 h, 24 h, 7 d or 30 d", raw.get_ref()));
            Window::Day
        })
    }

    fn spread(&mut self, raw: &Spanned<u32>, window: Window) -> u32 {
        let (spread, buckets) = (*raw.get_ref(), window.span().get() / window.grain().width().get());
        if i64::from(spread) > buckets {
            let message =
                format!("spread {spread} is more than the {buckets} buckets of this window: the rule would never act");
            self.fault(raw, message);
        }
        spread
    }

    fn test(&mut self, raw: &RawRule, window: Window) -> DraftTest {
        match raw.test.get_ref() {
            Test::Bound => {
                if let Some(correlation) = &raw.correlation {
                    self.fault(correlation, "correlation belongs to test = \"sequential\"".to_owned());
                }
                DraftTest::Bound { spread: raw.spread.as_ref().map_or(1, |spread| self.spread(spread, window)) }
            }
            Test::Sequential => {
                if let Some(spread) = &raw.spread {
                    self.fault(spread, "spread belongs to test = \"bound\"".to_owned());
                }
                let correlation = raw.correlation.as_ref().map(|correlation| self.share(correlation, "correlation"));
                if let (Some(raw), Some(share)) = (&raw.correlation, correlation)
                    && Shape::correlated(0.5, share).is_err()
                {
                    self.fault(raw, format!("correlation {:?}: it is from 0.00001 % to 99.9999 %", raw.get_ref()));
                }
                if correlation.is_none() {
                    let message = "a sequential test needs correlation, for example \"0.5 %\": how alike the fates of mails \
                                   are that are sent together";
                    self.fault(&raw.test, message.to_owned());
                }
                DraftTest::Sequential { correlation: correlation.unwrap_or(0.5) }
            }
            Test::Budget => {
                self.fault(
                    &raw.test,
                    "test is bound or sequential; the account's limits stand under [[limit]]".to_owned(),
                );
                DraftTest::Bound { spread: 1 }
            }
        }
    }

    fn slice(&mut self, raw: &RawRule) -> Slice {
        match (raw.mode, &raw.enforce_for) {
            (Mode::Enforce, None) => Slice::All,
            (Mode::Shadow, None) => Slice::Nobody,
            (_, Some(slice)) => match slice.get_ref() {
                RawSlice::These(customers) => Slice::These(customers.clone()),
                RawSlice::Share(text) => Slice::Share(units::share(text).unwrap_or_else(|| {
                    self.fault(slice, format!("enforce_for {text:?}: {NO_RATE}, or a list of customers"));
                    0.0
                })),
            },
        }
    }
}
