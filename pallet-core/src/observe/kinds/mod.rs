//! The kinds of things that can be observed, one a file: what is asked of them, the shell that
//! answers, what reads the answers, what is known of them, and the words for that.

pub mod command;
pub mod file;
pub mod group;
pub mod package;
pub mod package_changes;
pub mod package_lists;
pub mod reading;
pub mod records;
mod secrets;
pub mod service;
pub mod user;

/// The functions that ask for users and groups.
const ACCOUNTS: &str = include_str!("accounts.sh");
