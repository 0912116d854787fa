//! Blocks of `on_failure`: actions, those that run if one of them fails, and those that run in both
//! cases.

use serde::{Deserialize, Serialize};

/// A part of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockRole {
    /// The actions that may fail.
    Body,
    /// Those that run if one of the body failed.
    Rescue,
    /// Those that run in both cases, last.
    Always,
}

impl BlockRole {
    /// Its name: `rescue`.
    pub fn as_str(self) -> &'static str {
        match self {
            BlockRole::Body => "body",
            BlockRole::Rescue => "rescue",
            BlockRole::Always => "always",
        }
    }
}

/// The place of an action in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InBlock {
    /// Identifies the block within its phase.
    pub id: usize,
    /// The part of the block.
    pub role: BlockRole,
    /// Whether the block has a rescue, which may be without actions.
    pub rescued: bool,
}

impl InBlock {
    /// Whether a failure in this part of the block can be rescued by the block.
    pub fn catches(self) -> bool {
        self.role == BlockRole::Body && self.rescued
    }
}
