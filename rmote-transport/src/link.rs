//! Running byte streams and the trait that makes them.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::SpawnError;
use crate::process::Process;

/// The way to the far program's stdin. Vectored writes reach the pipe as one system call.
pub type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// The way from the far program's stdout.
pub type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// A way to start a program somewhere and to talk to it.
///
/// [`start`](Self::start) may be called any number of times; each call gives a link of its own.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// The target as text for messages, safe to print, such as `ssh://deploy@web01`.
    fn target(&self) -> String;

    /// Starts the program `argv` at the far side.
    ///
    /// A link says that the local child runs, not that the far side was reached: that shows in the first bytes, or in
    /// the exit and [`Process::fault`]. Must be called inside a tokio runtime with I/O and time.
    ///
    /// # Errors
    ///
    /// The local program is missing, the target or the words of the command are refused, or the system cannot start a
    /// child.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: whatever a dropped future had started is killed.
    async fn start(&self, argv: &[String]) -> Result<Link, SpawnError>;

    /// Whether the bytes leave this machine, or may: only then can it pay to compress them.
    fn leaves_machine(&self) -> bool {
        true
    }

    /// Which of these programs can be started, in their order, where that can be told without starting anything.
    ///
    /// `None`, unless the programs are this machine's: somebody has to look at the far side.
    fn installed(&self, programs: &[&str]) -> Option<Vec<String>> {
        _ = programs;
        None
    }
}

/// Running streams: what [`Transport::start`] gives.
///
/// The fields may be taken apart; keep the process, since dropping it kills it. Dropped as a whole, the pipes close before
/// the process is killed or left.
pub struct Link {
    /// To the program's stdin; dropping it is the end of the program's input.
    pub stdin: Writer,
    /// From the program's stdout.
    pub stdout: Reader,
    /// The local process. Last, since fields are dropped in order.
    pub process: Process,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for Box<dyn Transport> {
    fn target(&self) -> String {
        (**self).target()
    }

    async fn start(&self, argv: &[String]) -> Result<Link, SpawnError> {
        (**self).start(argv).await
    }

    fn leaves_machine(&self) -> bool {
        (**self).leaves_machine()
    }

    fn installed(&self, programs: &[&str]) -> Option<Vec<String>> {
        (**self).installed(programs)
    }
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn target(&self) -> String {
        (**self).target()
    }

    async fn start(&self, argv: &[String]) -> Result<Link, SpawnError> {
        (**self).start(argv).await
    }

    fn leaves_machine(&self) -> bool {
        (**self).leaves_machine()
    }

    fn installed(&self, programs: &[&str]) -> Option<Vec<String>> {
        (**self).installed(programs)
    }
}
