//! Text for a terminal: escapes text from files and nodes, and adds colours.

mod visible;

pub(crate) use visible::{beginning, paint, plain_lines, short, visible, written, written_json};
