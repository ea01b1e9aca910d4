//! From a configuration file to settings in which nothing is wrong.

mod access;
mod check;
mod completeness;
mod connecting;
mod enforcer;
mod gate;
mod hooks;
mod log;
mod outreach;
mod places;
mod raw;
mod settings;
mod state;
mod tracing;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use policy::{Fault, Policy, PolicyError};

pub(crate) use access::{AccessSettings, role};
pub(crate) use connecting::{ConfiguredSource, Connecting, place_of_keys};
pub(crate) use gate::GateSettings;
pub(crate) use log::{KafkaSettings, LogSettings};
pub(crate) use settings::{Reading, RecordedSettings, Settings, enforcers_api};
pub(crate) use state::StateSettings;
pub(crate) use tracing::TraceSettings;

/// The documented defaults.
pub(crate) const DEFAULT: &str = include_str!("../../default.toml");

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("{path} can't be read", path = path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// Each with its file, and its place there.
    #[error("{}", .0.join("\n"))]
    Faults(Vec<String>),
}

/// A configuration as it is written.
struct Loaded {
    raw: raw::Raw,
    places: places::Places,
    path: PathBuf,
}

/// Reads, checks and completes the configuration in `path`; the defaults without one.
pub(crate) fn load(path: Option<&Path>) -> Result<Settings, ConfigError> {
    settings::check(&load_raw(path)?)
}

/// The same for the log alone: who only reads it needs no secrets of the other parts.
pub(crate) fn load_log(path: Option<&Path>) -> Result<LogSettings, ConfigError> {
    settings::check_log(&load_raw(path)?)
}

/// Where the operators' API is: who only asks it needs no secrets at all.
pub(crate) fn load_admin(path: Option<&Path>) -> Result<SocketAddr, ConfigError> {
    settings::check_admin(&load_raw(path)?)
}

/// What a decision is explained from: the log and the policy, and no secrets but the log's.
pub(crate) fn load_reading(path: Option<&Path>) -> Result<Reading, ConfigError> {
    settings::check_reading(&load_raw(path)?)
}

/// What `weir connect` has to know: no secrets but the API key, and that may be missing.
pub(crate) fn load_connecting(path: &Path) -> Result<Connecting, ConfigError> {
    connecting::check(&load_raw(Some(path))?)
}

/// The same for what a backtest over files has to know.
pub(crate) fn load_recorded(path: &Path) -> Result<RecordedSettings, ConfigError> {
    settings::check_recorded(&load_raw(Some(path))?)
}

/// Reads the templates of outreach, and nothing else.
pub(crate) fn load_templates(path: Option<&Path>) -> Result<(::outreach::Templates, Policy), ConfigError> {
    outreach::check_templates(&load_raw(path)?)
}

/// Reads and checks a policy file.
pub(crate) fn load_policy(path: &Path) -> Result<Policy, ConfigError> {
    let told = |fault: &Fault| format!("{}: {fault}", path.display());
    let faults = |error: PolicyError| ConfigError::Faults(error.faults.iter().map(told).collect());
    Policy::parse(&read(path)?).map_err(faults)
}

fn load_raw(path: Option<&Path>) -> Result<Loaded, ConfigError> {
    let (path, text) = match path {
        Some(path) => (path.to_owned(), read(path)?),
        None => (PathBuf::from("(defaults)"), DEFAULT.to_owned()),
    };
    Loaded::parse(path, &text, std::env::vars())
}

impl Loaded {
    /// The file that the configuration names so: beside its own.
    fn beside(&self, file: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new(".")).join(file)
    }

    fn parse(
        path: PathBuf,
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        match raw::parse(text, environment) {
            Ok((raw, places)) => Ok(Self { raw, places, path }),
            Err(fault) => Err(ConfigError::Faults(vec![format!("{}: {fault}", path.display())])),
        }
    }
}

/// The documented defaults of the configuration, or of the policy called so.
pub(crate) fn default_of(policy: Option<&str>) -> &'static str {
    let Some(name) = policy else { return DEFAULT };
    let named = policy::PROFILES.into_iter().find(|(known, _)| *known == name);
    named.map_or(policy::DEFAULT, |(_, text)| text)
}

/// Says what is wrong with the configuration, or with the policy file alone if one is given; if nothing is, what the policy
/// will do.
pub(crate) fn check(config: Option<&Path>, policy: Option<&Path>) -> ExitCode {
    match policy.map_or_else(|| report(config), report_on_policy) {
        Ok(text) => {
            crate::cli::print(&text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            let error = anyhow::Error::from(error);
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn report(config: Option<&Path>) -> Result<String, ConfigError> {
    let settings = load(config)?;
    Ok(format!("The configuration is sound: {settings}.\n\n{}", in_words(&settings.policy)))
}

fn report_on_policy(path: &Path) -> Result<String, ConfigError> {
    let policy = load_policy(path)?;
    let (rules, limits) = (policy.rules().len(), policy.limits().len());
    let digest = policy.digest();
    Ok(format!("The policy is sound: {rules} rules, {limits} limits ({digest}).\n\n{}", in_words(&policy)))
}

/// What a policy will do: a heading and a line for each sentence.
fn in_words(policy: &Policy) -> String {
    let paragraphs = policy.in_words().into_iter().map(|paragraph| {
        let sentences: Vec<_> = paragraph.sentences.iter().map(|sentence| format!("  {sentence}")).collect();
        format!("{}\n{}\n", paragraph.about, sentences.join("\n"))
    });
    paragraphs.collect::<Vec<_>>().join("\n")
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use model::Millis;

    use super::*;

    /// A key that SendGrid has published.
    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
    const NO_KEY: &str = "WEIR_TEST_NO_SUCH_VARIABLE";

    fn loaded(text: &str, environment: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Loaded::parse("weir.toml".into(), text, environment)
    }

    /// What is wrong, each without the name of the configuration's file.
    fn faults(error: ConfigError) -> Vec<String> {
        match error {
            ConfigError::Faults(faults) => {
                faults.iter().map(|fault| fault.strip_prefix("weir.toml: ").unwrap_or(fault).to_owned()).collect()
            }
            unreadable @ ConfigError::Unreadable { .. } => vec![unreadable.to_string()],
        }
    }

    /// A configuration with the given lines, checked.
    fn checked(text: &str, environment: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        loaded(text, environment).and_then(|loaded| settings::check(&loaded)).map_err(faults)
    }

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let documented = checked(DEFAULT, &[]).unwrap();
        let none = checked("", &[]).unwrap();
        assert_eq!(format!("{documented:?}"), format!("{none:?}"));
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let text = "[receiver]\nlisten = \"everywhere\"\n[log]\npartitions = 0\nmax_age = \"1 week\"\n\
                    [[source]]\nname = \"a b\"\nverification_keys = [\"xyz\"]\ncustomer = {}\n";
        let faults = checked(text, &[]).unwrap_err();
        for (place, word) in [
            ("line 2, column 10", "everywhere"),
            ("line 4, column 14", "partitions"),
            ("line 5, column 11", "1 week"),
            ("line 7, column 8", "a b"),
            ("line 8, column 22", "base64"),
            ("line 9, column 12", "exactly one"),
        ] {
            let told = faults.iter().any(|fault| fault.starts_with(place) && fault.contains(word));
            assert!(told, "{place} {word}: {faults:#?}");
        }
    }

    #[test]
    fn a_source_that_could_tell_no_customer_is_a_fault_with_its_place() {
        let source = |name: &str, customer: &str| {
            format!("[[source]]\nname = \"{name}\"\nverification_keys = [\"{KEY}\"]\ncustomer = {customer}\n")
        };
        for (customer, word) in [
            ("{ custom_arg = \"email\" }", "email"),
            ("{ custom_arg = \"send_at\" }", "send_at"),
            ("{ custom_arg = \"smtp-id\" }", "smtp-id"),
            ("{ custom_arg = \"\" }", "custom_arg has an empty name"),
            ("{ category_prefix = \"\" }", "category_prefix is empty"),
            ("{ category_prefix = \" \" }", "category_prefix is empty"),
            ("{ fixed = \"unattributed:acme\" }", "never be judged"),
            ("{ fixed = \"\" }", "a customer id is empty"),
        ] {
            let faults = checked(&source("main", customer), &[]).unwrap_err();
            let is_told = faults[0].starts_with("line 4, column 12") && faults[0].contains(word);
            assert!(faults.len() == 1 && is_told, "{customer}: {faults:#?}");
        }
        for customer in ["{ custom_arg = \"acme_tenant\" }", "{ category_prefix = \"customer:\" }", "{ pool = true }"] {
            assert!(checked(&source("main", customer), &[]).is_ok(), "{customer}");
        }
        let two = source("main", "{ pool = true }") + &source("main", "{ fixed = \"a\" }");
        let faults = checked(&two, &[]).unwrap_err();
        assert!(faults[0].starts_with("line 6, column 8") && faults[0].contains("another source"), "{faults:#?}");
        let key = format!("\"-----BEGIN PUBLIC KEY----- {KEY} -----END PUBLIC KEY-----\"");
        let text = source("main", "{ pool = true }").replace(&format!("\"{KEY}\""), &key);
        assert!(text.contains("BEGIN") && checked(&text, &[]).is_ok());
    }

    #[test]
    fn a_misspelt_key_is_told_with_its_place() {
        let faults = checked("[receiver]\nlisten_on = \"127.0.0.1:1\"\n", &[]).unwrap_err();
        assert!(faults[0].starts_with("line 2, column 1") && faults[0].contains("listen_on"), "{faults:?}");
    }

    #[test]
    fn with_the_environment_laid_over_the_file_a_fault_is_told_by_its_key() {
        let text = "# The receiver.\n\n[receiver]\nlisten = \"everywhere\"\n[log]\nmax_age = \"1 week\"\n\
                    [[source]]\nname = \"main\"\nverification_keys = [\"xyz\"]\ncustomer = {}\n";
        let faults = checked(text, &[("WEIR__ADMIN__LISTEN", "here"), ("WEIR__LOG__PARTITIONS", "0")]).unwrap_err();
        for (key, word) in [
            ("[receiver] listen: ", "everywhere"),
            ("[admin] listen: ", "here"),
            ("[log] partitions: ", "1024"),
            ("[log] max_age: ", "1 week"),
            ("[[source]] verification_keys: ", "base64"),
        ] {
            let told = faults.iter().any(|fault| fault.starts_with(key) && fault.contains(word));
            assert!(told, "{key} {word}: {faults:#?}");
        }
        assert!(!faults.iter().any(|fault| fault.contains("line ")), "{faults:#?}");
        let faults = checked("", &[("WEIR__RECEIVER__LISTEN_ON", "127.0.0.1:1")]).unwrap_err();
        assert!(faults[0].starts_with("set from the environment: [receiver] listen_on: "), "{faults:?}");
    }

    #[test]
    fn a_faulty_policy_hides_nothing_of_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        let text = |file: &Path| {
            let file = file.display();
            format!("[policy]\nfile = \"{file}\"\n[log]\npartitions = 0\n[receiver]\nlisten = \"everywhere\"\n")
        };
        std::fs::write(&file, policy::DEFAULT.replacen("enter = \"8 %\"", "enter = \"8\"", 1)).unwrap();
        let faulty = checked(&text(&file), &[]).unwrap_err();
        assert!(faulty[0].starts_with(&format!("{}: line ", file.display())), "{faulty:#?}");
        let missing = checked(&text(&folder.path().join("none.toml")), &[]).unwrap_err();
        assert!(missing[0].starts_with("line 2, column 8: the policy file"), "{missing:#?}");
        for faults in [faulty, missing] {
            assert_eq!(faults.len(), 3, "{faults:#?}");
            assert!(faults[1].contains("everywhere") && faults[2].contains("partitions"), "{faults:#?}");
        }
    }

    #[test]
    fn who_only_asks_or_reads_needs_no_secrets_of_the_other_parts() {
        let text = "[receiver]\npseudonym_key_env = \"WEIR_TEST_NO_SUCH_VARIABLE\"\n[enforcer]\nmode = \"enforce\"\n\
                    [sendgrid]\napi_key_env = \"WEIR_TEST_NO_SUCH_VARIABLE\"\n[admin]\nlisten = \"127.0.0.1:9\"\n";
        assert_eq!(checked(text, &[]).unwrap_err().len(), 2);
        let loaded_from = |text| loaded(text, &[]).map_err(faults).unwrap();
        assert_eq!(settings::check_admin(&loaded_from(text)).unwrap().port(), 9);
        assert!(settings::check_reading(&loaded_from(text)).is_ok());
        let kafka = "[log]\nbackend = \"kafka\"\nsasl_password_env = \"WEIR_TEST_NO_SUCH_VARIABLE\"\n";
        assert!(settings::check_admin(&loaded_from(kafka)).is_ok());
        assert!(settings::check_reading(&loaded_from(kafka)).is_err());
    }

    #[test]
    fn the_environment_is_laid_over_the_file() {
        let settings =
            checked("[admin]\nlisten = \"127.0.0.1:1\"\n", &[("WEIR__ADMIN__LISTEN", "127.0.0.1:9"), ("HOME", "/")]);
        assert_eq!(settings.unwrap().admin.port(), 9);
        let settings = checked("", &[("WEIR__LOG__PARTITIONS", "7")]).unwrap();
        let LogSettings::Embedded(log) = settings.log else { unreachable!("the default") };
        assert_eq!(log.partitions.get(), 7);
    }

    #[test]
    fn who_is_let_in_is_told_by_tokens_and_a_proxy_that_proves_itself() {
        let sha256 = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
        let text = format!(
            "[admin]\nlisten = \"0.0.0.0:8081\"\n[[admin.token]]\nname = \"ci\"\nrole = \"viewer\"\nsha256 = \"{sha256}\"\n\
             [admin.proxy]\nroles = {{ operator = [\"ops\", \"leads\"], approver = [\"leads\"] }}\n\
             addresses = [\"10.0.0.0/8\", \"192.0.2.7\"]\nsecret_env = \"PATH\"\n"
        );
        let settings = checked(&text, &[]).unwrap();
        let path = std::env::var("PATH").unwrap();
        let told = format!("{settings:?}");
        assert!(!told.contains(&path) && !told.contains(sha256), "{told}");
        let AccessSettings { tokens, proxy } = settings.access;
        assert_eq!(tokens.iter().map(console::Token::name).collect::<Vec<_>>(), ["ci"]);
        let proxy = proxy.unwrap();
        assert_eq!((proxy.user_header.as_str(), proxy.addresses.len()), ("x-forwarded-user", 2));
        assert_eq!(proxy.roles["leads"], console::Role::Approver, "the most that any says");
    }

    #[test]
    fn a_listener_that_others_reach_asks_who_they_are() {
        let faults = checked("[admin]\nlisten = \"0.0.0.0:8081\"\n", &[]).unwrap_err();
        assert!(faults[0].starts_with("line 2, column 10") && faults[0].contains("weir token new"), "{faults:?}");
        assert!(checked("[admin]\nlisten = \"[::1]:8081\"\n", &[]).is_ok());
        let text = "[[admin.token]]\nname = \"ci\"\nrole = \"boss\"\nsha256 = \"\"\n\
                    [[admin.token]]\nname = \"ci\"\nrole = \"viewer\"\nsha256 = \"xyz\"\n\
                    [admin.proxy]\nuser_header = \"a b\"\nroles = { king = [] }\n\
                    [admin]\nlisten = \"127.0.0.1:1\"\n";
        let text = text.replace("[admin]\nlisten = \"127.0.0.1:1\"\n", "");
        let faults = checked(&text, &[]).unwrap_err();
        for (place, word) in [("line 3", "boss"), ("line 6", "another token"), ("line 8", "64 hex"), ("line 10", "a b")]
        {
            assert!(faults.iter().any(|f| f.starts_with(place) && f.contains(word)), "{place} {word}: {faults:#?}");
        }
        let proxy = |more: &str| checked(&format!("[admin.proxy]\nroles = {{ king = [] }}\n{more}"), &[]).unwrap_err();
        let faults = proxy("");
        for word in ["king", "nobody would be let in", "proves itself by nothing"] {
            assert!(faults.iter().any(|fault| fault.contains(word)), "{word}: {faults:#?}");
        }
        let faults = proxy(&format!("addresses = [\"everywhere\"]\nsecret_env = \"{NO_KEY}\"\n"));
        for word in ["everywhere", NO_KEY] {
            assert!(faults.iter().any(|fault| fault.contains(word)), "{word}: {faults:#?}");
        }
    }

    #[test]
    fn the_gate_has_a_listener_of_its_own_only_where_one_is_configured() {
        let gate = checked("", &[("WEIR__LOG__MEMBER", "here")]).unwrap().gate;
        assert_eq!((gate.listen, gate.instance.as_str()), (None, "here"));
        let gate = checked("[gate]\nlisten = \"0.0.0.0:8082\"\n", &[]).unwrap().gate;
        assert_eq!(gate.listen.map(|listen| listen.port()), Some(8082));
        let faults = checked("[gate]\nlisten = \"8082\"\n", &[]).unwrap_err();
        assert!(faults[0].starts_with("line 2, column 10") && faults[0].contains("8082"), "{faults:?}");
    }

    #[test]
    fn kafka_is_told_where_it_is_and_what_it_may_not_be_told() {
        let text = "[log]\nbackend = \"kafka\"\n[log.kafka]\nacks = \"1\"\n";
        let faults = checked(text, &[]).unwrap_err();
        assert!(faults.iter().any(|fault| fault.contains("brokers =")), "{faults:?}");
        assert!(faults.iter().any(|fault| fault.contains("\"acks\" is Weir's own")), "{faults:?}");
        let text = "[log]\nbackend = \"kafka\"\nbrokers = \"b:9092\"\n[log.kafka]\n\"sasl.password\" = \"secret\"\n";
        let settings = checked(text, &[("WEIR__LOG__MEMBER", "scorer-1")]).unwrap();
        assert!(!format!("{settings:?}").contains("secret"));
        let LogSettings::Kafka(kafka) = settings.log else { unreachable!("as configured") };
        assert_eq!((kafka.config.member.as_str(), kafka.replication.factor), ("scorer-1", 3));
    }

    #[test]
    fn a_policy_in_shadow_is_not_carried_out_whatever_the_enforcers_mode() {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy.toml");
        std::fs::write(&policy, policy::DEFAULT.replacen("mode = \"enforce\"", "mode = \"shadow\"", 1)).unwrap();
        let text = format!("[policy]\nfile = \"{}\"\n[enforcer]\nmode = \"enforce\"\n", policy.display());
        assert!(checked(&text, &[]).unwrap().enforcer.modes.is_all_shadow());
    }

    #[test]
    fn every_fault_of_a_hook_is_told_with_its_place() {
        let text = "[[hook]]\nname = \"a b\"\nurl = \"https://127.1/\"\nsecret_env = \"WEIR_TEST_NO_SUCH_VARIABLE\"\n\
                    timeout = \"2m\"\ndecisions = { stages = [\"healthy\", \"poorly\"] }\n\
                    [[hook]]\nname = \"c\"\nurl = \"http://example.com/\"\nsecret_env = \"PATH\"\ndecisions = { stages = [] }\n";
        let faults = checked(text, &[]).unwrap_err();
        for (place, word) in [
            ("line 2, column 8", "a b"),
            ("line 3, column 7", "127.0.0.1 is this machine"),
            ("line 4, column 14", "WEIR_TEST_NO_SUCH_VARIABLE"),
            ("line 5, column 11", "60s"),
            ("line 6, column 36", "poorly"),
            ("line 9, column 7", "https://"),
            ("line 10, column 14", "whsec_"),
            ("line 11, column 24", "at least one stage"),
        ] {
            let told = faults.iter().any(|fault| fault.starts_with(place) && fault.contains(word));
            assert!(told, "{place} {word}: {faults:#?}");
        }
        let path = std::env::var("PATH").unwrap();
        assert!(!faults.iter().any(|fault| fault.contains(&path)), "a secret is shown: {faults:#?}");
        let text = "[[hook]]\nname = \"c\"\nurl = \"http://10.0.0.1/\"\nsecret_env = \"WEIR_TEST_NO_SUCH_VARIABLE\"\n\
                    allow_private = true\n";
        assert_eq!(checked(text, &[]).unwrap_err().len(), 1, "only the secret is missing");
    }

    #[test]
    fn events_are_compared_by_account_where_there_is_a_key_to_ask_with() {
        let source = |name: &str, more: &str| {
            format!(
                "[[source]]\nname = \"{name}\"\nverification_keys = [\"{KEY}\"]\ncustomer = {{ fixed = \"a\" }}\n{more}\n"
            )
        };
        let sources = source("main", "") + &source("acme", "subuser = \"acme-mail\"");
        let with = |section: &str, key: &str| {
            checked(&format!("{section}\n[sendgrid]\napi_key_env = \"{key}\"\n{sources}"), &[])
        };
        // Any variable that is set will do.
        let settings = with("[completeness]\nafter = \"8h\"", "PATH").unwrap().completeness.unwrap();
        let accounts: Vec<_> = settings.sources.iter().map(|source| source.account.to_string()).collect();
        assert_eq!(
            (accounts, settings.after),
            (vec!["parent".to_owned(), "subuser:acme-mail".to_owned()], Millis::hours(8))
        );
        assert!(with("[completeness]\nenabled = false", "PATH").unwrap().completeness.is_none());
        assert!(with("", NO_KEY).unwrap().completeness.is_none());
        let faults = with("[completeness]\nenabled = true\nafter = \"3d\"", NO_KEY).unwrap_err();
        assert!(
            faults.iter().any(|fault| fault.starts_with("line 2, column 11") && fault.contains(NO_KEY)),
            "{faults:?}"
        );
        assert!(
            faults.iter().any(|fault| fault.starts_with("line 3, column 9") && fault.contains("48h")),
            "{faults:?}"
        );
    }

    #[test]
    fn to_act_without_a_key_is_refused() {
        let text = "[enforcer]\nmode = \"enforce\"\n[sendgrid]\napi_key_env = \"WEIR_TEST_NO_SUCH_VARIABLE\"\n";
        let faults = checked(text, &[]).unwrap_err();
        assert!(faults[0].contains("WEIR_TEST_NO_SUCH_VARIABLE"), "{faults:?}");
    }
}
