//! What was found and what is to be done, in plain words.

use reqwest::Url;
use sendgrid::api::AccountKind;
use sendgrid::webhook::CustomerRule;

use super::found::{Found, Pool, Scopes, UserFound};
use super::plan::{Step, Target};
use super::pools::PoolChange;

/// What every operator has to know, whatever was found.
const UNPOOLED: &str = "Mail that names no pool may leave through any IP of the account: have every mail name one \
                        (`ip_pool_name`); the metric weir_scorer_processed_mails_total{pool=\"none\"} counts those that named none.";

/// Lists of more than this many are cut.
const SHOWN: usize = 20;

/// What was found at SendGrid.
pub(super) fn found(api: &str, found: &Found, scopes: &Scopes) -> String {
    let mut lines = vec![format!("At {api}:")];
    let mut say = |about: &str, what: String| lines.push(format!("  {about:<9} {what}"));
    say("plan", plan(found));
    match &found.pools {
        Ok(pools) if pools.is_empty() => say("pools", "none".to_owned()),
        Ok(pools) => pools.iter().for_each(|known| say("pool", pool(known))),
        Err(error) => say("pools", format!("not to be read: {error}")),
    }
    say("IPs", ips(found));
    say("subusers", subusers(found));
    found.users.iter().take(SHOWN).for_each(|user| say("webhooks", webhooks(user)));
    if let Some(more) = found.users.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        say("webhooks", format!("and those of {more} other subusers"));
    }
    scopes.missing().into_iter().for_each(|missing| say("API key", missing));
    lines.push(String::new());
    lines.push(UNPOOLED.to_owned());
    lines.join("\n")
}

fn plan(found: &Found) -> String {
    match &found.account {
        Err(error) => format!("not to be read: {error}"),
        Ok((details, credits)) => {
            let kind = match details.kind {
                AccountKind::Free => "free",
                AccountKind::Paid => "paid",
                AccountKind::Other => "of a kind that Weir does not know",
            };
            let (total, remain, next) = (credits.total, credits.remain, &credits.next_reset);
            let reputation = details.reputation;
            format!("{kind}; {remain} of {total} mails left until {next}; reputation {reputation}")
        }
    }
}

fn pool(pool: &Pool) -> String {
    let ips = if pool.ips.is_empty() { "no IP".to_owned() } else { listed(&pool.ips) };
    format!("{}: {ips}", pool.name)
}

fn ips(found: &Found) -> String {
    let Ok(ips) = &found.ips else { return "not to be read".to_owned() };
    let alone: Vec<_> = ips.iter().filter(|ip| ip.pools.is_empty()).map(|ip| ip.ip.clone()).collect();
    let alone = if alone.is_empty() { String::new() } else { format!("; in no pool: {}", listed(&alone)) };
    format!("{}{alone}", ips.len())
}

fn subusers(found: &Found) -> String {
    match &found.subusers {
        Err(error) => format!("not to be read: {error}"),
        Ok(subusers) => {
            let disabled = subusers.iter().filter(|subuser| subuser.disabled).count();
            if disabled == 0 { subusers.len().to_string() } else { format!("{}, {disabled} disabled", subusers.len()) }
        }
    }
}

fn webhooks(found: &UserFound) -> String {
    let most = found.most.map(|most| format!(" of at most {most}")).unwrap_or_default();
    let shown: Vec<_> = found
        .webhooks
        .iter()
        .map(|webhook| format!("{} ({})", address(&webhook.url), if webhook.enabled { "on" } else { "off" }))
        .collect();
    let listed = if shown.is_empty() { String::new() } else { format!(": {}", shown.join(", ")) };
    format!("{}: {}{most}{listed}", found.user, shown.len())
}

/// Where a webhook posts to, without what others may have put there to prove who they are: a user, a password, a query.
pub(super) fn address(url: &str) -> String {
    let Ok(mut shown) = Url::parse(url) else { return "what is no address".to_owned() };
    if shown.set_username("").and_then(|()| shown.set_password(None)).is_err() {
        return format!("an address by {}", shown.scheme());
    }
    shown.set_query(None);
    shown.set_fragment(None);
    shown.into()
}

fn listed(items: &[String]) -> String {
    let (shown, more) = items.split_at(items.len().min(SHOWN));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    format!("{}{more}", shown.join(", "))
}

/// A step of a target, into the configuration `config`.
pub(super) fn step(step: Step, target: &Target, config: &str) -> String {
    let Target { user, url, source, .. } = target;
    match step {
        Step::Create => format!("make a webhook of {user} to {url}, off until it signs"),
        Step::Sign => format!("turn on the signing of the webhook of {user}, and fetch its key"),
        Step::AddSource => format!("write source {source:?} into {config}: {}", told(&target.customer)),
        Step::AddKey => format!("add the key to source {source:?} in {config}; earlier ones stay"),
        Step::TurnOn => match &target.before {
            None => format!("turn on the webhook of {user}, for every kind of event, to {url}"),
            Some(before) => {
                let was = if before.enabled { "reported" } else { "was off and would have reported" };
                let count = before.events.len();
                format!("have the webhook of {user} to {url} report every kind of event; it {was} {count} kinds")
            }
        },
    }
}

fn told(customer: &CustomerRule) -> String {
    match customer {
        CustomerRule::CustomArg(name) => format!("the custom argument {name:?} tells the customer"),
        CustomerRule::CategoryPrefix(prefix) => format!("the category that begins with {prefix:?} tells the customer"),
        CustomerRule::Pool => "the pool is the customer".to_owned(),
        CustomerRule::Fixed(customer) => format!("everything is customer {:?}'s", customer.as_str()),
    }
}

/// A change about pools, in the policy file `policy` and the configuration `config`.
pub(super) fn pools(change: &PoolChange, policy: &str, config: &str) -> String {
    match change {
        PoolChange::MakePolicy { home, quarantine } => format!(
            "write {policy}, the standard policy with the pools home = {home:?} and quarantine = {quarantine:?}, and name it \
             in {config}"
        ),
        PoolChange::SetHome(home) => format!("set home = {home:?} under [pools] in {policy}"),
    }
}

/// So many test events.
pub(super) fn test_events(count: usize) -> String {
    if count == 1 { "a test event".to_owned() } else { format!("{count} test events") }
}

/// Lines, numbered from 1.
pub(super) fn numbered(lines: &[String]) -> String {
    let numbered = (1_u32..).zip(lines).map(|(number, line)| format!("  {number}. {line}"));
    numbered.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proves_who_somebody_is_is_not_shown() {
        for (url, shown) in [
            ("https://ann:s3cret@other.example/hook?token=s3cret#s3cret", "https://other.example/hook"),
            ("https://s3cret@other.example:8443/", "https://other.example:8443/"),
            ("https://weir.example/webhooks/sendgrid/a", "https://weir.example/webhooks/sendgrid/a"),
            ("data:s3cret", "an address by data"),
            ("s3cret", "what is no address"),
        ] {
            assert_eq!(address(url), shown);
        }
    }
}
