//! Frames and values in memory.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make public items; a bench fails by panicking"
)]

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rmote_wire::{Frame, FrameCodec, Kind, Limits, Value, from_value, to_value};
use serde::{Deserialize, Serialize};
use tokio_util::codec::{Decoder as _, Encoder as _};

const LIMIT: usize = 1 << 27;

fn frames(c: &mut Criterion) {
    for size in [64, 64 << 10] {
        let mut stream = BytesMut::new();
        for id in 0..64 {
            let frame = Frame::new(Kind::Return, id, Bytes::from(vec![7; size]));
            FrameCodec::new(LIMIT).encode(frame, &mut stream).unwrap();
        }
        let stream = stream.freeze();
        let mut group = c.benchmark_group("frames");
        group.throughput(Throughput::Bytes(stream.len() as u64));
        group.bench_function(format!("decode 64 of {size} bytes"), |b| {
            b.iter_batched(
                || BytesMut::from(&stream[..]),
                |mut input| {
                    let mut codec = FrameCodec::new(LIMIT);
                    while let Some(frame) = codec.decode(&mut input).unwrap() {
                        std::hint::black_box(frame);
                    }
                },
                criterion::BatchSize::SmallInput,
            );
        });
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    name: String,
    size: u64,
    mode: u32,
    modified: f64,
    tags: Vec<String>,
}

fn values(c: &mut Criterion) {
    let entry = Entry {
        name: "/var/log/syslog".to_owned(),
        size: 123_456,
        mode: 0o644,
        modified: 1.7e9,
        tags: vec!["log".to_owned(), "system".to_owned()],
    };
    let entries = vec![entry; 1000];
    let limits = Limits::default();
    let value = to_value(&entries).unwrap();
    let bytes = value.encode(&limits).unwrap();
    let mut group = c.benchmark_group("1000 records of 5 fields");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("to_value", |b| b.iter(|| to_value(&entries).unwrap()));
    group.bench_function("encode", |b| b.iter(|| value.encode(&limits).unwrap()));
    group.bench_function("decode", |b| {
        b.iter(|| Value::decode(bytes.clone(), &limits).unwrap());
    });
    group.bench_function("decode and from_value", |b| {
        b.iter(|| {
            from_value::<Vec<Entry>>(Value::decode(bytes.clone(), &limits).unwrap()).unwrap()
        });
    });
}

criterion_group!(benches, frames, values);
criterion_main!(benches);
