//! The table in which the demo ends.

use std::fmt::Write as _;

use comfy_table::{Table, presets};
use model::{Decision, Evidence, Stage};
use simulator::platform::{Account, Placement};
use simulator::sendgrid::SendGrid;

use super::mailer::{Reached, Stayed};

/// Who was found, when, and why; and whether anybody good was touched.
pub(crate) fn report(stayed: &Stayed, sendgrid: &SendGrid) -> String {
    let accounts = stayed.platform.accounts();
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY);
    table.set_header(["customer", "truth", "stage reached", "mails until then", "at SendGrid", "reason"]);
    for account in accounts.iter().filter(|account| !account.truth.is_good() || moved(stayed, account).is_some()) {
        table.add_row(row(stayed, account, sendgrid));
    }
    let mut text = format!("{table}\n\n");
    let good = accounts.iter().filter(|account| account.truth.is_good());
    let touched = good.clone().filter(|account| moved(stayed, account).is_some()).count();
    let urgent = accounts.iter().filter(|account| account.truth.is_urgent());
    let in_time = urgent.clone().filter(|account| in_time(stayed, account)).count();
    let calls = sendgrid.world().calls().iter().filter(|call| call.method != "GET").count();
    // Writing to a string can't fail.
    let _unfailing = write!(
        text,
        "{} of {} bought lists, complaint magnets and hijacked accounts were out of the good pool before a tenth of \
         their mail.\nGood customers touched: {touched} of {}.\n{} mails left, {} events were taken, {calls} changing \
         calls were made at SendGrid.",
        in_time,
        urgent.count(),
        good.count(),
        stayed.mails,
        stayed.posted
    );
    text
}

fn row(stayed: &Stayed, account: &Account, sendgrid: &SendGrid) -> Vec<String> {
    let place = place(account, sendgrid);
    let planned = account.planned_mails;
    let Some(Reached { decision, sent }) = moved(stayed, account) else {
        let rest = ["healthy".to_owned(), String::new(), place, String::new()];
        return [account.id.to_string(), account.truth.name().to_owned()].into_iter().chain(rest).collect();
    };
    let share = (sent * 100).checked_div(planned).unwrap_or(0);
    vec![
        account.id.to_string(),
        account.truth.name().to_owned(),
        decision.to.to_string(),
        format!("{sent} of {planned} ({share} %)"),
        place,
        reason(decision),
    ]
}

/// The rule and its figures, short enough for a line.
fn reason(decision: &Decision) -> String {
    let Some(evidence) = &decision.evidence else { return decision.rule.clone() };
    let Evidence { signal, window, numerator, denominator, rate, threshold, .. } = evidence;
    let signal = signal.replace('_', " ");
    format!("{signal} {numerator} of {denominator} in {}: {rate}, limit {threshold}", window.name())
}

/// The decision that brought the customer to its strictest stage.
fn moved<'s>(stayed: &'s Stayed, account: &Account) -> Option<&'s Reached> {
    let reached = stayed.reached.get(&account.id)?;
    let strictest = reached.iter().map(|reached| reached.decision.to).max()?;
    reached.iter().find(|reached| reached.decision.to == strictest)
}

fn in_time(stayed: &Stayed, account: &Account) -> bool {
    let reached = stayed.reached.get(&account.id).into_iter().flatten();
    let mut out = reached.filter(|reached| reached.decision.to >= Stage::Quarantined);
    out.next().is_some_and(|reached| reached.sent * 10 <= account.planned_mails)
}

/// Where the customer's mail leaves now, as SendGrid has it.
fn place(account: &Account, sendgrid: &SendGrid) -> String {
    let world = sendgrid.world();
    let pools = match &account.placement {
        Placement::Route => return "mailer asks Weir".to_owned(),
        Placement::Subuser(name) if world.is_disabled(name) => return "disabled".to_owned(),
        Placement::Subuser(name) => world.pools_of(name),
        Placement::DedicatedIps(ips) => ips.iter().flat_map(|ip| world.pools_of_ip(ip)).collect(),
    };
    pools.into_iter().collect::<Vec<_>>().join(", ")
}
