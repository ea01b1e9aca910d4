//! Checking values, and gathering what is wrong with them.

use std::path::Path;
use std::time::Duration;

use model::Millis;
use toml::Spanned;

use super::{ConfigError, Loaded};

/// What is checked, and what was found wrong so far.
pub(super) struct Check<'l> {
    pub(super) loaded: &'l Loaded,
    faults: Vec<String>,
}

impl<'l> Check<'l> {
    pub(super) const fn of(loaded: &'l Loaded) -> Self {
        Self { loaded, faults: Vec::new() }
    }

    /// What was checked; all faults, where there are any. `None` is only for what could not be made for a fault.
    pub(super) fn sound<T>(self, checked: Option<T>) -> Result<T, ConfigError> {
        checked.filter(|_| self.faults.is_empty()).ok_or(ConfigError::Faults(self.faults))
    }

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
            self.fault_at(written.map(|written| written.span().start), "a span of 0 makes no sense here");
        }
        Duration::from_millis(u64::try_from(span.get()).unwrap_or(0))
    }

    pub(super) fn fault<T>(&mut self, at: &Spanned<T>, message: String) {
        self.fault_at(Some(at.span().start), &message);
    }

    /// Something is wrong with what stands at this offset, or with something that does not stand there.
    pub(super) fn fault_at(&mut self, at: Option<usize>, message: &str) {
        let told = self.loaded.places.told(at, message);
        self.fault_in(&self.loaded.path, told);
    }

    /// Something is wrong in another file.
    pub(super) fn fault_in(&mut self, path: &Path, fault: impl std::fmt::Display) {
        self.faults.push(format!("{}: {fault}", path.display()));
    }
}
