//! Arguments that a function writes while its call runs.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio::sync::mpsc;

use crate::stream::{Attachment, Piece, Pieces, Streaming};

/// An argument that is a stream to this side: the function gets a file object to write bytes to, which also has `send`
/// for values.
///
/// A call may have any number of them, beside the stream of its results.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rmote_client::{Arguments, Local, Output, Session};
/// use tokio::io::AsyncReadExt;
///
/// let host = Session::connect(Local::new()).await?;
/// let save = host.function("def save(archive):\n    archive.write(b'data')\n    return 'saved'\n")?;
/// let (archive, stream) = Output::channel::<bytes::Bytes>();
/// let mut bytes = Vec::new();
/// let mut reader = stream.into_reader();
/// let (said, read) = tokio::join!(
///     save.call_with::<String>(Arguments::default().output(archive)),
///     reader.read_to_end(&mut bytes),
/// );
/// assert_eq!((said?, read?), ("saved".to_owned(), 4));
/// # Ok(()) }
/// ```
pub struct Output {
    pub(crate) pieces: mpsc::UnboundedSender<Piece>,
    pub(crate) attachment: Arc<OnceLock<Attachment>>,
}

impl Output {
    /// The argument, and the stream that comes out of it.
    pub fn channel<T>() -> (Self, Streaming<T>) {
        // Unbounded here: the credit is the bound.
        let (sender, receiver) = mpsc::unbounded_channel();
        let attachment = Arc::new(OnceLock::new());
        let output = Self {
            pieces: sender,
            attachment: attachment.clone(),
        };
        (
            output,
            Streaming::new(Pieces::new(receiver, attachment, None)),
        )
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").finish_non_exhaustive()
    }
}
