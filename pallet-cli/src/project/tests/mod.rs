//! Projects on disk, with every mistake that a person makes.

mod bed;
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
