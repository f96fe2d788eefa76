//! What a session's handles ask of its driver, and what they are told at the end.

use std::sync::Arc;

use rmote_wire::Frame;
use tokio::sync::{mpsc, oneshot};

use crate::correlator::{Outcome, Start};
use crate::error::{LinkError, Progress, StartError};
use crate::input::Sending;
use crate::module::Source;
use crate::stream::Piece;

/// A call that waits for its end.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) function: Arc<str>,
    pub(crate) waiter: oneshot::Sender<Result<Outcome, Lost>>,
}

/// Why a call has no answer.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    pub(crate) ended: Ended,
    pub(crate) progress: Progress,
}

/// What the session's handles ask of the driver.
#[derive(Debug)]
pub(crate) enum Command {
    Call(Box<NewCall>),
    /// A part of a stream, for which there was credit.
    Input(Frame),
    Close,
}

/// A call that is to be sent.
#[derive(Debug)]
pub(crate) struct NewCall {
    pub(crate) start: Start<Pending>,
    pub(crate) sources: Arc<[Arc<Source>]>,
    pub(crate) ends: Vec<(u32, StreamEnd)>,
}

/// This side's end of a stream.
#[derive(Debug)]
pub(crate) enum StreamEnd {
    Receive(mpsc::UnboundedSender<Piece>),
    Send(Sending),
}

/// What need not wait for room, or cannot.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Nobody waits for the call any more.
    Cancel(u32),
    /// The call is to stop, and its waiter to learn how it ended.
    Stop(u32),
    /// So many bytes of a stream were read.
    Grant(u32, u32),
    /// A stream has failed on this side.
    Fail(u32),
}

/// Why a session is over.
#[derive(Clone, Debug)]
pub(crate) enum Ended {
    /// It never began.
    Start(Arc<StartError>),
    /// It was lost or closed.
    Link(Arc<LinkError>),
}

/// Tells those that wait why there will be no answer.
pub(crate) fn fail(waiters: Vec<(Pending, Progress)>, ended: &Ended) {
    for (pending, progress) in waiters {
        let ended = ended.clone();
        _ = pending.waiter.send(Err(Lost { ended, progress }));
    }
}
