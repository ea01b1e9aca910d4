//! Whether a refusal says that there is nobody, in the receiving server's own words.

/// Words by which servers say that they know no such mailbox.
const NO_MAILBOX: &[&str] = &[
    "user unknown",
    "unknown user",
    "unknown recipient",
    "unknown or illegal",
    "unknown address",
    "no such user",
    "no such recipient",
    "no such mailbox",
    "no such address",
    "no mailbox here",
    "mailbox not found",
    "mailbox does not exist",
    "user not exist",
    "user not found",
    "user does not exist",
    "user doesn't exist",
    "user doesn't have a",
    "account does not exist",
    "account that you tried to reach does not exist",
    "address does not exist",
    "recipient does not exist",
    "recipient not found",
    "recipientnotfound",
    "recipnotfound",
    "recipient no longer on server",
    "address not found",
    "address couldn't be found",
    "invalid recipient",
    "invalid mailbox",
    "invalid user",
    "bad destination mailbox",
    "not our customer",
    "requested action not taken: mailbox unavailable",
];

/// Words by which it is said that the domain takes no mail, for good.
const NO_DOMAIN: &[&str] = &[
    "nxdomain",
    "no such host",
    "no such domain",
    "no mx",
    "null mx",
    "nullmx",
    "host unknown",
    "unknown host",
    "host not found",
    "domain not found",
    "domain does not exist",
    "domain doesn't exist",
    "domain name not found",
    "invalid domain",
    "illegal host",
    "find any host named",
    "does not accept mail",
    "doesn't accept mail",
];

/// Words of refusals that are about somebody or something else, whatever mailbox they mention, or that may pass.
const ABOUT_SOMETHING_ELSE: &[&str] = &[
    "sender",
    "mail from",
    "from address",
    "from domain",
    "blocked",
    "blacklist",
    "block list",
    "blocklist",
    "banned",
    "listed",
    "reputation",
    "spam",
    "complaint",
    "unsolicited",
    "client host",
    "reverse dns",
    "rdns",
    "helo",
    "ehlo",
    " spf",
    "dkim",
    "dmarc",
    "authenticat",
    "policy",
    "too many",
    "rate limit",
    "unknown users",
    "invalid recipients",
    "nonexistent users",
    "not verified",
    "quota",
    "mailbox full",
    "mailbox is full",
    "disabled",
    "name was rejected",
    "try again later",
    "found, try again",
    "temporar",
    "timed out",
    "timeout",
    "misbehaving",
];

/// Enhanced status codes (RFC 3463, RFC 5248) that say of the recipient's address that it leads nowhere.
const STATUSES: &[&str] = &["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.4"];

/// What Microsoft answers where it knows a domain's addresses and this is none of them.
const NOT_IN_DIRECTORY: (&str, &[&str]) = ("5.4.1", &["recipient address rejected", "recipient addresses rejected"]);

/// So much of a refusal is read, in bytes: servers' answers are a few lines.
const READ: usize = 2_000;

/// A refusal: its enhanced status code, and its words.
pub(super) struct Refusal {
    status: String,
    words: String,
}

impl Refusal {
    /// Takes what is told of both; a status that is told nowhere else is looked for in the words.
    pub(super) fn new(status: Option<&str>, words: Option<&str>) -> Self {
        let words = words.unwrap_or_default();
        let words = words.get(..words.floor_char_boundary(READ)).unwrap_or_default().to_ascii_lowercase();
        let told = status.and_then(status_in).or_else(|| status_in(&words));
        Self { status: told.unwrap_or_default().to_owned(), words }
    }

    /// Whether the mailbox or its domain does not exist.
    pub(super) fn is_of_no_mailbox(&self) -> bool {
        if self.status.split('.').nth(1) == Some("7") || self.says(ABOUT_SOMETHING_ELSE) {
            return false;
        }
        let (status, words) = NOT_IN_DIRECTORY;
        STATUSES.contains(&self.status.as_str())
            || (self.status == status && (self.words.is_empty() || self.says(words)))
            || self.says(NO_MAILBOX)
            || self.says(NO_DOMAIN)
    }

    /// Whether there is no such domain, or none that takes mail.
    pub(super) fn is_of_no_domain(&self) -> bool {
        !self.says(ABOUT_SOMETHING_ELSE) && self.says(NO_DOMAIN)
    }

    fn says(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.words.contains(phrase))
    }
}

/// The first enhanced status code in a text.
fn status_in(text: &str) -> Option<&str> {
    let is_status = |word: &&str| {
        let parts: Vec<_> = word.split('.').collect();
        let is_number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        matches!(parts.as_slice(), ["4" | "5", _, _]) && parts.iter().all(is_number)
    };
    text.split(|c: char| !c.is_ascii_digit() && c != '.').map(|word| word.trim_matches('.')).find(is_status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_of_no_mailbox(status: &str, words: &str) -> bool {
        Refusal::new(Some(status), Some(words)).is_of_no_mailbox()
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
