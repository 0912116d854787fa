//! The ssh transport against real servers: an sshd of this machine on a loopback port for each test.

mod commands;
mod host_keys;
mod login;
mod route;
mod server;
mod trouble;
