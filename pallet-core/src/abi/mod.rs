//! The binary interface: what crosses the boundary of a dylib. The only home of its types, and of
//! `unsafe`.
//!
//! The rules:
//! - the traits and the root module are frozen within a major version, because a host refuses a
//!   plugin whose layout differs by one member;
//! - all that evolves travels as JSON: new operations, new fields with defaults, never a removed or
//!   renamed one;
//! - calls are synchronous, and a plugin's runtime, logger and statics are its own;
//! - every exported function catches a panic and returns it as an error;
//! - a library is never unloaded.
//!
//! The version of the interface is the version of the package pallet-core.

#![allow(unsafe_code)]
// abi_stable's derive expands to implementations that newer compilers warn of
#![allow(non_local_definitions)]

#[doc(hidden)]
pub mod author;
mod export;
mod guard;
#[cfg(feature = "host")]
pub(crate) mod host;
mod root;
#[doc(hidden)]
pub mod section;

#[doc(hidden)]
pub use abi_stable;
#[doc(hidden)]
pub use root::{
    CrateApi, CrateApi_TO, CrateBox, HostApi, HostApi_TO, HostBox, Outcome, PluginModule,
    PluginModuleRef, ProviderApi, ProviderApi_TO, ProviderBox,
};

/// The name of the symbol that a plugin exports its root module by.
pub const ROOT_SYMBOL: &str = "_1as_0lib_1header_0root_bmodule_bloader";

/// The name of the ELF section that a plugin's [summary](crate::model::PluginSummary) stands in, as
/// JSON.
pub const SUMMARY_SECTION: &str = ".pallet";
