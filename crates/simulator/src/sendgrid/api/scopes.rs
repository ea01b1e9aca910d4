//! Which scope a call needs.
//!
//! The documents name scopes and calls, and not which call needs which: the pattern of the names says it.

use axum::http::Method;

/// What each folder of paths is called in scopes; the first that fits counts.
const AREAS: [(&str, &str); 24] = [
    ("/v3/ips/pools/{pool}/ips", "ips.pools.ips"),
    ("/v3/ips/pools", "ips.pools"),
    ("/v3/ips", "ips"),
    ("/v3/send_ips/pools", "ips.pools"),
    ("/v3/send_ips/ips", "ips"),
    ("/v3/subusers/reputations", "subusers.reputations"),
    ("/v3/subusers/stats", "subusers.stats"),
    ("/v3/subusers/{name}/credits/remaining", "subusers.credits.remaining"),
    ("/v3/subusers/{name}/credits", "subusers.credits"),
    ("/v3/subusers", "subusers"),
    ("/v3/user/webhooks/event/test", "user.webhooks.event.test"),
    ("/v3/user/webhooks/event/settings", "user.webhooks.event.settings"),
    ("/v3/suppression/bounces", "suppression.bounces"),
    ("/v3/suppression/blocks", "suppression.blocks"),
    ("/v3/suppression/spam_reports", "suppression.spam_reports"),
    ("/v3/suppression/invalid_emails", "suppression.invalid_emails"),
    ("/v3/suppression/unsubscribes", "suppression.unsubscribes"),
    ("/v3/stats", "stats.global"),
    ("/v3/mailbox_providers/stats", "mailbox_providers.stats"),
    ("/v3/mail/batch", "mail.batch"),
    ("/v3/user/scheduled_sends", "user.scheduled_sends"),
    ("/v3/user/credits", "user.credits"),
    ("/v3/user/account", "user.account"),
    ("/v3/whitelabel", "whitelabel"),
];

const VERBS: [(Method, &str); 5] = [
    (Method::GET, "read"),
    (Method::POST, "create"),
    (Method::PUT, "update"),
    (Method::PATCH, "update"),
    (Method::DELETE, "delete"),
];

/// The scope that a call to a path needs; none where every key may make it.
pub(in super::super) fn needed(method: &Method, path: &str) -> Option<String> {
    let (_, area) = AREAS.iter().find(|(folder, _)| path.starts_with(folder))?;
    let (_, verb) = VERBS.iter().find(|(of, _)| of == method)?;
    Some(format!("{area}.{verb}"))
}

/// Every scope of a served area.
pub(in super::super) fn all() -> impl Iterator<Item = String> {
    let areas = AREAS.iter().map(|(_, area)| *area).chain(["ips.assigned"]);
    areas.flat_map(|area| VERBS.iter().map(move |(_, verb)| format!("{area}.{verb}")))
}
