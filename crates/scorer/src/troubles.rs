//! What keeps the scorer from its work just now, for those who ask whether it is ready.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Troubles by what they are about. Cheap to clone: all clones tell the same.
#[derive(Clone, Debug, Default)]
pub struct Troubles {
    current: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Troubles {
    /// `about` is in trouble: `error`, with everything that caused it.
    pub(crate) fn tell(&self, about: &str, error: &dyn std::error::Error) {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(source) = cause {
            text = format!("{text}: {source}");
            cause = source.source();
        }
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.insert(about.to_owned(), text.clone()).as_ref() != Some(&text) {
            tracing::error!(about, trouble = text, "in trouble");
        }
    }

    /// `about` is well again.
    pub(crate) fn end(&self, about: &str) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.remove(about).is_some() {
            tracing::info!(about, "well again");
        }
    }

    /// The troubles there are, a line each.
    pub fn current(&self) -> Vec<String> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.iter().map(|(about, text)| format!("{about}: {text}")).collect()
    }
}
