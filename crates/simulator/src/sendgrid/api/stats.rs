//! What was sent, counted by day.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::super::server::Shared;
use super::super::user::{DayTally, METRICS, PROVIDER_METRICS, Tallies};
use super::answers::{ok, refused_field};
use super::on_behalf_of::OnBehalfOf;

/// Days in one answer; SendGrid keeps no longer.
const LONGEST: usize = 1_200;
/// How many subusers or providers a call may name.
const MOST_NAMES: usize = 10;

/// Keys may come several times.
type Asked = Vec<(String, String)>;

/// The account's own mail, or a subuser's: the account's do not hold its subusers'.
pub(super) async fn global(
    State(shared): State<Shared>,
    OnBehalfOf(user): OnBehalfOf,
    Query(asked): Query<Asked>,
) -> Response {
    let mut world = shared.world();
    let tallies = &world.user(user).tallies;
    answered(tallies.latest(), &asked, |days| {
        let all = sum(tallies, days, &METRICS, |day, metric| day.all.get(metric).copied());
        vec![json!({ "metrics": all })]
    })
}

pub(super) async fn subusers(State(shared): State<Shared>, Query(asked): Query<Asked>) -> Response {
    let names = all(&asked, "subusers");
    if names.is_empty() || names.len() > MOST_NAMES {
        return refused_field(StatusCode::BAD_REQUEST, "subusers", "name 1 to 10 subusers");
    }
    let mut world = shared.world();
    let tallies: Vec<_> =
        names.iter().map(|name| (*name, world.user(Some((*name).to_owned())).tallies.clone())).collect();
    let latest = tallies.iter().filter_map(|(_, tallies)| tallies.latest()).max();
    answered(latest, &asked, |days| {
        let of = |tallies| sum(tallies, days, &METRICS, |day, metric| day.all.get(metric).copied());
        tallies.iter().map(|(name, t)| json!({ "type": "subuser", "name": name, "metrics": of(t) })).collect()
    })
}

/// The providers are named as Weir names them.
pub(super) async fn providers(
    State(shared): State<Shared>,
    OnBehalfOf(user): OnBehalfOf,
    Query(asked): Query<Asked>,
) -> Response {
    let wanted = all(&asked, "mailbox_providers");
    if wanted.len() > MOST_NAMES {
        return refused_field(StatusCode::BAD_REQUEST, "mailbox_providers", "name at most 10 mailbox providers");
    }
    let mut world = shared.world();
    let tallies = &world.user(user).tallies;
    answered(tallies.latest(), &asked, |days| {
        let providers = model::Provider::ALL.iter().filter(|p| wanted.is_empty() || wanted.contains(&p.name()));
        let counted = providers.map(|provider| {
            let count = |day: &DayTally, metric: &str| day.providers.get(provider)?.get(metric).copied();
            let metrics = sum(tallies, days, &PROVIDER_METRICS, count);
            json!({ "type": "mailbox_provider", "name": provider.name(), "metrics": metrics })
        });
        counted.collect()
    })
}

fn answered(latest: Option<Date>, asked: &Asked, stats: impl Fn(&[Date]) -> Vec<Value>) -> Response {
    match periods(latest, asked) {
        Err((field, message)) => refused_field(StatusCode::BAD_REQUEST, field, message),
        Ok(periods) => {
            let (limit, offset) = (number(asked, "limit").unwrap_or(LONGEST), number(asked, "offset").unwrap_or(0));
            let page = periods.iter().skip(offset).take(limit);
            ok(page.map(|days| json!({ "date": days.first().map(Date::to_string), "stats": stats(days) })).collect())
        }
    }
}

fn sum(
    tallies: &Tallies,
    days: &[Date],
    metrics: &[&'static str],
    of: impl Fn(&DayTally, &str) -> Option<u64>,
) -> Value {
    let sum = |metric: &str| -> u64 {
        days.iter().filter_map(|day| tallies.of(*day)).filter_map(|tally| of(tally, metric)).sum()
    };
    metrics.iter().map(|metric| ((*metric).to_owned(), json!(sum(metric)))).collect()
}

/// The days that are asked for, by day, week or month. Without an end they go on until now, or until the latest event
/// where simulated time is ahead.
fn periods(latest: Option<Date>, asked: &Asked) -> Result<Vec<Vec<Date>>, (&'static str, &'static str)> {
    let day = |name: &str| all(asked, name).first().map(|text| text.parse::<Date>());
    let start = day("start_date").and_then(Result::ok).ok_or(("start_date", "start_date must be YYYY-MM-DD"))?;
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let end = match day("end_date") {
        None => latest.map_or(today, |latest| latest.max(today)),
        Some(end) => end.map_err(|_| ("end_date", "end_date must be YYYY-MM-DD"))?,
    };
    let aggregated = all(asked, "aggregated_by").first().copied().unwrap_or("day");
    let mut periods: Vec<Vec<Date>> = Vec::new();
    for day in start.series(1.day()).take_while(|day| *day <= end).take(LONGEST) {
        match periods.last_mut().filter(|period| period.first().is_some_and(|first| same(*first, day, aggregated))) {
            Some(period) => period.push(day),
            None => periods.push(vec![day]),
        }
    }
    Ok(periods)
}

fn same(first: Date, day: Date, aggregated: &str) -> bool {
    match aggregated {
        "week" => first.iso_week_date().week() == day.iso_week_date().week(),
        "month" => (first.year(), first.month()) == (day.year(), day.month()),
        _ => first == day,
    }
}

fn all<'a>(asked: &'a Asked, name: &str) -> Vec<&'a str> {
    asked.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
}

fn number(asked: &Asked, name: &str) -> Option<usize> {
    all(asked, name).first()?.parse().ok()
}
