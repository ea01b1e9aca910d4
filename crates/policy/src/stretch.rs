//! The sequential test: the stretch of mail that speaks most against a customer.
//!
//! Each bucket of mail is a cluster whose rate is drawn for all of its mails together, so that one bad import is one
//! cause and not five hundred. Against a null hypothesis of clusters with the limit as their mean stand alternatives with
//! worse means and the same correlation; the weight of a stretch is the logarithm of its likelihood ratio, a sum over its
//! buckets. The heaviest stretch of all is Page's CUSUM, found by one pass. Whatever the moment of looking, a customer at
//! the limit is charged once in `1 / alpha` mails on average at most (Lorden 1971), divided among the alternatives.
//!
//! All of it is a function of counts by send time: the order of arrival, copies and delays leave no trace, mail too young to
//! have shown its bad events only ever speaks for the customer, and a stretch that ends in the past is as good as one that
//! ends now.

use model::Bucket;

use crate::likelihood::Contrast;
use crate::signal::Fraction;

/// A stretch of consecutive buckets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stretch {
    /// Its first bucket with mail.
    pub(crate) first: Bucket,
    /// Its last.
    pub(crate) last: Bucket,
    /// What is in it.
    pub(crate) own: Fraction,
    /// How much it speaks against the customer, in nats; the price of having several alternatives is taken off.
    pub(crate) weight: f64,
}

/// The heaviest stretch under any of the alternatives; `None` where nothing speaks against the customer.
pub(crate) fn heaviest(contrasts: &[Contrast], buckets: &[(Bucket, Fraction)]) -> Option<Stretch> {
    #[expect(clippy::cast_precision_loss, reason = "a handful of alternatives")]
    let price = libm::log(contrasts.len() as f64);
    let best = contrasts.iter().filter_map(|contrast| heaviest_under(contrast, buckets));
    let best = best.reduce(|best, next| if next.weight > best.weight { next } else { best })?;
    Some(Stretch { weight: best.weight - price, ..best })
}

fn heaviest_under(contrast: &Contrast, buckets: &[(Bucket, Fraction)]) -> Option<Stretch> {
    let mut best: Option<Stretch> = None;
    let mut running: Option<Stretch> = None;
    for (bucket, part) in buckets {
        let weight = contrast.ln_ratio(part.hits, part.mails);
        let stretch = match running {
            Some(before) => {
                Stretch { last: *bucket, own: before.own.plus(*part), weight: before.weight + weight, ..before }
            }
            None => Stretch { first: *bucket, last: *bucket, own: *part, weight },
        };
        running = (stretch.weight > 0.0).then_some(stretch);
        if running.is_some_and(|stretch| best.is_none_or(|best| stretch.weight > best.weight)) {
            best = running;
        }
    }
    best
}
