//! Where sampled traces go.

use super::check::Check;
use super::raw::RawTracing;

/// How traces are sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TraceSettings {
    /// The collector's address, without `/v1/traces`.
    pub(crate) otlp: String,
    /// Which share of the POSTs begins a trace, from 0 to 1.
    pub(crate) sample: f64,
}

/// `None` where no collector is named.
pub(super) fn check(check: &mut Check<'_>, raw: &RawTracing) -> Option<TraceSettings> {
    let sample = check.share(raw.sample.as_ref(), 0.001);
    let written = raw.otlp.as_ref()?;
    let otlp = written.get_ref();
    let is_address =
        reqwest::Url::parse(otlp).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !is_address {
        check.fault(
            written,
            format!("{otlp:?} is no address of a collector; write for example \"http://127.0.0.1:4318\""),
        );
    }
    is_address.then(|| TraceSettings { otlp: otlp.clone(), sample })
}
