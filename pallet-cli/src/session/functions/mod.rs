//! The functions of a session, one family per file. To add one, add its description in
//! `crate::verbs`, its function here, and its line in `table.rs`.

mod admin_user;
mod check;
mod converge;
mod explain;
mod facts;
mod help;
mod lift;
mod nodes;
mod offers;
mod run;
mod services;
mod signature;
mod table;

pub(crate) use signature::signatures;
pub(super) use table::functions;
