//! The scorecard as tables.

use std::collections::BTreeMap;
use std::fmt;

use comfy_table::{CellAlignment, Table, presets};

use crate::{Beaten, KindScore, Quantiles, Rival, Score, Scorecard};

impl fmt::Display for Scorecard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { customers, days, seed, records, policy, .. } = self;
        writeln!(f, "{customers} customers, {days} days, seed {seed}: {records} records, policy {policy}\n")?;
        writeln!(f, "The bad: found of how many; mails sent since it was bad, and time; median (95th percentile).")?;
        writeln!(
            f,
            "Best test: the mails that the best sequential test needs on average, at the same limits and error rates;"
        )?;
        writeln!(f, "of ripe: the ratio where each mail counts as far as its complaints can have come")?;
        writeln!(f, "{}", self.bad())?;
        for kind in &self.kinds {
            let (name, risen_to) = (kind.kind.name(), kind.weir.risen_to);
            let percent = |rate| format!("{:.1} %", rate * 100.0);
            if risen_to.is_some() {
                writeln!(f, "{name}: found at a true rate of {}", quantiles(risen_to, percent))?;
            }
        }
        writeln!(f)?;
        writeln!(f, "The good: how many were throttled or worse; for Weir also how often one was watched")?;
        writeln!(f, "{}", self.good())?;
        writeln!(f, "Good customers touched, by rule: {}\n", self.touches_by_rule())?;
        writeln!(
            f,
            "✓ Weir did at least as well, ✗ it did not, ○ it did not, but the rival touches more than one good"
        )?;
        write!(f, "customer of 10,000 a month and is of no use")
    }
}

impl Scorecard {
    fn bad(&self) -> Table {
        let own = ["kind", "found", "mails", "time", "best test", "ratio", "of ripe"].map(str::to_owned);
        let mut table = empty(own.into_iter().chain(Rival::ALL.map(|rival| rival.name.to_owned())));
        for kind in self.kinds.iter().filter(|kind| !kind.good) {
            let score = &kind.weir;
            let own = [
                kind.kind.name().to_owned(),
                format!("{} of {}", score.found, kind.customers),
                quantiles(score.mails, mails),
                quantiles(score.hours, time),
                kind.fewest_mails.map(mails).unwrap_or_default(),
                quantiles(score.ratio, |ratio| format!("{ratio:.1}")),
                quantiles(kind.ripe_ratio, |ratio| format!("{ratio:.1}")),
            ];
            let rivals = kind.rivals.iter().enumerate().map(|(rival, score)| {
                format!("{} {}: {}", self.mark(kind, rival), score.found, quantiles(score.mails, mails))
            });
            table.add_row(own.into_iter().chain(rivals));
        }
        align(&mut table);
        table
    }

    fn good(&self) -> Table {
        let own = ["kind", "customers", "touched", "watched"].map(str::to_owned);
        let mut table = empty(own.into_iter().chain(Rival::ALL.map(|rival| rival.name.to_owned())));
        for kind in self.kinds.iter().filter(|kind| kind.good) {
            let Score { touched, watched, .. } = kind.weir;
            let own = [kind.kind.name().to_owned()].into_iter();
            let own = own.chain([kind.customers.to_string(), touched.to_string(), watched.to_string()]);
            let rivals = kind.rivals.iter().enumerate();
            let rivals = rivals.map(|(rival, score)| format!("{} {}", self.mark(kind, rival), score.touched));
            table.add_row(own.chain(rivals));
        }
        let mut rates = self.totals.iter().map(|totals| format!("{:.1}", totals.touched_per_10000_months));
        let own = ["per 10,000 a month".to_owned(), String::new(), rates.next().unwrap_or_default(), String::new()];
        table.add_row(own.into_iter().chain(rates));
        align(&mut table);
        table
    }

    fn touches_by_rule(&self) -> String {
        let mut rules = BTreeMap::<&str, usize>::new();
        self.touches.iter().for_each(|touch| *rules.entry(&touch.rule).or_default() += 1);
        let each: Vec<_> = rules.iter().map(|(rule, touched)| format!("{rule} {touched}")).collect();
        if each.is_empty() { "none".to_owned() } else { each.join(", ") }
    }

    fn mark(&self, kind: &KindScore, rival: usize) -> &'static str {
        match self.beaten(kind, rival) {
            Some(Beaten::Yes) => "✓",
            Some(Beaten::Unusable) => "○",
            Some(Beaten::No) | None => "✗",
        }
    }
}

fn empty(header: impl Iterator<Item = String>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY);
    table.set_header(header);
    table
}

/// All but the first column to the right.
fn align(table: &mut Table) {
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
}

fn quantiles(quantiles: Option<Quantiles>, show: impl Fn(f64) -> String) -> String {
    quantiles.map(|Quantiles { median, p95 }| format!("{} ({})", show(median), show(p95))).unwrap_or_default()
}

fn mails(number: f64) -> String {
    format!("{number:.0}")
}

fn time(hours: f64) -> String {
    match hours {
        ..1.0 => format!("{:.0}m", hours * 60.0),
        ..48.0 => format!("{hours:.1}h"),
        _ => format!("{:.1}d", hours / 24.0),
    }
}
