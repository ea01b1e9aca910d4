//! Every metric that a Weir may tell, and the reference that is written from them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use telemetry::{Label, Metric, Registry, Values};

use crate::sendgrid_calls::SendGridCalls;

/// What stands above the tables.
const INTRODUCTION: &str = "\
# Metrics

Written by `weir metrics` from what the code registers; don't edit it: `cargo run -p weir -- metrics > docs/metrics.md`.

`GET /metrics` on the operators' listener (`[admin] listen`) tells them in Prometheus' text format, without a token. A process tells those of the
roles that it runs. No label names a customer or a recipient: each has a bound, which stands beside it.

A counter begins at 0 when its process starts; ask for `rate()` or `increase()`. A histogram has `_bucket`, `_sum` and `_count`.
";

/// The parts, in the order of the flow, with what to know of all their metrics.
const PARTS: [(&str, &str, &str); 13] = [
    ("build", "Every process", ""),
    ("process", "What the system tells of every process", ""),
    ("receiver", "The receiver", "Role `receiver`."),
    ("log", "The log", "Every process, about what it appends itself; the backend makes no difference."),
    ("scorer", "The scorer", "Role `scorer`. Gauges by partition are told by whoever has the partition."),
    ("fleet", "The fleet", "Role `scorer`, by the process that ticks, with each tick; no other process tells them."),
    ("account", "The SendGrid account", "Role `scorer`."),
    ("enforcer", "The enforcer", "Role `enforcer`; gauges by the process that holds the office."),
    ("sendgrid", "SendGrid's API", "Role `enforcer`."),
    ("hooks", "Hooks", "Role `enforcer`, where hooks are configured; gauges by the process that holds the office."),
    (
        "outreach",
        "Outreach",
        "Role `enforcer`, where outreach is configured; gauges by the process that holds the office.",
    ),
    ("completeness", "Completeness", "Role `enforcer`; by the process that holds the office."),
    ("console", "The operators' listener", "Role `console`."),
];

/// Registers what every process tells, whatever its roles.
pub(crate) fn of_every_process(registry: &Registry) -> telemetry::Result<()> {
    let version = Label { name: "version", values: Values::Version };
    let build = registry.gauges("weir_build_info", "1, with the version that runs.", &[version])?;
    build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    registry.process()
}

/// Every metric of every part, by name.
pub(crate) fn catalogue() -> telemetry::Result<Vec<Metric>> {
    let registry = Registry::new();
    of_every_process(&registry)?;
    log::list_metrics(&registry)?;
    receiver::list_metrics(&registry)?;
    scorer::list_metrics(&registry)?;
    enforcer::list_metrics(&registry)?;
    SendGridCalls::register(&registry)?;
    hooks::list_metrics(&registry)?;
    outreach::list_metrics(&registry)?;
    ::completeness::list_metrics(&registry)?;
    console::list_metrics(&registry)?;
    Ok(registry.catalogue())
}

/// The reference, as Markdown.
pub(crate) fn reference() -> telemetry::Result<String> {
    let metrics = catalogue()?;
    let mut text = INTRODUCTION.to_owned();
    for (part, title, note) in PARTS {
        let of_part: Vec<_> = metrics.iter().filter(|metric| metric.part() == part).collect();
        if !of_part.is_empty() {
            section(&mut text, (title, note), &of_part);
        }
    }
    Ok(text)
}

fn section(text: &mut String, (title, note): (&str, &str), metrics: &[&Metric]) {
    let note = if note.is_empty() { String::new() } else { format!("{note}\n\n") };
    // Writing to a string does not fail.
    let _written =
        write!(text, "\n## {title}\n\n{note}| metric | type | unit | labels | tells |\n|---|---|---|---|---|\n");
    for metric in metrics {
        let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{}`", label.name)).collect();
        let (kind, unit) = (metric.kind.name(), metric.unit().name());
        let _written =
            writeln!(text, "| `{}` | {kind} | {unit} | {} | {} |", metric.name, labels.join(", "), metric.help);
    }
    let lines = bounds(metrics);
    if !lines.is_empty() {
        let _written = writeln!(text, "\n{}", lines.join("\n"));
    }
}

/// What the labels may say: once for all metrics where that is the same for all.
fn bounds(metrics: &[&Metric]) -> Vec<String> {
    let mut bounds: BTreeMap<&str, Vec<(&Values, Vec<&str>)>> = BTreeMap::new();
    for metric in metrics {
        for label in &metric.labels {
            let known = bounds.entry(label.name).or_default();
            match known.iter_mut().find(|(values, _)| **values == label.values) {
                Some((_, of)) => of.push(&metric.name),
                None => known.push((&label.values, vec![&metric.name])),
            }
        }
    }
    let line = |(name, known): (&str, Vec<(&Values, Vec<&str>)>)| {
        let is_one = known.len() == 1;
        let of = move |(values, of): (&Values, Vec<&str>)| {
            let of = if is_one { String::new() } else { format!(" of `{}`", of.join("`, `")) };
            format!("- `{name}`{of}: {values}.")
        };
        known.into_iter().map(of).collect::<Vec<_>>()
    };
    bounds.into_iter().flat_map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use telemetry::{Kind, Unit};

    use super::*;

    /// What the system's own collector calls things is not ours.
    fn ours() -> impl Iterator<Item = Metric> {
        catalogue().unwrap().into_iter().filter(|metric| metric.part() != "process")
    }

    #[test]
    fn the_reference_is_what_the_code_registers() {
        let written = include_str!("../../../docs/metrics.md");
        assert!(
            written == reference().unwrap(),
            "docs/metrics.md is not what the code registers: cargo run -p weir -- metrics > docs/metrics.md"
        );
    }

    #[test]
    fn every_part_has_its_section() {
        let sections: BTreeSet<_> = PARTS.iter().map(|(part, ..)| *part).collect();
        let parts: BTreeSet<_> = catalogue().unwrap().iter().map(|metric| metric.part().to_owned()).collect();
        assert_eq!(parts.iter().map(String::as_str).collect::<BTreeSet<_>>(), sections);
    }

    #[test]
    fn every_name_says_what_it_is_and_its_unit() {
        for metric in ours() {
            let Metric { name, kind, .. } = &metric;
            assert!(name.starts_with("weir_"), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name} is a {}", kind.name());
            let taken = ["_count", "_sum", "_bucket", "_info"];
            assert!(!taken.iter().any(|suffix| name.ends_with(suffix)) || name == "weir_build_info", "{name}");
            // Prometheus' base units, at the end and nowhere else; times of day are told as such.
            for odd in ["millis", "_ms", "minutes", "hours_", "percent", "_kb", "kilobytes", "time_seconds"] {
                assert!(!name.contains(odd), "{name}");
            }
            assert_eq!(
                *kind == Kind::Histogram,
                name.ends_with("_seconds") && metric.unit() == Unit::Seconds && !name.contains("freshness"),
                "{name}: times are histograms"
            );
        }
    }

    #[test]
    fn every_help_is_a_sentence() {
        for Metric { name, help, .. } in ours() {
            assert!(help.ends_with('.') && !help.ends_with(".."), "{name}: {help}");
            let first = help.chars().next().unwrap();
            assert!(first.is_uppercase() || first.is_ascii_digit(), "{name}: {help}");
            assert!(!help.contains("  ") && !help.contains('|') && !help.contains('\n'), "{name}: {help}");
        }
    }

    #[test]
    fn no_label_grows_with_what_strangers_send() {
        for Metric { name, labels, .. } in ours() {
            for label in labels {
                let forbidden =
                    ["customer", "recipient", "email", "address", "path", "id", "subuser", "le", "quantile"];
                assert!(!forbidden.contains(&label.name), "{name}: {}", label.name);
                if let Values::Words(words) | Values::Providers(words) = label.values {
                    let distinct: BTreeSet<_> = words.iter().collect();
                    assert!(
                        !words.is_empty() && distinct.len() == words.len() && words.len() <= 80,
                        "{name}: {words:?}"
                    );
                }
            }
        }
    }
}
