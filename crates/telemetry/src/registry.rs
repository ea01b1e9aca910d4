//! Where instruments are made, exported and remembered.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::proto::MetricFamily;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Result, TextEncoder,
};

use crate::{Kind, Label, Metric};

/// Makes the instruments of one process, exports them, and remembers what they are. Cheap to clone; clones are the same
/// registry.
#[derive(Clone, Default)]
pub struct Registry {
    exported: prometheus::Registry,
    catalogue: Arc<Mutex<Vec<Metric>>>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("metrics", &self.catalogue().len()).finish_non_exhaustive()
    }
}

/// Every maker of an instrument fails where the name is taken or none that Prometheus allows.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
impl Registry {
    /// A registry without instruments.
    pub fn new() -> Self {
        Self::default()
    }

    /// A counter.
    pub fn counter(&self, name: &str, help: &str) -> Result<IntCounter> {
        self.register(Kind::Counter, &[], IntCounter::new(name, help)?)
    }

    /// A counter for each value of `labels`.
    pub fn counters(&self, name: &str, help: &str, labels: &[Label]) -> Result<IntCounterVec> {
        self.register(Kind::Counter, labels, IntCounterVec::new(Opts::new(name, help), &names(labels))?)
    }

    /// A counter for each of `words`, in their order, at hand without a look-up; each is exported from the beginning on.
    pub fn words<const N: usize>(
        &self,
        name: &str,
        help: &str,
        (label, words): (&'static str, [&'static str; N]),
    ) -> Result<[IntCounter; N]> {
        let counters = self.counters(name, help, &[Label::words(label, words)])?;
        Ok(words.map(|word| counters.with_label_values(&[word])))
    }

    /// A gauge of whole numbers.
    pub fn gauge(&self, name: &str, help: &str) -> Result<IntGauge> {
        self.register(Kind::Gauge, &[], IntGauge::new(name, help)?)
    }

    /// A gauge of whole numbers for each value of `labels`.
    pub fn gauges(&self, name: &str, help: &str, labels: &[Label]) -> Result<IntGaugeVec> {
        self.register(Kind::Gauge, labels, IntGaugeVec::new(Opts::new(name, help), &names(labels))?)
    }

    /// A gauge of any number.
    pub fn real_gauge(&self, name: &str, help: &str) -> Result<Gauge> {
        self.register(Kind::Gauge, &[], Gauge::new(name, help)?)
    }

    /// A gauge of any number for each value of `labels`.
    pub fn real_gauges(&self, name: &str, help: &str, labels: &[Label]) -> Result<GaugeVec> {
        self.register(Kind::Gauge, labels, GaugeVec::new(Opts::new(name, help), &names(labels))?)
    }

    /// A histogram with these upper bounds.
    pub fn histogram(&self, name: &str, help: &str, buckets: Vec<f64>) -> Result<Histogram> {
        let options = HistogramOpts::new(name, help).buckets(buckets);
        self.register(Kind::Histogram, &[], Histogram::with_opts(options)?)
    }

    /// A histogram with these upper bounds for each value of `labels`.
    pub fn histograms(&self, name: &str, help: &str, labels: &[Label], buckets: Vec<f64>) -> Result<HistogramVec> {
        let options = HistogramOpts::new(name, help).buckets(buckets);
        self.register(Kind::Histogram, labels, HistogramVec::new(options, &names(labels))?)
    }

    /// What the system tells of this process: its memory, processor time, threads and open files; read when they are asked for.
    pub fn process(&self) -> Result<()> {
        let collector = ProcessCollector::for_self();
        let descriptions: Vec<_> = collector.desc().into_iter().cloned().collect();
        self.exported.register(Box::new(collector))?;
        for description in descriptions {
            let kind = if description.fq_name.ends_with("_total") { Kind::Counter } else { Kind::Gauge };
            self.remember(Metric { name: description.fq_name, kind, help: description.help, labels: Vec::new() });
        }
        Ok(())
    }

    /// All that is exported, as it is now.
    pub fn gather(&self) -> Vec<MetricFamily> {
        self.exported.gather()
    }

    /// The same in Prometheus' text format.
    pub fn text(&self) -> Result<String> {
        TextEncoder::new().encode_to_string(&self.gather())
    }

    /// Every metric that was made here, by name: also those that have no series yet.
    pub fn catalogue(&self) -> Vec<Metric> {
        let mut metrics = self.catalogue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        metrics.sort_by(|one, other| one.name.cmp(&other.name));
        metrics
    }

    fn register<C>(&self, kind: Kind, labels: &[Label], instrument: C) -> Result<C>
    where
        C: Collector + Clone + 'static,
    {
        let described: Vec<_> = instrument.desc().into_iter().map(|it| (it.fq_name.clone(), it.help.clone())).collect();
        self.exported.register(Box::new(instrument.clone()))?;
        for (name, help) in described {
            self.remember(Metric { name, kind, help, labels: labels.to_vec() });
        }
        Ok(instrument)
    }

    fn remember(&self, metric: Metric) {
        self.catalogue.lock().unwrap_or_else(PoisonError::into_inner).push(metric);
    }
}

fn names(labels: &[Label]) -> Vec<&'static str> {
    labels.iter().map(|label| label.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unit;

    #[test]
    fn what_has_no_series_yet_is_in_the_catalogue() {
        let registry = Registry::new();
        let label = Label::words("outcome", ["good", "bad"]);
        let counters = registry.counters("weir_test_things_total", "Things.", std::slice::from_ref(&label)).unwrap();
        assert!(registry.gather().is_empty());
        let all = registry.catalogue();
        assert_eq!((all.len(), all[0].kind, all[0].help.as_str()), (1, Kind::Counter, "Things."));
        assert_eq!((all[0].part(), all[0].unit(), &all[0].labels), ("test", Unit::Number, &vec![label]));
        counters.with_label_values(&["good"]).inc();
        assert!(registry.text().unwrap().contains("weir_test_things_total{outcome=\"good\"} 1\n"));
    }

    #[test]
    fn a_name_is_given_once_and_remembered_once() {
        let registry = Registry::new();
        registry.gauge("weir_test_level_bytes", "A level.").unwrap();
        assert!(registry.clone().gauge("weir_test_level_bytes", "A level.").is_err());
        assert_eq!(registry.catalogue().len(), 1);
    }

    #[test]
    fn the_process_tells_of_itself() {
        let registry = Registry::new();
        registry.process().unwrap();
        assert!(registry.catalogue().iter().any(|metric| metric.name == "process_resident_memory_bytes"));
        let text = registry.text().unwrap();
        let resident = text.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
        assert!(resident.unwrap().parse::<f64>().unwrap() > 1e6);
    }
}
