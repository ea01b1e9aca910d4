//! Dashboards, rules and alerts as they are deployed: a real Prometheus scrapes a real Weir over a real Kafka. `.ci/prometheus` and
//! `.ci/kafka` install what it takes.

mod chaos;
mod healthy;
mod hour;
mod house;
mod incident;
mod load;
mod queries;
mod server;
