//! Every call of Weir's, made with SendGrid's own client: what it does to the simulator, and how it is answered.

mod account;
mod batches;
mod ips_by_id;
mod ips_by_name;
mod mail;
mod refusals;
mod subusers;
mod webhooks;

use serde_json::Value;

use crate::official::stage::{SUBUSER, Stage};

/// All of it. Scenarios leave things as they found them, or don't care.
pub(crate) fn play(stage: &Stage) {
    subusers::play(stage);
    ips_by_name::play(stage);
    ips_by_id::play(stage);
    for subuser in [None, Some(SUBUSER)] {
        webhooks::play(stage, subuser);
        batches::play(stage, subuser);
        account::play(stage, subuser);
    }
    webhooks::play_oldest(stage);
    mail::play(stage);
    refusals::play(stage);
}

/// A member of each item of a list.
fn each(list: &Value, member: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| text(&item[member])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
