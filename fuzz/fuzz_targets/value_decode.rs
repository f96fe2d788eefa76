//! Any bytes are a value or an error, and a value has one way to be written.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use rmote_wire::{Frame, Kind, Limits, LogRecord, Raise, Value};

fuzz_target!(|input: &[u8]| {
    let limits = Limits::default();
    let payload = Bytes::copy_from_slice(input);
    if let Ok(value) = Value::decode(payload.clone(), &limits) {
        let written = value
            .encode(&limits)
            .expect("a value that was read can be written");
        assert_eq!(written, payload);
    }
    let _ = Raise::decode(&Frame::new(Kind::Raise, 1, payload.clone()), &limits);
    let _ = LogRecord::decode(&Frame::new(Kind::Log, 1, payload), &limits);
});
