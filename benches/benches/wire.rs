//! Frames and values in memory.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make public items; a bench fails by panicking"
)]

use bytes::{BufMut as _, Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rmote_wire::{Frame, FrameCodec, Kind, Limits, Value, from_bytes, from_value, to_value};
use serde::de::DeserializeOwned;
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

/// A record as tools return them in large numbers.
#[derive(Clone, Serialize, Deserialize)]
struct File {
    id: i64,
    name: String,
    path: String,
    size: i64,
    mtime: f64,
    active: bool,
    owner: Option<String>,
}

fn large(c: &mut Criterion) {
    let files: Vec<File> = (0..100_000).map(file).collect();
    let plain = to_value(&files)
        .unwrap()
        .encode(&Limits::default())
        .unwrap();
    let forms = [("plain", plain), ("columns", files_in_columns(&files))];
    large_result::<Vec<File>>(c, "100,000 records of 7 fields", 100_000, &forms);

    let paths: Vec<String> = (0..200_000).map(path).collect();
    let plain = to_value(&paths)
        .unwrap()
        .encode(&Limits::default())
        .unwrap();
    let mut columns = head(paths.len());
    texts(&paths, &mut columns);
    let forms = [("plain", plain), ("columns", columns.into())];
    large_result::<Vec<String>>(c, "200,000 paths", 200_000, &forms);
}

fn large_result<T: DeserializeOwned>(
    c: &mut Criterion,
    name: &str,
    count: u64,
    forms: &[(&str, Bytes)],
) {
    let limits = Limits::default();
    let mut group = c.benchmark_group(name);
    group
        .sample_size(20)
        .throughput(Throughput::Elements(count));
    for (form, bytes) in forms {
        group.bench_function(format!("{form}, from_bytes"), |b| {
            b.iter(|| from_bytes::<T>(bytes, &limits).unwrap());
        });
        group.bench_function(format!("{form}, decode and from_value"), |b| {
            b.iter(|| from_value::<T>(Value::decode(bytes.clone(), &limits).unwrap()).unwrap());
        });
    }
}

fn path(index: i64) -> String {
    format!("/srv/data/{}/{index}/file.txt", index % 97)
}

fn file(index: i64) -> File {
    File {
        id: index,
        name: format!("file{index}.txt"),
        path: path(index),
        size: index * 37,
        mtime: 1.7e9 + f64::from(i32::try_from(index).unwrap()) / 7.0,
        active: index % 3 == 0,
        owner: (index % 4 != 0).then(|| format!("user{}", index % 10)),
    }
}

/// What the agent writes for the records, which this side only reads: see docs/protocol.md, section 3.
fn files_in_columns(files: &[File]) -> Bytes {
    let mut out = head(files.len());
    out.put_slice(b"\x0c\x04File\x07");
    name("id", &mut out);
    ints(files.iter().map(|file| file.id), &mut out);
    name("name", &mut out);
    texts(files.iter().map(|file| &file.name), &mut out);
    name("path", &mut out);
    texts(files.iter().map(|file| &file.path), &mut out);
    name("size", &mut out);
    ints(files.iter().map(|file| file.size), &mut out);
    name("mtime", &mut out);
    out.put_u8(4);
    for file in files {
        out.put_f64_le(file.mtime);
    }
    name("active", &mut out);
    out.put_u8(1);
    for file in files {
        out.put_u8(file.active.into());
    }
    name("owner", &mut out);
    out.put_u8(0);
    for file in files {
        out.put_u8(file.owner.is_some().into());
    }
    texts(
        files.iter().filter_map(|file| file.owner.as_ref()),
        &mut out,
    );
    out.freeze()
}

/// The beginning of a list in columns, with a count of three bytes.
fn head(count: usize) -> BytesMut {
    let bits = |shift: usize| u8::try_from(count >> shift & 0x7f).unwrap();
    BytesMut::from(&[14, 8, bits(0) | 0x80, bits(7) | 0x80, bits(14)][..])
}

fn name(name: &str, out: &mut BytesMut) {
    out.put_u8(u8::try_from(name.len()).unwrap());
    out.put_slice(name.as_bytes());
}

fn ints(ints: impl Iterator<Item = i64>, out: &mut BytesMut) {
    out.put_slice(&[2, 4]);
    ints.for_each(|int| out.put_i32_le(int.try_into().unwrap()));
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a String> + Clone, out: &mut BytesMut) {
    out.put_slice(&[5, 1]);
    for text in texts.clone() {
        out.put_u8(u8::try_from(text.len()).unwrap());
    }
    for text in texts {
        out.put_slice(text.as_bytes());
    }
}

criterion_group!(benches, frames, values, large);
criterion_main!(benches);
