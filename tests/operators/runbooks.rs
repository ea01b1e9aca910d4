//! Whoever is called by an alert finds its runbook, and what the runbook names is there: commands, pages, panels, metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::house::{BAD, BINARY, House};

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file of a folder with this ending, with its name and text.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(here().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == ending));
    let mut files: Vec<_> = paths
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder}");
    files
}

/// The runbooks by the alert that each is for.
fn runbooks() -> BTreeMap<String, String> {
    files("docs/runbooks", "md").into_iter().filter(|(name, _)| name != "README").collect()
}

/// Each alert with its severities, and the runbooks that it leads to.
fn alerts() -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let mut alerts: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for (file, text) in files("deploy/prometheus/rules", "yml") {
        let mut current = None;
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("- alert: ") {
                current = Some(alerts.entry(name.to_owned()).or_default());
            } else if let (Some((severities, _)), Some(labels)) =
                (&mut current, line.strip_prefix("labels: {severity: "))
            {
                severities.insert(labels.split(',').next().unwrap().to_owned());
            } else if let (Some((_, urls)), Some(url)) = (&mut current, line.strip_prefix("runbook_url: ")) {
                urls.insert(url.rsplit_once("/docs/runbooks/").unwrap_or_else(|| panic!("{file}: {url}")).1.to_owned());
            }
        }
    }
    alerts
}

/// What stands between back quotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// A command line in words, as a shell takes it apart; names in capitals are filled in.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for letter in command.chars().chain([' ']) {
        match letter {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            _ => word.push(letter),
        }
    }
    let fill = |word: String| match word.as_str() {
        "ID" => "0123456789abcdef0123456789abcdef".to_owned(),
        "CUSTOMER" | "POOL" | "RULE" => word.to_lowercase(),
        _ => word,
    };
    words.into_iter().map(fill).collect()
}

#[test]
fn every_alert_has_its_runbook_and_every_runbook_its_alert() {
    let (alerts, runbooks) = (alerts(), runbooks());
    let names: Vec<_> = alerts.keys().collect();
    assert_eq!(names, runbooks.keys().collect::<Vec<_>>());
    let index = std::fs::read_to_string(here().join("docs/runbooks/README.md")).unwrap();
    for (name, (severities, urls)) in &alerts {
        assert_eq!(urls.iter().collect::<Vec<_>>(), [&format!("{name}.md")], "{name}");
        let severity = severities.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        assert!(severity == "page" || severity == "ticket" || severity == "page, ticket", "{name}: {severity}");
        let runbook = &runbooks[name];
        assert!(runbook.starts_with(&format!("# {name}\n\n*{severity}*: ")), "{name} is {severity}");
        let line = format!("| [{name}]({name}.md) | {severity} | ");
        assert_eq!(index.matches(&line).count(), 1, "{line}");
        for section in
            ["- **Is mail lost or harmed?**", "- **Are events lost?**", "## Look", "## Do", "## Undo", "## Escalate"]
        {
            assert_eq!(runbook.matches(&format!("\n{section}")).count(), 1, "{name}: {section}");
        }
    }
    assert_eq!(index.matches("\n| [").count(), alerts.len(), "the index has no others");
}

#[test]
fn what_runbooks_link_to_is_there() {
    for (name, text) in files("docs/runbooks", "md") {
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for link in links.filter(|link| !link.starts_with("https://")) {
            let file = link.split('#').next().unwrap();
            assert!(here().join("docs/runbooks").join(file).exists(), "{name}: {link}");
        }
    }
}

/// Panels' titles by their dashboard's.
fn panels() -> BTreeMap<String, BTreeSet<String>> {
    fn titles(panels: &Value, into: &mut BTreeSet<String>) {
        for panel in panels.as_array().into_iter().flatten() {
            into.insert(panel["title"].as_str().unwrap_or_default().to_owned());
            titles(&panel["panels"], into);
        }
    }
    let dashboards = files("deploy/grafana/dashboards", "json").into_iter().map(|(name, text)| {
        let dashboard: Value = serde_json::from_str(&text).unwrap();
        let title = dashboard["title"].as_str().unwrap().strip_prefix("Weir: ").unwrap_or_else(|| panic!("{name}"));
        let mut of_it = BTreeSet::new();
        titles(&dashboard["panels"], &mut of_it);
        (title.to_owned(), of_it)
    });
    dashboards.collect()
}

/// What a line says of dashboards: each with the panels that stand behind it, a dashboard in italics, a panel in quotes.
fn dashboards_of(line: &str) -> Vec<(&str, Vec<&str>)> {
    let mut named: Vec<(&str, Vec<&str>)> = Vec::new();
    let Some((_, mut rest)) = line.split_once("Dashboard ") else { return named };
    while let Some(begins) = rest.find(['*', '"', '`']) {
        let (mark, inside) = rest.split_at(begins).1.split_at(1);
        let (word, behind) = inside.split_once(mark).unwrap_or_else(|| panic!("{line}"));
        match mark {
            "*" => named.push((word, Vec::new())),
            "\"" => named.last_mut().unwrap_or_else(|| panic!("{line}")).1.push(word),
            _ => {}
        }
        rest = behind;
    }
    named
}

#[test]
fn dashboards_and_metrics_that_runbooks_name_exist() {
    let (panels, reference) = (panels(), std::fs::read_to_string(here().join("docs/metrics.md")).unwrap());
    let mut named = 0;
    for (name, text) in runbooks() {
        for (dashboard, of_it) in text.lines().flat_map(dashboards_of) {
            let found = panels.iter().find(|(title, _)| title.eq_ignore_ascii_case(dashboard));
            let (_, titles) = found.unwrap_or_else(|| panic!("{name}: no dashboard {dashboard:?}"));
            for panel in of_it {
                assert!(titles.contains(panel), "{name}: no panel {panel:?} in {dashboard}");
                named += 1;
            }
        }
        for metric in quoted(&text).into_iter().flat_map(metrics_of) {
            let bare = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| metric.strip_suffix(suffix));
            let is_there = |name: &str| reference.contains(&format!("| `{name}` |"));
            assert!(is_there(metric) || bare.is_some_and(is_there), "{name}: {metric}");
        }
    }
    assert!(named > 30, "{named} panels");
}

/// Names of Weir's metrics in a text.
fn metrics_of(text: &str) -> Vec<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("weir_")).collect()
}

#[test]
fn commands_that_runbooks_name_are_understood() {
    let mut tried = 0;
    for (name, text) in files("docs/runbooks", "md") {
        for command in quoted(&text).into_iter().filter_map(|quoted| quoted.strip_prefix("weir ")) {
            // Options are understood up to the last one, which asks for help instead of doing it.
            let arguments = if command == "COMMAND --help" { Vec::new() } else { words(command) };
            let output = Command::new(BINARY).args(&arguments).arg("--help").output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{name}: weir {command}: {told}");
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried} commands");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_runbook_leads_to_a_page_of_the_console() {
    let house = House::new().await;
    house.mail_goes_out().await;
    house
        .until("/v1/approvals", |answer| answer["approvals"].as_array().is_some_and(|all| all.len() == BAD.len()))
        .await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut answers = BTreeMap::new();
    for (name, text) in runbooks() {
        let look = text.split("\n## Look\n").nth(1).unwrap().split("\n## ").next().unwrap();
        let lines = look.lines().filter(|line| line.to_lowercase().contains("console"));
        let pages: Vec<_> = lines.flat_map(quoted).filter(|quoted| quoted.starts_with('/')).collect();
        assert!(!pages.is_empty(), "{name} names no page of the console");
        for page in quoted(&text).into_iter().filter(|page| page.starts_with('/') && *page != "/readyz") {
            if !answers.contains_key(page) {
                let answer = client.get(format!("{}{page}", house.base())).send().await.unwrap();
                answers.insert(page.to_owned(), answer.status().as_u16());
            }
        }
    }
    let missing: Vec<_> = answers.iter().filter(|(_, status)| **status != 200).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
