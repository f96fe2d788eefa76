//! What holds for any input.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use rmote_wire::{
    BigInt, EnumMember, Frame, FrameCodec, HostPath, Kind, Limits, Raise, RawText, Record, Value,
    from_value, to_value,
};
use serde::{Deserialize, Serialize};
use tokio_util::codec::{Decoder, Encoder};

/// The variant that a decoder reads and an encoder does not write.
const COLUMN: u8 = 14;

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-70_i64..70).prop_map(Value::from),
        any::<i128>().prop_map(Value::from),
        vec(any::<u8>(), 0..40).prop_map(|bytes| BigInt::from_le_bytes(&bytes).into()),
        // A float that is not a number equals nothing.
        any::<f64>()
            .prop_filter("a number", |value| !value.is_nan())
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        vec(any::<u8>(), 0..20).prop_map(|bytes| RawText::from_os_bytes(&bytes)),
        vec(any::<u8>(), 0..200).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::List),
            vec(inner.clone(), 0..6).prop_map(Value::Tuple),
            vec(inner.clone(), 0..6).prop_map(Value::Set),
            vec((inner.clone(), inner.clone()), 0..4).prop_map(Value::Map),
            (any::<String>(), vec((any::<String>(), inner.clone()), 0..4))
                .prop_map(|(name, fields)| Record { name, fields }.into()),
            (any::<String>(), any::<String>(), inner)
                .prop_map(|(name, member, value)| EnumMember::new(name, member, value).into()),
        ]
    })
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
enum Shape {
    Unit,
    One(Option<i64>),
    Two(u8, String),
    Named { number: f64, shapes: Vec<Self> },
}

fn any_shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        Just(Shape::Unit),
        any::<Option<i64>>().prop_map(Shape::One),
        any::<(u8, String)>().prop_map(|(number, text)| Shape::Two(number, text)),
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        (-1e9..1e9, vec(inner, 0..4)).prop_map(|(number, shapes)| Shape::Named { number, shapes })
    })
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Everything {
    small: (i8, u16, u32, char),
    wide: (u64, i128, u128),
    text: Option<String>,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
    path: HostPath,
    shapes: BTreeMap<(u8, bool), Shape>,
    value: Value,
}

prop_compose! {
    fn everything()(
        small in any::<(i8, u16, u32, char)>(),
        wide in any::<(u64, i128, u128)>(),
        text in any::<Option<String>>(),
        bytes in vec(any::<u8>(), 0..50),
        path in vec(1_u8..=255, 0..30),
        shapes in btree_map(any::<(u8, bool)>(), any_shape(), 0..4),
        value in any_value(),
    ) -> Everything {
        let path = if cfg!(unix) { HostPath::from_os_bytes(path) } else { HostPath::default() };
        Everything { small, wide, text, bytes, path, shapes, value }
    }
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let kinds = (0..=255_u8).filter_map(|byte| Kind::try_from(byte).ok());
    let kinds = proptest::sample::select(kinds.collect::<Vec<_>>());
    (kinds, any::<u8>(), any::<u32>(), vec(any::<u8>(), 0..60)).prop_map(
        |(kind, flags, id, payload)| {
            Frame::with_flags(kind, flags & kind.known_flags(), id, payload)
        },
    )
}

proptest! {
    #[test]
    fn values_come_back(value in any_value()) {
        let limits = Limits::default();
        let bytes = value.encode(&limits).unwrap();
        let back = Value::decode(bytes.clone(), &limits).unwrap();
        prop_assert_eq!(&back, &value);
        // No part of a value is a value.
        for end in 0..bytes.len() {
            prop_assert!(Value::decode(bytes.slice(..end), &limits).is_err());
        }
    }

    #[test]
    fn values_pass_through_serde(value in any_value()) {
        let there = to_value(&value).unwrap();
        prop_assert_eq!(&there, &value);
        prop_assert_eq!(from_value::<Value>(there).unwrap(), value);
    }

    #[test]
    fn rust_types_come_back(all in everything()) {
        let limits = Limits::default();
        let bytes = to_value(&all).unwrap().encode(&limits).unwrap();
        let back: Everything = from_value(Value::decode(bytes, &limits).unwrap()).unwrap();
        prop_assert_eq!(back, all);
    }

    #[test]
    fn other_types_never_panic(value in any_value()) {
        let _ = from_value::<Everything>(value.clone());
        let _ = from_value::<Shape>(value.clone());
        let _ = from_value::<Vec<u8>>(value.clone());
        let _ = from_value::<BTreeMap<String, i64>>(value.clone());
        let _ = from_value::<HostPath>(value.clone());
        let _ = serde_json::to_string(&value);
        if let Ok(payload) = value.encode(&Limits::default()) {
            let _ = Raise::decode(&Frame::new(Kind::Raise, 1, payload), &Limits::default());
        }
    }

    #[test]
    fn garbage_never_panics(bytes in vec(prop_oneof![0..16_u8, any::<u8>()], 0..200)) {
        let limits = Limits::default();
        if let Ok(value) = Value::decode(bytes.clone().into(), &limits) {
            // There is one way to write a value, and columns.
            let plain = value.encode(&limits).unwrap();
            prop_assert!(plain == bytes || bytes.contains(&COLUMN));
            let again = Value::decode(plain, &limits).unwrap();
            prop_assert_eq!(format!("{again:?}"), format!("{value:?}"));
        }
        let mut stream = BytesMut::from(&bytes[..]);
        let mut codec = FrameCodec::new(100);
        while let Ok(Some(_)) = codec.decode(&mut stream) {}
        let _ = codec.decode_eof(&mut stream);
    }

    #[test]
    fn a_changed_byte_never_panics(value in any_value(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let limits = Limits::default();
        let mut bytes = value.encode(&limits).unwrap().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let bytes = Bytes::from(bytes);
        if let Ok(value) = Value::decode(bytes.clone(), &limits) {
            prop_assert!(value.encode(&limits).unwrap() == bytes || bytes.contains(&COLUMN));
        }
    }

    #[test]
    fn frames_come_back_however_they_are_cut(
        frames in vec(any_frame(), 0..6),
        cuts in vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut codec = FrameCodec::new(66);
        let mut stream = BytesMut::new();
        for frame in &frames {
            codec.encode(frame.clone(), &mut stream).unwrap();
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.push(stream.len());
        cuts.sort_unstable();
        let (mut buffer, mut read, mut start) = (BytesMut::new(), Vec::new(), 0);
        for cut in cuts {
            buffer.extend_from_slice(&stream[start..cut]);
            start = cut;
            while let Some(frame) = codec.decode(&mut buffer).unwrap() {
                read.push(frame);
            }
        }
        prop_assert_eq!(read, frames);
        prop_assert!(codec.decode_eof(&mut buffer).unwrap().is_none());
    }

    #[test]
    fn any_bytes_are_a_path(bytes in vec(any::<u8>(), 0..100)) {
        let back = match RawText::from_os_bytes(&bytes) {
            Value::RawText(raw) => raw.to_os_bytes(),
            Value::Text(text) => text.into_bytes(),
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(back, bytes);
    }

    #[test]
    fn big_integers_come_back(bytes in vec(any::<u8>(), 0..100)) {
        let big = BigInt::from_le_bytes(&bytes);
        prop_assert_eq!(big.to_string().parse::<BigInt>().unwrap(), big);
    }

    #[test]
    fn big_integers_are_those_of_rust(number in any::<i128>()) {
        let big = BigInt::from(number);
        prop_assert_eq!(big.to_string(), number.to_string());
        prop_assert_eq!(i128::try_from(&big).unwrap(), number);
    }
}
