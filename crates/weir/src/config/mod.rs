//! From a configuration file to settings in which nothing is wrong.

mod check;
mod log;
mod raw;
mod settings;
mod state;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use policy::{Fault, Policy, PolicyError};

pub(crate) use log::{KafkaSettings, LogSettings};
pub(crate) use settings::{RecordedSettings, Settings};
pub(crate) use state::StateSettings;

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
    #[error("{}", list(path, faults))]
    Faults { path: PathBuf, faults: Vec<Fault> },
}

fn list(path: &Path, faults: &[Fault]) -> String {
    let lines: Vec<_> = faults.iter().map(|fault| format!("{}: {fault}", path.display())).collect();
    lines.join("\n")
}

/// Reads, checks and completes the configuration in `path`; the defaults without one.
pub(crate) fn load(path: Option<&Path>) -> Result<Settings, ConfigError> {
    let (raw, path, text) = load_raw(path)?;
    settings::check(raw, &path, &text)
}

/// The same for the log alone: who only reads it needs no secrets of the other parts.
pub(crate) fn load_log(path: Option<&Path>) -> Result<LogSettings, ConfigError> {
    let (raw, path, text) = load_raw(path)?;
    settings::check_log(&raw, &path, &text)
}

/// The same for what a backtest over files has to know.
pub(crate) fn load_recorded(path: &Path) -> Result<RecordedSettings, ConfigError> {
    let (raw, path, text) = load_raw(Some(path))?;
    settings::check_recorded(&raw, &path, &text)
}

/// Reads and checks a policy file.
pub(crate) fn load_policy(path: &Path) -> Result<Policy, ConfigError> {
    let faults = |error: PolicyError| ConfigError::Faults { path: path.to_owned(), faults: error.faults };
    Policy::parse(&read(path)?).map_err(faults)
}

fn load_raw(path: Option<&Path>) -> Result<(raw::Raw, PathBuf, String), ConfigError> {
    let (path, text) = match path {
        Some(path) => (path.to_owned(), read(path)?),
        None => (PathBuf::from("(defaults)"), DEFAULT.to_owned()),
    };
    match raw::parse(&text, std::env::vars()) {
        Ok(raw) => Ok((raw, path, text)),
        Err(fault) => Err(ConfigError::Faults { path, faults: vec![fault] }),
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
    use super::*;

    /// A configuration with the given lines, checked.
    fn checked(text: &str, environment: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let path = Path::new("weir.toml");
        let raw = raw::parse(text, environment).map_err(|fault| vec![fault.to_string()])?;
        settings::check(raw, path, text).map_err(|error| match error {
            ConfigError::Faults { faults, .. } => faults.iter().map(ToString::to_string).collect(),
            unreadable @ ConfigError::Unreadable { .. } => vec![unreadable.to_string()],
        })
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
    fn a_misspelt_key_is_told_with_its_place() {
        let faults = checked("[receiver]\nlisten_on = \"127.0.0.1:1\"\n", &[]).unwrap_err();
        assert!(faults[0].starts_with("line 2, column 1") && faults[0].contains("listen_on"), "{faults:?}");
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
        assert_eq!(checked(&text, &[]).unwrap().enforcer.mode, model::Mode::Shadow);
    }

    #[test]
    fn to_act_without_a_key_is_refused() {
        let text = "[enforcer]\nmode = \"enforce\"\n[sendgrid]\napi_key_env = \"WEIR_TEST_NO_SUCH_VARIABLE\"\n";
        let faults = checked(text, &[]).unwrap_err();
        assert!(faults[0].contains("WEIR_TEST_NO_SUCH_VARIABLE"), "{faults:?}");
    }
}
