//! Whether a refusal is about the recipient's address.

use replies::{Cause, READ, ReplyTable, enhanced_status};

/// Microsoft's status for an address that is not in the domain's directory. Without its words, the status alone decides.
const NOT_IN_DIRECTORY: &str = "5.4.1";
/// Rules of the table for domains that do not exist or accept no mail.
const NO_DOMAIN: [&str; 2] = ["no-such-domain", "sendgrid-finds-no-server"];

/// The rule that is too uncertain to charge a customer with an invalid address.
const UNCERTAIN: &str = "status-address-likely";

/// A refusal: its enhanced status code, and its words.
pub(super) struct Refusal<'e> {
    status: Option<&'e str>,
    words: &'e str,
}

impl<'e> Refusal<'e> {
    /// Creates a refusal. If there is no status, the first one in the words is used.
    pub(super) fn new(status: Option<&'e str>, words: Option<&'e str>) -> Self {
        let words = words.unwrap_or_default();
        let read = words.get(..words.floor_char_boundary(READ)).unwrap_or_default();
        Self { status: status.and_then(enhanced_status).or_else(|| enhanced_status(read)), words: read }
    }

    /// Whether the mailbox or its domain does not exist. A status x.7.x means a matter of policy, whatever the words say.
    pub(super) fn is_of_no_mailbox(&self) -> bool {
        let is_policy = self.status.is_some_and(|status| status.split('.').nth(1) == Some("7"));
        let is_in_no_directory = self.words.is_empty() && self.status == Some(NOT_IN_DIRECTORY);
        !is_policy && (is_in_no_directory || self.rule_of_address().is_some())
    }

    /// Whether the domain does not exist or accepts no mail.
    pub(super) fn is_of_no_domain(&self) -> bool {
        self.rule_of_address().is_some_and(|rule| NO_DOMAIN.contains(&rule))
    }

    /// The matching rule, if it is about the recipient's address.
    fn rule_of_address(&self) -> Option<&'static str> {
        let classified = ReplyTable::built_in().classify_with_status(self.status, self.words);
        classified.rule.filter(|rule| classified.cause == Cause::Address && *rule != UNCERTAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_of_no_mailbox(status: &str, words: &str) -> bool {
        Refusal::new(Some(status), Some(words)).is_of_no_mailbox()
    }

    #[test]
    fn the_table_has_the_rules_that_are_named_here() {
        let names: Vec<_> = ReplyTable::built_in().rules().iter().map(|rule| rule.name.as_str()).collect();
        assert!(NO_DOMAIN.iter().chain(&[UNCERTAIN]).all(|name| names.contains(name)), "{names:?}");
    }

    #[test]
    fn servers_say_in_many_ways_that_there_is_nobody() {
        for (status, words) in [
            ("", "unable to get mx info: failed to get IPs from PTR record: lookup <nil>: no such host"),
            ("", "550 unknown user <a@b.example>"),
            ("5.0.0", "550 <a@b.example>: User unknown (in reply to RCPT TO command)"),
            ("5.1.1", "550 5.1.1 <a@b.example>: Recipient address rejected"),
            ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
            ("5.1.2", ""),
            ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)"),
            ("5.4.4", "550 5.4.4 Invalid domain"),
            ("5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable"),
            ("5.1.6", "550 5.1.6 recipient no longer on server"),
            ("", "DNS type 'mx' lookup of b.example responded with code NXDOMAIN"),
            ("", "554 5.5.0 This user doesn't have a b.example account"),
            ("4.1.1", "450 4.1.1 Recipient address rejected: User unknown in virtual alias table"),
            ("", "556 Domain does not accept mail (nullMX)"),
            ("", "550 #5.1.1 <a@b.example>: address could not be found, or was misspelled"),
            ("550", "the address couldn't be found. Check for typos and try again."),
        ] {
            assert!(is_of_no_mailbox(status, words), "{status} {words}");
        }
    }

    #[test]
    fn what_is_about_the_sender_or_may_pass_says_nothing_of_the_mailbox() {
        for (status, words) in [
            ("5.7.1", "550 5.7.1 User unknown"),
            ("", "550 your IP was blocked: too many messages to unknown users"),
            ("5.1.1", "550 5.1.1 192.0.2.1 has sent to too many recipients this hour"),
            ("5.1.8", "553 5.1.8 Domain of sender address a@b.example does not exist"),
            ("5.1.0", "550 5.1.0 <a@b.example> sender rejected"),
            ("", "user a@b.example marked it as spam, sending host listed"),
            ("4.4.4", "unable to get mx info: lookup b.example: server misbehaving"),
            ("", "unable to get mx info: lookup b.example: i/o timeout"),
            ("", "Name service error for domain b.example: Host not found, try again"),
            ("", "550 5.7.1 unknown user"),
            ("", "550 refused by 5.1.1.9"),
            ("5.2.2", "552 5.2.2 user is over quota"),
            ("5.2.1", "550 5.2.1 The user's account is disabled"),
            ("5.4.1", "550 5.4.1 no answer from host"),
            (
                "4.2.0",
                "450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted, see http://postgrey.example/b.html",
            ),
            ("", "450 Requested mail action not taken: mailbox unavailable"),
            ("", "451 mailbox unavailable, please try again later"),
            ("5.1.0", "550 5.1.0 <a@b.example> refused"),
            ("", "421 4.7.0 temporarily deferred due to unexpected volume or user complaints"),
            ("", ""),
        ] {
            assert!(!is_of_no_mailbox(status, words), "{status} {words}");
        }
    }

    #[test]
    fn a_long_refusal_is_read_at_its_beginning() {
        let long = "é".repeat(3_000_000);
        assert!(!is_of_no_mailbox("", &long));
        assert!(is_of_no_mailbox("", &format!("550 user unknown {long}")));
    }
}
