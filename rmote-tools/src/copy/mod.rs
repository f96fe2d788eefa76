//! Copies of files and trees between this machine and a host.

mod adler;
mod delta;
mod entry;
mod exclude;
mod incoming;
mod tree;
