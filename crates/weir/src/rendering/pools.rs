//! The IP pools, and how the mail fares that leaves through them.

use std::collections::BTreeMap;

use model::{Counter, Counts, Rate, Window};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Look, lines, right};

/// A pool with its counts in each window.
#[derive(Debug, Deserialize)]
pub(crate) struct Pool {
    pool: String,
    windows: BTreeMap<Window, Counts>,
}

/// The pools of a fleet, by name.
pub(crate) fn of_fleet(fleet: &Value) -> Vec<Value> {
    let mut pools: BTreeMap<&str, serde_json::Map<String, Value>> = BTreeMap::new();
    for (window, counts) in fleet["windows"].as_object().into_iter().flatten() {
        for (pool, counts) in counts["pools"].as_object().into_iter().flatten() {
            pools.entry(pool).or_default().insert(window.clone(), counts.clone());
        }
    }
    pools.into_iter().map(|(pool, windows)| json!({ "pool": pool, "windows": windows })).collect()
}

/// A line for each pool and window in which mail has left through it.
pub(crate) fn table(pools: &[Pool], look: &Look) -> String {
    let mut table = look.table(&[
        "POOL",
        "WINDOW",
        "MAILS",
        "DELIVERED",
        "BOUNCED",
        "",
        "BLOCKED",
        "",
        "DEFERRED",
        "",
        "COMPLAINTS",
    ]);
    for Pool { pool, windows } in pools {
        for (window, counts) in windows.iter().filter(|(_, counts)| counts.attempted() > 0) {
            let share = |counter| Rate::of(counts[counter], counts.attempted()).to_string();
            table.add_row([
                pool.clone(),
                window.name().to_owned(),
                counts.attempted().to_string(),
                counts[Counter::Delivered].to_string(),
                counts[Counter::HardBounce].to_string(),
                share(Counter::HardBounce),
                counts[Counter::Block].to_string(),
                share(Counter::Block),
                counts[Counter::FirstDeferral].to_string(),
                share(Counter::FirstDeferral),
                counts[Counter::SpamReport].to_string(),
            ]);
        }
    }
    right(&mut table, 2..=10);
    if table.is_empty() { "No mail that names a pool was seen yet.\n".to_owned() } else { lines(&table) }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn each_pool_has_a_line_for_each_window() {
        let (hour, day) = (json!({"processed": 10}), json!({"processed": 400, "delivered": 369, "hard_bounce": 31}));
        let fleet = json!({"windows": {
            "1h": {"pools": {"home": hour}}, "24h": {"pools": {"home": day, "poor": {}}, "providers": {"gmail": day}},
        }});
        let pools: Vec<Pool> = of_fleet(&fleet).into_iter().map(samples::read).collect();
        let expected = "\
POOL  WINDOW  MAILS  DELIVERED  BOUNCED          BLOCKED          DEFERRED          COMPLAINTS
home  1h         10          0        0  0.00 %        0  0.00 %         0  0.00 %           0
home  24h       400        369       31  7.75 %        0  0.00 %         0  0.00 %           0
";
        assert_eq!(table(&pools, &samples::plain()), expected);
    }
}
