//! Checking values, and gathering what is wrong with them.

use std::time::Duration;

use model::Millis;
use policy::Fault;
use toml::Spanned;

/// The text that is checked, and what was found wrong so far.
pub(super) struct Check<'t> {
    pub(super) text: &'t str,
    pub(super) faults: Vec<Fault>,
}

impl Check<'_> {
    pub(super) fn at_least(&mut self, written: Option<&Spanned<usize>>, least: usize, default: usize) -> usize {
        let Some(written) = written else { return default };
        if *written.get_ref() < least {
            self.fault(written, format!("{} is too small; at least {least} is needed", written.get_ref()));
        }
        *written.get_ref()
    }

    pub(super) fn span(&mut self, written: Option<&Spanned<String>>, default: Millis) -> Duration {
        let span = match written {
            None => default,
            Some(written) => written.get_ref().parse().unwrap_or_else(|error| {
                self.fault(written, format!("{:?}: {error}", written.get_ref()));
                default
            }),
        };
        if span == Millis::ZERO {
            self.fault_at(
                written.map_or(0, |written| written.span().start),
                "a span of 0 makes no sense here".to_owned(),
            );
        }
        Duration::from_millis(u64::try_from(span.get()).unwrap_or(0))
    }

    pub(super) fn fault<T>(&mut self, at: &Spanned<T>, message: String) {
        self.fault_at(at.span().start, message);
    }

    pub(super) fn fault_at(&mut self, at: usize, message: String) {
        self.faults.push(Fault::new(self.text, at, message));
    }
}
