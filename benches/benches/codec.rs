//! The frame codec beside tokio's length-delimited one.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make public items; a bench fails by panicking"
)]

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rmote_wire::{Frame, FrameCodec, Kind};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec};

const FRAMES: u32 = 64;
const LIMIT: usize = 1 << 27;

/// Decodes all that is there, and says how much it was.
fn drain<C: Decoder>(codec: &mut C, input: &mut BytesMut) -> usize
where
    C::Error: std::fmt::Debug,
{
    let mut count = 0;
    while let Some(frame) = codec.decode(input).unwrap() {
        black_box(frame);
        count += 1;
    }
    count
}

fn delimited() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .little_endian()
        .max_frame_length(LIMIT)
        .new_codec()
}

fn codecs(c: &mut Criterion) {
    for size in [64, 64 << 10] {
        let payload = Bytes::from(vec![7; size]);
        let mut ours = BytesMut::new();
        let mut theirs = BytesMut::new();
        for id in 0..FRAMES {
            let frame = Frame::new(Kind::Return, id, payload.clone());
            // The same bytes for both: what we say in the header is content there.
            let mut content = BytesMut::from(&frame.header()[4..]);
            content.extend_from_slice(&payload);
            FrameCodec::new(LIMIT).encode(frame, &mut ours).unwrap();
            delimited().encode(content.freeze(), &mut theirs).unwrap();
        }
        assert_eq!(ours, theirs);

        let mut group = c.benchmark_group(format!("decode {FRAMES} frames of {size} bytes"));
        group.throughput(Throughput::Bytes(ours.len() as u64));
        let fresh = || BytesMut::from(&ours[..]);
        group.bench_function("FrameCodec", |b| {
            b.iter_batched_ref(
                fresh,
                |input| drain(&mut FrameCodec::new(LIMIT), input),
                BatchSize::LargeInput,
            );
        });
        group.bench_function("LengthDelimitedCodec", |b| {
            b.iter_batched_ref(
                fresh,
                |input| drain(&mut delimited(), input),
                BatchSize::LargeInput,
            );
        });
        group.finish();

        let mut group = c.benchmark_group(format!("encode {FRAMES} frames of {size} bytes"));
        group.throughput(Throughput::Bytes(ours.len() as u64));
        let room = || BytesMut::with_capacity(ours.len());
        group.bench_function("FrameCodec", |b| {
            b.iter_batched_ref(
                room,
                |output| {
                    let mut codec = FrameCodec::new(LIMIT);
                    for id in 0..FRAMES {
                        let frame = Frame::new(Kind::Return, id, payload.clone());
                        codec.encode(frame, output).unwrap();
                    }
                },
                BatchSize::LargeInput,
            );
        });
        group.bench_function("LengthDelimitedCodec", |b| {
            b.iter_batched_ref(
                room,
                |output| {
                    let mut codec = delimited();
                    for _ in 0..FRAMES {
                        codec.encode(payload.clone(), output).unwrap();
                    }
                },
                BatchSize::LargeInput,
            );
        });
    }
}

criterion_group!(benches, codecs);
criterion_main!(benches);
