//! Nodes on this machine: Linux namespaces over an overlay of its own root. The provider that needs
//! nothing.
#![forbid(unsafe_code)]

mod about;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;
mod options;

#[cfg(not(target_os = "linux"))]
use elsewhere::Sandbox;
#[cfg(target_os = "linux")]
use linux::Sandbox;

pallet_core::export_provider!(Sandbox);
