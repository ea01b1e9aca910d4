//! The sources of the configuration, as far as replaying their rejects needs them.

use std::sync::Arc;

use console::{RejectSource, Rewrite};

use crate::config::Settings;

/// How the sources' rejects are read again: as the receiver would read them today.
pub(crate) fn of(settings: &Settings) -> Arc<[RejectSource]> {
    let rewrite = settings
        .receiver
        .pseudonymise
        .clone()
        .map(|key| -> Rewrite { Arc::new(move |element: &[u8]| key.rewrite_event(element)) });
    let source = |source: &receiver::Source| RejectSource {
        name: source.name.as_str().to_owned(),
        customer: source.customer.clone(),
        rewrite: rewrite.clone(),
    };
    settings.sources.iter().map(source).collect()
}
