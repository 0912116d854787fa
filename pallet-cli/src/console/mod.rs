//! The prompt: lines that a person types, with history, completion and colours.

mod editor;
mod unfinished;

pub(crate) use editor::{Editor, EditorInput};
pub(crate) use unfinished::{Unfinished, unfinished};
