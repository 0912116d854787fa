//! What can be observed of a node: each kind of thing is one file in `kinds/`, and one line in
//! `table.rs`.
//!
//! The observing script asks all that an [`Observation`] wants in one go; its answer is read as a
//! [`NodeState`].
//!
//! The script knows nothing of the node beforehand: it finds out which system it runs on, and asks
//! that system in its own words. Each answer is framed by a token that nothing else on the node can
//! know, so output of login scripts and the like is never taken for one:
//!
//! ```text
//! TOKEN< TOKEN kind TOKEN field TOKEN field TOKEN TOKEN> TOKEN
//! ```
//!
//! Answers name what they are about by the very path or name, never by position, so that a file
//! that vanishes meanwhile cannot be taken for another.

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
