//! What all customers' mail does together.

use std::fmt::Write as _;

use model::{Counts, CustomerId, Fleet, PoolName, Rate, Stage, Window};
use serde::Deserialize;

use super::customer::COLUMNS;
use super::{Look, lines, moment, or_nothing, right};

/// What the API answers.
#[derive(Debug, Deserialize)]
pub(crate) struct FleetAnswer {
    #[serde(flatten)]
    pub(crate) fleet: Fleet,
    ranking: Vec<Ranked>,
    limits: Option<Vec<Near>>,
}

/// A customer that weighs much.
#[derive(Debug, Deserialize)]
struct Ranked {
    customer: CustomerId,
    stage: Stage,
    pool: Option<PoolName>,
    hard_bounce: Rate,
    spam_report: Rate,
    times_the_fleet: f64,
}

/// A limit of all customers together that is near, or crossed.
#[derive(Debug, Deserialize)]
struct Near {
    name: String,
    of: String,
    signal: String,
    limit: f64,
    rate: Rate,
    in_hours: f64,
    heaviest: Option<Vec<Part>>,
}

#[derive(Debug, Deserialize)]
struct Part {
    customer: String,
    bad: u32,
    mails: u32,
}

/// Counts of 24 hours, who weighs most, and which limits are near.
pub(crate) fn page(answer: &FleetAnswer, look: &Look) -> String {
    let fleet = &answer.fleet;
    let mut text = match fleet.as_of {
        Some(as_of) => format!("As of {} ({} ago)\n", moment(as_of), look.age(as_of)),
        None => "No scorer has told of any mail yet.\n".to_owned(),
    };
    text += &format!("{}\n", stages(fleet, look));
    let day = fleet.windows.get(&Window::Day);
    let providers = day.into_iter().flat_map(|day| day.providers.iter().map(|(name, counts)| (name.name(), counts)));
    section(&mut text, look, "By provider, 24 hours", &counts("PROVIDER", providers, look));
    let pools = day.into_iter().flat_map(|day| day.pools.iter().map(|(name, counts)| (name.as_str(), counts)));
    section(&mut text, look, "By pool, 24 hours", &counts("POOL", pools, look));
    section(&mut text, look, "Who weighs most", &ranking(&answer.ranking, look));
    section(&mut text, look, "Limits of all together", &near(answer.limits.as_deref(), look));
    text
}

fn section(text: &mut String, look: &Look, heading: &str, what: &str) {
    // Writing to a string can't fail.
    let _unfailing = write!(text, "\n{}\n{what}", look.heading(heading));
}

/// How many customers are at each stage.
pub(crate) fn stages(fleet: &Fleet, look: &Look) -> String {
    let at = |stage| fleet.stages.get(&stage).copied().unwrap_or_default();
    Stage::ALL.map(|stage| format!("{} {}", look.stage_word(stage), at(stage))).join("  ")
}

fn counts<'a>(what: &str, rows: impl Iterator<Item = (&'a str, &'a Counts)>, look: &Look) -> String {
    let mut table = look.table(&[what, "PROCESSED", "DELIVERED", "BOUNCED", "BLOCKED", "DEFERRED", "COMPLAINTS"]);
    for (name, counts) in rows.filter(|(_, counts)| !counts.is_zero()) {
        let figures = COLUMNS.map(|counter| counts[counter].to_string());
        table.add_row(std::iter::once(name.to_owned()).chain(figures));
    }
    right(&mut table, 1..=6);
    if table.is_empty() { "None.\n".to_owned() } else { lines(&table) }
}

fn ranking(ranking: &[Ranked], look: &Look) -> String {
    if ranking.is_empty() {
        return "Nobody yet; customers are weighed every five minutes.\n".to_owned();
    }
    let mut table = look.table(&["CUSTOMER", "STAGE", "POOL", "BOUNCES", "COMPLAINTS", "TIMES THE FLEET"]);
    for ranked in ranking {
        table.add_row([
            ranked.customer.as_str().into(),
            look.stage(ranked.stage),
            or_nothing(ranked.pool.as_ref()).into(),
            ranked.hard_bounce.to_string().into(),
            ranked.spam_report.to_string().into(),
            format!("{:.1}", ranked.times_the_fleet).into(),
        ]);
    }
    right(&mut table, 3..=5);
    lines(&table)
}

fn near(limits: Option<&[Near]>, look: &Look) -> String {
    match limits {
        None => {
            "Not known here: only a process with the roles scorer and console knows the policy in force.\n".to_owned()
        }
        Some([]) => "None is crossed, and none will be if every hour is like the last one.\n".to_owned(),
        Some(limits) => limits.iter().map(|limit| one(limit, look)).collect(),
    }
}

fn one(near: &Near, look: &Look) -> String {
    let when = if near.in_hours > 0.0 {
        format!("crossed in {:.1} hours if they are like the last one", near.in_hours)
    } else {
        look.alarming("crossed")
    };
    let Near { name, of, rate, .. } = near;
    let limit = Rate::new(near.limit).unwrap_or(Rate::ZERO);
    let mut text = format!("{name}, {of}: {} {rate} of {limit}: {when}\n", near.signal.replace('_', " "));
    match &near.heaviest {
        Some(parts) => {
            for Part { customer, bad, mails } in parts {
                text += &format!("  without {customer} ({bad} bad of {mails})\n");
            }
        }
        None => text += "  no small set of customers would do\n",
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples;
    use super::*;

    #[test]
    fn the_fleet_on_one_page() {
        let counts = json!({"processed": 1000, "delivered": 950, "hard_bounce": 31});
        let answer = samples::read(json!({
            "as_of": samples::plain().now, "stages": {"healthy": 290, "quarantined": 1},
            "windows": {"24h": {"providers": {"gmail": counts}, "pools": {"home": counts}}},
            "ranking": [{"customer": "acme", "stage": "quarantined", "pool": "home", "hard_bounce": 0.0771, "spam_report": 0.0,
                "times_the_fleet": 8.57}],
            "limits": [{"name": "account-bounces", "of": "account", "signal": "hard_bounce", "limit": 0.05, "rate": 0.031,
                "in_hours": 2.25, "heaviest": [{"customer": "acme", "bad": 31, "mails": 402}]}],
        }));
        let expected = "\
As of 2026-11-23T12:00:00Z (0s ago)
healthy 290  watch 0  throttled 0  quarantined 1  suspended 0  banned 0

By provider, 24 hours
PROVIDER  PROCESSED  DELIVERED  BOUNCED  BLOCKED  DEFERRED  COMPLAINTS
gmail          1000        950       31        0         0           0

By pool, 24 hours
POOL  PROCESSED  DELIVERED  BOUNCED  BLOCKED  DEFERRED  COMPLAINTS
home       1000        950       31        0         0           0

Who weighs most
CUSTOMER  STAGE        POOL  BOUNCES  COMPLAINTS  TIMES THE FLEET
acme      quarantined  home   7.71 %      0.00 %              8.6

Limits of all together
account-bounces, account: hard bounce 3.10 % of 5.00 %: crossed in 2.2 hours if they are like the last one
  without acme (31 bad of 402)
";
        assert_eq!(page(&answer, &samples::plain()), expected);
    }
}
