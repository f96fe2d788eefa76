//! Names of newtype structs by which a type of this crate and its serializer know each other. To all other formats a
//! newtype struct is its content.

pub(crate) const BIG_INT: &str = "rmote_wire::BigInt";
pub(crate) const RAW_TEXT: &str = "rmote_wire::RawText";
pub(crate) const SET: &str = "rmote_wire::Set";
pub(crate) const RECORD: &str = "rmote_wire::Record";
pub(crate) const ENUM: &str = "rmote_wire::EnumMember";
/// Asks for whatever is there.
pub(crate) const VALUE: &str = "rmote_wire::Value";
