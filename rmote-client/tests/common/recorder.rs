//! A transport that keeps what passes through it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::BytesMut;
use rmote_agent::Mark;
use rmote_client::{Limits, Transport};
use rmote_transport::{Link, Reader, SpawnError, Writer};
use rmote_wire::{Frame, FrameCodec, Kind};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::codec::Decoder;

/// One write or one read, as the system did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    Written(Vec<u8>),
    Read(Vec<u8>),
}

/// Starts what it wraps, and records both streams.
#[derive(Clone, Debug)]
pub struct Recorder<T> {
    transport: T,
    chunks: Arc<Mutex<Vec<Chunk>>>,
    bootstrap: Arc<OnceLock<usize>>,
}

impl<T: Transport> Recorder<T> {
    pub fn new(transport: T) -> Self {
        Self {
            transport,
            chunks: Arc::default(),
            bootstrap: Arc::default(),
        }
    }

    pub fn chunks(&self) -> Vec<Chunk> {
        self.chunks.lock().unwrap().clone()
    }

    /// The size of what goes before the frames, as the command line has it.
    pub fn bootstrap(&self) -> usize {
        *self.bootstrap.get().unwrap()
    }

    /// The frames that went to the host.
    pub fn frames(&self) -> Vec<Frame> {
        let mut bytes = BytesMut::new();
        for chunk in self.chunks() {
            if let Chunk::Written(data) = chunk {
                bytes.extend_from_slice(&data);
            }
        }
        let start = self.bootstrap().min(bytes.len());
        frames(bytes.split_off(start))
    }

    /// The kinds of the frames that came from the host before it was written to once more.
    pub fn kinds_before_the_second_write(&self) -> Vec<Kind> {
        let mut bytes = BytesMut::new();
        for chunk in &self.chunks()[1..] {
            let Chunk::Read(data) = chunk else { break };
            bytes.extend_from_slice(data);
        }
        // The mark, and that the agent comes.
        let start = (Mark::LEN + 1).min(bytes.len());
        let frames = frames(bytes.split_off(start));
        frames.iter().map(|frame| frame.kind).collect()
    }
}

#[async_trait]
impl<T: Transport> Transport for Recorder<T> {
    fn target(&self) -> String {
        self.transport.target()
    }

    async fn start(&self, argv: &[String]) -> Result<Link, SpawnError> {
        let size = argv.iter().find_map(|word| word.parse().ok());
        _ = self.bootstrap.set(size.expect("one word is the size"));
        let mut link = self.transport.start(argv).await?;
        link.stdin = Box::new(Tap(link.stdin, self.chunks.clone()));
        link.stdout = Box::new(Tap(link.stdout, self.chunks.clone()));
        Ok(link)
    }
}

fn frames(mut bytes: BytesMut) -> Vec<Frame> {
    let mut codec = FrameCodec::new(Limits::default().frame);
    std::iter::from_fn(|| codec.decode(&mut bytes).unwrap()).collect()
}

struct Tap<S>(S, Arc<Mutex<Vec<Chunk>>>);

impl<S> Tap<S> {
    fn keep(&self, chunk: Chunk) {
        self.1.lock().unwrap().push(chunk);
    }
}

impl AsyncRead for Tap<Reader> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.0).poll_read(context, buf);
        let data = &buf.filled()[before..];
        if !data.is_empty() {
            self.keep(Chunk::Read(data.to_vec()));
        }
        result
    }
}

impl AsyncWrite for Tap<Writer> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.0).poll_write_vectored(context, bufs);
        if let Poll::Ready(Ok(written)) = &result {
            let mut data: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
            data.truncate(*written);
            self.keep(Chunk::Written(data));
        }
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
