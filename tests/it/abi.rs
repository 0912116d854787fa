//! The promise of the binary interface: what was built against it loads and runs, and nothing that
//! travels over it is ever taken away.

mod interface;
mod kept;
mod other_compiler;
