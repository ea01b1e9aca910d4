//! Rates with their unit written out.

/// Why a text is no rate.
pub(super) const NO_RATE: &str = "a rate is written with its unit, for example \"5 %\" or \"0.3 %\"";

/// The share that `text` says, such as `"0.3 %"`: from 0 to 1.
pub(super) fn share(text: &str) -> Option<f64> {
    let number: f64 = text.trim().strip_suffix('%')?.trim_end().parse().ok()?;
    (0.0..=100.0).contains(&number).then_some(number / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_needs_its_unit() {
        assert_eq!(share("5 %"), Some(0.05));
        assert_eq!(share("0.3%"), Some(0.003));
        for text in ["0.05", "5", "five %", "-1 %", "101 %", "%", "NaN %", "inf %"] {
            assert_eq!(share(text), None, "{text}");
        }
    }
}
