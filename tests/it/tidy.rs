//! The rules of the repository, as tests.

mod abi;
mod layers;
mod plugins;
mod sources;
