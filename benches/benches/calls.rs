//! Calls into an agent on this machine, over ssh to a server on the loopback interface, and in a container; with the
//! `python3` that is first on the PATH there.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "criterion's macros make public items; a bench fails by panicking, and says what it skips"
)]

#[path = "../../rmote-transport/tests/sshd/mod.rs"]
mod sshd;

use std::process::{Command, Stdio};
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rmote_client::{Docker, Local, Session, Ssh, Transport};
use sshd::Sshd;

const IMAGE: &str = "rmote-test:bookworm";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// A container that is removed with its value.
struct Container(String);

impl Container {
    fn start() -> Option<Self> {
        let name = format!("rmote-bench-{}", std::process::id());
        let started = Command::new("docker")
            .args([
                "run",
                "-d",
                "--rm",
                "--init",
                "--network",
                "none",
                "--name",
                &name,
                IMAGE,
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !started {
            eprintln!("SKIPPED: docker: no engine, or no image {IMAGE}");
        }
        started.then(|| Self(name))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        _ = Command::new("docker")
            .args(["rm", "-f", &self.0])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

fn end_to_end(c: &mut Criterion) {
    // Says itself what is missing.
    let sshd = Sshd::start();
    let container = Container::start();
    let mut ways: Vec<(&str, Arc<dyn Transport>)> = vec![("local", Arc::new(Local::new()))];
    if let Some(sshd) = &sshd {
        let ssh = Ssh::new("rmote-test").config_file(sshd.config_file());
        ways.push(("ssh", Arc::new(ssh)));
    }
    if let Some(Container(name)) = &container {
        ways.push(("docker", Arc::new(Docker::new(name))));
    }
    floor(c);
    for (way, transport) in ways {
        start(c, way, &transport);
        calls(c, way, &transport);
    }
}

fn floor(c: &mut Criterion) {
    c.bench_function("local: floor of the start: python3 -I -S -c pass", |b| {
        b.iter(|| {
            Command::new("python3")
                .args(["-I", "-S", "-c", "pass"])
                .stdin(Stdio::null())
                .status()
                .unwrap()
        });
    });
}

fn start(c: &mut Criterion, way: &str, transport: &Arc<dyn Transport>) {
    let runtime = runtime();
    let mut group = c.benchmark_group(way);
    group.sample_size(20);
    group.bench_function("start, to the first result", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let host = Session::connect(transport.clone()).await.unwrap();
                host.call::<u32>("os.getpid", ()).await.unwrap()
            })
        });
    });
}

fn calls(c: &mut Criterion, way: &str, transport: &Arc<dyn Transport>) {
    let runtime = runtime();
    let host = runtime.block_on(async { Session::connect(transport.clone()).await.unwrap() });
    let mut group = c.benchmark_group(way);
    group.bench_function("calls, one after the other", |b| {
        b.iter(|| runtime.block_on(host.call::<u32>("os.getpid", ())).unwrap());
    });
    group.throughput(Throughput::Elements(1000));
    group.bench_function("calls, 1000 in flight", |b| {
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
    group.finish();
    runtime.block_on(host.close()).unwrap();
}

criterion_group!(benches, end_to_end);
criterion_main!(benches);
