//! The ssh transport against real servers: an sshd of this machine on a loopback port for each test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test")]

mod commands;
mod host_keys;
mod login;
mod route;
mod server;
mod trouble;
