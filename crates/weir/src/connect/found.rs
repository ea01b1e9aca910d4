//! What there is at SendGrid.

use std::collections::BTreeSet;

use anyhow::Context;
use sendgrid::api::needs::{self, Use};
use sendgrid::api::{AccountCredits, AccountDetails, Client, Error, Ip, Refusal, Subuser, Webhook};

use super::address::Base;
use super::user::User;

/// What was found. What the key may not read is told as the refusal.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) account: Result<(AccountDetails, AccountCredits), Error>,
    pub(super) pools: Result<Vec<Pool>, Error>,
    pub(super) ips: Result<Vec<Ip>, Error>,
    pub(super) subusers: Result<Vec<Subuser>, Error>,
    pub(super) users: Vec<UserFound>,
}

/// A pool and its IPs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pool {
    pub(super) name: String,
    pub(super) ips: Vec<String>,
}

/// A user's webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UserFound {
    pub(super) user: User,
    /// Those that post to Weir have their key here, where they sign.
    pub(super) webhooks: Vec<Webhook>,
    /// How many there may be.
    pub(super) most: Option<u64>,
}

/// Which subusers are to be connected, beside the account itself.
#[derive(Clone, Debug)]
pub(super) enum WantedSubusers {
    All,
    These(Vec<String>),
}

/// What the key may do.
#[derive(Clone, Debug)]
pub(super) struct Scopes(Option<Vec<String>>);

/// What Weir does at SendGrid, or will do once it enforces.
const USES: [Use; 6] =
    [Use::Webhooks, Use::Account, Use::ReadSubusers, Use::DisableSubusers, Use::CapSubusers, Use::MoveSubusers];

impl Scopes {
    /// Asks for them; where SendGrid refuses to tell, the calls themselves will.
    pub(super) async fn ask(client: &Client, key_env: &str) -> anyhow::Result<Self> {
        match client.own().scopes().await {
            Ok(held) => Ok(Self(Some(held))),
            Err(error) => match error.refusal() {
                None => Err(error).context("SendGrid does not answer what the API key may do"),
                Some(Refusal::BadKey) => Err(error).with_context(|| format!("the API key in {key_env} can't be used")),
                Some(_) => Ok(Self(None)),
            },
        }
    }

    /// Those of `wanted` that are known to be missing.
    pub(super) fn lacking(&self, wanted: impl IntoIterator<Item = &'static str>) -> BTreeSet<&'static str> {
        let Self(Some(held)) = self else { return BTreeSet::new() };
        wanted.into_iter().filter(|scope| !held.iter().any(|held| held == scope)).collect()
    }

    /// What is missing for what Weir does, in words.
    pub(super) fn missing(&self) -> Vec<String> {
        let Self(Some(held)) = self else { return vec!["SendGrid does not tell what the API key may do".to_owned()] };
        let missing = needs::missing(held, &USES).into_iter();
        missing.map(|(used, scopes)| format!("for {used}, the key lacks {}", scopes.join(", "))).collect()
    }
}

/// Looks at the account, and at the webhooks of those who are to be connected.
pub(super) async fn look(client: &Client, wanted: &WantedSubusers, base: &Base) -> anyhow::Result<Found> {
    let own = client.own();
    let account = match own.details().await {
        Ok(details) => own.credits().await.map(|credits| (details, credits)),
        Err(error) => Err(error),
    };
    let ips = client.all_ips().await;
    let pools = client.pools().await.map(|names| pools(names, ips.as_deref().unwrap_or_default()));
    let subusers = client.subusers().await;
    let mut users = Vec::new();
    for user in chosen(wanted, subusers.as_deref())? {
        users.push(look_at(client, user, base).await?);
    }
    Ok(Found { account, pools, ips, subusers, users })
}

fn pools(names: Vec<String>, ips: &[Ip]) -> Vec<Pool> {
    let ips_of = |name: &str| ips.iter().filter(|ip| ip.pools.contains(name)).map(|ip| ip.ip.clone()).collect();
    names.into_iter().map(|name| Pool { ips: ips_of(&name), name }).collect()
}

/// The account itself and the subusers that are asked for, each once.
fn chosen(wanted: &WantedSubusers, subusers: Result<&[Subuser], &Error>) -> anyhow::Result<Vec<User>> {
    let mut users = vec![User::OWN];
    let names: BTreeSet<&str> = match wanted {
        WantedSubusers::These(names) if names.is_empty() => return Ok(users),
        WantedSubusers::These(names) => names.iter().map(String::as_str).collect(),
        WantedSubusers::All => BTreeSet::new(),
    };
    let subusers = match subusers {
        Ok(subusers) => subusers,
        Err(error) => anyhow::bail!("the account's subusers can't be looked at: {error}"),
    };
    if let Some(unknown) = names.iter().find(|name| !subusers.iter().any(|subuser| subuser.username == **name)) {
        anyhow::bail!("the account has no subuser {unknown:?}; it has {} others", subusers.len());
    }
    let is_wanted = |name: &str| matches!(wanted, WantedSubusers::All) || names.contains(name);
    let wanted = subusers.iter().filter(|subuser| is_wanted(&subuser.username));
    users.extend(wanted.map(|subuser| User::new(Some(subuser.username.clone()))));
    users.sort();
    Ok(users)
}

/// Looks at a user's webhooks. The list may leave a key out, so it is asked for, for those that matter.
async fn look_at(client: &Client, user: User, base: &Base) -> anyhow::Result<UserFound> {
    let account = user.account(client)?;
    let found = account.all_webhooks().await.with_context(|| format!("the webhooks of {user} can't be looked at"))?;
    let mut webhooks = found.all;
    for webhook in webhooks.iter_mut().filter(|webhook| base.holds(&webhook.url) && webhook.public_key.is_none()) {
        webhook.public_key = account.webhook_key(&webhook.id).await?.and_then(|key| key.public_key);
    }
    Ok(UserFound { user, webhooks, most: found.most })
}

#[cfg(test)]
mod tests {
    use sendgrid::api::Id;

    use super::*;

    fn subusers() -> Vec<Subuser> {
        ["b", "a"].map(|name| Subuser { username: name.to_owned(), disabled: false, id: Id::new("1") }).to_vec()
    }

    fn names(wanted: &WantedSubusers) -> anyhow::Result<Vec<Option<String>>> {
        let users = chosen(wanted, Ok(&subusers()))?;
        Ok(users.iter().map(|user| user.subuser().map(str::to_owned)).collect())
    }

    #[test]
    fn the_account_itself_and_who_is_asked_for_are_connected_each_once() {
        let these = |names: &[&str]| WantedSubusers::These(names.iter().map(|&name| name.to_owned()).collect());
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(names(&these(&[])).unwrap(), [None]);
        assert_eq!(names(&these(&["b", "b"])).unwrap(), [None, some("b")]);
        assert_eq!(names(&WantedSubusers::All).unwrap(), [None, some("a"), some("b")]);
        assert!(names(&these(&["c"])).unwrap_err().to_string().contains("\"c\""));
    }
}
