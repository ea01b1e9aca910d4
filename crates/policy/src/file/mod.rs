//! The policy file: read, checked, and every fault named with its place.

mod check;
mod fault;
mod raw;
mod rule;
mod units;

pub use fault::{Fault, PolicyError};

use check::Check;

use crate::Policy;

impl Policy {
    /// Reads a policy file's text.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] lists every fault with line and column; faults of the syntax hide those behind them.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let raw = toml::from_str(text).map_err(|error| PolicyError {
            faults: vec![Fault::new(text, error.span().map_or(0, |span| span.start), error.message().to_owned())],
        })?;
        let mut check = Check::new(text);
        let policy = check.policy(raw);
        let faults = check.faults();
        if faults.is_empty() { Ok(policy) } else { Err(PolicyError { faults }) }
    }
}

#[cfg(test)]
mod tests {
    use model::Stage;

    use super::*;

    #[test]
    fn the_policies_that_weir_comes_with_are_sound() {
        for (name, text) in crate::PROFILES {
            let policy = Policy::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(policy.digest().starts_with("sha256:"));
            assert_eq!(policy.pool(Stage::Quarantined).unwrap().as_str(), "quarantine");
            assert!(policy.daily_cap(Stage::Throttled).is_some());
        }
    }

    /// The default policy with the first `from` behind `after` replaced.
    fn changed(after: &str, from: &str, to: &str) -> String {
        let start = crate::DEFAULT.find(after).unwrap();
        let (before, rest) = crate::DEFAULT.split_at(start);
        assert!(rest.contains(from), "{from}");
        format!("{before}{}", rest.replacen(from, to, 1))
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        let text = changed("[[rule]]", "enter = \"5 %\"", "enter = 5");
        let error = Policy::parse(&text).unwrap_err();
        let line_of = |needle: &str| text.lines().position(|line| line == needle).unwrap() + 1;
        assert_eq!((error.faults[0].line, error.faults[0].column), (line_of("enter = 5"), 9), "{error}");

        let text = changed("[stage.watch]", "dwell = \"6 h\"", "dwell = \"6 hours\"").replacen(
            "exit = \"3 %\"",
            "exit = \"30 %\"",
            1,
        );
        let error = Policy::parse(&text).unwrap_err();
        let places: Vec<_> = error.faults.iter().map(|fault| (fault.line, fault.column)).collect();
        let line_of = |needle: &str| text.lines().position(|line| line == needle).unwrap() + 1;
        assert_eq!(places, [(line_of("dwell = \"6 hours\""), 9), (line_of("exit = \"30 %\""), 8)], "{error}");
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_place() {
        let error = Policy::parse(&changed("[incident]", "minimum_mails", "minimum_mail")).unwrap_err();
        assert!(error.to_string().contains("minimum_mail") && error.faults[0].line > 40, "{error}");
    }

    #[test]
    fn a_name_is_of_one_rule_or_limit_and_none_of_weirs_own() {
        for (from, to, told) in [
            ("name = \"account-complaints\"", "name = \"account-bounces\"", "stands twice"),
            ("name = \"account-complaints\"", "name = \"block-fire\"", "stands twice"),
            ("name = \"block-fire\"", "name = \"calm\"", "what Weir calls"),
            ("name = \"block-fire\"", "name = \"command:hold\"", "what Weir calls"),
        ] {
            let error = Policy::parse(&crate::DEFAULT.replace(from, to)).unwrap_err();
            assert!(error.faults.len() == 1 && error.faults[0].message.contains(told), "{error}");
        }
    }

    #[test]
    fn what_could_never_act_is_a_fault() {
        for (from, to, told) in [
            ("spread = 3", "spread = 8", "7 buckets"),
            ("correlation = \"1 %\"", "correlation = \"0.000001 %\"", "from 0.00001 %"),
            ("person_after = 4", "person_after = 17", "at most 16"),
            ("ahead = \"6 h\"", "ahead = \"25 h\"", "at most 24 h"),
        ] {
            let error = Policy::parse(&crate::DEFAULT.replacen(from, to, 1)).unwrap_err();
            assert!(error.faults.len() == 1 && error.faults[0].message.contains(told), "{error}");
        }
    }

    #[test]
    fn whoever_is_moved_can_come_down_by_what_weir_does_not_cause() {
        let only_blocks =
            crate::DEFAULT.replace("\"hard_bounce\"", "\"block\"").replace("\"spam_report\"", "\"deferral\"");
        let error = Policy::parse(&only_blocks).unwrap_err();
        assert!(error.to_string().contains("nobody comes down again"), "{error}");
    }

    #[test]
    fn a_test_has_its_own_keys_and_no_others() {
        let text = changed("test = \"sequential\"", "minimum =", "spread = 2\nminimum =");
        let error = Policy::parse(&text).unwrap_err();
        assert!(error.to_string().contains("spread"), "{error}");
    }
}
