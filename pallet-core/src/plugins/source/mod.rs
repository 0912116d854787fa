//! Crates that are written in Starlark: a directory with `crate.toml` and modules.
//!
//! This package does not know the language. A program that does gives the registry an
//! [`Interpreter`].

mod description;
mod interpreter;

pub use description::{DESCRIPTION, Description, MAIN_MODULE};
pub use interpreter::{Interpreter, OtherCrates, SourceCrate};
