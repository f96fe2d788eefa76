//! The modules that the agent has or gets.

use std::collections::HashMap;
use std::sync::Arc;

use rmote_wire::{Frame, Limits};

use crate::module::Source;

/// What was sent to the agent, so that each module is sent once.
#[derive(Debug)]
pub(crate) struct Sources {
    sent: HashMap<String, Arc<Source>>,
    /// What interrupts a call, sent when the first is to be.
    interrupt: Arc<[Arc<Source>]>,
    limits: Limits,
}

impl Sources {
    /// With the limits on what is sent, and with what interrupts a call.
    pub(crate) fn new(limits: Limits, interrupt: Arc<[Arc<Source>]>) -> Self {
        Self {
            sent: HashMap::new(),
            interrupt,
            limits,
        }
    }

    /// The frames that bring those modules which the agent has not got. One that is whole has all of its own.
    pub(super) fn missing(&mut self, sources: &[Arc<Source>], whole: bool) -> Vec<Frame> {
        let mut frames = Vec::new();
        for source in sources {
            if self.sent.contains_key(&source.name) {
                continue;
            }
            // Another agent, on a link that is made anew, may need it sooner than this one.
            self.sent.insert(source.name.clone(), source.clone());
            if !(source.is_own() && whole) {
                frames.extend(self.load(source));
            }
        }
        frames
    }

    /// The frames that bring what interrupts a call, unless the agent has it.
    pub(super) fn missing_to_interrupt(&mut self, whole: bool) -> Vec<Frame> {
        self.missing(&self.interrupt.clone(), whole)
    }

    /// The frames that bring everything to another agent.
    pub(crate) fn again(&self) -> impl Iterator<Item = Frame> {
        self.sent.values().filter_map(|source| self.load(source))
    }

    fn load(&self, source: &Source) -> Option<Frame> {
        source
            .load(&self.limits)
            // The agent then says that there is no such module.
            .inspect_err(|error| {
                tracing::warn!(target: "rmote", %error, module = source.name, "module not sent");
            })
            .ok()
    }
}
