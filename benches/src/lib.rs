//! Speed, shown as ratios within one run.
