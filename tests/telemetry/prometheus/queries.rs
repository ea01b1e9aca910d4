//! All that is asked of Prometheus: by dashboards' panels, and by rules.

use promql_parser::parser::{self, Expr, token};
use serde_json::Value;

use super::server::root;

/// What Grafana puts in for its variables: all jobs and instances, and a few scrapes.
const VARIABLES: [(&str, &str); 3] = [("$job", ".+"), ("$instance", ".+"), ("$__rate_interval", "5s")];

/// A query, and what it is called in the list of those that are empty by design.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Those of all panels: "dashboard: panel", and "dashboard: panel, 2" for the second one.
pub(crate) fn of_dashboards() -> Vec<Query> {
    let folder = root().join("deploy/grafana/dashboards");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut queries = Vec::new();
    for file in files {
        let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let title = dashboard["title"].as_str().unwrap().trim_start_matches("Weir: ");
        of_panels(title, &dashboard["panels"], &mut queries);
    }
    queries
}

fn of_panels(dashboard: &str, panels: &Value, queries: &mut Vec<Query>) {
    for panel in panels.as_array().into_iter().flatten() {
        of_panels(dashboard, &panel["panels"], queries);
        let title = panel["title"].as_str().unwrap_or_default();
        for (target, number) in panel["targets"].as_array().into_iter().flatten().zip(1..) {
            let mut text = target["expr"].as_str().unwrap().to_owned();
            for (variable, value) in VARIABLES {
                text = text.replace(variable, value);
            }
            queries.push(Query { name: numbered(&format!("{dashboard}: {title}"), number), text });
        }
    }
}

/// Those of rules: what a recording rule records, by its name, and what an alert holds against its bounds, by its name and number.
pub(crate) fn of_rules(rules: &[Value]) -> Vec<Query> {
    let mut queries: Vec<Query> = Vec::new();
    for rule in rules {
        let (name, text) = (rule["name"].as_str().unwrap(), rule["query"].as_str().unwrap());
        let measured = if rule["type"] == "alerting" { measured(&parse(text)) } else { vec![text.to_owned()] };
        for text in measured {
            let before = queries.iter().filter(|query| query.name.split(',').next() == Some(name));
            if !before.clone().any(|query| query.text == text) {
                let number = before.count() + 1;
                queries.push(Query { name: numbered(name, number), text });
            }
        }
    }
    queries
}

fn numbered(name: &str, number: usize) -> String {
    if number == 1 { name.to_owned() } else { format!("{name}, {number}") }
}

fn parse(text: &str) -> Expr {
    parser::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What a condition looks at: the left side of each comparison.
fn measured(condition: &Expr) -> Vec<String> {
    match condition {
        Expr::Paren(paren) => measured(&paren.expr),
        Expr::Binary(binary) if is_set_operator(binary.op.id()) => {
            [measured(&binary.lhs), measured(&binary.rhs)].concat()
        }
        Expr::Binary(binary) if binary.op.is_comparison_operator() => measured(&binary.lhs),
        other => vec![other.to_string()],
    }
}

const fn is_set_operator(id: token::TokenId) -> bool {
    matches!(id, token::T_LAND | token::T_LOR | token::T_LUNLESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_looks_at_the_left_side_of_each_comparison() {
        let condition =
            parse("(sum by (a) (rate(b{c=~\"d|e\"}[5m])) / f > 0.1 and on (a) g > 2 * h) or (i == 0 unless absent(j))");
        let looks_at = ["sum by (a) (rate(b{c=~\"d|e\"}[5m])) / f", "g", "i", "absent(j)"];
        assert_eq!(measured(&condition), looks_at);
    }
}
