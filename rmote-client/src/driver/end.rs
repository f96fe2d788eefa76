//! What ends the driver's loop.

use std::sync::Arc;

use rmote_transport::Exit;

use crate::error::{LinkError, LinkErrorKind, ProtocolError, StartErrorKind};

/// What ends the driver's loop.
#[derive(Debug)]
pub(crate) enum End {
    Start(StartErrorKind),
    /// It was lost, and could not be made anew.
    Lost(Arc<LinkError>),
    Link(LinkErrorKind),
}

impl From<ProtocolError> for End {
    fn from(error: ProtocolError) -> Self {
        Self::Link(LinkErrorKind::Protocol(error))
    }
}

impl End {
    /// What an end means for the phase in which it came.
    pub(super) fn meant(self, starting: bool, closing: bool) -> Self {
        match self {
            // However it ended, it was this side that gave it up.
            _ if starting && closing => Self::Start(StartErrorKind::Closed),
            Self::Link(LinkErrorKind::Protocol(error)) if starting => {
                Self::Start(StartErrorKind::Protocol(error))
            }
            // Its good-bye is all that was asked for. Or the wish came before the agent was ready, so the end of its input
            // told it, and it said none.
            Self::Link(
                LinkErrorKind::Quit { .. }
                | LinkErrorKind::Lost {
                    exit: Exit::Code(0),
                    ..
                },
            ) if closing => Self::Link(LinkErrorKind::Closed),
            end => end,
        }
    }
}
