//! The bytes of a body: read within bounds, or let go.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};

use crate::admission::{Permit, Refused};
use crate::answer::Answer;
use crate::connection_slots::InFlight;

/// Room that is made at once for an announced body: all that SendGrid sends, so that one that promises more than it
/// brings gets little.
const ROOM_AT_ONCE: usize = 1 << 20;

/// What may be asked of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) bytes: usize,
    /// From the first byte to the last.
    pub(crate) time: Duration,
}

/// How many bytes were announced; `None` where the body says itself when it ends.
pub(crate) fn announced(body: &Incoming) -> Option<usize> {
    body.size_hint().exact().map(|length| usize::try_from(length).unwrap_or(usize::MAX))
}

/// Reads `body`, charging it to `permit` and recording its progress on `request`.
///
/// # Errors
///
/// [`Answer::TooLarge`], [`Answer::Full`], [`Answer::SlowBody`] or [`Answer::BrokenBody`].
pub(crate) async fn read(
    body: &mut Incoming,
    bounds: Bounds,
    permit: &mut Permit,
    request: &InFlight,
) -> Result<Bytes, Answer> {
    let reading = read_all(body, bounds.bytes, permit, request);
    tokio::time::timeout(bounds.time, reading).await.unwrap_or(Err(Answer::SlowBody))
}

async fn read_all(body: &mut Incoming, limit: usize, permit: &mut Permit, request: &InFlight) -> Result<Bytes, Answer> {
    let mut bytes = BytesMut::with_capacity(announced(body).unwrap_or(0).min(ROOM_AT_ONCE));
    while let Some(frame) = next_frame(body, permit).await? {
        // Trailers are nothing to us.
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(Answer::TooLarge { limit });
        }
        permit.grow(data.len())?;
        request.record_bytes(data.len());
        bytes.extend_from_slice(&data);
    }
    permit.mark_complete()?;
    Ok(bytes.freeze())
}

/// Returns the next frame of `body`, or an error if the client is too slow.
async fn next_frame(body: &mut Incoming, permit: &Permit) -> Result<Option<Frame<Bytes>>, Answer> {
    let frame = tokio::select! {
        biased;
        frame = tokio::time::timeout_at(permit.cut_off_at(), body.frame()) => frame.map_err(|_elapsed| Answer::SlowBody)?,
        () = permit.evicted() => return Err(Answer::SlowBody),
    };
    frame.transpose().map_err(|_broken| Answer::BrokenBody)
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => Self::Full,
            Refused::Evicted => Self::SlowBody,
        }
    }
}

/// Takes the rest of a refused HTTP/1 body, as far as it keeps within `bounds`, and keeps none of it.
///
/// Closing on a client that still writes makes its system throw away the answer that it has not read yet. What exceeds
/// the bounds is cut off all the same. The task ends with its connection.
pub(crate) fn let_go(mut body: Incoming, bounds: Bounds) {
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(tokio::time::timeout(bounds.time, async move {
        let mut left = bounds.bytes;
        while let Some(Ok(frame)) = body.frame().await {
            match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(less) => left = less,
                None => return,
            }
        }
    }));
}
