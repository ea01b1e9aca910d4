//! Whom of decisions is told in words, and how.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::{EnforcerModes, Millis};
use outreach::{Address, Config, Contacts, NoWeekly, Policies, Secret, Smtp, Templates, Tls, WAITS, Weekly};
use policy::Policy;
use toml::Spanned;

use super::check::Check;
use super::raw::{RawOutreach, RawSmtp};
use super::{ConfigError, Loaded};

/// A mail server that may take longer to answer holds everything up.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

/// None where nobody is told.
pub(super) fn check(
    check: &mut Check<'_>,
    raw: &RawOutreach,
    (modes, policy): (&EnforcerModes, Option<Arc<Policy>>),
) -> Option<Config> {
    let templates = check.templates(raw.templates.as_ref());
    let smtp = raw.smtp.as_ref().and_then(|smtp| check.smtp(smtp));
    let from = raw.from.as_ref().and_then(|from| check.mailbox(from));
    let success = raw.customer_success.as_ref().and_then(|success| check.mailbox(success));
    let chat = raw.chat_url_env.as_ref().and_then(|name| check.chat(name));
    let contacts = check.contacts(raw.contacts.as_ref());
    let console = raw.console_url.as_ref().and_then(|url| check.web_address(url));
    let quiet = check.span(raw.quiet.as_ref(), Millis::hours(6));
    let tell_customers = raw.tell_customers.as_ref().is_some_and(|tell| *tell.get_ref());
    if let Some(written) = raw.smtp.as_ref().filter(|_| raw.from.is_none()) {
        check.fault(&written.host, "say from whom the mail comes: [outreach] from".to_owned());
    }
    if let Some(written) = raw.tell_customers.as_ref().filter(|tell| *tell.get_ref())
        && (raw.smtp.is_none() || raw.contacts.is_none())
    {
        check.fault(written, "customers are told by mail: set up [outreach.smtp] and contacts".to_owned());
    }
    if let Some(written) = raw.customer_success.as_ref().filter(|_| raw.smtp.is_none()) {
        check.fault(written, "mail needs a server: set up [outreach.smtp]".to_owned());
    }
    let digest = check.digest(raw.digest.as_ref());
    let drafts = raw.drafts.unwrap_or_default();
    let mail = smtp.zip(from);
    let is_on = drafts || chat.is_some() || (mail.is_some() && (success.is_some() || tell_customers));
    is_on.then_some(())?;
    Some(Config {
        mail,
        success,
        chat,
        contacts,
        tell_customers,
        drafts,
        digest,
        quiet: Millis::new(i64::try_from(quiet.as_millis()).unwrap_or(i64::MAX)),
        waits: WAITS.to_vec(),
        templates: templates?,
        console,
        modes: modes.clone(),
        policies: Policies::new(policy?),
    })
}

/// The templates, and the policy that what they say is derived from.
pub(super) fn check_templates(loaded: &Loaded) -> Result<(Templates, Policy), ConfigError> {
    let mut check = Check::of(loaded);
    let templates = check.templates(loaded.raw.outreach.templates.as_ref());
    let policy = check.policy().map(|(policy, _)| policy);
    check.sound(templates.zip(policy))
}

impl Check<'_> {
    fn templates(&mut self, written: Option<&Spanned<String>>) -> Option<Templates> {
        let read = match written {
            None => Templates::built_in(),
            Some(folder) => Templates::load(&self.loaded.beside(folder.get_ref())),
        };
        read.map_err(|faults| {
            for fault in faults {
                let line = fault.line.map(|line| format!("line {line}: ")).unwrap_or_default();
                self.fault_in(Path::new(&fault.file), format!("{line}{}", fault.what));
            }
        })
        .ok()
    }

    fn contacts(&mut self, written: Option<&Spanned<String>>) -> Contacts {
        let Some(written) = written else { return Contacts::default() };
        let read = Contacts::read(&self.loaded.beside(written.get_ref()));
        read.unwrap_or_else(|fault| {
            let line = fault.line.map(|line| format!("line {line}: ")).unwrap_or_default();
            self.fault_in(Path::new(&fault.file), format!("{line}{}", fault.what));
            Contacts::default()
        })
    }

    fn digest(&mut self, written: Option<&Spanned<String>>) -> Option<Weekly> {
        match written.map(|written| (written, written.get_ref().as_str())) {
            None => Some(Weekly::default()),
            Some((_, "off")) => None,
            Some((written, text)) => {
                text.parse().map_err(|error: NoWeekly| self.fault(written, format!("{text:?}: {error}"))).ok()
            }
        }
    }

    fn mailbox(&mut self, written: &Spanned<String>) -> Option<Address> {
        written.get_ref().parse().map_err(|error: outreach::NoAddress| self.fault(written, error.to_string())).ok()
    }

    fn web_address(&mut self, written: &Spanned<String>) -> Option<reqwest::Url> {
        let url = reqwest::Url::parse(written.get_ref()).ok().filter(|url| url.has_host());
        if url.is_none() {
            self.fault(written, format!("{:?} is no URL: https://host", written.get_ref()));
        }
        url
    }

    /// The URL itself is a secret: nothing says it.
    fn chat(&mut self, name: &Spanned<String>) -> Option<Secret> {
        let url = std::env::var(name.get_ref()).unwrap_or_default();
        let is_url = reqwest::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
        if !is_url {
            self.fault(name, format!("{} holds no URL of an incoming webhook", name.get_ref()));
        }
        is_url.then(|| Secret::new(url))
    }

    fn smtp(&mut self, raw: &RawSmtp) -> Option<Smtp> {
        let tls = match raw.tls.as_ref().map(|tls| tls.get_ref().as_str()) {
            None | Some("starttls") => Tls::StartTls,
            Some("implicit") => Tls::Implicit,
            Some("none") => Tls::None,
            Some(_) => {
                if let Some(tls) = &raw.tls {
                    self.fault(tls, "give \"starttls\", \"implicit\" or \"none\"".to_owned());
                }
                return None;
            }
        };
        let timeout = self.span(raw.timeout.as_ref(), Millis::seconds(15));
        if let Some(written) = raw.timeout.as_ref().filter(|_| timeout > LONGEST_TIMEOUT) {
            self.fault(written, format!("{} is too long; at most 60s", written.get_ref()));
        }
        let login = match (&raw.user, &raw.password_env) {
            (None, None) => None,
            (Some(user), Some(name)) => match std::env::var(name.get_ref()).ok().filter(|word| !word.is_empty()) {
                Some(_) if tls == Tls::None => {
                    self.fault(name, "a password needs TLS".to_owned());
                    None
                }
                Some(word) => Some((user.get_ref().clone(), Secret::new(word))),
                None => {
                    self.fault(name, format!("{} holds no password", name.get_ref()));
                    None
                }
            },
            (Some(one), None) | (None, Some(one)) => {
                self.fault(one, "user and password_env belong together".to_owned());
                None
            }
        };
        let default_port = match tls {
            Tls::Implicit => 465,
            Tls::StartTls => 587,
            Tls::None => 25,
        };
        Some(Smtp { host: raw.host.get_ref().clone(), port: raw.port.unwrap_or(default_port), tls, login, timeout })
    }
}
