//! The command line of Pallet.

#[allow(dead_code, unused_imports, reason = "the commands that use it follow")]
mod project;

fn main() {}
