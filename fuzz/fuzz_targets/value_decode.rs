//! Any bytes are a value or an error, and a value has one way to be written, beside columns.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use rmote_wire::{Frame, Kind, Limits, LogRecord, Raise, Value};

/// The variant of lists as columns.
const COLUMN: u8 = 14;

fuzz_target!(|input: &[u8]| {
    let limits = Limits::default();
    let payload = Bytes::copy_from_slice(input);
    if let Ok(value) = Value::decode(payload.clone(), &limits) {
        let plain = value
            .encode(&limits)
            .expect("a value that was read can be written");
        if plain != payload {
            assert!(payload.contains(&COLUMN));
            let again = Value::decode(plain.clone(), &limits).expect("it was just written");
            // Compared as bytes, since a float that is not a number equals nothing.
            assert_eq!(again.encode(&limits).expect("as before"), plain);
        }
    }
    let _ = Raise::decode(&Frame::new(Kind::Raise, 1, payload.clone()), &limits);
    let _ = LogRecord::decode(&Frame::new(Kind::Log, 1, payload), &limits);
});
