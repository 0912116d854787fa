//! Nodes on this machine: Linux namespaces over an overlay of its own root. The provider that needs nothing.
#![forbid(unsafe_code)]

mod options;

#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod init;
#[cfg(target_os = "linux")]
mod lock;
#[cfg(target_os = "linux")]
mod machine;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
mod network;
#[cfg(target_os = "linux")]
mod node;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod resolve;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod service;
#[cfg(target_os = "linux")]
mod store;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

#[cfg(not(target_os = "linux"))]
#[path = "elsewhere.rs"]
mod service;

const ABOUT: &str = "Nodes on this machine: Linux namespaces over an overlay of its own root";

pallet_core::export_provider!(service::Sandbox);
