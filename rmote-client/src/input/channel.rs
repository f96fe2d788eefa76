//! What the two ends of an input share.

use std::sync::{Arc, Mutex, PoisonError};

use rmote_wire::{FLAG_FAILED, Frame, Kind};
use tokio::sync::{Notify, mpsc};

use super::SendError;
use crate::command::{Command, Wish};
use crate::rate::Rate;

/// What an input's sender waits at: closed when the call is gone, wherever it goes.
#[derive(Debug)]
pub(crate) struct Sending(pub(crate) Arc<Channel>);

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What the two ends of an [`Input`](super::Input) share: the credit, and the way out once the call has begun.
#[derive(Debug, Default)]
pub(crate) struct Channel {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
enum State {
    /// No call yet.
    #[default]
    Waiting,
    /// Why it failed. The agent may not have been told.
    Failed(String),
    Open {
        id: u32,
        credit: i64,
        // Weak: a stream alone keeps no session.
        commands: mpsc::WeakSender<Command>,
        wishes: mpsc::UnboundedSender<Wish>,
        rate: Rate,
    },
    Closed,
}

impl Channel {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call begins; there is no credit before the agent knows of it.
    pub(crate) fn open(
        &self,
        id: u32,
        commands: mpsc::WeakSender<Command>,
        wishes: mpsc::UnboundedSender<Wish>,
        rate: Rate,
    ) {
        let mut state = self.state();
        // One that has failed before its call fails as it begins.
        if matches!(&*state, State::Waiting) {
            *state = State::Open {
                id,
                credit: 0,
                commands,
                wishes,
                rate,
            };
        }
        drop(state);
        self.changed.notify_waiters();
    }

    pub(crate) fn grant(&self, bytes: u32) {
        if let State::Open { credit, .. } = &mut *self.state() {
            *credit += i64::from(bytes);
        }
        self.changed.notify_waiters();
    }

    fn close(&self) {
        *self.state() = State::Closed;
        self.changed.notify_waiters();
    }

    pub(super) fn fail(&self, reason: &str) {
        let mut state = self.state();
        match &*state {
            State::Waiting => {}
            State::Open { id, wishes, .. } => _ = wishes.send(Wish::Fail(*id)),
            State::Failed(_) | State::Closed => return,
        }
        *state = State::Failed(reason.to_owned());
    }

    /// The frame that tells the agent of a failure.
    pub(crate) fn failure(&self, id: u32) -> Option<Frame> {
        match &*self.state() {
            State::Failed(reason) => {
                let reason: String = reason.chars().take(1000).collect();
                Some(Frame::with_flags(Kind::InputEnd, FLAG_FAILED, id, reason))
            }
            _ => None,
        }
    }

    pub(super) async fn closed(&self) {
        self.until(|state| matches!(state, State::Closed).then_some(()))
            .await;
    }

    /// How fast the link is on which there is credit, once there is; `None` when the call has ended.
    pub(super) async fn rate(&self) -> Option<Rate> {
        let ready = |state: &mut State| match state {
            State::Open { credit, rate, .. } if *credit > 0 => Some(Some(rate.clone())),
            State::Closed | State::Failed(_) => Some(None),
            _ => None,
        };
        self.until(ready).await
    }

    /// Sends a frame of this size once there is credit; a size of 0 needs none.
    pub(super) async fn send(
        &self,
        size: usize,
        frame: impl FnOnce(u32) -> Frame,
    ) -> Result<(), SendError> {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let ready = |state: &mut State| match state {
            State::Open {
                credit, commands, ..
            } if *credit > 0 || size == 0 => Some(commands.upgrade()),
            State::Closed | State::Failed(_) => Some(None),
            _ => None,
        };
        let commands = self.until(ready).await.ok_or(SendError::Ended)?;
        // First the place and then the credit, so that a dropped future costs neither.
        let Ok(place) = commands.reserve().await else {
            return Err(SendError::Ended);
        };
        let State::Open { id, credit, .. } = &mut *self.state() else {
            return Err(SendError::Ended);
        };
        *credit -= size;
        place.send(Command::Input(frame(*id)));
        Ok(())
    }

    async fn until<T>(&self, mut ready: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(found) = ready(&mut self.state()) {
                return found;
            }
            changed.await;
        }
    }
}
