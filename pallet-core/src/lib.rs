//! Pallet: provisions and maintains compute nodes.
//!
//! This package holds the words everything else speaks, in layers that import only what stands
//! above them:
//!
//! ```text
//! model         plain data: nodes, specs, environment
//! script        shell text: quoting, building, differences between systems
//! observe       what can be observed of a node, one kind of thing a file
//! action        one action a file; pure functions from what is known to what must change
//! plugin        what the author of a provider or a configuration crate sees
//! abi           what crosses the boundary of a dylib; the only home of its types, and of `unsafe`
//!               but for a file of transport/ssh
//! local         [host] files of this machine by handles
//! plugins       [host] finding, checking and loading dylibs
//! distribution  [distribution] publishing and installing plugins; [registries] over the network
//! transport     [host] ssh, a command prefix, this machine
//! engine        [host] observe, plan, apply; converge and lift; events
//! ```
//!
//! A plugin imports [`prelude`] and never enables the feature `host`.

// the tests here share files with the tests beside them, which know the package by its name
#[cfg(test)]
extern crate self as pallet_core;

#[doc(hidden)]
pub use {schemars, serde, serde_json};

pub mod abi;
pub mod action;
pub mod model;
pub mod observe;
pub mod plugin;
pub mod prelude;
pub mod script;

#[cfg(feature = "distribution")]
pub mod distribution;
#[cfg(feature = "host")]
pub mod engine;
#[cfg(feature = "host")]
pub mod local;
#[cfg(feature = "host")]
pub mod plugins;
#[cfg(feature = "host")]
pub mod transport;
