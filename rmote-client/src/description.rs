//! What a module defines, as the host knows it.

use serde::{Deserialize, Serialize};

/// A tool or function that a module defines.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ToolDescription {
    /// The module.
    pub module: String,
    /// The name of the class or function.
    pub name: String,
    /// The first line of its documentation.
    pub doc: String,
    /// Its methods. Of a function: itself, with an empty name.
    pub methods: Vec<MethodDescription>,
}

/// A method of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MethodDescription {
    /// Its name.
    pub name: String,
    /// Its signature as Python writes it.
    pub signature: String,
    /// The first line of its documentation.
    pub doc: String,
    /// Its parameters: name, and kind as Python's `inspect` names it (`KEYWORD_ONLY`).
    pub parameters: Vec<(String, String)>,
}
