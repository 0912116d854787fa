//! Distributes plugins: artifacts, repositories, signatures, and installing.
//!
//! No code of a plugin runs here, except when it is published.

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
