# Every target installs what it needs first; that costs nothing when all is there.

# Libraries in C are compiled once a machine: the compiler cache serves every clone.
export CC := ccache gcc
export CXX := ccache g++
export CCACHE_NOHASHDIR := 1
export CCACHE_MAXSIZE := 5G

# Suites that need more than a Rust toolchain.
SUITES := weir/api-suites,weir/browser-suites,weir/kafka-suites,weir/prometheus-suites,weir-log/kafka-suites,sendgrid/sendgrid-suites,simulator/sendgrid-suites

.PHONY: setup setup-api setup-browser setup-kafka setup-prometheus setup-sendgrid demo build run test test-fast lint advisories bench fuzz
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: ## install what the build needs (Debian and Ubuntu; elsewhere it says what is missing)
	@.ci/setup

setup-kafka: setup ## install the Kafka that suites and benches run against: a Java runtime, and the broker from Maven Central
	@.ci/kafka

setup-prometheus: setup ## unpack the Prometheus that rules, dashboards and alerts are held against
	@.ci/prometheus

setup-api: setup ## install what the API is held against: Schemathesis, which makes requests from its description
	@.ci/schemathesis

setup-sendgrid: setup ## install what SendGrid's shape is held against: a mock server for its OpenAPI documents, and its own clients
	@.ci/sendgrid

setup-browser: setup ## install what the console's pages are held against: a Chromium, what drives it, and rules of accessibility
	@.ci/browser

demo: ## a simulated platform's hour in a minute; then its console, until Ctrl-C (ARGS=--once: without that)
	@.ci/announce
	@.ci/setup
	@cargo build -p weir || { echo "The demo could not be compiled; the reason is above. Where a compiler was killed, memory is short: try CARGO_BUILD_JOBS=1 make demo." >&2; exit 1; }
	@cargo run --quiet -p weir -- demo $(ARGS)

build: setup ## target/release/weir, with the library that belongs beside it
	cargo build --release -p weir

run: setup ## Weir with weir.toml, or with its defaults
	cargo run --release -p weir -- run $(if $(wildcard weir.toml),--config weir.toml)

test: setup-api setup-browser setup-kafka setup-prometheus setup-sendgrid ## everything that is promised
	@.ci/test $(SUITES)

test-fast: setup ## what is promised without Kafka, a browser, Prometheus, Schemathesis, and SendGrid's documents and clients
	cargo test --workspace

lint: setup ## formatting, lints, layers, licences, what is deployed, documentation
	.ci/setup cargo-deny
	cargo fetch --quiet --locked
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --features $(SUITES) -- -D warnings
	.ci/layers
	cargo deny --offline check bans licenses sources
	.ci/deploy
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

advisories: setup ## known vulnerabilities of dependencies, by RustSec's database (needs the network)
	.ci/setup cargo-deny
	cargo deny check advisories

bench: setup-kafka ## speed, as ratios within one run
	cargo run --release -p benches

fuzz: setup ## the parsers of what SendGrid posts, and of files that it was stored in, a minute each (needs a nightly toolchain and cargo-fuzz)
	cd crates/sendgrid && for target in parse signature ids stream; do cargo +nightly fuzz run $$target -- -max_total_time=60 || exit 1; done
