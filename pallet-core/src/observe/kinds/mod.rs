//! The kinds of things that can be observed, one a file: what is asked of them, the shell that
//! answers, what reads the answers, what is known of them, and the words for that.

pub(super) mod command;
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

/// The functions that ask for users and groups.
const ACCOUNTS: &str = include_str!("accounts.sh");
