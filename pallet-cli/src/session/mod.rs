//! A session: one project, worked on from Starlark. `repl` and `run FILE.star` share it.
//!
//! Inputs are evaluated on one thread, operations run on the runtime. While one runs, the
//! evaluating thread calls the phase functions that belong to the session. Connections are kept
//! from one operation to the next.

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
