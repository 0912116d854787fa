//! Observing a node. Each kind of thing is one file in `kinds/` and one line in `table.rs`.
//!
//! The observing script answers everything in an [`Observation`] in one round trip; its answers are
//! parsed into a [`NodeState`].
//!
//! The script assumes nothing about the node: it detects the system that it runs on, and uses that
//! system's tools. Each answer is framed by a token that nothing else on the node can know, so the
//! output of login scripts is never mistaken for an answer:
//!
//! ```text
//! TOKEN< TOKEN kind TOKEN field TOKEN field TOKEN TOKEN> TOKEN
//! ```
//!
//! An answer names its subject by path or name, never by position, so that a file that vanishes
//! meanwhile cannot be confused with another.

mod answer;
mod compile;
mod kind;
mod kinds;
mod node_state;
mod observation;
mod observed;
mod parse;
mod table;
#[cfg(test)]
mod tests;

pub use compile::compile;
pub use kind::{Kind, KindDescription};
pub use kinds::command::CommandState;
pub use kinds::file::{Attributes, FileQuestion, FileState};
pub use kinds::group::GroupState;
pub use kinds::package::PackageState;
pub use kinds::reading::Reading;
pub use kinds::service::ServiceState;
pub use kinds::user::UserState;
pub use observed::{ObserveError, Observed};
pub use parse::parse;
pub use table::{NodeState, Observation};
