//! What the logarithms of binomial and beta-binomial probabilities are made of, without the cancellation that the plain
//! difference of log-gamma values brings: at 10^9 trials those values are 10^10 and their last digit is 10^-6.
//!
//! Source: C. Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000). Logarithms are `libm`'s, which
//! gives the same bits on every machine.

use libm::log;

/// The Stirling errors of 1 to 15, of 50-digit arithmetic.
const STIRLING_ERRORS: [f64; 15] = [
    0.08106146679532726,
    0.04134069595540929,
    0.02767792568499834,
    0.020790672103765093,
    0.016644691189821193,
    0.013876128823070748,
    0.01189670994589177,
    0.010411265261972096,
    0.009255462182712733,
    0.00833056343336287,
    0.00757367548795184,
    0.00694284010720953,
    0.006408994188004207,
    0.005951370112758848,
    0.005554733551962802,
];

/// The coefficients of artanh after the first.
const ARTANH: [f64; 8] = [1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0, 1.0 / 13.0, 1.0 / 15.0, 1.0 / 17.0];

/// What Stirling's formula leaves out of ln Γ: `ln Γ(z) - ((z - 1/2) ln z - z + ln(2π)/2)`, for a whole `z` of at least 1.
pub(crate) fn stirling_error(z: f64) -> f64 {
    if z < 15.5 {
        return (1_u8..).zip(STIRLING_ERRORS).find(|(whole, _)| f64::from(*whole) >= z).map_or(0.0, |(_, error)| error);
    }
    let square = 1.0 / (z * z);
    let series = square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0));
    (1.0 / 12.0 - square * (1.0 / 360.0 - series)) / z
}

/// Half the deviance of a `count` where `expected` was due: `count ln(count / expected) + expected - count`, never negative.
///
/// `excess` is `expected - count`, for the caller may know it to more digits than the two have. A `count` of 0 is well.
pub(crate) fn deviance(count: f64, expected: f64, excess: f64) -> f64 {
    if count <= 0.0 {
        return expected;
    }
    let v = excess / (count + expected);
    if v.abs() >= 0.1 {
        return count * log(count / expected) + excess;
    }
    // ln(expected / count) is 2 artanh(v): its first term is taken out by hand, the next eight are all that can be seen.
    let square = v * v;
    let rest = ARTANH.iter().rev().fold(0.0, |sum, coefficient| sum * square + coefficient);
    v * (excess - 2.0 * count * square * rest)
}
