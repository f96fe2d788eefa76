//! A value passes through serde unchanged, and no Rust type makes a value panic.

#![no_main]

use std::collections::BTreeMap;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use rmote_wire::{HostPath, Limits, Value, from_value, to_value};

fuzz_target!(|input: &[u8]| {
    let limits = Limits::default();
    let Ok(value) = Value::decode(Bytes::copy_from_slice(input), &limits) else {
        return;
    };
    let there = to_value(&value).expect("a value that was read is plain data");
    let back: Value = from_value(there).expect("a value takes any value");
    // Compared as bytes, since a float that is not a number equals nothing.
    let written = back
        .encode(&limits)
        .expect("it was within the limits before");
    assert_eq!(written, input);

    let _ = from_value::<BTreeMap<String, Option<i32>>>(value.clone());
    let _ = from_value::<Vec<(u8, f32)>>(value.clone());
    let _ = from_value::<HostPath>(value.clone());
    let _ = from_value::<Result<u128, String>>(value);
});
