//! The prompt: an input line with history, completion and colours.

mod editor;
mod unfinished;

pub(crate) use editor::{Editor, EditorInput};
pub(crate) use unfinished::{Unfinished, unfinished};
