//! What the operators' listener tells Prometheus of its requests.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use telemetry::{HistogramVec, IntCounterVec, Label, Registry, Values, exponential_buckets};

use crate::ConnectionLimits;

/// What a request is called that no route takes: its path may be anything.
const NO_ROUTE: &str = "none";

/// Counts and times requests by the route that took them. Cheap to clone; clones are the same counters.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    requests: IntCounterVec,
    took: HistogramVec,
}

impl Observed {
    pub(crate) fn register(registry: &Registry) -> telemetry::Result<Self> {
        let route = Label { name: "route", values: Values::Routes };
        Ok(Self {
            requests: registry.counters(
                "weir_console_requests_total",
                "Requests to the operators' listener by route and HTTP status; `none` stands for whatever no route takes.",
                &[route.clone(), Label { name: "status", values: Values::Statuses }],
            )?,
            took: registry.histograms(
                "weir_console_seconds",
                "Time to the beginning of an answer, by route; long-polls wait by design.",
                &[route],
                exponential_buckets(0.001, 3.0, 10)?,
            )?,
        })
    }
}

/// Registers the part's metrics alone, for who only lists them.
///
/// # Errors
///
/// Where a name is taken.
pub fn list_metrics(registry: &Registry) -> telemetry::Result<()> {
    crate::access::refusals(registry)?;
    ConnectionLimits::register(registry, 0, 0)?;
    Observed::register(registry).map(drop)
}

/// The layer around all routes.
pub(crate) async fn observe(State(observed): State<Observed>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    observed.requests.with_label_values(&[route, response.status().as_str()]).inc();
    observed.took.with_label_values(&[route]).observe(began.elapsed().as_secs_f64());
    response
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_request_is_counted_by_its_route_and_never_by_its_path() {
        let registry = Registry::new();
        let observed = Observed::register(&registry).unwrap();
        let router = Router::new()
            .route("/v1/customers/{id}", get(|| async { StatusCode::NO_CONTENT }))
            .layer(axum::middleware::from_fn_with_state(observed, observe));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        for path in ["/v1/customers/acme", "/v1/customers/bolt", "/wp-login.php"] {
            reqwest::get(format!("http://{address}{path}")).await.unwrap();
        }
        serving.abort();
        let text = registry.text().unwrap();
        for line in [
            "weir_console_requests_total{route=\"/v1/customers/{id}\",status=\"204\"} 2\n",
            "weir_console_requests_total{route=\"none\",status=\"404\"} 1\n",
            "weir_console_seconds_count{route=\"/v1/customers/{id}\"} 2\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(!text.contains("acme") && !text.contains("wp-login"), "{text}");
    }
}
