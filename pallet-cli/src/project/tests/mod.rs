//! Projects on disk, with every mistake that a person makes.

mod bed;
mod files;
mod groups;
mod inline;
mod mistakes;
mod phases;
mod specs;
