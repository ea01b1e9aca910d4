//! What every backend promises, against the seam alone. A backend is put under the laws by one line at the end.

use std::sync::Arc;

use log::Log;
use log::embedded::{Config, EmbeddedLog};

use crate::laws::{self, Backend, PARTITIONS};

struct Embedded(tempfile::TempDir);

impl Backend for Embedded {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self) -> Arc<dyn Log> {
        Arc::new(EmbeddedLog::open(Config::new(self.0.path().join("log"), PARTITIONS)).unwrap())
    }

    fn open_narrow(&self, bytes: usize) -> Arc<dyn Log> {
        let config = Config { in_flight_bytes: bytes, ..Config::new(self.0.path().join("log"), PARTITIONS) };
        Arc::new(EmbeddedLog::open(config).unwrap())
    }
}

laws::hold_for!(embedded: crate::seam::Embedded);
