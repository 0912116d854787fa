//! A session: one project, used from Starlark. `repl` and `run FILE.star` share it.
//!
//! Inputs are evaluated on one thread, and operations run on the runtime. During an operation, the
//! evaluating thread calls the phase functions that belong to the session. Connections are kept
//! between operations.

mod call;
mod evaluate;
mod functions;
mod interrupt;
mod outcome;
mod script;
mod show;
mod state;
mod targets;
mod wait;

pub(crate) use functions::signatures;
pub(crate) use script::{run_file, run_interactive, run_lines};
