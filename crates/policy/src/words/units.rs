//! Numbers as they are read: with their unit, and their thousands apart.

use model::Millis;
use model::figures::thousands;

/// A number of 0 or more, with its thousands apart and as many of four decimals as say something.
pub(super) fn number(number: f64) -> String {
    let text = format!("{number:.4}");
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    match decimals.trim_end_matches('0') {
        "" => thousands(whole),
        decimals => format!("{}.{decimals}", thousands(whole)),
    }
}

/// A share from 0 to 1 in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

/// A span by the largest unit that it is a whole number of; up to three days in hours, as the policy file is written.
pub(super) fn span(span: Millis) -> String {
    const UNITS: [(i64, i64, &str); 4] = [(86_400_000, 4, "d"), (3_600_000, 1, "h"), (60_000, 1, "m"), (1_000, 1, "s")];
    let ms = span.get();
    let unit = UNITS.into_iter().find(|(unit, least, _)| ms % unit == 0 && ms / unit >= *least);
    let (unit, _, name) = unit.unwrap_or((1, 0, "ms"));
    format!("{} {name}", thousands(ms / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_their_unit() {
        assert_eq!([0.05, 0.003, 0.0015, 1.0].map(percent), ["5 %", "0.3 %", "0.15 %", "100 %"]);
        assert_eq!([960_000_000.0, 0.5, 1_000.25].map(number), ["960,000,000", "0.5", "1,000.25"]);
        let spans = [Millis::hours(72), Millis::days(90), Millis::minutes(90), Millis::new(1_500), Millis::ZERO];
        assert_eq!(spans.map(span), ["72 h", "90 d", "90 m", "1,500 ms", "0 ms"]);
    }
}
