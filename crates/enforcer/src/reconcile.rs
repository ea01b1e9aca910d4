//! One customer: what is, what should be, and the calls between.

use std::collections::{BTreeMap, BTreeSet};

use model::{PoolName, Stage, Standing};
use sendgrid::api::{self, Client, Credits};

use crate::placement::Placement;
use crate::plan::{self, Call, Plan, Pools, SubuserState};

/// The pools that customers are moved between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PoolNames {
    pub(crate) home: PoolName,
    pub(crate) quarantine: PoolName,
    /// IPs that belong to one customer alone: no subuser is given them, whichever pool they are in.
    pub(crate) dedicated: BTreeSet<String>,
}

/// A plan, and how the customer was when it was made.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) plan: Plan,
    pub(crate) found: Option<SubuserState>,
}

/// Looks at SendGrid and plans.
///
/// `before` is how a subuser was before Weir's first change.
pub(crate) async fn look(
    client: &Client,
    pools: &PoolNames,
    placement: &Placement,
    standing: &Standing,
    before: Option<&SubuserState>,
) -> Result<Looked, api::Error> {
    match placement {
        Placement::Route => Ok(Looked { plan: Plan::default(), found: None }),
        Placement::Subuser(name) => look_at_subuser(client, pools, name, standing, before).await,
        Placement::DedicatedIps(ips) => {
            let plan = look_at_ips(client, pools, ips, standing).await?;
            Ok(Looked { plan, found: None })
        }
    }
}

/// Makes one call.
pub(crate) async fn make(client: &Client, call: &Call) -> Result<(), api::Error> {
    match call {
        Call::SetSubuserIps { subuser, ips } => {
            let ips: Vec<String> = ips.iter().cloned().collect();
            client.set_subuser_ips(subuser, &ips).await
        }
        Call::SetCredits { subuser, credits } => client.set_credits(subuser, credits).await,
        Call::SetDisabled { subuser, disabled } => client.set_disabled(subuser, *disabled).await,
        Call::AddToPool { pool, ip } => client.add_to_pool(pool, ip).await,
        Call::RemoveFromPool { pool, ip } => client.remove_from_pool(pool, ip).await,
    }
}

async fn look_at_subuser(
    client: &Client,
    pools: &PoolNames,
    name: &str,
    standing: &Standing,
    before: Option<&SubuserState>,
) -> Result<Looked, api::Error> {
    let Some(subuser) = client.subuser(name).await? else {
        return Ok(held_back(format!("there is no subuser {name}: name the customer's subuser in its placement")));
    };
    let ips = client.subuser_ips(name).await?.into_iter().map(|ip| ip.ip).collect();
    let found = SubuserState { ips, credits: client.credits(name).await?, disabled: subuser.disabled };
    let home = before.unwrap_or(&found);
    let disabled = standing.stage >= Stage::Suspended || home.disabled;
    let mut no_pool_reason = None;
    let ips = match standing.stage {
        Stage::Quarantined => {
            let pool = client.pool_ips(pools.quarantine.as_str()).await?;
            no_pool_reason = pool.is_none().then(|| no_pool(&pools.quarantine));
            pool.unwrap_or_default().into_iter().filter(|ip| !pools.dedicated.contains(ip)).collect()
        }
        // Where one that does not send would send does not matter.
        Stage::Suspended | Stage::Banned => found.ips.clone(),
        Stage::Healthy | Stage::Watch | Stage::Throttled => home.ips.clone(),
    };
    let credits = standing.daily_cap.map_or_else(|| home.credits.clone(), Credits::daily);
    let mut plan = plan::subuser(name, &SubuserState { ips, credits, disabled }, &found);
    plan.held_back.extend(no_pool_reason);
    Ok(Looked { plan, found: Some(found) })
}

async fn look_at_ips(
    client: &Client,
    names: &PoolNames,
    ips: &[String],
    standing: &Standing,
) -> Result<Plan, api::Error> {
    let (home, quarantine) = (names.home.as_str(), names.quarantine.as_str());
    let poor = standing.stage >= Stage::Quarantined;
    let (into, out_of) = if poor { (quarantine, home) } else { (home, quarantine) };
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for pool in [&names.home, &names.quarantine] {
        match client.pool_ips(pool.as_str()).await? {
            Some(ips) => members.insert(pool.as_str().to_owned(), ips.into_iter().collect()),
            None => return Ok(Plan { calls: Vec::new(), held_back: vec![no_pool(pool)] }),
        };
    }
    let pools = Pools { into: into.to_owned(), out_of: out_of.to_owned(), members };
    let mut plan = plan::dedicated(ips, &pools);
    if standing.stage >= Stage::Suspended {
        plan.held_back.push("SendGrid can't stop a customer that has only IPs: stop it in your mailer".to_owned());
    } else if standing.daily_cap.is_some() {
        plan.held_back.push("SendGrid can't cap a customer that has only IPs: cap it in your mailer".to_owned());
    }
    Ok(plan)
}

fn held_back(reason: String) -> Looked {
    Looked { plan: Plan { calls: Vec::new(), held_back: vec![reason] }, found: None }
}

fn no_pool(pool: &PoolName) -> String {
    format!("there is no pool {pool} at SendGrid: make it, or name another one in the policy")
}
