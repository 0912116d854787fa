//! Text for a terminal: escapes text from files and nodes, and adds colours.

mod job_command;
mod visible;

pub(crate) use job_command::{json_without_commands, without_commands};
pub(crate) use visible::{beginning, paint, plain_lines, short, visible, written, written_json};
