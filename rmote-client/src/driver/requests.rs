//! What the handles of a session ask for, in the order in which they did.

use tokio::time::Instant;

use super::Driver;
use crate::command::{Command, NewCall, Wish};

/// How many commands are taken in one turn, so that calls that are made together leave together.
const COMMANDS: usize = 256;

impl Driver {
    /// Takes a command, and those that have come with it.
    pub(super) fn take(&mut self, command: Option<Command>) {
        self.command(command);
        for _ in 1..COMMANDS {
            let Ok(command) = self.commands.try_recv() else {
                break;
            };
            self.command(Some(command));
        }
    }

    pub(crate) fn command(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Call(call)) => self.call(*call),
            Some(Command::Input(frame)) => self.correlator.input(frame),
            // All handles are gone, or one of them said so.
            None | Some(Command::Close) => self.correlator.close(),
        }
    }

    fn call(&mut self, call: NewCall) {
        // Its future was dropped, and the wish to cancel it may have been here before it.
        if call.start.waiter.waiter.is_closed() {
            return;
        }
        let whole = self.correlator.is_whole();
        for frame in self.sources.missing(&call.sources, whole) {
            self.correlator.load(frame);
        }
        let mut ids = Vec::new();
        for (id, end) in call.ends {
            ids.push(id);
            self.ends.insert(id, end);
        }
        self.correlator.call(Instant::now().into_std(), call.start);
        for id in ids {
            self.end_failed(id);
        }
    }

    /// Ends an input that has failed on this side; also one that did before its call came here.
    fn end_failed(&mut self, id: u32) {
        if let Some(frame) = self.ends.failure(id) {
            self.correlator.input(frame);
        }
    }

    /// Brings what it takes to stop a call that the agent has.
    fn prepare_stop(&mut self, id: u32) {
        if self.correlator.is_sent(id) {
            let whole = self.correlator.is_whole();
            for frame in self.sources.missing_to_interrupt(whole) {
                self.correlator.load_urgent(frame);
            }
        }
    }

    /// Takes a wish, and those that have come with it.
    pub(crate) fn grant(&mut self, wish: Wish) {
        // What was asked for before the wish came through the other channel: the call that it is about may wait there.
        while let Ok(command) = self.commands.try_recv() {
            self.command(Some(command));
        }
        let mut next = Some(wish);
        while let Some(wish) = next {
            match wish {
                Wish::Cancel(id) => {
                    self.prepare_stop(id);
                    self.correlator.cancel(id);
                }
                Wish::Stop(id) => {
                    self.prepare_stop(id);
                    self.correlator.stop(id);
                }
                Wish::Grant(id, bytes) => self.correlator.grant(id, bytes),
                Wish::Fail(id) => self.end_failed(id),
            }
            next = self.wishes.try_recv().ok();
        }
        self.deliver();
    }
}
