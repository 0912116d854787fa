//! Kinds of operations.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Configures nodes without creating or destroying any.
    Lift,
    /// Creates and destroys nodes to reach each group's count, and configures them.
    Converge,
    /// Destroys nodes.
    Down,
    /// Runs a command on nodes.
    Run,
    /// Copies files from or to nodes.
    Copy,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Lift => "lift",
            Kind::Converge => "converge",
            Kind::Down => "down",
            Kind::Run => "run",
            Kind::Copy => "copy",
        })
    }
}
