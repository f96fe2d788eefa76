//! Streams from the host: a call's results, or what it writes to an [`Output`].

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use rmote_wire::{
    FLAG_DEFLATED, FLAG_MORE, FLAG_RAW, Frame, FromBytesError, Limits, Value, from_bytes,
    from_value,
};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use crate::byte_reader::ByteReader;
use crate::command::Wish;
use crate::compression::Inflater;
use crate::error::{CallError, CallErrorKind, ResultError};
use crate::running::InFlight;

/// A stream of items from the host, as the function makes them.
///
/// The function goes on as this is read: at most the [window](crate::Options::stream_window) is on its way. Dropping it
/// closes the generator on the host, so that what it has in `finally` runs. An error is the last item.
///
/// `T` is [`Bytes`] for bytes, [`Value`] for whatever comes, or what the items deserialize to.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rmote_client::{Local, Session};
///
/// let host = Session::connect(Local::new()).await?;
/// let tool = host.load("def squares(n):\n    for i in range(n):\n        yield i * i\n    return 'done'\n")?;
/// let mut squares = tool.stream::<u32>("squares", (4,)).await?;
/// let mut sum = 0;
/// while let Some(square) = squares.next().await {
///     sum += square?;
/// }
/// assert_eq!(sum, 14);
/// assert_eq!(squares.returned(), Some(&"done".into()));
/// # Ok(()) }
/// ```
pub struct Streaming<T> {
    pub(crate) pieces: Pieces,
    _items: PhantomData<fn() -> T>,
}

impl<T> Streaming<T> {
    pub(crate) fn new(pieces: Pieces) -> Self {
        Self {
            pieces,
            _items: PhantomData,
        }
    }

    /// What the function returned at the end, in a generator by `return`; `None` before the end and for an
    /// [`Output`](crate::Output).
    ///
    /// A function that returns no iterator gives an error instead of items, and this is its result.
    pub fn returned(&self) -> Option<&Value> {
        self.pieces.returned.as_ref()
    }

    /// The bytes of the items one after another, as a reader. An item that is no bytes is an error there.
    pub fn into_reader(self) -> ByteReader {
        ByteReader::new(self.pieces)
    }
}

impl<T: DeserializeOwned> Streaming<T> {
    /// Waits for the next item; `None` at the end.
    ///
    /// # Errors
    ///
    /// The function raised, an item is not of the type that was asked for, the link was lost and so on: see
    /// [`CallErrorKind`]. Nothing comes after an error.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no item is lost.
    pub async fn next(&mut self) -> Option<Result<T, CallError>> {
        std::future::poll_fn(|cx| self.poll_item(cx)).await
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, CallError>>> {
        let item = match ready!(self.pieces.poll_item(cx)) {
            None => return Poll::Ready(None),
            Some(item) => item.and_then(|item| {
                let result = match item {
                    Item::Encoded(payload) => from_bytes(&payload, &self.pieces.limits()),
                    Item::Raw(bytes) => from_value(bytes.into()).map_err(FromBytesError::from),
                };
                result.map_err(|error| self.pieces.error(CallErrorKind::Result(error.into())))
            }),
        };
        if item.is_err() {
            self.pieces.over = true;
        }
        Poll::Ready(Some(item))
    }
}

impl<T: DeserializeOwned> Stream for Streaming<T> {
    type Item = Result<T, CallError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(cx)
    }
}

impl<T> fmt::Debug for Streaming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming").finish_non_exhaustive()
    }
}

/// A part of a stream as the driver hands it on.
#[derive(Debug)]
pub(crate) enum Piece {
    Data {
        flags: u8,
        payload: Bytes,
    },
    /// All of it was there. Without this the stream has failed.
    End,
}

/// What a stream needs of its session, known once its call has begun.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) id: u32,
    pub(crate) target: Arc<str>,
    pub(crate) function: Arc<str>,
    pub(crate) window: u32,
    pub(crate) limits: Limits,
    pub(crate) wishes: mpsc::UnboundedSender<Wish>,
}

/// An item as it came.
enum Item {
    /// A value.
    Encoded(Bytes),
    /// Bytes, which are no value on the wire.
    Raw(Bytes),
}

/// The receiving end of a stream, before its items have a type.
pub(crate) struct Pieces {
    incoming: mpsc::UnboundedReceiver<Piece>,
    attachment: Arc<OnceLock<Attachment>>,
    /// The call whose results these are; none for an output.
    call: Option<InFlight>,
    /// What was read and not yet granted again.
    taken: u32,
    /// The parts of an item so far.
    parts: BytesMut,
    inflater: Inflater,
    over: bool,
    returned: Option<Value>,
}

impl Pieces {
    pub(crate) fn new(
        incoming: mpsc::UnboundedReceiver<Piece>,
        attachment: Arc<OnceLock<Attachment>>,
        call: Option<InFlight>,
    ) -> Self {
        Self {
            incoming,
            attachment,
            call,
            taken: 0,
            parts: BytesMut::new(),
            inflater: Inflater::default(),
            over: false,
            returned: None,
        }
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Item, CallError>>> {
        loop {
            let (flags, payload) = match ready!(self.poll_piece(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(piece)) => piece,
            };
            if flags & FLAG_RAW == 0 {
                return Poll::Ready(Some(Ok(Item::Encoded(payload))));
            }
            if flags & FLAG_MORE == 0 && self.parts.is_empty() {
                return Poll::Ready(Some(Ok(Item::Raw(payload))));
            }
            let limit = self.limits().frame;
            if self.parts.len() + payload.len() > limit {
                let kind = CallErrorKind::Result(ResultError::ItemTooLarge(limit));
                return Poll::Ready(Some(Err(self.error(kind))));
            }
            self.parts.extend_from_slice(&payload);
            if flags & FLAG_MORE == 0 {
                let whole = self.parts.split().freeze();
                return Poll::Ready(Some(Ok(Item::Raw(whole))));
            }
        }
    }

    /// The next frame's flags and payload; the end; or why there is none.
    pub(crate) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(u8, Bytes), CallError>>> {
        if self.over {
            return Poll::Ready(None);
        }
        match ready!(self.incoming.poll_recv(cx)) {
            Some(Piece::Data { flags, payload }) => {
                self.took(Frame::HEADER_LEN + payload.len());
                if flags & FLAG_DEFLATED == 0 {
                    return Poll::Ready(Some(Ok((flags, payload))));
                }
                // Not before it is read: unread it takes no more memory than its credit.
                let limit = self.limits().frame;
                let inflated = self.inflater.inflate(flags, &payload, limit);
                let inflated = inflated.map_err(|error| {
                    self.over = true;
                    self.error(CallErrorKind::Result(error))
                });
                return Poll::Ready(Some(inflated.map(|payload| (flags, payload))));
            }
            Some(Piece::End) if self.call.is_none() => {
                self.over = true;
                return Poll::Ready(None);
            }
            Some(Piece::End) | None => {}
        }
        let Some(call) = &mut self.call else {
            self.over = true;
            return Poll::Ready(Some(Err(self.error(CallErrorKind::Unfinished))));
        };
        let answer = ready!(call.poll_value(cx));
        self.over = true;
        match answer {
            Ok(value) => {
                let stream = call.stream;
                let found = value.type_name();
                self.returned = Some(value);
                let kind = CallErrorKind::Result(ResultError::NoStream(found.to_owned()));
                Poll::Ready((!stream).then(|| Err(self.error(kind))))
            }
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    /// Lets the agent send more once half of the window was read.
    fn took(&mut self, size: usize) {
        let Some(attachment) = self.attachment.get() else {
            return;
        };
        self.taken = self
            .taken
            .saturating_add(u32::try_from(size).unwrap_or(u32::MAX));
        if self.taken >= attachment.window / 2 {
            _ = attachment
                .wishes
                .send(Wish::Grant(attachment.id, self.taken));
            self.taken = 0;
        }
    }

    fn limits(&self) -> Limits {
        let attachment = self.attachment.get();
        attachment.map_or_else(Limits::default, |attachment| attachment.limits.clone())
    }

    pub(crate) fn error(&self, kind: CallErrorKind) -> CallError {
        let attachment = self.attachment.get();
        let part = |of: fn(&Attachment) -> &Arc<str>| {
            attachment.map_or_else(|| "(no call)".into(), |attachment| of(attachment).clone())
        };
        CallError {
            target: part(|attachment| &attachment.target),
            function: part(|attachment| &attachment.function),
            kind,
        }
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        // Results end with their call. What is written to an output from now on is thrown away, but not waited for.
        if let Some(attachment) = self.attachment.get().filter(|_| self.call.is_none()) {
            self.incoming.close();
            _ = attachment
                .wishes
                .send(Wish::Grant(attachment.id, attachment.window));
        }
    }
}
