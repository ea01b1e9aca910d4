//! What the suites share: the fold in memory, fed by the simulated platform, without HTTP or disk.

mod memory_run;

pub use memory_run::{MemoryRun, Partitioned, customer_of};
