//! Which scopes a key needs for what Weir does with it.
//!
//! SendGrid documents the scopes' names and not which call needs which: these follow the names' pattern. Whether the newer
//! API for IPs needs the same ones as the older is not documented either; it is taken to.

use std::fmt;

/// What a key is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// Looking at subusers, their credits and their IPs.
    ReadSubusers,
    /// Letting subusers send or not.
    DisableSubusers,
    /// Giving subusers a cap.
    CapSubusers,
    /// Giving subusers other IPs.
    MoveSubusers,
    /// Moving IPs between pools, and making pools.
    MovePools,
    /// Setting up event webhooks.
    Webhooks,
    /// Reading statistics and reputations.
    Stats,
    /// Reading suppressions.
    Suppressions,
    /// Holding batches of mails back.
    Batches,
    /// Looking at domains and reverse DNS.
    Domains,
    /// Looking at the account itself.
    Account,
}

impl Use {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::ReadSubusers,
        Self::DisableSubusers,
        Self::CapSubusers,
        Self::MoveSubusers,
        Self::MovePools,
        Self::Webhooks,
        Self::Stats,
        Self::Suppressions,
        Self::Batches,
        Self::Domains,
        Self::Account,
    ];

    /// The scopes that it needs.
    pub const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::ReadSubusers => &["subusers.read", "subusers.credits.read", "ips.read"],
            Self::DisableSubusers => &["subusers.update"],
            Self::CapSubusers => &["subusers.credits.update", "subusers.credits.remaining.update"],
            Self::MoveSubusers => &["subusers.update", "ips.pools.read", "ips.pools.ips.read"],
            Self::MovePools => &[
                "ips.read",
                "ips.pools.read",
                "ips.pools.create",
                "ips.pools.ips.read",
                "ips.pools.ips.create",
                "ips.pools.ips.delete",
            ],
            Self::Webhooks => &[
                "user.webhooks.event.settings.read",
                "user.webhooks.event.settings.create",
                "user.webhooks.event.settings.update",
                "user.webhooks.event.settings.delete",
                "user.webhooks.event.test.create",
            ],
            Self::Stats => &[
                "stats.read",
                "stats.global.read",
                "mailbox_providers.stats.read",
                "subusers.stats.read",
                "subusers.reputations.read",
            ],
            Self::Suppressions => &[
                "suppression.read",
                "suppression.bounces.read",
                "suppression.blocks.read",
                "suppression.spam_reports.read",
                "suppression.invalid_emails.read",
            ],
            Self::Batches => &[
                "mail.batch.create",
                "user.scheduled_sends.read",
                "user.scheduled_sends.create",
                "user.scheduled_sends.update",
                "user.scheduled_sends.delete",
            ],
            Self::Domains => &["whitelabel.read"],
            Self::Account => &["user.account.read", "user.credits.read"],
        }
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadSubusers => "looking at subusers",
            Self::DisableSubusers => "stopping subusers",
            Self::CapSubusers => "capping subusers",
            Self::MoveSubusers => "giving subusers other IPs",
            Self::MovePools => "moving IPs between pools",
            Self::Webhooks => "setting up event webhooks",
            Self::Stats => "reading statistics",
            Self::Suppressions => "reading suppressions",
            Self::Batches => "holding batches of mails back",
            Self::Domains => "looking at domains",
            Self::Account => "looking at the account",
        })
    }
}

/// What is missing in a key's scopes for these uses, use by use.
pub fn missing(held: &[String], uses: &[Use]) -> Vec<(Use, Vec<&'static str>)> {
    let lacks = |scope: &&&str| !held.iter().any(|held| held == **scope);
    let of = |used: &Use| (*used, used.scopes().iter().filter(lacks).copied().collect());
    uses.iter().map(of).filter(|(_, missing): &(Use, Vec<_>)| !missing.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_said() {
        let held = ["subusers.read", "ips.read", "subusers.update"].map(str::to_owned);
        let missing = missing(&held, &[Use::ReadSubusers, Use::DisableSubusers]);
        assert_eq!(missing, [(Use::ReadSubusers, vec!["subusers.credits.read"])]);
    }

    #[test]
    fn a_key_with_everything_misses_nothing() {
        let held: Vec<String> = Use::ALL.iter().flat_map(|used| used.scopes()).map(|&scope| scope.to_owned()).collect();
        assert_eq!(missing(&held, &Use::ALL), []);
    }
}
