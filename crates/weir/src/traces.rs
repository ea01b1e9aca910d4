//! Sends sampled traces where the configuration says.

use anyhow::Context;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use telemetry::Tracing;

use crate::config::TraceSettings;

/// Where traces go, until it is closed.
#[derive(Debug, Default)]
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Begins to send traces; does nothing where none are asked for.
    pub(crate) async fn begin(settings: Option<&TraceSettings>) -> anyhow::Result<(Self, Tracing)> {
        let Some(settings) = settings.cloned() else { return Ok((Self::default(), Tracing::default())) };
        // The exporter's client waits by itself, which none may do on a thread of the runtime.
        let provider = tokio::task::spawn_blocking(move || provider(&settings)).await??;
        let tracer = provider.tracer("weir");
        Ok((Self(Some(provider)), Tracing::by(Box::new(tracer))))
    }

    /// Sends what is left.
    pub(crate) async fn close(self) {
        let Some(provider) = self.0 else { return };
        if !matches!(tokio::task::spawn_blocking(move || provider.shutdown()).await, Ok(Ok(()))) {
            tracing::warn!("the last spans were not sent");
        }
    }
}

fn provider(settings: &TraceSettings) -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", settings.otlp.trim_end_matches('/')))
        .build()
        .context("traces can't be sent")?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample)));
    let resource = Resource::builder().with_service_name("weir").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_sampler(sampler).with_resource(resource).build())
}
