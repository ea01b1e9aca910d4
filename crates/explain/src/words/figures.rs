//! Numbers, times and spans as people read them.

use model::figures::thousands;
use model::{Millis, Timestamp, Window};

/// A share in per cent, without needless zeros; small ones with more digits.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let text = if percent < 0.1 { format!("{percent:.4}") } else { format!("{percent:.2}") };
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} %")
}

/// e to the power of `nats`, in words: `3.1 million`.
pub(crate) fn power(nats: f64) -> String {
    const BIG: [(f64, &str); 3] = [(1e12, "trillion"), (1e9, "billion"), (1e6, "million")];
    let decades = nats / std::f64::consts::LN_10;
    if decades >= 15.0 {
        return if decades < 300.0 { format!("10^{decades:.0}") } else { "more than 10^300".to_owned() };
    }
    let number = nats.exp();
    if let Some((unit, name)) = BIG.into_iter().find(|(unit, _)| number >= *unit) {
        return format!("{:.1} {name}", number / unit);
    }
    if number < 9.95 { format!("{number:.1}") } else { thousands(format!("{number:.0}")) }
}

/// So many bad events above what a limit allows: a part of one counts where there are few.
pub(crate) fn above(excess: f64) -> String {
    if excess < 9.95 { format!("{excess:.1}") } else { thousands(format!("{excess:.0}")) }
}

/// A moment in UTC, to the minute: RFC 3339 without the seconds.
pub(crate) fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(..16).map_or_else(|| text.clone(), |minute| format!("{minute}Z"))
}

/// A span in its largest whole unit.
pub(crate) fn span(span: Millis) -> String {
    const UNITS: [(Millis, &str); 3] =
        [(Millis::days(1), "day"), (Millis::hours(1), "hour"), (Millis::minutes(1), "minute")];
    for (unit, name) in UNITS {
        let number = span.get() / unit.get();
        if number >= 1 && span.get() % unit.get() == 0 {
            return format!("{number} {name}{}", if number == 1 { "" } else { "s" });
        }
    }
    format!("{} ms", span.get())
}

/// A window's length, behind "the last" or "the same".
pub(crate) const fn window(window: Window) -> &'static str {
    match window {
        Window::Hour => "hour",
        Window::Day => "24 hours",
        Window::Week => "7 days",
        Window::Month => "30 days",
    }
}

/// A window's length, behind "over".
pub(crate) const fn over(length: Window) -> &'static str {
    match length {
        Window::Hour => "an hour",
        Window::Day | Window::Week | Window::Month => window(length),
    }
}

/// The words as a sentence begins with them.
pub(crate) fn capital(words: &str) -> String {
    let mut rest = words.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(
            [0.05, 0.0771, 0.003, 0.00045, 0.0, 1.0].map(percent),
            ["5 %", "7.71 %", "0.3 %", "0.045 %", "0 %", "100 %"]
        );
        let powers = [0.0, 11.512_925, 14.95, 20.9, 46.0, f64::INFINITY].map(power);
        assert_eq!(powers, ["1.0", "100,000", "3.1 million", "1.2 billion", "10^20", "more than 10^300"]);
    }

    #[test]
    fn times_read_as_people_write_them() {
        assert_eq!(minute(Timestamp::from_seconds(1_740_300_010)), "2025-02-23T08:40Z");
        let spans = [Millis::hours(72), Millis::hours(6), Millis::minutes(90), Millis::days(1), Millis::new(5)];
        assert_eq!(spans.map(span), ["3 days", "6 hours", "90 minutes", "1 day", "5 ms"]);
    }
}
