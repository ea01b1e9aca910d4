//! An hour in two minutes: the rules that are deployed, with every span of time as much shorter.
//!
//! The step, and all of it: a span in a rule, a window in brackets, an offset, a `for`, or seconds written as `2 * 60`, is
//! divided by [`FASTER`]; windows, offsets and `for`s are [`LONGEST`] at most, so that what looks back for days does not outlast
//! the test. Weir's own spans stay as they are, but where its configuration shortens them. So a rule's thresholds, labels and joins
//! are tested as they are deployed, and only its patience is another.

use std::time::Duration;

/// How many times as fast. A power of three, as the buckets of `weir_enforcer_enforced_seconds` are.
const FASTER: u32 = 27;
/// No window, offset or `for` is longer.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);
/// The bucket that the promise about enforcement names, and the one that is as much shorter.
const BUCKETS: (&str, &str) = ("196[.]8.*", "7[.]2(8|9).*");

/// A span in Prometheus' notation, as much shorter.
fn shorter(span: &str) -> Option<String> {
    let unit = span.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = span.split_at(unit);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    let whole = Duration::from_secs(number.parse::<u64>().ok()? * seconds);
    Some(format!("{}ms", (whole / FASTER).min(LONGEST).as_millis()))
}

/// Shortens what stands behind each `before`, up to one of `ends`.
fn shorten(line: &str, before: &str, ends: &[char]) -> String {
    let mut parts = line.split(before);
    let mut shortened = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (span, rest) = part.split_at(part.find(ends).unwrap_or(part.len()));
        shortened += before;
        shortened += &shorter(span).unwrap_or_else(|| span.to_owned());
        shortened += rest;
    }
    shortened
}

/// Shortens seconds that are written as a product, `2 * 60` or `48 * 3600`.
fn shorten_products(line: &str) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    for place in 2..words.len() {
        let factor = words[place].trim_end_matches(')').to_owned();
        let (Ok(number), "*", "60" | "3600") = (words[place - 2].parse::<u32>(), words[place - 1].as_str(), &*factor)
        else {
            continue;
        };
        let seconds = f64::from(number) * factor.parse::<f64>().unwrap() / f64::from(FASTER);
        words[place - 2] = format!("{seconds:.3}");
        words[place] = words[place].replace(&factor, "1");
    }
    words.join(" ")
}

/// A file of rules, compressed.
pub(crate) fn compress(rules: &str) -> String {
    let lines = rules.lines().map(|line| match line.trim_start() {
        comment if comment.starts_with('#') => String::new(),
        patience if patience.starts_with("for: ") => shorten(line, "for: ", &[]),
        words if words.starts_with("summary: ") => line.to_owned(),
        _ => {
            let windows = shorten(line, "[", &[']', ':']);
            shorten_products(&shorten(&windows, " offset ", &[' ', ')', '\n'])).replace(BUCKETS.0, BUCKETS.1)
        }
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_shorter_and_nothing_else_is_another() {
        let rules = "\
            expr: max_over_time(a{window=\"24h\"}[5m] offset 15m) > 20 * 60\n\
            and deriv(sum(b)[10m:]) >= 0 and avg_over_time(c[1d] offset 1w) * 15 * 60 > 3 and time() - max(d) > 48 * 3600\n\
            for: 2m\n\
            summary: \"2 * 60 in [1h]\"\n\
            expr: e{le=~\"196[.]8.*\"} > bool 1 * 60 and f > 50 * 1024\n";
        let compressed = "\
            expr: max_over_time(a{window=\"24h\"}[11111ms] offset 33333ms) > 44.444 * 1\n\
            and deriv(sum(b)[22222ms:]) >= 0 and avg_over_time(c[60000ms] offset 60000ms) * 33.333 * 1 > 3 and time() - max(d) > 6400.000 * 1\n\
            for: 4444ms\n\
            summary: \"2 * 60 in [1h]\"\n\
            expr: e{le=~\"7[.]2(8|9).*\"} > bool 2.222 * 1 and f > 50 * 1024\n";
        assert_eq!(compress(rules), compressed);
    }
}
