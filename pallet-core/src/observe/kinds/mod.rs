//! The kinds of things that can be observed, one file each: the questions, the shell code that
//! answers them, the parser of the answers, the known state, and its description in words.

pub(super) mod command;
mod detail;
pub(super) mod file;
pub(super) mod group;
pub(super) mod package;
pub(super) mod package_changes;
pub(super) mod package_lists;
pub(super) mod reading;
pub(super) mod records;
mod secrets;
pub(super) mod service;
pub(super) mod user;

/// Shell functions that look up users and groups.
const ACCOUNTS: &str = include_str!("accounts.sh");
