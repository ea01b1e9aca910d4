//! The configuration as it is used: every value within its range.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::hooks::Hook;
use model::{CustomerId, Millis};
use policy::Policy;
use receiver::{CustomerRule, PseudonymKey, Source, SourceName, TimestampTolerance, Tls};
use scorer::PolicyFile;
use sendgrid::api::{self, ApiKey};
use sendgrid::webhook::{NoCustomerRule, VerificationKey, Verifier};
use toml::Spanned;

use super::access::{self, AccessSettings};
use super::check::Check;
use super::completeness;
use super::enforcer;
use super::gate::{self, GateSettings};
use super::hooks;
use super::log::{self, LogSettings};
use super::outreach;
use super::raw::{RawCustomerRule, RawReceiver, RawSource};
use super::state::{self, StateSettings};
use super::tracing::{self, TraceSettings};
use super::{ConfigError, Loaded};

/// Everything that Weir is told.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) receiver: receiver::Config,
    pub(crate) sources: Vec<Source>,
    pub(crate) admin: SocketAddr,
    pub(crate) access: AccessSettings,
    pub(crate) gate: GateSettings,
    pub(crate) log: LogSettings,
    pub(crate) state: StateSettings,
    pub(crate) tick_interval: Duration,
    pub(crate) policy: Arc<Policy>,
    /// The same as it stands in its file.
    pub(crate) policy_file: PolicyFile,
    pub(crate) enforcer: ::enforcer::Config,
    pub(crate) sendgrid: Option<api::Config>,
    pub(crate) hooks: Vec<Hook>,
    /// None where nobody is told in words.
    pub(crate) outreach: Option<::outreach::Config>,
    /// None where nothing is compared.
    pub(crate) completeness: Option<::completeness::Config>,
    /// None where no traces are sent.
    pub(crate) traces: Option<TraceSettings>,
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources: Vec<_> = self.sources.iter().map(|source| source.name.as_str()).collect();
        write!(
            f,
            "sources [{}], policy of {} rules ({}), mode {}",
            sources.join(", "),
            self.policy.rules().len(),
            self.policy.digest(),
            self.enforcer.modes
        )
    }
}

/// What an explanation is read from.
pub(crate) struct Reading {
    pub(crate) log: LogSettings,
    pub(crate) policy: Arc<Policy>,
}

/// Checks ranges and what belongs together; every fault is told.
pub(super) fn check(loaded: &Loaded) -> Result<Settings, ConfigError> {
    let (mut check, raw) = (Check::of(loaded), &loaded.raw);
    let policy = check.policy().map(|(policy, file)| (Arc::new(policy), file));
    let receiver = check.receiver(&raw.receiver);
    let admin = check.admin();
    let access = access::check(&mut check, &raw.admin, admin);
    let log = log::check(&mut check, &raw.log);
    let gate = gate::check(&mut check, raw, &log);
    let tick_interval = check.tick_interval();
    let enforcer = enforcer::check(&mut check, &raw.enforcer, policy.as_ref().map(|(policy, _)| policy.as_ref()));
    let sources = raw.source.iter().filter_map(|source| check.source(source)).collect();
    check.source_names();
    let state = state::check(&mut check, &raw.state);
    let key_env = raw.sendgrid.key_env();
    let sendgrid = std::env::var(key_env).ok().map(|key| enforcers_api(raw.sendgrid.api().to_owned(), &key));
    if !enforcer.modes.is_all_shadow() && sendgrid.is_none() {
        check
            .fault_at(None, &format!("[enforcer] mode = \"{}\" needs a SendGrid API key in {key_env}", enforcer.modes));
    }
    let hooks = hooks::check(&mut check, &raw.hook);
    let given = policy.as_ref().map(|(policy, _)| Arc::clone(policy));
    let outreach = outreach::check(&mut check, &raw.outreach, (&enforcer.modes, given));
    let completeness = completeness::check(&mut check, raw, sendgrid.is_some());
    let traces = tracing::check(&mut check, &raw.tracing);
    check.sound(policy.map(|(policy, policy_file)| Settings {
        receiver,
        sources,
        admin,
        access,
        gate,
        log,
        state,
        tick_interval,
        policy,
        policy_file,
        enforcer,
        sendgrid,
        hooks,
        outreach,
        completeness,
        traces,
    }))
}

/// How the enforcer calls: it looks again before it repeats a change, and between two calls it can be paused.
pub(crate) fn enforcers_api(base_url: String, key: &str) -> api::Config {
    let mut config = api::Config::new(base_url, ApiKey::new(key));
    config.tries = 1;
    config.longest_wait = Duration::from_millis(500);
    config
}

/// Checks what is said of the log, and nothing else.
pub(super) fn check_log(loaded: &Loaded) -> Result<LogSettings, ConfigError> {
    let mut check = Check::of(loaded);
    let log = log::check(&mut check, &loaded.raw.log);
    check.sound(Some(log))
}

/// What says how recorded events are to be read.
#[derive(Debug)]
pub(crate) struct RecordedSettings {
    /// How the events of each source tell their customer, each way once.
    pub(crate) customers: Vec<CustomerRule>,
    pub(crate) tick_interval: Duration,
}

/// Checks that, and nothing else.
pub(super) fn check_recorded(loaded: &Loaded) -> Result<RecordedSettings, ConfigError> {
    let mut check = Check::of(loaded);
    let tick_interval = check.tick_interval();
    let mut customers: Vec<CustomerRule> = Vec::new();
    for rule in loaded.raw.source.iter().filter_map(|source| check.customer_rule(&source.customer)) {
        if !customers.contains(&rule) {
            customers.push(rule);
        }
    }
    check.sound(Some(RecordedSettings { customers, tick_interval }))
}

/// The same of the operators' API.
pub(super) fn check_admin(loaded: &Loaded) -> Result<SocketAddr, ConfigError> {
    let mut check = Check::of(loaded);
    let admin = check.admin();
    check.sound(Some(admin))
}

/// The same of the log and the policy.
pub(super) fn check_reading(loaded: &Loaded) -> Result<Reading, ConfigError> {
    let mut check = Check::of(loaded);
    let log = log::check(&mut check, &loaded.raw.log);
    let policy = check.policy();
    check.sound(policy.map(|(policy, _)| Reading { log, policy: Arc::new(policy) }))
}

impl Check<'_> {
    /// The policy, from its file beside the configuration or the built-in one; `None` where it is faulty.
    pub(super) fn policy(&mut self) -> Option<(Policy, PolicyFile)> {
        let (path, text) = match &self.loaded.raw.policy.file {
            None => (PathBuf::from("(default policy)"), policy::DEFAULT.to_owned()),
            Some(file) => {
                let path = self.loaded.beside(file.get_ref());
                let cause = |error| format!("the policy file {} can't be read: {error}", path.display());
                let text = std::fs::read_to_string(&path).map_err(|error| self.fault(file, cause(error))).ok()?;
                (path, text)
            }
        };
        match Policy::parse(&text) {
            Ok(policy) => {
                let digest = policy.digest().to_owned();
                Some((policy, PolicyFile { text, digest }))
            }
            Err(error) => {
                error.faults.iter().for_each(|fault| self.fault_in(&path, fault));
                None
            }
        }
    }

    pub(super) fn admin(&mut self) -> SocketAddr {
        self.address(self.loaded.raw.admin.listen.as_ref(), SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)))
    }

    fn tick_interval(&mut self) -> Duration {
        self.span(self.loaded.raw.scorer.tick_interval.as_ref(), Millis::seconds(30))
    }

    fn receiver(&mut self, raw: &RawReceiver) -> receiver::Config {
        let mut config = self.receiver_without_pseudonyms(raw);
        config.pseudonymise = raw.pseudonym_key_env.as_ref().and_then(|name| self.pseudonym_key(name));
        config
    }

    /// The same for who stores nothing, and so needs no secret.
    pub(super) fn receiver_without_pseudonyms(&mut self, raw: &RawReceiver) -> receiver::Config {
        let listen = self.address(raw.listen.as_ref(), SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080)));
        let mut config = receiver::Config::new(listen);
        config.tls = match (&raw.tls_certificates, &raw.tls_key) {
            (Some(certificates), Some(key)) => {
                Some(Tls { cert_file: certificates.get_ref().into(), key_file: key.get_ref().into() })
            }
            (None, None) => None,
            (Some(alone), None) | (None, Some(alone)) => {
                self.fault(alone, "tls_certificates and tls_key belong together: set both or none".to_owned());
                None
            }
        };
        config.max_body_bytes = self.at_least(raw.max_body_bytes.as_ref(), 768_000, config.max_body_bytes);
        let least = config.max_body_bytes.saturating_mul(4);
        config.in_flight_bytes = self.at_least(raw.in_flight_bytes.as_ref(), least, config.in_flight_bytes);
        config.max_connections = self.at_least(raw.max_connections.as_ref(), 1, config.max_connections);
        let past = self.span(raw.timestamp_tolerance.as_ref(), Millis::hours(26));
        let past = Millis::new(i64::try_from(past.as_millis()).unwrap_or(i64::MAX));
        config.timestamp_tolerance = Some(TimestampTolerance { past, future: Millis::minutes(5) });
        config
    }

    fn pseudonym_key(&mut self, name: &Spanned<String>) -> Option<PseudonymKey> {
        let key = std::env::var(name.get_ref()).ok().and_then(|secret| PseudonymKey::new(secret.as_bytes()));
        if key.is_none() {
            self.fault(name, format!("{} holds no secret of at least 16 bytes", name.get_ref()));
        }
        key
    }

    pub(super) fn source(&mut self, raw: &RawSource) -> Option<Source> {
        let name = SourceName::new(raw.name.get_ref()).map_err(|error| self.fault(&raw.name, error.to_string())).ok();
        let mut keys = Vec::new();
        for key in raw.verification_keys.get_ref() {
            match VerificationKey::from_base64(key.get_ref()) {
                Ok(key) => keys.push(key),
                Err(error) => self.fault(key, error.to_string()),
            }
        }
        let verifier = Verifier::new(keys);
        if verifier.is_err() && raw.verification_keys.get_ref().is_empty() {
            self.fault(&raw.verification_keys, "give at least one key: nothing unsigned is taken".to_owned());
        }
        let customer = self.customer_rule(&raw.customer)?;
        Some(Source { name: name?, verifier: verifier.ok()?, customer })
    }

    fn customer_rule(&mut self, raw: &Spanned<RawCustomerRule>) -> Option<CustomerRule> {
        let RawCustomerRule { custom_arg, category_prefix, pool, fixed } = raw.get_ref();
        let rule = match (custom_arg, category_prefix, pool, fixed) {
            (Some(name), None, None, None) => CustomerRule::CustomArg(name.clone()).check(),
            (None, Some(prefix), None, None) => CustomerRule::CategoryPrefix(prefix.clone()).check(),
            (None, None, Some(true), None) => Ok(CustomerRule::Pool),
            (None, None, None, Some(id)) => {
                CustomerId::new(id).map_err(NoCustomerRule::from).and_then(|id| CustomerRule::Fixed(id).check())
            }
            _ => {
                self.fault(raw, "give exactly one of custom_arg, category_prefix, pool = true or fixed".to_owned());
                return None;
            }
        };
        rule.map_err(|error| self.fault(raw, error.to_string())).ok()
    }

    /// Each source is posted to by its name: two can't share one.
    pub(super) fn source_names(&mut self) {
        let sources = &self.loaded.raw.source;
        for (index, source) in sources.iter().enumerate() {
            let name = source.name.get_ref();
            if sources.iter().take(index).any(|earlier| earlier.name.get_ref() == name) {
                self.fault(&source.name, format!("another source is called {name:?}; give each a name of its own"));
            }
        }
    }

    pub(super) fn address(&mut self, written: Option<&Spanned<String>>, default: SocketAddr) -> SocketAddr {
        let Some(written) = written else { return default };
        written.get_ref().parse().unwrap_or_else(|_| {
            let found = written.get_ref();
            self.fault(written, format!("{found:?} is no address with a port, for example \"{default}\""));
            default
        })
    }
}
