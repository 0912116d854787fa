//! The promise of the binary interface: plugins built against it load and run, and nothing is ever
//! removed from it.

mod interface;
mod kept;
mod other_compiler;
