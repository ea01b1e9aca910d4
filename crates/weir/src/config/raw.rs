//! The configuration as it is written: shapes only, no ranges.

use std::collections::BTreeMap;

use model::{EnforcerMode, Stage};
use serde::Deserialize;
use toml::{Spanned, Table, Value};

use super::places::Places;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    #[serde(default)]
    pub(super) receiver: RawReceiver,
    #[serde(default)]
    pub(super) admin: RawAdmin,
    #[serde(default)]
    pub(super) gate: RawGate,
    #[serde(default)]
    pub(super) log: RawLog,
    #[serde(default)]
    pub(super) state: RawState,
    #[serde(default)]
    pub(super) scorer: RawScorer,
    #[serde(default)]
    pub(super) policy: RawPolicy,
    #[serde(default)]
    pub(super) enforcer: RawEnforcer,
    #[serde(default)]
    pub(super) sendgrid: RawSendGrid,
    #[serde(default)]
    pub(super) completeness: RawCompleteness,
    #[serde(default)]
    pub(super) tracing: RawTracing,
    #[serde(default)]
    pub(super) hook: Vec<RawHook>,
    #[serde(default)]
    pub(super) outreach: RawOutreach,
    #[serde(default)]
    pub(super) source: Vec<RawSource>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReceiver {
    pub(super) listen: Option<Spanned<String>>,
    pub(super) tls_certificates: Option<Spanned<String>>,
    pub(super) tls_key: Option<Spanned<String>>,
    pub(super) max_body_bytes: Option<Spanned<usize>>,
    pub(super) in_flight_bytes: Option<Spanned<usize>>,
    pub(super) max_connections: Option<Spanned<usize>>,
    pub(super) timestamp_tolerance: Option<Spanned<String>>,
    pub(super) pseudonym_key_env: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAdmin {
    pub(super) listen: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) token: Vec<RawToken>,
    pub(super) proxy: Option<Spanned<RawProxy>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawToken {
    pub(super) name: Spanned<String>,
    pub(super) role: Spanned<String>,
    pub(super) sha256: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProxy {
    pub(super) user_header: Option<Spanned<String>>,
    pub(super) groups_header: Option<Spanned<String>>,
    /// The groups that have each role.
    pub(super) roles: Spanned<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    pub(super) addresses: Vec<Spanned<String>>,
    pub(super) secret_header: Option<Spanned<String>>,
    pub(super) secret_env: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGate {
    pub(super) listen: Option<Spanned<String>>,
    pub(super) unknown: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    pub(super) backend: Option<Spanned<String>>,
    pub(super) path: Option<String>,
    pub(super) partitions: Option<Spanned<u32>>,
    pub(super) max_age: Option<Spanned<String>>,
    pub(super) max_bytes: Option<Spanned<u64>>,
    pub(super) brokers: Option<Spanned<String>>,
    pub(super) topic_prefix: Option<Spanned<String>>,
    pub(super) replication: Option<Spanned<u16>>,
    pub(super) create_topics: Option<bool>,
    pub(super) member: Option<Spanned<String>>,
    pub(super) delivery_timeout: Option<Spanned<String>>,
    pub(super) sasl_password_env: Option<Spanned<String>>,
    pub(super) kafka: Option<Spanned<BTreeMap<String, Value>>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawState {
    pub(super) path: Option<String>,
    pub(super) checkpoints: Option<Spanned<String>>,
    pub(super) checkpoint_interval: Option<Spanned<String>>,
    pub(super) grace: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTracing {
    pub(super) otlp: Option<Spanned<String>>,
    pub(super) sample: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScorer {
    pub(super) tick_interval: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPolicy {
    pub(super) file: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEnforcer {
    pub(super) mode: Option<EnforcerMode>,
    #[serde(default)]
    pub(super) stages: BTreeMap<Stage, EnforcerMode>,
    pub(super) placement: Option<Spanned<String>>,
    pub(super) sweep_interval: Option<Spanned<String>>,
    pub(super) settling: Option<Spanned<String>>,
    pub(super) customers_per_hour: Option<u32>,
    pub(super) volume_per_hour: Option<Spanned<String>>,
    pub(super) approval_time: Option<Spanned<String>>,
    pub(super) on_drift: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) customer: Vec<RawCustomer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCustomer {
    pub(super) name: Spanned<String>,
    pub(super) subuser: Option<String>,
    pub(super) ips: Option<Vec<String>>,
    pub(super) route: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSendGrid {
    pub(super) api: Option<String>,
    pub(super) api_key_env: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCompleteness {
    pub(super) enabled: Option<Spanned<bool>>,
    pub(super) after: Option<Spanned<String>>,
}

impl RawSendGrid {
    pub(super) fn api(&self) -> &str {
        self.api.as_deref().unwrap_or("https://api.sendgrid.com")
    }

    pub(super) fn key_env(&self) -> &str {
        self.api_key_env.as_deref().unwrap_or("SENDGRID_API_KEY")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHook {
    pub(super) name: Spanned<String>,
    pub(super) url: Spanned<String>,
    pub(super) secret_env: Spanned<String>,
    pub(super) decisions: Option<RawHookDecisions>,
    pub(super) allow_private: Option<bool>,
    pub(super) timeout: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHookDecisions {
    pub(super) stages: Spanned<Vec<Spanned<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    pub(super) name: Spanned<String>,
    /// Whose webhook posts here; none for the account's own.
    pub(super) subuser: Option<String>,
    pub(super) verification_keys: Spanned<Vec<Spanned<String>>>,
    pub(super) customer: Spanned<RawCustomerRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCustomerRule {
    pub(super) custom_arg: Option<String>,
    pub(super) category_prefix: Option<String>,
    pub(super) pool: Option<bool>,
    pub(super) fixed: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOutreach {
    pub(super) customer_success: Option<Spanned<String>>,
    pub(super) from: Option<Spanned<String>>,
    pub(super) chat_url_env: Option<Spanned<String>>,
    pub(super) contacts: Option<Spanned<String>>,
    pub(super) tell_customers: Option<Spanned<bool>>,
    pub(super) drafts: Option<bool>,
    pub(super) digest: Option<Spanned<String>>,
    pub(super) quiet: Option<Spanned<String>>,
    pub(super) templates: Option<Spanned<String>>,
    pub(super) console_url: Option<Spanned<String>>,
    pub(super) smtp: Option<RawSmtp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSmtp {
    pub(super) host: Spanned<String>,
    pub(super) port: Option<u16>,
    pub(super) tls: Option<Spanned<String>>,
    pub(super) user: Option<Spanned<String>>,
    pub(super) password_env: Option<Spanned<String>>,
    pub(super) timeout: Option<Spanned<String>>,
}

/// Before the names of keys in the environment.
const PREFIX: &str = "WEIR__";

/// Reads the text, with what `environment` sets laid over it; and where its keys stand.
pub(super) fn parse(text: &str, environment: impl Iterator<Item = (String, String)>) -> Result<(Raw, Places), String> {
    let file = Places::OfTheFile(text.to_owned());
    let written = toml::from_str(text).map_err(|error| fault(&file, &error))?;
    let mut overrides = environment.filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value)));
    let Some(first) = overrides.next() else { return Ok((written, file)) };
    let mut table: Table = toml::from_str(text).map_err(|error| fault(&file, &error))?;
    for (name, value) in std::iter::once(first).chain(overrides) {
        lay_over(&mut table, &name.to_lowercase(), &value);
    }
    let text = toml::to_string(&table).map_err(|error| error.to_string())?;
    let read = toml::from_str(&text);
    let places = Places::LaidOver(text);
    match read {
        Ok(raw) => Ok((raw, places)),
        Err(error) => Err(format!("set from the environment: {}", fault(&places, &error))),
    }
}

/// Sets `section__key`; a value that reads as TOML is that, any other is text.
fn lay_over(table: &mut Table, name: &str, value: &str) {
    let parsed = toml::from_str::<Table>(&format!("value = {value}")).ok().and_then(|mut table| table.remove("value"));
    let value = parsed.unwrap_or_else(|| Value::String(value.to_owned()));
    match name.split_once("__") {
        None => {
            table.insert(name.to_owned(), value);
        }
        Some((section, key)) => {
            let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = section {
                section.insert(key.to_owned(), value);
            }
        }
    }
}

fn fault(places: &Places, error: &toml::de::Error) -> String {
    places.told(error.span().map(|span| span.start), error.message())
}
