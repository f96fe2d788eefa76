//! A value passes through serde unchanged, no Rust type makes a value panic, and both ways to one agree.

#![no_main]

use std::collections::BTreeMap;
use std::fmt::Debug;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use rmote_wire::{FromBytesError, HostPath, Limits, Value, from_bytes, from_value, to_value};
use serde::de::DeserializeOwned;

fuzz_target!(|input: &[u8]| {
    let limits = Limits::default();
    let payload = Bytes::copy_from_slice(input);
    agree::<Value>(&payload, &limits);
    agree::<BTreeMap<String, Option<i32>>>(&payload, &limits);
    agree::<Vec<BTreeMap<String, Value>>>(&payload, &limits);
    agree::<Vec<(u8, f32)>>(&payload, &limits);
    agree::<Vec<Option<HostPath>>>(&payload, &limits);
    agree::<Result<u128, String>>(&payload, &limits);

    let Ok(value) = Value::decode(payload, &limits) else {
        return;
    };
    let plain = value
        .encode(&limits)
        .expect("a value that was read can be written");
    let there = to_value(&value).expect("a value that was read is plain data");
    let back: Value = from_value(there).expect("a value takes any value");
    // Compared as bytes, since a float that is not a number equals nothing.
    let written = back
        .encode(&limits)
        .expect("it was within the limits before");
    assert_eq!(written, plain);
});

/// The way through a tree and the one without it have the same result, or say the same.
fn agree<T: DeserializeOwned + Debug>(payload: &Bytes, limits: &Limits) {
    let direct = from_bytes::<T>(payload, limits);
    match (Value::decode(payload.clone(), limits), direct) {
        (Err(one), Err(FromBytesError::Decode(other))) => {
            assert_eq!(one.to_string(), other.to_string());
        }
        (Ok(value), direct) => match (from_value::<T>(value), direct) {
            (Ok(one), Ok(other)) => assert_eq!(format!("{one:?}"), format!("{other:?}")),
            (Err(one), Err(FromBytesError::Value(other))) => {
                assert_eq!(one.to_string(), other.to_string());
            }
            (one, other) => panic!("{one:?} and {other:?}"),
        },
        (Err(one), other) => panic!("{one:?} and {other:?}"),
    }
}
