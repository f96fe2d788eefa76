//! A session's own cost: calls to an agent in the same process, through memory. What is measured is the arguments, the
//! correlator, the driver, the codec and the result on our side, and little more than the codec on the other.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make public items; a bench fails by panicking"
)]

use async_trait::async_trait;
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::{SinkExt as _, StreamExt as _};
use rmote_client::{
    AgentHello, Limits, Link, Local, Options, Session, SpawnError, Transport, Value,
};
use rmote_wire::{Frame, FrameCodec, Kind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio_util::codec::Framed;

/// As much as a pipe holds.
const PIPE: usize = 64 << 10;
const LIMIT: usize = 1 << 27;

/// A host in memory. A process is needed all the same: a `cat` that never gets a byte.
#[derive(Debug)]
struct Memory;

#[async_trait]
impl Transport for Memory {
    fn target(&self) -> String {
        "memory".into()
    }

    async fn start(&self, argv: &[String]) -> Result<Link, SpawnError> {
        let mut link = Local::new().start(&["cat".to_owned()]).await?;
        let (near, far) = duplex(PIPE);
        let (stdout, stdin) = tokio::io::split(near);
        // Where the words of the injection have the halves of the mark, and the bootstrap's size.
        let mark = format!("{}{}P", argv[7], argv[6]);
        let size = argv[8].parse().unwrap();
        let cat = std::mem::replace(&mut link.stdin, Box::new(stdin));
        link.stdout = Box::new(stdout);
        tokio::spawn(async move {
            agent(far, &mark, size).await;
            // The end of its input ends the process.
            drop(cat);
        });
        Ok(link)
    }
}

/// Answers every call with the same value.
async fn agent(mut stream: DuplexStream, mark: &str, size: usize) {
    let mut bootstrap = vec![0; size];
    stream.read_exact(&mut bootstrap).await.unwrap();
    stream.write_all(mark.as_bytes()).await.unwrap();
    let limits = Limits::default();
    let hello = AgentHello {
        version: rmote_wire::VERSION,
        frame_limit: LIMIT,
        python: (3, 11, 0),
        implementation: "memory".to_owned(),
        executable: String::new(),
        platform: String::new(),
        hostname: String::new(),
        pid: 1,
    };
    let answer = Value::from(7).encode(&limits).unwrap();
    let mut frames = Framed::new(stream, FrameCodec::new(LIMIT));
    frames.send(hello.encode(&limits).unwrap()).await.unwrap();
    // As many as are there with one write, as the agent does.
    while let Some(first) = frames.next().await {
        let mut next = Some(first);
        while let Some(frame) = next {
            let frame = frame.unwrap();
            match frame.kind {
                Kind::Call => {
                    let answer = Frame::new(Kind::Return, frame.id, answer.clone());
                    frames.feed(answer).await.unwrap();
                }
                Kind::Close => {
                    let bye = Frame::new(Kind::Bye, 0, Bytes::new());
                    return frames.send(bye).await.unwrap();
                }
                _ => {}
            }
            next = futures_util::FutureExt::now_or_never(frames.next()).flatten();
        }
        if frames.flush().await.is_err() {
            return;
        }
    }
}

fn in_memory(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let host = runtime.block_on(async {
        let options = Options::new().heartbeat(None);
        Session::connect_with(Memory, options).await.unwrap()
    });
    let mut group = c.benchmark_group("calls in memory");
    group.bench_function("one after the other", |b| {
        b.iter(|| {
            runtime
                .block_on(host.call::<u32>("any.function", (1,)))
                .unwrap()
        });
    });
    for in_flight in [10_u32, 1000, 10_000] {
        group.throughput(Throughput::Elements(in_flight.into()));
        group.bench_function(format!("{in_flight} in flight"), |b| {
            b.iter(|| {
                runtime.block_on(async {
                    let calls: Vec<_> = (0..in_flight)
                        .map(|_| {
                            let host = host.clone();
                            tokio::spawn(
                                async move { host.call::<u32>("any.function", (1,)).await },
                            )
                        })
                        .collect();
                    for call in calls {
                        call.await.unwrap().unwrap();
                    }
                });
            });
        });
    }
    group.finish();
    runtime.block_on(host.close()).unwrap();
}

criterion_group!(benches, in_memory);
criterion_main!(benches);
