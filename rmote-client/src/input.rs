//! Arguments that a function reads while its call runs.

mod channel;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use rmote_wire::{EncodeError, FLAG_MORE, FLAG_RAW, Frame, Kind, Limits, to_value};
use rmote_wire::{Value, ValueError};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt};

use self::channel::Channel;
pub(crate) use self::channel::Sending;
use crate::compression::{Packer, SMALL};

/// Bytes travel in parts of this size, so that what is small need not wait for long.
pub(crate) const PART: usize = 128 << 10;

/// An argument that is a stream: the function gets an iterator over the items, which is a file object over the bytes as
/// well (`read`, `readinto`).
///
/// The function reads at its own pace, and the source is read no faster: at most the
/// [window](crate::Options::stream_window) is on its way. A source is driven by a task of its own from the start of the
/// call to its end; a call that ends first drops it.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rmote_client::{Arguments, Input, Local, Session};
///
/// let host = Session::connect(Local::new()).await?;
/// let file = Input::reader(std::io::Cursor::new(vec![7; 100_000]));
/// let size = host.function("def size(file):\n    return len(file.read())\n")?;
/// let size: u64 = size.call_with(Arguments::default().input(file)).await?;
/// assert_eq!(size, 100_000);
/// # Ok(()) }
/// ```
pub struct Input {
    pub(crate) channel: Sending,
    /// What fills the channel once the call has begun.
    pub(crate) feed: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Input {
    /// A stream that is filled by hand, also while results of the same call are read.
    pub fn channel() -> (Sender, Self) {
        let channel = Arc::new(Channel::default());
        let sender = Sender {
            channel: channel.clone(),
            finished: false,
            packer: Packer::default(),
        };
        (
            sender,
            Self {
                channel: Sending(channel),
                feed: None,
            },
        )
    }

    /// The bytes of a reader. If it fails, the function's read fails with `OSError`.
    pub fn reader(reader: impl AsyncRead + Send + 'static) -> Self {
        Self::fed(|sender| copy(reader, sender))
    }

    /// The items of a stream: bytes are sent raw, anything else as a value. If it fails, the function's read fails with
    /// `OSError`.
    pub fn stream<T, E>(stream: impl Stream<Item = Result<T, E>> + Send + 'static) -> Self
    where
        T: Serialize + Send + 'static,
        E: fmt::Display + Send + 'static,
    {
        Self::fed(|sender| forward(stream, sender))
    }

    /// The items of an iterator: bytes are sent raw, anything else as a value.
    pub fn iter<I>(items: I) -> Self
    where
        I: IntoIterator<Item: Serialize + Send, IntoIter: Send + 'static>,
    {
        let items = items.into_iter();
        Self::fed(|mut sender| async move {
            for item in items {
                let sent = sender.send_value(&item);
                drop(item);
                if let Err(error) = sent.await {
                    return sender.fail(&error);
                }
            }
            sender.finish().await;
        })
    }

    fn fed<F: Future<Output = ()> + Send + 'static>(feed: impl FnOnce(Sender) -> F) -> Self {
        let (sender, mut input) = Self::channel();
        let channel = input.channel.0.clone();
        let feed = feed(sender);
        input.feed = Some(Box::pin(async move {
            // A source that is silent must not outlive the call.
            tokio::select! {
                () = feed => (),
                () = channel.closed() => (),
            }
        }));
        input
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").finish_non_exhaustive()
    }
}

async fn copy(reader: impl AsyncRead, mut sender: Sender) {
    let mut reader = std::pin::pin!(reader);
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(PART / 2);
        match reader.read_buf(&mut buffer).await {
            Ok(0) => return sender.finish().await,
            Ok(_) => {
                if sender.send(buffer.split().freeze()).await.is_err() {
                    return;
                }
            }
            Err(error) => return sender.fail(&error),
        }
    }
}

async fn forward<T: Serialize, E: fmt::Display>(
    stream: impl Stream<Item = Result<T, E>>,
    mut sender: Sender,
) {
    let mut stream = std::pin::pin!(stream);
    loop {
        match std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
            None => return sender.finish().await,
            Some(Ok(item)) => {
                let sent = sender.send_value(&item);
                drop(item);
                if let Err(error) = sent.await {
                    return sender.fail(&error);
                }
            }
            Some(Err(error)) => return sender.fail(&error),
        }
    }
}

/// The near end of an [`Input`] that is filled by hand.
///
/// Dropped without [`finish`](Self::finish), the function's read fails: half of a file must not look like a whole one.
#[derive(Debug)]
pub struct Sender {
    channel: Arc<Channel>,
    finished: bool,
    packer: Packer,
}

impl Sender {
    /// Sends one item of bytes. Waits until the call has begun, and while the function has not read what came before.
    ///
    /// # Errors
    ///
    /// The call has ended.
    ///
    /// # Cancel safety
    ///
    /// An item above 128 KiB travels in parts, of which some may have been sent; a smaller one has been sent or not.
    pub async fn send(&mut self, mut bytes: Bytes) -> Result<(), SendError> {
        while bytes.len() > PART {
            let part = bytes.split_to(PART);
            self.put(FLAG_RAW | FLAG_MORE, part).await?;
        }
        self.put(FLAG_RAW, bytes).await
    }

    /// Sends one item: [`Bytes`] within it at the top are sent raw, anything else as a value.
    ///
    /// # Errors
    ///
    /// The call has ended, or the item is no value or over a limit.
    ///
    /// # Cancel safety
    ///
    /// As for [`send`](Self::send).
    pub fn send_value<'a, T: Serialize + ?Sized>(
        &'a mut self,
        item: &T,
    ) -> impl Future<Output = Result<(), SendError>> + Send + use<'a, T> {
        let value = to_value(item);
        async move {
            match value? {
                Value::Bytes(bytes) => self.send(bytes).await,
                value => self.put(0, value.encode(&Limits::default())?).await,
            }
        }
    }

    /// Ends the stream: the function's read finds the end.
    pub async fn finish(mut self) {
        self.finished = true;
        let frame = |id| Frame::new(Kind::InputEnd, id, Bytes::new());
        _ = self.channel.send(0, frame).await;
    }

    /// Waits until the call has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn closed(&self) {
        self.channel.closed().await;
    }

    /// Ends the stream so that the function's read fails with this reason.
    pub fn fail(mut self, reason: &dyn fmt::Display) {
        self.finished = true;
        self.channel.fail(&reason.to_string());
    }

    async fn put(&mut self, mut flags: u8, mut payload: Bytes) -> Result<(), SendError> {
        let mut deflated = false;
        if payload.len() > SMALL
            && let Some(rate) = self.channel.rate().await
            && let Some((more, packed)) = self.packer.pack(&payload, rate.get()).await
        {
            flags |= more;
            payload = packed;
            deflated = true;
        }
        let size = Frame::HEADER_LEN + payload.len();
        let frame = |id| Frame::with_flags(Kind::Input, flags, id, payload);
        self.channel.send(size, frame).await?;
        if deflated {
            self.packer.sent();
        }
        Ok(())
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if !self.finished {
            self.channel.fail("it was dropped before its end");
        }
    }
}

/// Why an item of a stream was not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The call that reads the stream has ended, or was never made.
    #[error("the call that reads the stream has ended")]
    Ended,
    /// The item is no value.
    #[error("the item cannot be sent")]
    Value(#[from] ValueError),
    /// The item is over a limit.
    #[error("the item cannot be sent")]
    Encode(#[from] EncodeError),
}
