//! Who the customers are, and all of one of them.

use policy::Policy;
use serde::Deserialize;
use serde_json::Value;

use super::{Output, open};
use crate::cli::see::{CustomerOptions, CustomersOptions};
use crate::rendering::customer::{CustomerAnswer, page};
use crate::rendering::customers::{CustomersPage, table};
use crate::running_weir::RunningWeir;

/// Customers that are asked for at a time.
const PAGE: usize = 100;

/// Lists them, the worst first.
pub(crate) async fn list(options: CustomersOptions) -> anyhow::Result<()> {
    let (weir, output) = open(&options.asking)?;
    let limit = if options.limit == 0 { usize::MAX } else { options.limit };
    let wanted = [
        ("stage", options.stage.map(|stage| stage.name().to_owned())),
        ("phase", options.phase.map(|phase| phase.name().to_owned())),
        ("pool", options.pool),
        ("search", options.search),
    ];
    let wanted: Vec<_> = wanted.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let mut after = None;
    let mut found = Vec::new();
    while found.len() < limit {
        let (mut page, next) = one_page(&weir, &wanted, after, PAGE.min(limit - found.len())).await?;
        found.append(&mut page);
        after = next;
        if after.is_none() {
            break;
        }
    }
    tell(&output, found, after.is_some())
}

async fn one_page(
    weir: &RunningWeir,
    wanted: &[(&str, String)],
    after: Option<String>,
    limit: usize,
) -> anyhow::Result<(Vec<Value>, Option<String>)> {
    let request = weir.get("/v1/customers").query(wanted).query(&[("limit", limit)]);
    let request = request.query(&after.map(|after| ("after", after)).into_iter().collect::<Vec<_>>());
    let CustomersPage { customers, next } = weir.answer(request).await?;
    let next = next.filter(|next| !next.is_null());
    Ok((customers, next.map(|next| next.as_str().map_or_else(|| next.to_string(), str::to_owned))))
}

fn tell(output: &Output, found: Vec<Value>, is_more: bool) -> anyhow::Result<()> {
    output.list(found, |standings, look| {
        let more = if is_more { "There are more: --limit NUMBER, or 0 for all.\n" } else { "" };
        table(standings, look) + more
    })
}

/// Shows all of one of them.
pub(crate) async fn show(CustomerOptions { customer, asking }: CustomerOptions) -> anyhow::Result<()> {
    let (weir, output) = open(&asking)?;
    let answer: Value = weir.answer(weir.get_from(&["v1", "customers", &customer])?).await?;
    let policy = if asking.json { None } else { policy_in_force(&weir).await };
    output.show(answer, |answer: &CustomerAnswer, look| page(answer, policy.as_ref(), look))
}

/// The policy in force. Not every process knows it; the rates are then shown without limits.
pub(super) async fn policy_in_force(weir: &RunningWeir) -> Option<Policy> {
    #[derive(Deserialize)]
    struct InForce {
        text: Option<String>,
    }
    let InForce { text } = weir.answer(weir.get("/v1/policy")).await.ok()?;
    Policy::parse(&text?).ok()
}
