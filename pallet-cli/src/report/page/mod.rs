//! The page of an operation: HTML with SVG, in one piece.

mod changes;
mod document;
mod failures;
mod heading;
mod lanes;
mod markup;
mod notes;
mod results;
mod states;
mod timeline;
mod words;

pub(super) use document::{Mode, page, policy, waiting};
