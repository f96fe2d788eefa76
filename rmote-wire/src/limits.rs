use crate::frame::{Frame, LENGTH_COUNTED_HEADER};

/// What a peer may send at most.
///
/// The defaults are those of the protocol. Both directions keep them: what a decoder would reject is not encoded.
///
/// ```
/// use rmote_wire::{Limits, Value};
///
/// let limits = Limits::default().with_items(2);
/// let list = Value::from(vec![Value::from(1), Value::from(2), Value::from(3)]);
/// assert!(list.encode(&limits).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest `length` of a frame, which counts 6 bytes of header and the payload. Defaults to a payload of
    /// 128 MiB. This is the number that a hello names as `frame_limit` and that [`FrameCodec::new`] takes.
    ///
    /// [`FrameCodec::new`]: crate::FrameCodec::new
    pub frame: usize,
    /// How many collections may lie in each other. Defaults to 128. Decoding recurses, so a larger limit needs a
    /// larger stack.
    pub depth: usize,
    /// How many items one value may hold in all its collections. Defaults to 4,194,304.
    pub items: usize,
    /// The bytes of one text or name. Defaults to 64 MiB.
    pub text: usize,
}

impl Limits {
    /// Replaces the largest `length` of a frame.
    pub fn with_frame(mut self, frame: usize) -> Self {
        self.frame = frame;
        self
    }

    /// Replaces the depth of a value.
    pub fn with_depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// Replaces the number of items in a value.
    pub fn with_items(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    /// Replaces the bytes of one text.
    pub fn with_text(mut self, text: usize) -> Self {
        self.text = text;
        self
    }

    /// The largest payload, and with it the largest encoded value.
    pub fn payload(&self) -> usize {
        self.frame.saturating_sub(LENGTH_COUNTED_HEADER)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame: (128 << 20) + LENGTH_COUNTED_HEADER,
            depth: DEFAULT_DEPTH,
            items: 4 << 20,
            text: 64 << 20,
        }
    }
}

/// Shared with the conversions from and to Rust types, which know no `Limits`.
pub(crate) const DEFAULT_DEPTH: usize = 128;

// The header's length has its place in the doc of `frame`.
const _: () = assert!(Frame::HEADER_LEN == LENGTH_COUNTED_HEADER + 4);
