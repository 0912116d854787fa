//! The rules of the repository, as tests.

mod abi;
mod circles;
mod layers;
mod plugins;
mod sources;
