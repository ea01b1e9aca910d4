//! What SendGrid says of an account's day.

use model::{Counter, Day, MailAccount, Millis};
use sendgrid::api::{Client, Days, Error, Metrics, SuppressionList, TimeWindow};

use crate::hours::Listed;

/// What SendGrid says.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) metrics: Metrics,
    pub(crate) listed: Listed,
}

/// The lists, and the kind of event that puts an address onto each.
const LISTS: [(SuppressionList, Counter); 3] = [
    (SuppressionList::Bounces, Counter::HardBounce),
    (SuppressionList::Blocks, Counter::Block),
    (SuppressionList::SpamReports, Counter::SpamReport),
];

/// Asks for a day's statistics, and for when addresses came onto the lists of suppressions. A day of which SendGrid has no
/// statistics had no mail.
pub(crate) async fn look(client: &Client, account: &MailAccount, day: Day) -> Result<Told, Error> {
    let account = match account {
        MailAccount::Parent => client.own(),
        MailAccount::Subuser(name) => client.on_behalf_of(name)?,
    };
    let mut told = Told::default();
    // Outside of the calendar there is no mail.
    let Some(date) = day.date() else { return Ok(told) };
    let days = account.stats(Days { first: date, last: date }).await?;
    if let Some(day) = days.into_iter().find(|told| told.date == date) {
        told.metrics = day.metrics;
    }
    let within = TimeWindow { first: day.start(), last: day.end() - Millis::seconds(1) };
    for (list, kind) in LISTS {
        let suppressions = account.suppressions(list, within).await?;
        told.listed.insert(kind, suppressions.iter().map(|suppression| suppression.created).collect());
    }
    Ok(told)
}
