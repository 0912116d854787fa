//! Distributing plugins: artifacts, the repositories that hold them, signatures, and installing.
//!
//! Nothing of a plugin runs here, but when it is published.

pub mod artifact;
pub mod install;
pub mod lock;
mod pins;
pub mod repository;
pub mod resolve;
pub mod signature;
pub mod store;
pub mod trust;

pub use pins::pins;
