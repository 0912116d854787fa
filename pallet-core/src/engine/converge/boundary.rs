//! The zero boundary: phases of a group that run when it gets its first node, and when it has lost
//! its last.
//!
//! A group without nodes has none to run them on, so they run on this machine, as the user who runs
//! Pallet.

use std::sync::Arc;

use super::super::considered::Member;
use super::super::lift::{LiftOptions, PhaseChoice, Purpose};
use super::super::{Engine, EngineError, GroupSpec, NodeResult, Outcome};
use crate::model::{Connection, Node};

/// Runs before the first node of a group is made. Where it fails, none is.
pub(in super::super) const CREATE_GROUP: &str = "create-group";
/// Runs after the last node of a group was destroyed.
pub(in super::super) const DESTROY_GROUP: &str = "destroy-group";

impl Engine {
    /// Runs such a phase, if the group has it; says whether all is well. A failure stands in the
    /// outcome under the group's name.
    pub(super) async fn at_boundary(
        &self,
        group: &Arc<GroupSpec>,
        phase: &str,
        others: &[Member],
        options: &LiftOptions,
        outcome: &mut Outcome,
    ) -> Result<bool, EngineError> {
        if !group.server.phases.contains_key(phase) || self.cancel.is_cancelled() {
            return Ok(true);
        }
        let node = Node {
            group: Some(group.name.clone()),
            ..Node::new(format!("group/{}", group.name), &group.name, Connection::Local)
        };
        let options =
            LiftOptions { phases: vec![PhaseChoice::Named(phase.to_owned())], ..options.clone() };
        let (ran, _) = self
            .configure(vec![(node, group.clone())], others.to_vec(), &options, Purpose::Group)
            .await?;
        let failed: Vec<_> = ran
            .nodes
            .into_iter()
            .filter(|node| matches!(node.result, NodeResult::Failed { .. }))
            .collect();
        let ok = failed.is_empty();
        outcome.nodes.extend(failed);
        Ok(ok)
    }
}
