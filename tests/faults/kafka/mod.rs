//! A Weir of many processes over a real Kafka, under faults.

mod brokers;
mod clients;
mod disk;
mod faults;
mod load;
mod process;
mod profiles;
mod reference;
mod restore;
mod ticker;
