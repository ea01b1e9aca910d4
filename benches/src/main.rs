//! Speed, as ratios within one run: machines differ, and what matters is how near each part is to its floor.

mod backtest;
mod connection;
mod cores;
mod customers;
mod events;
mod fold;
mod gate;
mod kafka;
mod pages;
mod receiver;
mod records;
mod timing;

fn main() -> anyhow::Result<()> {
    let wanted = std::env::args().nth(1);
    let runs = |name| wanted.as_deref().is_none_or(|wanted| wanted == name);
    if runs("receiver") {
        timing::show("receiver, 1,500-event batches over loopback, against its floor", &receiver::run()?);
    }
    if runs("fold") {
        timing::show("scorer's fold, duplicates checked, state committed, against its floor", &fold::run()?);
    }
    if runs("backtest") {
        timing::show("backtest over a file, against its floor", &backtest::run()?);
    }
    if runs("kafka") {
        kafka::run()?;
    }
    if runs("gate") {
        timing::show("gate for mailers, against its floor", &gate::run()?);
    }
    if runs("pages") {
        timing::show("operators' pages and API over 100,000 customers, against an empty answer", &pages::run()?);
    }
    if runs("customers") {
        timing::show("memory and time by number of customers", &customers::run()?);
    }
    Ok(())
}
