//! Numbers, times and names as operators read them.

use model::figures::{count, list, thousands};
use model::{HeldWhy, Millis, Mode, Provider, Stage, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use policy::{Fraction, Signal};
use serde_json::Value;

/// What may stand in a URL's values as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// A text as a value of a query, or as what follows a path's `#`.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A share in per cent, with two decimals, and more where it is small and not nothing.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.01 {
        return format!("{percent:.4} %");
    }
    if percent >= 99.995 { "100 %".to_owned() } else { format!("{percent:.2} %") }
}

/// A fraction as its share; a dash where there is no mail to tell by.
pub(crate) fn rate(fraction: Fraction) -> String {
    if fraction.mails == 0 { "–".to_owned() } else { percent(fraction.rate()) }
}

/// How many times as much as the fleet's; nothing where that says little.
pub(crate) fn times(own: f64, fleet: f64) -> Option<String> {
    let times = own / fleet;
    (fleet > 0.0 && times >= 1.5).then(|| if times < 10.0 { format!("×{times:.1}") } else { format!("×{times:.0}") })
}

/// A span by its largest unit, never negative: `40 s`, `3 min`, `2 h`, `5 d`.
pub(crate) fn span(span: Millis) -> String {
    let seconds = span.get().abs() / 1_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => match (seconds / 3_600, seconds % 3_600 / 60) {
            (hours, minutes) if hours < 10 && minutes > 0 => format!("{hours} h {minutes} min"),
            (hours, _) => format!("{hours} h"),
        },
        _ => format!("{} d", thousands(seconds / 86_400)),
    }
}

/// How long ago, or how far ahead, `at` is.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let since = now.since(at);
    match since.get() {
        -999..1_000 => "just now".to_owned(),
        1_000.. => format!("{} ago", span(since)),
        _ => format!("in {}", span(since)),
    }
}

/// The time of day in UTC, with the date where it is another day than `now`.
pub(crate) fn clock(at: Timestamp, now: Timestamp) -> String {
    let (text, today) = (at.to_string(), now.to_string());
    match (text.get(..10), text.get(11..16), today.get(..10)) {
        (Some(day), Some(time), Some(today)) if day == today => time.to_owned(),
        (Some(day), Some(time), _) => format!("{day} {time}"),
        _ => text,
    }
}

/// The moment to the second, in UTC: `2026-11-23 02:14:09 UTC`.
pub(crate) fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    match (text.get(..10), text.get(11..19)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        _ => text,
    }
}

/// A policy's digest, as much of it as tells it from others.
pub(crate) fn digest(digest: &str) -> &str {
    let digest = digest.strip_prefix("sha256:").unwrap_or(digest);
    digest.get(..12).unwrap_or(digest)
}

/// A provider as it is known.
pub(crate) const fn provider(provider: Provider) -> &'static str {
    match provider {
        Provider::Gmail => "Gmail",
        Provider::Microsoft => "Microsoft",
        Provider::Yahoo => "Yahoo",
        Provider::Apple => "Apple",
        Provider::Comcast => "Comcast",
        Provider::UnitedInternet => "United Internet",
        Provider::Orange => "Orange",
        Provider::MailRu => "Mail.ru",
        Provider::Yandex => "Yandex",
        Provider::Proton => "Proton",
        Provider::Other => "All others",
    }
}

/// A signal's bad events.
pub(crate) const fn signal(signal: Signal) -> &'static str {
    match signal {
        Signal::HardBounce => "Hard bounces",
        Signal::InvalidAddress => "Invalid addresses",
        Signal::Block => "Blocks",
        Signal::ReputationBlock => "Reputation blocks",
        Signal::SoftBounce => "Soft bounces",
        Signal::Deferral => "Deferred mails",
        Signal::SpamReport => "Complaints",
        Signal::Unsubscribe => "Unsubscribes",
    }
}

/// What a stage means for its customer.
pub(crate) const fn meaning(stage: Stage) -> &'static str {
    match stage {
        Stage::Healthy => "sends freely",
        Stage::Watch => "sends freely and is looked at",
        Stage::Throttled => "sends with a daily cap",
        Stage::Quarantined => "sends through the quarantine pool only",
        Stage::Suspended => "does not send until it is released",
        Stage::Banned => "does not send again",
    }
}

/// Why something is held back, in a few words.
pub(crate) const fn held(why: HeldWhy) -> &'static str {
    match why {
        HeldWhy::Approval => "waits for approval",
        HeldWhy::Rejected => "rejected by a person",
        HeldWhy::Expired => "nobody answered in time",
        HeldWhy::Paused => "enforcement is paused",
        HeldWhy::CustomersPerHour => "hourly limit of customers reached",
        HeldWhy::VolumePerHour => "hourly limit of mail reached",
        HeldWhy::Breaker => "SendGrid fails too often",
        HeldWhy::NoKey => "no API key",
        HeldWhy::NotPossible => "SendGrid does not allow it",
        HeldWhy::Adopted => "changed by hand at SendGrid",
        HeldWhy::Forgotten => "a person restrained it, which the state does not know",
    }
}

/// What came of a call to SendGrid, by its name in `weir.actions`.
pub(crate) fn outcome(name: &str) -> &str {
    match name {
        "done" => "done",
        "shadowed" => "would be done: the mode is shadow",
        "failed" => "failed, and is tried again",
        "held_back" => "held back",
        "route" => "nothing to ask for: the mailer asks Weir",
        "observed" => "how it was is noted",
        "drifted" => "changed by somebody else",
        other => other,
    }
}

/// A call to SendGrid as `weir.actions` has it, in words; one that is not known is told as it is.
pub(crate) fn call(request: &Value) -> String {
    let text = |name: &str| request[name].as_str().unwrap_or("?").to_owned();
    let all = |name: &str| {
        let all: Vec<_> = request[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if all.is_empty() { "none".to_owned() } else { list(&all) }
    };
    match request["call"].as_str() {
        Some("set_subuser_ips") => format!("Subuser {} sends from {}", text("subuser"), all("ips")),
        Some("set_credits") => format!("Credits of subuser {}: {}", text("subuser"), credits(&request["credits"])),
        Some("set_disabled") if request["disabled"] == true => format!("Subuser {} is stopped", text("subuser")),
        Some("set_disabled") => format!("Subuser {} sends again", text("subuser")),
        Some("add_to_pool") => format!("IP {} into pool {}", text("ip"), text("pool")),
        Some("remove_from_pool") => format!("IP {} out of pool {}", text("ip"), text("pool")),
        _ => request.to_string(),
    }
}

fn credits(credits: &Value) -> String {
    match (credits["type"].as_str(), credits["total"].as_u64()) {
        (Some("recurring"), Some(total)) => {
            let often = credits["reset_frequency"].as_str().unwrap_or("again and again");
            format!("{}, {often}", count(total, "mail", "mails"))
        }
        (Some("nonrecurring"), Some(total)) => format!("{}, once", count(total, "mail", "mails")),
        (Some("unlimited"), _) => "unlimited".to_owned(),
        _ => credits.to_string(),
    }
}

/// Whether a decision is carried out.
pub(crate) const fn mode(mode: Mode) -> Option<&'static str> {
    match mode {
        Mode::Shadow => Some("only said"),
        Mode::Enforce => None,
    }
}

/// As a sentence begins.
pub(crate) fn capital(words: &str) -> String {
    let mut rest = words.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// As a whole sentence, with one full stop.
pub(crate) fn sentence(words: &str) -> String {
    format!("{}.", capital(words.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_stays_one_segment_of_a_path() {
        assert_eq!(encoded("acme-1"), "acme-1");
        assert_eq!(encoded("../a b?<söhne>/%"), "%2E%2E%2Fa%20b%3F%3Cs%C3%B6hne%3E%2F%25");
    }

    #[test]
    fn small_shares_are_not_shown_as_nothing() {
        assert_eq!([0.0, 0.000_02, 0.0771, 1.0].map(percent), ["0.00 %", "0.0020 %", "7.71 %", "100 %"]);
        assert_eq!((times(0.09, 0.01), times(0.011, 0.01), times(0.5, 0.0)), (Some("×9.0".to_owned()), None, None));
    }

    #[test]
    fn times_read_as_people_say_them() {
        let now = Timestamp::from_seconds(1_790_000_000);
        assert_eq!(ago(now - Millis::seconds(40), now), "40 s ago");
        assert_eq!(ago(now - Millis::minutes(125), now), "2 h 5 min ago");
        assert_eq!(ago(now + Millis::days(3), now), "in 3 d");
        assert_eq!((clock(now, now).len(), clock(now - Millis::days(2), now).len()), (5, 16));
    }

    #[test]
    fn a_call_is_said_in_words_and_an_unknown_one_as_it_is() {
        let calls = [
            json!({"call": "set_subuser_ips", "subuser": "acme", "ips": ["192.0.2.1", "192.0.2.2"]}),
            json!({"call": "set_credits", "subuser": "acme", "credits": {"type": "recurring", "total": 1_000, "reset_frequency": "daily"}}),
            json!({"call": "set_disabled", "subuser": "acme", "disabled": true}),
            json!({"call": "add_to_pool", "pool": "quarantine", "ip": "192.0.2.1"}),
            json!({"call": "dance"}),
        ];
        let expected = [
            "Subuser acme sends from 192.0.2.1 and 192.0.2.2",
            "Credits of subuser acme: 1,000 mails, daily",
            "Subuser acme is stopped",
            "IP 192.0.2.1 into pool quarantine",
            "{\"call\":\"dance\"}",
        ];
        assert_eq!(calls.each_ref().map(call), expected);
    }
}
