//! Statistics by day. An account's are its own: a parent's leave out its subusers'.

use jiff::civil::Date;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use super::account::Account;
use super::ask::Ask;
use super::client::Client;
use super::endpoint::Endpoint;
use super::error::Error;
use super::http::{Http, parse};
use super::paging::{PAGE, Pages};

/// Days, both ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub first: Date,
    /// The last.
    pub last: Date,
}

/// How many mails met which end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each is the number that SendGrid gives under its name")]
pub struct Metrics {
    pub requests: u64,
    pub processed: u64,
    pub delivered: u64,
    pub deferred: u64,
    pub bounces: u64,
    pub blocks: u64,
    pub bounce_drops: u64,
    pub spam_reports: u64,
    pub spam_report_drops: u64,
    pub invalid_emails: u64,
    pub opens: u64,
    pub unique_opens: u64,
    pub clicks: u64,
    pub unique_clicks: u64,
    pub unsubscribes: u64,
    pub unsubscribe_drops: u64,
}

/// How many mails to a mailbox provider met which end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each is the number that SendGrid gives under its name")]
pub struct ProviderMetrics {
    pub requests: u64,
    pub processed: u64,
    pub delivered: u64,
    pub deferred: u64,
    pub bounces: u64,
    pub blocks: u64,
    pub drops: u64,
    pub spam_reports: u64,
}

/// An account's day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// The day.
    pub date: Date,
    /// Its numbers.
    pub metrics: Metrics,
}

/// A day of something that has a name: a subuser or a mailbox provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedDay<M> {
    /// The day.
    pub date: Date,
    /// Whose.
    pub name: String,
    /// Its numbers.
    pub metrics: M,
}

/// A day as it is told.
#[derive(Deserialize)]
struct Told<M> {
    #[serde(deserialize_with = "date")]
    date: Date,
    #[serde(default = "Vec::new")]
    stats: Vec<Stat<M>>,
}

#[derive(Deserialize)]
struct Stat<M> {
    #[serde(default)]
    name: String,
    metrics: M,
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(|_| D::Error::custom("no date"))
}

/// The most subusers of one call.
const SUBUSERS: usize = 10;

impl Account {
    /// The account's numbers, day by day.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn stats(&self, days: Days) -> Result<Vec<Day>, Error> {
        let told = by_day::<Metrics>(&self.http, &self.ask(Endpoint::Stats), days).await?;
        let day = |told: Told<Metrics>| {
            let date = told.date;
            told.stats.into_iter().map(move |stat| Day { date, metrics: stat.metrics })
        };
        Ok(told.into_iter().flat_map(day).collect())
    }

    /// The account's numbers by mailbox provider, day by day. SendGrid keeps these for seven days of activity.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn provider_stats(&self, days: Days) -> Result<Vec<NamedDay<ProviderMetrics>>, Error> {
        Ok(named(by_day(&self.http, &self.ask(Endpoint::ProviderStats), days).await?))
    }
}

impl Client {
    /// These subusers' numbers, day by day.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn subuser_stats(&self, names: &[&str], days: Days) -> Result<Vec<NamedDay<Metrics>>, Error> {
        let mut all = Vec::new();
        for names in names.chunks(SUBUSERS) {
            let ask = Ask::new(Endpoint::SubuserStats).query(names.iter().map(|name| ("subusers", *name)));
            all.extend(named(by_day(&self.http, &ask, days).await?));
        }
        Ok(all)
    }
}

fn named<M>(told: Vec<Told<M>>) -> Vec<NamedDay<M>> {
    let day = |told: Told<M>| {
        let date = told.date;
        told.stats.into_iter().map(move |stat| NamedDay { date, name: stat.name, metrics: stat.metrics })
    };
    told.into_iter().flat_map(day).collect()
}

/// All days' numbers.
///
/// How many days a page holds at most is not documented, so a short page is the last one only where it reaches the last
/// day; otherwise an empty one is.
async fn by_day<M: DeserializeOwned>(http: &Http, ask: &Ask, days: Days) -> Result<Vec<Told<M>>, Error> {
    let (first, last, limit) = (days.first.to_string(), days.last.to_string(), PAGE.to_string());
    let ask = ask.clone().query([
        ("start_date", first.as_str()),
        ("end_date", &last),
        ("aggregated_by", "day"),
        ("limit", &limit),
    ]);
    let (mut all, mut pages) = (Vec::new(), Pages::default());
    loop {
        let ask = ask.clone().query([("offset", all.len().to_string().as_str())]);
        let body = http.body(&ask).await?;
        let page: Vec<Told<M>> = parse(&ask, &body)?;
        let is_all = page.len() < PAGE && page.iter().any(|told| told.date >= days.last);
        let is_last = page.is_empty() || is_all;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
        pages.turn(&ask, &body)?;
    }
}
