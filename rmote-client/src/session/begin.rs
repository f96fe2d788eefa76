//! The way of every call from a session to its driver.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use rmote_wire::{
    Call, Direction, FLAG_DEFLATED, FLAG_STREAM, Limits, StreamArgument, Value, ValueError,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, oneshot};

use super::Session;
use crate::arguments::{Arguments, Port};
use crate::command::{Command, Ended, Lost, NewCall, Pending, StreamEnd, Wish};
use crate::compression::inflate;
use crate::correlator::Start;
use crate::error::{
    ArgumentsError, CallError, CallErrorKind, LinkError, LinkErrorKind, Progress, ResultError,
};
use crate::module::Source;
use crate::running::InFlight;
use crate::stream::{Attachment, Piece, Pieces, Streaming};

/// The longest deadline that is left to the agent as well. Python's locks wait for 49 days at most on some systems.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

impl Session {
    pub(crate) fn sources(&self, module: &str) -> Arc<[Arc<Source>]> {
        self.inner.library.with_imports(module)
    }

    pub(crate) fn arguments(
        &self,
        function: &Arc<str>,
        args: &impl Serialize,
    ) -> Result<Arguments, CallError> {
        Arguments::new(args).map_err(|error| self.arguments_error(function, error))
    }

    pub(crate) fn arguments_error(&self, function: &Arc<str>, error: ValueError) -> CallError {
        self.call_error(
            function,
            CallErrorKind::Arguments(ArgumentsError::Value(error)),
        )
    }

    pub(crate) async fn run<T: DeserializeOwned>(
        &self,
        function: Arc<str>,
        sources: &Arc<[Arc<Source>]>,
        arguments: Arguments,
    ) -> Result<T, CallError> {
        let mut call = self.begin(&function, sources, arguments, None).await?;
        std::future::poll_fn(|cx| call.poll_result(cx)).await
    }

    /// The value of a call's result.
    pub(crate) async fn run_value(
        &self,
        function: &Arc<str>,
        sources: &Arc<[Arc<Source>]>,
        arguments: Arguments,
    ) -> Result<Value, CallError> {
        let mut call = self.begin(function, sources, arguments, None).await?;
        std::future::poll_fn(|cx| call.poll_value(cx)).await
    }

    pub(crate) async fn run_stream<T>(
        &self,
        function: Arc<str>,
        sources: &Arc<[Arc<Source>]>,
        arguments: Arguments,
    ) -> Result<Streaming<T>, CallError> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let call = self
            .begin(&function, sources, arguments, Some(sender))
            .await?;
        let attachment = Arc::new(OnceLock::from(self.attachment(call.id, &function)));
        let pieces = Pieces::new(receiver, attachment, Some(call));
        Ok(Streaming::new(pieces))
    }

    /// The way of every call. With `results`, it asks for a stream of them.
    pub(crate) async fn begin(
        &self,
        function: &Arc<str>,
        sources: &Arc<[Arc<Source>]>,
        arguments: Arguments,
        results: Option<mpsc::UnboundedSender<Piece>>,
    ) -> Result<InFlight, CallError> {
        let inner = &*self.inner;
        let id = inner.new_id();
        let Arguments {
            positional,
            keywords,
            deadline,
            streams,
            idempotent,
        } = arguments;
        let streaming = results.is_some() || !streams.is_empty();
        let sources = self.with_needed(sources, streaming, deadline.is_some());
        let mut ends = Vec::new();
        let mut feeds = Vec::new();
        let mut stream_arguments = Vec::new();
        for (parameter, port) in streams {
            let id = inner.new_id();
            let direction = match port {
                Port::Input(input) => {
                    ends.push((id, StreamEnd::Send(input.channel)));
                    feeds.extend(input.feed);
                    Direction::Input
                }
                Port::Output(output) => {
                    _ = output.attachment.set(self.attachment(id, function));
                    ends.push((id, StreamEnd::Receive(output.pieces)));
                    Direction::Output
                }
            };
            stream_arguments.push(StreamArgument {
                parameter,
                direction,
                id,
            });
        }
        let streams = stream_arguments
            .iter()
            .map(|stream| (stream.direction, stream.id))
            .collect();
        let call = Call {
            function: function.to_string(),
            deadline: deadline.filter(|after| *after <= LONGEST),
            args: positional,
            kwargs: keywords,
            streams: stream_arguments,
        };
        let mut frame = call.encode(id, &inner.limits_of_agent()).map_err(|error| {
            let error = ArgumentsError::Encode(error);
            self.call_error(function, CallErrorKind::Arguments(error))
        })?;
        if let Some(results) = results {
            frame.flags = FLAG_STREAM;
            ends.push((id, StreamEnd::Receive(results)));
        }
        let (waiter, answer) = oneshot::channel();
        let call = InFlight {
            session: self.clone(),
            function: function.clone(),
            id,
            stream: false,
            answer: Some(answer),
        };
        for (id, end) in &ends {
            if let StreamEnd::Send(sending) = end {
                inner.open(*id, sending);
            }
        }
        for feed in feeds {
            tokio::spawn(feed);
        }
        let start = Start {
            frame,
            deadline,
            streams,
            window: inner.options.stream_window,
            idempotent,
            waiter: Pending {
                function: function.clone(),
                waiter,
            },
        };
        let command = Command::Call(Box::new(NewCall {
            start,
            sources,
            ends,
        }));
        // Whether it cannot be sent or is not answered: the driver is gone then and has left the reason.
        _ = inner.commands.send(command).await;
        Ok(call)
    }

    /// The sources of a call with those that the agent itself needs for it.
    fn with_needed(
        &self,
        sources: &Arc<[Arc<Source>]>,
        streaming: bool,
        deadline: bool,
    ) -> Arc<[Arc<Source>]> {
        let mut sources = sources.clone();
        for (needed, module) in [(streaming, "rmote.streams"), (deadline, "rmote.interrupt")] {
            if needed {
                let more = self.sources(module);
                sources = more.iter().chain(sources.iter()).cloned().collect();
            }
        }
        sources
    }

    fn attachment(&self, id: u32, function: &Arc<str>) -> Attachment {
        Attachment {
            id,
            target: self.inner.target.clone(),
            function: function.clone(),
            window: self.inner.options.stream_window,
            limits: self.inner.options.limits.clone(),
            wishes: self.inner.wishes.clone(),
        }
    }

    pub(crate) fn wish(&self, wish: Wish) {
        _ = self.inner.wishes.send(wish);
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.options.limits
    }

    /// The payload of a result as it was before it was compressed.
    pub(crate) fn inflate(&self, payload: Bytes, flags: u8) -> Result<Bytes, ResultError> {
        if flags & FLAG_DEFLATED == 0 {
            return Ok(payload);
        }
        inflate(&payload, self.limits().frame)
    }

    pub(crate) fn call_error(&self, function: &Arc<str>, kind: CallErrorKind) -> CallError {
        CallError {
            target: self.inner.target.clone(),
            function: function.clone(),
            kind,
        }
    }

    pub(crate) fn error(&self, function: &Arc<str>, lost: Lost) -> CallError {
        let kind = match lost.ended {
            Ended::Start(error) => CallErrorKind::Start(error),
            Ended::Link(error) => CallErrorKind::Link {
                error,
                progress: lost.progress,
            },
        };
        self.call_error(function, kind)
    }

    /// Of a call that the driver did not take.
    pub(crate) fn lost(&self) -> Lost {
        Lost {
            ended: self.ended(),
            progress: Progress::NotSent,
        }
    }

    pub(super) fn ended(&self) -> Ended {
        // Not set when the runtime that drove the session is gone.
        self.inner.ended.get().cloned().unwrap_or_else(|| {
            Ended::Link(Arc::new(LinkError {
                target: self.inner.target.to_string(),
                kind: LinkErrorKind::Closed,
            }))
        })
    }
}
