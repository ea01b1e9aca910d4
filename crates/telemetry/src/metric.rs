//! What the catalogue knows of a metric.

use crate::Label;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number that only rises, and begins at 0 with the process.
    Counter,
    /// A number as it is now.
    Gauge,
    /// How often a number was how large.
    Histogram,
}

/// What a metric's numbers are numbers of. Its name ends with it, in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// A moment, as seconds since 1970.
    UnixSeconds,
    /// Bytes.
    Bytes,
    /// A share: 1 is all.
    Ratio,
    /// Whatever the name says is counted.
    Number,
}

/// A metric of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What it tells, in a sentence.
    pub help: String,
    /// What tells its series apart.
    pub labels: Vec<Label>,
}

impl Kind {
    /// The word that Prometheus has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Unit {
    /// The word for it in the reference.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::UnixSeconds => "Unix seconds",
            Self::Bytes => "bytes",
            Self::Ratio => "ratio",
            Self::Number => "",
        }
    }
}

impl Metric {
    /// Its unit, as its name says.
    pub fn unit(&self) -> Unit {
        let base = self.name.strip_suffix("_total").unwrap_or(&self.name);
        if base.ends_with("_timestamp_seconds") || base.ends_with("_start_time_seconds") {
            Unit::UnixSeconds
        } else if base.ends_with("_seconds") {
            Unit::Seconds
        } else if base.ends_with("_bytes") {
            Unit::Bytes
        } else if base.ends_with("_ratio") {
            Unit::Ratio
        } else {
            Unit::Number
        }
    }

    /// The part of Weir that it is of: the word behind `weir_`; `process` for what the system tells of the process.
    pub fn part(&self) -> &str {
        let own = self.name.strip_prefix("weir_").unwrap_or(&self.name);
        own.split('_').next().unwrap_or(own)
    }
}
