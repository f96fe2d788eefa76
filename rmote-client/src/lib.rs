//! Typed calls into a bare Python on another host, over one pair of byte streams.
//!
//! Nothing of rmote is installed on the host: a small agent is written to the standard input of the `python3` that is
//! there, and runs from memory. Tools, which are Python classes, follow on first use; then any number of calls run at
//! once. For the tools that come with rmote see the crate `rmote-tools`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use rmote_client::{Local, Session};
//!
//! // Ssh::new("deploy@web01"), Docker::new("test-db"), ...: see `rmote-transport`.
//! let host = Session::connect(Local::new()).await?;
//!
//! // Any function that can be imported there.
//! let name: String = host.call("platform.node", ()).await?;
//!
//! // A tool of one's own. Its source goes to the host once, with the first call.
//! let audit = host.load("
//! import os
//!
//! class Audit:
//!     @staticmethod
//!     def owners(path):
//!         return {entry.name: entry.stat().st_uid for entry in os.scandir(path)}
//! ")?;
//! let owners: std::collections::BTreeMap<String, u32> = audit.call("Audit.owners", ("/",)).await?;
//! assert_eq!(owners["etc"], 0);
//! # Ok(()) }
//! ```
//!
//! # Streams, and calls that are stopped
//!
//! A generator's items are a [`Streaming`]; an argument may be a stream in either direction, [`Input`] and [`Output`].
//! Each has a credit in bytes, so a reader that is slow stops its producer and nobody else. Dropping a call's future or a
//! stream stops the work on the host; [`Session::start_with`] gives a call that says what became of it.
//!
//! # One round trip
//!
//! [`Session::connect`] does not wait for the agent. The agent, the tool and the first call leave in one write, and the
//! first result is there after one round trip. So what is wrong with the host shows in the first call, as
//! [`CallErrorKind::Start`]; [`Session::ready`] asks for it beforehand.
//!
//! # Errors
//!
//! Each error says where it happened and who failed: the function ([`CallErrorKind::Raised`], with the whole exception),
//! the agent, a limit, the link, the caller's deadline, the caller's own arguments. A call always ends.
//!
//! # What the host may do
//!
//! What a host sends is data: it is never executed, and limits hold for all of it. Text from a host is safe to print
//! where the docs say so, and as it came everywhere else.

mod arguments;
mod byte_reader;
mod command;
mod compiled;
mod compression;
mod correlator;
mod description;
mod driver;
mod error;
mod event;
mod handshake;
mod heartbeat;
mod inbox;
mod input;
mod module;
mod opened;
mod options;
mod outbox;
mod output;
mod rate;
mod reconnect;
mod remote_error;
mod running;
mod session;
mod stream;
mod tool;

pub use rmote_agent::{FAILURE, LOGS, Module, PROCESS, TEMPLATE};
pub use rmote_transport::{
    Command, Docker, Exit, Fault, FaultKind, KnownHosts, Kubectl, Link, Local, Process, Reader,
    SpawnError, Ssh, Target, TargetError, Transport, Writer, clean, escape,
};
pub use rmote_wire::{
    AgentHello, BigInt, DecodeError, EncodeError, EnumMember, FrameError, HostPath, Kind, Limits,
    MessageError, RawText, Record, Value, ValueError, from_value, to_value,
};

pub use crate::arguments::Arguments;
pub use crate::byte_reader::ByteReader;
pub use crate::compression::Compression;
pub use crate::description::{MethodDescription, ToolDescription};
pub use crate::error::{
    ArgumentsError, CallError, CallErrorKind, Fate, LinkError, LinkErrorKind, Progress,
    ProtocolError, ResultError, StartError, StartErrorKind,
};
pub use crate::event::{Event, Events};
pub use crate::input::{Input, SendError, Sender};
pub use crate::module::ModuleError;
pub use crate::options::Options;
pub use crate::output::Output;
pub use crate::reconnect::Reconnect;
pub use crate::remote_error::{RemoteError, TracebackFrame};
pub use crate::running::{Cancelled, Running};
pub use crate::session::{CloseError, Session};
pub use crate::stream::Streaming;
pub use crate::tool::{Function, Tool};

/// The example of the README runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
