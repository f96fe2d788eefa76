//! What can go wrong: at the start, on the link, in one call.

mod call;
mod link;
mod start;

use std::error::Error;
use std::fmt;

pub use self::call::{ArgumentsError, CallError, CallErrorKind, Fate, Progress, ResultError};
pub use self::link::{LinkError, LinkErrorKind, ProtocolError};
pub use self::start::{StartError, StartErrorKind};

// The kind is part of the message already, so the source is what stands behind the kind.
macro_rules! error_of_kind {
    ($type:ty, $format:literal, $($field:ident),+) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, $format, $(self.$field),+, self.kind)
            }
        }

        impl Error for $type {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                self.kind.source()
            }
        }
    };
}

error_of_kind!(StartError, "{}: {}", target);
error_of_kind!(LinkError, "{}: {}", target);
error_of_kind!(CallError, "{}: {}: {}", target, function);

fn quoted(label: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{label}: {text}")
    }
}
