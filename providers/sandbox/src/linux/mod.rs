//! The provider on Linux.

mod boot;
mod cgroup;
mod console;
mod disk;
mod image;
mod init;
mod lock;
mod machine;
mod netlink;
mod network;
mod node;
mod owner;
mod process;
mod resolve;
mod run;
mod sandbox;
mod service;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use sandbox::Sandbox;
