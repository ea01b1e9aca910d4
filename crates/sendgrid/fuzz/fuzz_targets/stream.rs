//! Any file of stored events, cut anywhere: the same pieces, each inside the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sendgrid::webhook::{Damage, Splitter, WebhookEvent};

fn pieces(file: &[u8], size: usize) -> Vec<(Vec<u8>, usize, Option<Damage>)> {
    let (mut splitter, mut buffer, mut found) = (Splitter::default(), Vec::new(), Vec::new());
    for part in file.chunks(size) {
        buffer.extend_from_slice(part);
        let pieces = splitter.pieces(&buffer);
        found.extend(pieces.into_iter().map(|piece| (buffer[piece.range].to_vec(), piece.line, piece.damage)));
        buffer.drain(..splitter.take());
    }
    let rest = splitter.finish();
    found.extend(rest.into_iter().map(|piece| (buffer[piece.range].to_vec(), piece.line, piece.damage)));
    found
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, file) = input;
    let found = pieces(file, usize::from(size).max(1));
    assert_eq!(found, pieces(file, file.len().max(1)));
    for (element, _, _) in &found {
        let _event = WebhookEvent::parse(element);
    }
});
