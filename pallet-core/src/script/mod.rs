//! Shell text: quoting, building, and what differs between systems. POSIX `sh` only, and no I/O here.

mod builder;
pub mod observe;
mod quote;

pub use builder::Script;
pub use quote::quote;

/// Shell functions that the scripts of changes call; they stand once at the head of every applying script.
pub const LIBRARY: &str = include_str!("library.sh");
