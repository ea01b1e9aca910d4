//! What Weir's parts tell of themselves, and the one seam that they tell it by.
//!
//! A part asks a [`Registry`] for its instruments. The registry exports them to Prometheus, and remembers of each what it is
//! called, what it counts, in which unit, and what its labels may say ([`Metric`]): the reference in `docs/metrics.md` is
//! written from that, and a test holds each against the conventions.
//!
//! [`Tracing`] makes the spans of sampled traces; a [`TraceParent`] goes on beside a record.
//!
//! Every [`Label`] says what bounds it. Customers, recipients and whatever else a stranger can make up are labels of nothing.

mod label;
mod metric;
mod registry;
mod trace;

pub use label::{Label, Values};
pub use metric::{Kind, Metric, Unit};
pub use prometheus::{
    Error, Gauge, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Result,
    exponential_buckets, proto,
};
pub use registry::Registry;
pub use trace::{CE_TRACEPARENT, NoTraceParent, Role, Span, TRACEPARENT, TraceParent, Tracing};
