//! The harness of tests that need several packages or real nodes.
//!
//! [`workspace`] builds with cargo, [`Project`] runs pallet-cli in a home of its own, [`Bed`] has
//! nodes with real sshd, [`Cloud`] creates them through an API, [`ContainerEngine`] is Docker or
//! Podman, [`OciRegistry`] is a registry of plugins, [`Sigstore`] certifies their signers,
//! [`CutNetwork`] drops connections to it, [`Programs`] are those of others, [`Collector`] receives
//! traces and notices, [`Terminal`] emulates a user's terminal, [`Editor`] uses the language
//! server, [`Browser`] shows pages, [`Recorded`] writes the journal of an operation that never was.
//! Everything here panics with a readable message if a test cannot continue.
// this package is test code, where a panic is how a failure is told
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bed;
mod browser;
mod cloud;
mod collector;
mod container_engine;
mod crate_nodes;
mod cut;
mod editor;
mod events;
mod guard;
mod http;
mod image;
mod leftovers;
mod mounted;
mod mounts;
mod oci_registry;
mod process;
mod programs;
mod project;
mod recorded;
mod redact;
mod sigstore;
mod slow;
mod terminal;
mod timing;
mod workspace;

pub use bed::{Bed, BedOptions, Init};
pub use browser::Browser;
pub use cloud::Cloud;
pub use collector::{Collector, Received};
pub use container_engine::ContainerEngine;
pub use cut::CutNetwork;
pub use editor::Editor;
pub use events::{Event, Events};
pub use http::get;
pub use image::image;
pub use leftovers::Leftovers;
pub use mounted::Mounted;
pub use oci_registry::{OciRegistry, REGISTRY_PASSWORD, REGISTRY_USER, RegistryOptions};
pub use process::{Output, Process};
pub use programs::{OpenBao, Programs, SecretServer};
pub use project::Project;
pub use recorded::Recorded;
pub use redact::Redactions;
pub use sigstore::Sigstore;
pub use slow::{SlowNetwork, Slowness};
pub use terminal::{END, INTERRUPT, Terminal, UP};
pub use workspace::{Artifact, Workspace, root, workspace};
