//! Whether and when Weir's counts are held against SendGrid's.

use ::completeness::{Config, Source};
use model::{MailAccount, Millis};

use super::check::Check;
use super::raw::Raw;

/// Days are had for four days: the rest is for trying again.
const LONGEST_AFTER: Millis = Millis::hours(48);

/// `has_key` says whether SendGrid can be asked at all.
pub(super) fn check(check: &mut Check<'_>, raw: &Raw, has_key: bool) -> Option<Config> {
    let source = |source: &super::raw::RawSource| Source {
        name: source.name.get_ref().clone(),
        account: MailAccount::of(source.subuser.as_deref()),
    };
    for nameless in raw.source.iter().filter(|source| source.subuser.as_deref() == Some("")) {
        check.fault(&nameless.name, "its subuser has no name: leave it out for the API key's own account".to_owned());
    }
    let mut config = Config::new(raw.source.iter().map(source).collect());
    let written = raw.completeness.after.as_ref();
    let after = check.span(written, config.after).as_millis();
    config.after = Millis::new(i64::try_from(after).unwrap_or(i64::MAX));
    if let Some(written) = written.filter(|_| config.after > LONGEST_AFTER) {
        check.fault(written, format!("{} is too long; at most 48h after its end a day is compared", written.get_ref()));
    }
    if let Some(written) = raw.completeness.enabled.as_ref().filter(|enabled| *enabled.get_ref() && !has_key) {
        check.fault(written, format!("to compare events needs a SendGrid API key in {}", raw.sendgrid.key_env()));
    }
    let is_enabled = raw.completeness.enabled.as_ref().is_none_or(|enabled| *enabled.get_ref());
    (is_enabled && has_key && !config.sources.is_empty()).then_some(config)
}
