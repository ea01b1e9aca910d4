//! SendGrid's documents, merged into one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sendgrid::api::Endpoint;
use serde_json::{Map, Value, json};

use super::patches;

/// Calls, as SendGrid describes them; patched where the documents contradict themselves.
#[derive(Debug)]
pub(crate) struct Documents {
    merged: Value,
}

impl Documents {
    /// What the documents say of the calls that Weir makes; none where they are not on this machine, which is said.
    pub(crate) fn read() -> Option<Self> {
        Self::read_of(|method, path| {
            Endpoint::ALL
                .iter()
                .any(|endpoint| endpoint.template() == path && endpoint.method().as_str().eq_ignore_ascii_case(method))
        })
    }

    /// The same of all calls that `wants` says, by method and path.
    pub(crate) fn read_of(wants: impl Fn(&str, &str) -> bool) -> Option<Self> {
        let Some(folder) = folder() else {
            skip();
            return None;
        };
        let mut merged = json!({
            "openapi": "3.1.0",
            "info": { "title": "SendGrid", "version": "3" },
            "servers": [{ "url": "http://127.0.0.1" }],
            "paths": {},
            "components": {},
        });
        let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        files.iter().for_each(|file| merge(&mut merged, file, &wants));
        patches::apply(&mut merged);
        Some(Self { merged })
    }

    pub(crate) fn text(&self) -> String {
        self.merged.to_string()
    }

    /// What is said of a call; `Null` where nothing is.
    pub(crate) fn operation(&self, endpoint: Endpoint) -> &Value {
        &self.merged["paths"][endpoint.template()][endpoint.method().as_str().to_lowercase()]
    }

    /// The statuses that a call's answer may have.
    pub(crate) fn statuses(&self, endpoint: Endpoint) -> Vec<u16> {
        self.operation(endpoint)["responses"].as_object().unwrap().keys().map(|code| code.parse().unwrap()).collect()
    }

    /// Whether a call may carry the header `on-behalf-of`.
    pub(crate) fn declares_on_behalf_of(&self, endpoint: Endpoint) -> bool {
        let parameters = self.operation(endpoint)["parameters"].as_array().cloned().unwrap_or_default();
        parameters.iter().any(|parameter| self.resolve(parameter)["name"] == "on-behalf-of")
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.merged.pointer(reference.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }
}

#[expect(clippy::print_stdout, reason = "that a suite proves nothing here must be seen")]
fn skip() {
    println!("skipped: SendGrid's documents are not here; SENDGRID_OAI names their folder");
}

fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("SENDGRID_OAI").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/sendgrid-oai");
    let folder = named.unwrap_or(beside);
    folder.is_dir().then_some(folder)
}

/// Adds what a document says of the calls that are wanted; its components get its name, because documents share theirs.
fn merge(merged: &mut Value, file: &Path, wants: &impl Fn(&str, &str) -> bool) {
    let name = file.file_stem().unwrap().to_str().unwrap();
    let mut document: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    rename_references(&mut document, name);
    for (path, operations) in take(&mut document["paths"]) {
        let Value::Object(mut operations) = operations else { continue };
        operations.retain(|method, _| method == "parameters" || wants(method, &path));
        if operations.keys().any(|method| method != "parameters") {
            merged["paths"][path] = Value::Object(operations);
        }
    }
    for (section, components) in take(&mut document["components"]) {
        for (component, value) in components.as_object().cloned().unwrap_or_default() {
            let component = if section == "securitySchemes" { component } else { format!("{name}.{component}") };
            merged["components"][section.as_str()][component] = value;
        }
    }
}

fn take(value: &mut Value) -> Map<String, Value> {
    value.as_object_mut().map(std::mem::take).unwrap_or_default()
}

fn rename_references(value: &mut Value, name: &str) {
    patches::each_object(value, &mut |object| {
        let Some(Value::String(reference)) = object.get_mut("$ref") else { return };
        let (section, component) = reference.rsplit_once('/').unwrap();
        *reference = format!("{section}/{name}.{component}");
    });
}

/// How many of each status were seen, for people.
pub(crate) fn by_status(statuses: impl Iterator<Item = u16>) -> BTreeMap<u16, usize> {
    statuses.fold(BTreeMap::new(), |mut counts, status| {
        *counts.entry(status).or_default() += 1;
        counts
    })
}
