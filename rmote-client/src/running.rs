//! A call in flight as a value.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use rmote_wire::{FLAG_STREAM, Value, from_bytes};
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::command::{Lost, Wish};
use crate::correlator::Outcome;
use crate::error::{CallError, CallErrorKind};
use crate::session::Session;

/// A call in flight: a future of its result that can also be told to stop. Made by
/// [`Session::start_with`](crate::Session::start_with).
///
/// Dropping it tells the agent to stop the call; its answer is thrown away.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use rmote_client::{Arguments, Cancelled, Local, Session};
///
/// let host = Session::connect(Local::new()).await?;
/// let arguments = Arguments::new(&(1000,))?;
/// let nap = host.start_with::<()>("asyncio.sleep", arguments).await?;
/// let cancelled = nap.cancel(Duration::from_secs(10)).await;
/// assert!(matches!(cancelled, Cancelled::Stopped));
/// # Ok(()) }
/// ```
pub struct Running<T> {
    call: InFlight,
    _result: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Running<T> {
    pub(crate) fn new(call: InFlight) -> Self {
        Self {
            call,
            _result: PhantomData,
        }
    }

    /// Tells the agent to stop the call and waits so long to learn what became of it.
    ///
    /// A coroutine is cancelled, commands are ended with all that they started, and a loop in Python is interrupted at
    /// its next step. What waits inside a C function goes on until that returns.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the call up, as dropping the call does.
    pub async fn cancel(mut self, patience: Duration) -> Cancelled<T> {
        self.call.wish(Wish::Stop(self.call.id));
        match timeout(patience, &mut self).await {
            Err(_) => Cancelled::Running(self),
            Ok(Err(error)) if error.is_cancelled() => Cancelled::Stopped,
            Ok(result) => Cancelled::Finished(result),
        }
    }
}

impl<T: DeserializeOwned> Future for Running<T> {
    type Output = Result<T, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.call.poll_result(cx)
    }
}

impl<T> fmt::Debug for Running<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("function", &self.call.function)
            .finish_non_exhaustive()
    }
}

/// What became of a call that was told to stop.
#[derive(Debug)]
#[must_use = "a call that still runs is given up when this is dropped"]
pub enum Cancelled<T> {
    /// It stopped, or was never begun.
    Stopped,
    /// It ended first, with this result.
    Finished(Result<T, CallError>),
    /// It still runs: wait for it, cancel it again, or drop it.
    Running(Running<T>),
}

/// A call that was handed to the driver. Dropped before its answer, it is given up.
pub(crate) struct InFlight {
    pub(crate) session: Session,
    pub(crate) function: Arc<str>,
    pub(crate) id: u32,
    /// Whether its result came after a stream.
    pub(crate) stream: bool,
    pub(crate) answer: Option<oneshot::Receiver<Result<Outcome, Lost>>>,
}

impl InFlight {
    /// The value of the answer. Must not be called again once it was there.
    pub(crate) fn poll_value(&mut self, cx: &mut Context<'_>) -> Poll<Result<Value, CallError>> {
        let payload = ready!(self.poll_payload(cx))?;
        let value = Value::decode(payload, self.session.limits());
        Poll::Ready(value.map_err(|error| self.error(CallErrorKind::Result(error.into()))))
    }

    /// The answer as a Rust type. Must not be called again once it was there.
    pub(crate) fn poll_result<T: DeserializeOwned>(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, CallError>> {
        let payload = ready!(self.poll_payload(cx))?;
        let result = from_bytes(&payload, self.session.limits());
        Poll::Ready(result.map_err(|error| self.error(CallErrorKind::Result(error.into()))))
    }

    fn poll_payload(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, CallError>> {
        let Some(answer) = &mut self.answer else {
            unreachable!("a future is not polled after its end");
        };
        let answer = ready!(Pin::new(answer).poll(cx)).unwrap_or_else(|_| Err(self.session.lost()));
        self.answer = None;
        Poll::Ready(match answer {
            Ok(Outcome::Returned { payload, flags }) => {
                self.stream = flags & FLAG_STREAM != 0;
                let payload = self.session.inflate(payload, flags);
                payload.map_err(|error| self.error(CallErrorKind::Result(error)))
            }
            Ok(Outcome::Raised(raise)) => Err(self.error(CallErrorKind::of(*raise))),
            Ok(Outcome::Expired(after, fate)) => {
                Err(self.error(CallErrorKind::Deadline { after, fate }))
            }
            Ok(Outcome::NeverSent) => Err(self.error(CallErrorKind::NeverSent)),
            Err(lost) => Err(self.session.error(&self.function, lost)),
        })
    }

    pub(crate) fn wish(&self, wish: Wish) {
        self.session.wish(wish);
    }

    pub(crate) fn error(&self, kind: CallErrorKind) -> CallError {
        self.session.call_error(&self.function, kind)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        // The receiver closes first: the driver finds a closed waiter or the wish to cancel, whichever it sees first.
        if self.answer.take().is_some() {
            self.wish(Wish::Cancel(self.id));
        }
    }
}
