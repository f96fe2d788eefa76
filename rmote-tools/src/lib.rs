//! Typed tools for files and commands on a host that rmote reaches, and the macro to declare more
