//! The table after the demo's first hour.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use model::{Decision, Evidence, Stage};
use simulator::platform::{Account, FAILING, Placement, Scenario};
use simulator::sendgrid::SendGrid;

use super::mailer::{Mailer, Reached};
use super::screen::minutes;

/// The table's width in columns, where the terminal has as many.
const WIDTH: u16 = 100;

/// Lists each bad customer's stage and its reason, and counts the good customers that were moved.
pub(crate) fn report(mailer: &Mailer, scenario: &Scenario, sendgrid: &SendGrid) -> String {
    let accounts = mailer.platform().accounts();
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(table.width().map_or(WIDTH, |columns| columns.min(WIDTH)));
    table.set_header(["customer", "really", "stage", "mails before", "leaves by", "reason"]);
    for account in accounts.iter().filter(|account| !account.truth.is_good() || moved(mailer, account).is_some()) {
        table.add_row(row(mailer, account, sendgrid));
    }
    let mut text = format!("{table}\n\n");
    let good = accounts.iter().filter(|account| account.truth.is_good());
    let touched = good.clone().filter(|account| moved(mailer, account).is_some()).count();
    let urgent = accounts.iter().filter(|account| account.truth.is_urgent());
    let in_time = urgent.clone().filter(|account| in_time(mailer, account)).count();
    let calls = sendgrid.world().calls().iter().filter(|call| call.method != "GET").count();
    let (began, ended) = mailer.platform().outage();
    // Writing to a string can't fail.
    let _unfailing = write!(
        text,
        "{in_time} of {} bought lists, complaint magnets and hijacked accounts left the good pool within a tenth of\n\
         their mail. Good customers moved: {touched} of {}.\n\
         Outage: {} refused most mail from minute {} to minute {}; Weir should move nobody for it.\n\
         {} mails were sent, Weir took {} events and made {calls} changes at SendGrid.",
        urgent.count(),
        good.count(),
        FAILING.name(),
        minutes(began.since(scenario.start)),
        minutes(ended.since(scenario.start)),
        mailer.mails(),
        mailer.posted()
    );
    text
}

fn row(mailer: &Mailer, account: &Account, sendgrid: &SendGrid) -> Vec<String> {
    let place = place(account, sendgrid);
    let planned = account.planned_mails;
    let Some(Reached { decision, sent }) = moved(mailer, account) else {
        let rest = ["healthy".to_owned(), String::new(), place, String::new()];
        return [account.id.to_string(), account.truth.name().to_owned()].into_iter().chain(rest).collect();
    };
    let share = (sent * 100).checked_div(planned).unwrap_or(0);
    vec![
        account.id.to_string(),
        account.truth.name().to_owned(),
        decision.to.to_string(),
        format!("{sent} ({share} %)"),
        place,
        figures(decision).unwrap_or_else(|| decision.rule.clone()),
    ]
}

/// The signal and its count, short enough for the table.
fn figures(decision: &Decision) -> Option<String> {
    let Evidence { signal, numerator, denominator, .. } = decision.evidence.as_ref()?;
    Some(format!("{} {numerator}/{denominator}", signal.replace('_', " ")))
}

/// The decision that brought the customer to its strictest stage.
fn moved<'m>(mailer: &'m Mailer, account: &Account) -> Option<&'m Reached> {
    let reached = mailer.decisions(&account.id);
    let strictest = reached.iter().map(|reached| reached.decision.to).max()?;
    reached.iter().find(|reached| reached.decision.to == strictest)
}

fn in_time(mailer: &Mailer, account: &Account) -> bool {
    let mut out = mailer.decisions(&account.id).iter().filter(|reached| reached.decision.to >= Stage::Quarantined);
    out.next().is_some_and(|reached| reached.sent * 10 <= account.planned_mails)
}

/// Where the customer's mail leaves now, as SendGrid has it.
fn place(account: &Account, sendgrid: &SendGrid) -> String {
    let world = sendgrid.world();
    let pools = match &account.placement {
        Placement::Route => return "asking Weir".to_owned(),
        Placement::Subuser(name) if world.is_disabled(name) => return "disabled".to_owned(),
        Placement::Subuser(name) => world.pools_of(name),
        Placement::DedicatedIps(ips) => ips.iter().flat_map(|ip| world.pools_of_ip(ip)).collect(),
    };
    pools.into_iter().collect::<Vec<_>>().join(", ")
}
