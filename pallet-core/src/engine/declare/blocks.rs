//! Numbers the blocks of `on_failure`, and finds the block that a rescue belongs to.

use crate::action::{BlockRole, Declared, InBlock};
use crate::plugin::{ErrorKind, PluginError};

/// Maximum depth of blocks: what may be known after one is planned for each way through it.
const MAX_DEPTH: usize = 8;

/// Where a part of a block begins or ends: the next one must begin where the last one ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PartAt {
    /// The number of declared actions.
    pub(super) declared: usize,
    /// How many calls of crates it is within.
    pub(super) calls: usize,
    /// How many scopes it is within.
    pub(super) scopes: usize,
}

/// The blocks of one node and phase so far.
#[derive(Default)]
pub(super) struct Blocks {
    next: usize,
    /// The part that was left last, and where.
    left: Option<(InBlock, PartAt)>,
}

impl Blocks {
    /// Enters a part of a block that is within so many others.
    pub(super) fn enter(
        &mut self,
        role: BlockRole,
        around: usize,
        at: PartAt,
        declared: &mut [Declared],
    ) -> Result<InBlock, PluginError> {
        let wrong = |message: String| Err(PluginError::new(ErrorKind::InvalidInput, message));
        if around >= MAX_DEPTH {
            return wrong(format!("calls of on_failure are more than {MAX_DEPTH} deep"));
        }
        if role == BlockRole::Body {
            self.next += 1;
            return Ok(InBlock { id: self.next - 1, role, rescued: false });
        }
        let before = self.left.filter(|(left, then)| left.role < role && *then == at);
        let Some((before, _)) = before else {
            return wrong(format!("there is no block before this {}", role.as_str()));
        };
        let rescued = before.rescued || role == BlockRole::Rescue;
        for block in declared.iter_mut().flat_map(|declared| &mut declared.blocks) {
            if block.id == before.id {
                block.rescued = rescued;
            }
        }
        Ok(InBlock { role, rescued, ..before })
    }

    /// Leaves a part.
    pub(super) fn leave(&mut self, block: InBlock, at: PartAt) {
        self.left = Some((block, at));
    }
}
