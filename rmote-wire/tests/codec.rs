//! Streams that are whole, cut anywhere, damaged, or lies about their length.

#![expect(
    clippy::unwrap_used,
    reason = "a test's helper may panic like the test"
)]

use bytes::{BufMut, Bytes, BytesMut};
use rmote_wire::{FLAG_COMPRESSED, FLAG_STDERR, Frame, FrameCodec, FrameError, Kind};
use tokio_util::codec::{Decoder, Encoder};

const LIMIT: usize = 1000;

fn frames() -> Vec<Frame> {
    vec![
        Frame::new(Kind::Hello, 0, "hello"),
        Frame::with_flags(Kind::Load, FLAG_COMPRESSED, 0, vec![7; LIMIT - 6]),
        Frame::new(Kind::Cancel, 1, Bytes::new()),
        Frame::with_flags(Kind::Output, FLAG_STDERR, u32::MAX, "x"),
        Frame::new(Kind::Bye, 0, Bytes::new()),
    ]
}

fn stream(frames: &[Frame]) -> BytesMut {
    let mut stream = BytesMut::new();
    for frame in frames {
        let start = stream.len();
        FrameCodec::new(LIMIT)
            .encode(frame.clone(), &mut stream)
            .unwrap();
        assert_eq!(&stream[start..start + Frame::HEADER_LEN], frame.header());
        assert_eq!(stream.len() - start, frame.length() + 4);
    }
    stream
}

#[test]
fn every_split_point_gives_the_same_frames() {
    let frames = frames();
    let whole = stream(&frames);
    for split in 0..=whole.len() {
        let mut codec = FrameCodec::new(LIMIT);
        let mut read = Vec::new();
        let mut buffer = BytesMut::new();
        for part in [&whole[..split], &whole[split..]] {
            buffer.extend_from_slice(part);
            while let Some(frame) = codec.decode(&mut buffer).unwrap() {
                read.push(frame);
            }
        }
        assert_eq!(read, frames, "split at {split}");
        assert!(codec.decode_eof(&mut buffer).unwrap().is_none());
    }
}

#[test]
fn single_bytes_give_the_same_frames() {
    let frames = frames();
    let mut codec = FrameCodec::new(LIMIT);
    let mut read = Vec::new();
    let mut buffer = BytesMut::new();
    for byte in stream(&frames) {
        buffer.put_u8(byte);
        read.extend(codec.decode(&mut buffer).unwrap());
    }
    assert_eq!(read, frames);
}

#[test]
fn an_end_within_a_frame_is_an_error() {
    let frame = Frame::new(Kind::Call, 3, "payload");
    let whole = stream(&[frame]);
    for end in 1..whole.len() {
        let mut buffer = BytesMut::from(&whole[..end]);
        let error = FrameCodec::new(LIMIT).decode_eof(&mut buffer).unwrap_err();
        assert!(
            matches!(error, FrameError::Truncated { left } if left == end),
            "{error}"
        );
    }
}

#[test]
fn a_payload_is_not_copied() {
    let mut buffer = stream(&[Frame::new(Kind::Return, 1, "payload")]);
    let place = buffer[Frame::HEADER_LEN..].as_ptr();
    let frame = FrameCodec::new(LIMIT).decode(&mut buffer).unwrap().unwrap();
    assert_eq!(frame.payload.as_ptr(), place);
}

#[test]
fn a_length_outside_the_limits_is_an_error_at_once() {
    for length in [0_u32, 5, 1001, u32::MAX] {
        let mut buffer = BytesMut::from(&length.to_le_bytes()[..]);
        let error = FrameCodec::new(LIMIT).decode(&mut buffer).unwrap_err();
        assert!(matches!(error, FrameError::Length { .. }), "{error}");
    }
    let shell = &mut BytesMut::from(&b"bash: warning"[..]);
    let error = FrameCodec::new(1 << 20).decode(shell).unwrap_err();
    assert!(matches!(error, FrameError::Length { .. }), "{error}");
}

#[test]
fn a_claimed_length_costs_no_memory() {
    let mut codec = FrameCodec::new(1 << 30);
    let mut buffer = BytesMut::new();
    buffer.put_u32_le(1 << 30);
    buffer.put_slice(&[Kind::Return as u8, 0, 1, 0, 0, 0]);
    for _ in 0..4 {
        assert!(codec.decode(&mut buffer).unwrap().is_none());
        buffer.put_slice(&[0; 1000]);
        assert!(buffer.capacity() < 1 << 18, "{}", buffer.capacity());
    }
}

#[test]
fn unknown_kinds_and_flags_are_named() {
    let mut codec = FrameCodec::new(LIMIT);
    // The kind is enough: there may never be more.
    let mut unknown = BytesMut::from(&[6, 0, 0, 0, 10][..]);
    let error = codec.decode(&mut unknown).unwrap_err();
    assert_eq!(error.to_string(), "unknown frame kind 10");

    for (kind, flags) in [
        (Kind::Load, 4),
        (Kind::Output, 3),
        (Kind::Return, 2),
        (Kind::Raise, 1),
        (Kind::Data, 16),
    ] {
        let mut buffer = BytesMut::from(&[6, 0, 0, 0, kind as u8, flags][..]);
        let error = codec.decode(&mut buffer).unwrap_err();
        assert!(matches!(error, FrameError::UnknownFlags { .. }), "{error}");
        let frame = Frame::with_flags(kind, flags, 0, "");
        let error = codec.encode(frame, &mut BytesMut::new()).unwrap_err();
        assert!(matches!(error, FrameError::UnknownFlags { .. }), "{error}");
    }
}

#[test]
fn kinds_have_the_numbers_of_the_protocol() {
    let known: Vec<u8> = (0..=255)
        .filter(|&byte| Kind::try_from(byte).is_ok())
        .collect();
    let expected: Vec<u8> = (1..=9).chain(33..=41).collect();
    assert_eq!(known, expected);
    for number in known {
        assert_eq!(Kind::try_from(number).unwrap() as u8, number);
    }
}

#[test]
fn a_frame_above_the_limit_is_not_written() {
    let mut out = BytesMut::new();
    let frame = Frame::new(Kind::Return, 1, vec![0; LIMIT - 5]);
    let error = FrameCodec::new(LIMIT).encode(frame, &mut out).unwrap_err();
    assert!(matches!(
        error,
        FrameError::Length {
            length: 1001,
            limit: LIMIT
        }
    ));
    assert!(out.is_empty());
}

#[test]
fn debug_output_holds_no_payload() {
    let frame = Frame::new(Kind::Call, 1, "secret");
    assert!(!format!("{frame:?}").contains("secret"));
}
