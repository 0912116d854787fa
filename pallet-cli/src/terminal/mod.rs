//! Text for a terminal: what comes from files and nodes is made safe, and colours are painted.

mod visible;

pub(crate) use visible::{beginning, paint, short, visible, written, written_json};
