//! Nodes on this machine: Linux namespaces over an overlay of the machine's root. This provider
//! requires no setup.
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
