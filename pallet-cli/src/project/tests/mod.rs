//! Tests of projects on disk, with all kinds of user errors.

pub(crate) mod bed;
mod examples;
mod files;
mod groups;
mod inline;
mod inputs;
mod limits;
mod mistakes;
mod pallet_toml;
mod phases;
mod specs;
