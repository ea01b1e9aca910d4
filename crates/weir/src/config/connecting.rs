//! What `weir connect` has to know of the configuration.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;

use model::Stage;
use sendgrid::api::ApiKey;
use sendgrid::webhook::VerificationKey;

use super::check::Check;
use super::raw::{self, RawSource};
use super::{ConfigError, Loaded};

/// What the configuration says of SendGrid, and of how SendGrid reaches Weir.
#[derive(Debug)]
pub(crate) struct Connecting {
    /// How the receiver listens. Without pseudonyms: who only waits for a test event stores nothing.
    pub(crate) receiver: receiver::Config,
    /// Where the operators' API listens.
    pub(crate) admin: SocketAddr,
    /// The sources that are configured.
    pub(crate) sources: Vec<ConfiguredSource>,
    /// Where healthy customers' mail leaves by the policy, if it says.
    pub(crate) home_pool: Option<String>,
    /// Where quarantined customers' mail leaves by the policy.
    pub(crate) quarantine_pool: String,
    /// The policy's file; none for the one that Weir comes with.
    pub(crate) policy_file: Option<PathBuf>,
    /// SendGrid's API.
    pub(crate) api: String,
    /// The variable that holds the key.
    pub(crate) key_env: String,
    /// The key, where the variable holds one.
    pub(crate) key: Option<ApiKey>,
}

/// A source as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfiguredSource {
    pub(crate) name: String,
    /// Whose webhook posts there; none for the account's own.
    pub(crate) subuser: Option<String>,
    /// Its verification keys, in base64.
    pub(crate) keys: Vec<String>,
}

impl ConfiguredSource {
    fn of(raw: &RawSource) -> Self {
        let keys = raw.verification_keys.get_ref().iter().map(|key| VerificationKey::bare(key.get_ref())).collect();
        Self { name: raw.name.get_ref().clone(), subuser: raw.subuser.clone(), keys }
    }
}

pub(super) fn check(loaded: &Loaded) -> Result<Connecting, ConfigError> {
    let (mut check, raw) = (Check::of(loaded), &loaded.raw);
    let policy = check.policy();
    let receiver = check.receiver_without_pseudonyms(&raw.receiver);
    let admin = check.admin();
    // Only for its faults: a source that is wrong is told before anything is done.
    for source in &raw.source {
        drop(check.source(source));
    }
    check.source_names();
    let key_env = raw.sendgrid.key_env().to_owned();
    let key = std::env::var(&key_env).ok().filter(|key| !key.trim().is_empty()).map(|key| ApiKey::new(&key));
    check.sound(policy.map(|(policy, _)| {
        let pool = |stage| policy.pool(stage).map(|pool| pool.as_str().to_owned());
        Connecting {
            receiver,
            admin,
            sources: raw.source.iter().map(ConfiguredSource::of).collect(),
            home_pool: pool(Stage::Healthy),
            quarantine_pool: pool(Stage::Quarantined).unwrap_or_default(),
            policy_file: raw.policy.file.as_ref().map(|file| loaded.beside(file.get_ref())),
            api: raw.sendgrid.api().to_owned(),
            key_env,
            key,
        }
    }))
}

/// Where in the text of a configuration file the list of a source's verification keys stands.
pub(crate) fn place_of_keys(text: &str, source: &str) -> Option<Range<usize>> {
    let (raw, _) = raw::parse(text, std::iter::empty()).ok()?;
    raw.source.iter().find(|known| known.name.get_ref() == source).map(|known| known.verification_keys.span())
}
