//! Calls into an agent on this machine, with the `python3` that is first on the PATH.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make public items; a bench fails by panicking"
)]

use std::process::{Command, Stdio};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rmote_client::{Local, Session};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn start(c: &mut Criterion) {
    let runtime = runtime();
    let mut group = c.benchmark_group("start");
    group.sample_size(40);
    group.bench_function("floor: python3 -I -S -c pass", |b| {
        b.iter(|| {
            Command::new("python3")
                .args(["-I", "-S", "-c", "pass"])
                .stdin(Stdio::null())
                .status()
                .unwrap()
        });
    });
    group.bench_function("to the first result", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let host = Session::connect(Local::new()).await.unwrap();
                host.call::<u32>("os.getpid", ()).await.unwrap()
            })
        });
    });
}

fn calls(c: &mut Criterion) {
    let runtime = runtime();
    let host = runtime.block_on(async { Session::connect(Local::new()).await.unwrap() });
    let mut group = c.benchmark_group("calls");
    group.bench_function("one after the other", |b| {
        b.iter(|| runtime.block_on(host.call::<u32>("os.getpid", ())).unwrap());
    });
    group.throughput(Throughput::Elements(1000));
    group.bench_function("1000 in flight", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let calls: Vec<_> = (0..1000)
                    .map(|_| {
                        let host = host.clone();
                        tokio::spawn(async move { host.call::<u32>("os.getpid", ()).await })
                    })
                    .collect();
                for call in calls {
                    call.await.unwrap().unwrap();
                }
            });
        });
    });
}

criterion_group!(benches, start, calls);
criterion_main!(benches);
