//! Traces: what one sampled POST brought about, from its arrival to the calls to SendGrid.
//!
//! A context goes on as the text that W3C calls `traceparent`: beside a record of the log, and to those who are told. Nothing is
//! kept in thread-local places, so that who continues whose trace stands in the code; where tracing is off, a part holds nothing
//! and does nothing.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use opentelemetry::global::{BoxedSpan, BoxedTracer, ObjectSafeTracer};
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _,
};
use opentelemetry::{Context, KeyValue, Value};

/// The header that holds a context beside a record.
pub const TRACEPARENT: &str = "traceparent";
/// The same as an attribute of a CloudEvent in Kafka (its distributed tracing extension).
pub const CE_TRACEPARENT: &str = "ce_traceparent";

/// What a span is, among those of other processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Answers a request.
    Server,
    /// Makes one.
    Client,
    /// Appends to the log.
    Producer,
    /// Works a record of it off.
    Consumer,
}

/// A sampled trace's context, as W3C writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent {
    trace: TraceId,
    span: SpanId,
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-01", self.trace, self.span)
    }
}

/// It is no context of a sampled trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTraceParent;

impl FromStr for TraceParent {
    type Err = NoTraceParent;

    fn from_str(text: &str) -> Result<Self, NoTraceParent> {
        let fields: Vec<_> = text.split('-').collect();
        let ["00", trace, span, "01"] = fields.as_slice() else { return Err(NoTraceParent) };
        let is_hex = |field: &str| field.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if trace.len() != 32 || span.len() != 16 || !is_hex(trace) || !is_hex(span) {
            return Err(NoTraceParent);
        }
        let trace = TraceId::from_hex(trace).map_err(|_| NoTraceParent)?;
        let span = SpanId::from_hex(span).map_err(|_| NoTraceParent)?;
        let is_sound = trace != TraceId::INVALID && span != SpanId::INVALID;
        if is_sound { Ok(Self { trace, span }) } else { Err(NoTraceParent) }
    }
}

impl TraceParent {
    /// The context in a record's header; `None` where there is none that is sound.
    pub fn read(header: Option<&[u8]>) -> Option<Self> {
        std::str::from_utf8(header?).ok()?.parse().ok()
    }
}

/// Makes spans, or nothing where tracing is off. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tracing(Option<Arc<BoxedTracer>>);

impl fmt::Debug for Tracing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Tracing(on)" } else { "Tracing(off)" })
    }
}

impl Tracing {
    /// Makes spans by `tracer`, which says which traces are sampled.
    pub fn by(tracer: Box<dyn ObjectSafeTracer + Send + Sync>) -> Self {
        Self(Some(Arc::new(BoxedTracer::new(tracer))))
    }

    /// The first span of a trace, if it is sampled.
    pub fn begin(&self, name: impl Into<Cow<'static, str>>, role: Role) -> Option<Span> {
        self.start(name, role, &Context::new())
    }

    /// A span that continues `parent`.
    pub fn go_on(&self, parent: &TraceParent, name: impl Into<Cow<'static, str>>, role: Role) -> Option<Span> {
        self.0.as_ref()?;
        let TraceParent { trace, span } = *parent;
        let remote = SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::default());
        self.start(name, role, &Context::new().with_remote_span_context(remote))
    }

    fn start(&self, name: impl Into<Cow<'static, str>>, role: Role, parent: &Context) -> Option<Span> {
        let tracer = self.0.as_ref()?;
        let kind = match role {
            Role::Server => SpanKind::Server,
            Role::Client => SpanKind::Client,
            Role::Producer => SpanKind::Producer,
            Role::Consumer => SpanKind::Consumer,
        };
        let span = tracer.build_with_context(tracer.span_builder(name).with_kind(kind), parent);
        span.span_context().is_sampled().then_some(Span(span))
    }
}

/// A span of a sampled trace; it ends when it is dropped.
pub struct Span(BoxedSpan);

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Span({})", self.parent())
    }
}

impl Span {
    /// The context for what it brings about.
    pub fn parent(&self) -> TraceParent {
        let context = self.0.span_context();
        TraceParent { trace: context.trace_id(), span: context.span_id() }
    }

    /// Says something of it. Never a recipient or a key.
    pub fn say(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.set_attribute(KeyValue::new(name, value));
    }

    /// It did not succeed, in words that name no recipient.
    pub fn fail(&mut self, why: impl Into<Cow<'static, str>>) {
        self.0.set_status(Status::error(why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_read_as_it_was_written_and_nothing_else_is() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(text.parse::<TraceParent>().unwrap().to_string(), text);
        for bad in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert!(bad.parse::<TraceParent>().is_err(), "{bad}");
        }
        assert_eq!(TraceParent::read(Some(&[0xff])), None);
    }

    #[test]
    fn off_means_no_span() {
        let tracing = Tracing::default();
        assert!(tracing.begin("a", Role::Server).is_none());
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
        assert!(tracing.go_on(&parent, "b", Role::Client).is_none());
    }
}
