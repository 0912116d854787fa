//! The last lines that an action printed on a node.

use std::collections::VecDeque;

/// How many lines are kept.
const LINES: usize = 60;

/// The last lines that an action printed on a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Tail<'a> {
    /// The lines, in order.
    pub(crate) lines: VecDeque<&'a str>,
    /// How many lines came before them.
    pub(crate) left_out: usize,
}

impl<'a> Tail<'a> {
    pub(super) fn push(&mut self, line: &'a str) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
            self.left_out += 1;
        }
        self.lines.push_back(line);
    }
}
