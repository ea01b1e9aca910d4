//! The endpoints that are told of decisions.

use std::collections::BTreeSet;
use std::time::Duration;

use hooks::{Hook, HookName, Reach, Secrets, Target};
use model::{Millis, Stage};
use toml::Spanned;

use super::check::Check;
use super::raw::{RawHook, RawHookDecisions};

/// A try that may take longer holds too much up.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn check(check: &mut Check<'_>, raw: &[RawHook]) -> Vec<Hook> {
    let mut names = BTreeSet::new();
    let mut hooks = Vec::new();
    for raw in raw {
        let Some(hook) = check.hook(raw) else { continue };
        if !names.insert(hook.name.clone()) {
            check.fault(&raw.name, format!("there are two hooks {}: how far a hook is goes by its name", hook.name));
        }
        hooks.push(hook);
    }
    hooks
}

impl Check<'_> {
    fn hook(&mut self, raw: &RawHook) -> Option<Hook> {
        let name = HookName::new(raw.name.get_ref()).map_err(|error| self.fault(&raw.name, error.to_string())).ok();
        let reach = if raw.allow_private.unwrap_or_default() { Reach::Private } else { Reach::Public };
        let target = Target::parse(raw.url.get_ref(), reach).map_err(|error| self.fault(&raw.url, error.to_string()));
        let secrets = self.hook_secrets(&raw.secret_env);
        let timeout = self.hook_timeout(raw.timeout.as_ref());
        let stages = raw.decisions.as_ref().map(|decisions| self.hook_stages(decisions));
        let hook = Hook::new(name?, target.ok()?, secrets?);
        Some(Hook { timeout, stages, ..hook })
    }

    fn hook_secrets(&mut self, name: &Spanned<String>) -> Option<Secrets> {
        let secrets = Secrets::parse(&std::env::var(name.get_ref()).unwrap_or_default());
        secrets.map_err(|error| self.fault(name, format!("in {}: {error}", name.get_ref()))).ok()
    }

    fn hook_timeout(&mut self, written: Option<&Spanned<String>>) -> Duration {
        let timeout = self.span(written, Millis::seconds(15));
        if let Some(written) = written.filter(|_| timeout > LONGEST_TIMEOUT) {
            self.fault(written, format!("{} is too long; at most 60s are given to a try", written.get_ref()));
        }
        timeout
    }

    fn hook_stages(&mut self, raw: &RawHookDecisions) -> BTreeSet<Stage> {
        if raw.stages.get_ref().is_empty() {
            self.fault(&raw.stages, "name at least one stage, or leave decisions out for all".to_owned());
        }
        let mut stages = BTreeSet::new();
        for written in raw.stages.get_ref() {
            match Stage::ALL.into_iter().find(|stage| stage.name() == written.get_ref()) {
                Some(stage) => {
                    stages.insert(stage);
                }
                None => {
                    let (found, known) = (written.get_ref(), Stage::ALL.map(Stage::name).join(", "));
                    self.fault(written, format!("{found:?} is no stage; {known} are"));
                }
            }
        }
        stages
    }
}
