//! From a configuration file to settings in which nothing is wrong.

mod raw;
mod settings;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use policy::Fault;

pub(crate) use settings::Settings;

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
    let (path, text) = match path {
        Some(path) => (path.to_owned(), read(path)?),
        None => (PathBuf::from("(defaults)"), DEFAULT.to_owned()),
    };
    let faults = |faults| ConfigError::Faults { path: path.clone(), faults };
    let raw = raw::parse(&text, std::env::vars()).map_err(|fault| faults(vec![fault]))?;
    settings::check(raw, &path, &text)
}

/// Says what is wrong with the configuration, if anything is.
pub(crate) fn check(path: Option<&Path>) -> ExitCode {
    match load(path) {
        Ok(settings) => {
            crate::cli::print(&format!("The configuration is sound: {settings}."));
            ExitCode::SUCCESS
        }
        Err(error) => {
            let error = anyhow::Error::from(error);
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })
}
