//! Down: destroys the nodes of a project, or some of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::nodes::Nodes;
use crate::engine::operation::{Event, Kind, with_groups};
use crate::engine::{Engine, EngineError, GroupSpec, LiftOptions, Outcome};
use crate::model::Node;
use crate::plugin::PluginError;

impl Engine {
    /// Destroys the selected nodes of the project at the service. If these are all, it also removes
    /// whatever else the service keeps for the project. Shows the nodes to `agree` first; returns
    /// `None` if it does not agree. A node that cannot be destroyed is recorded in the outcome and
    /// does not stop the others.
    pub async fn down(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
        agree: impl FnOnce(&[Node]) -> Result<bool, EngineError>,
    ) -> Result<Option<Outcome>, EngineError> {
        let begun = self.begin();
        let done = begun.engine.down_all(groups, options, agree).await;
        begun.end(done)
    }

    async fn down_all(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
        agree: impl FnOnce(&[Node]) -> Result<bool, EngineError>,
    ) -> Result<Option<Outcome>, EngineError> {
        let shared: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        let outcome = self.leased(async {
            let all = self.nodes().await?;
            self.check_unprotect(groups, &all, &options.node_changes)?;
            let engine = self.without_silent();
            let (chosen, rest) = engine.part(all, |node| node, groups, &options.selection).await?;
            let (permanent, nodes): (Vec<_>, Vec<_>) =
                chosen.into_iter().partition(|node| node.permanent);
            self.check_all_unprotected(&nodes, groups, &options.node_changes)?;
            let of = nodes.len() + permanent.len() + rest.len();
            self.tell_selected(&options.selection, nodes.iter().chain(&permanent), of);
            self.tell_permanent(&permanent);
            if agree(&nodes)? {
                self.down_leased(&shared, nodes, (permanent, rest), options).await.map(Some)
            } else {
                Ok(None)
            }
        });
        let Some((mut outcome, left)) = outcome.await? else { return Ok(None) };
        // the rest that the service keeps is needed as long as a node is left
        if outcome.cancelled || left > 0 || !options.selection.is_all() {
            return Ok(Some(outcome));
        }
        self.intend(Event::CleaningUp).await?;
        if let Err(error) = self.ask(|service| service.clean_up()).await {
            let message = format!(
                "cannot remove what the service keeps apart from nodes: {}",
                PluginError::from(error)
            );
            self.tell(Event::Warning { node: None, message: message.clone() });
            outcome.errors.push(self.vault.redact(&message).into_owned());
        }
        Ok(Some(outcome))
    }

    /// Also returns how many nodes are left that should have been destroyed.
    async fn down_leased(
        &self,
        groups: &[Arc<GroupSpec>],
        nodes: Vec<Node>,
        (permanent, rest): (Vec<Node>, Vec<Node>),
        options: &LiftOptions,
    ) -> Result<(Outcome, usize), EngineError> {
        let names = nodes.iter().chain(&permanent).map(|node| node.name.clone());
        self.intend(Event::started(Kind::Down, false, names)).await?;
        let others = with_groups(permanent.iter().chain(&rest).cloned(), groups);
        let mut changing = Nodes::new(self, groups, others, options);
        changing.keep_permanent(&permanent);
        let mut ended: BTreeSet<_> = nodes.iter().filter_map(|node| node.group.clone()).collect();
        ended.retain(|group| rest.iter().all(|node| node.group.as_ref() != Some(group)));
        let wanted = nodes.len();
        let staying = changing.others.clone();
        changing.destroy(nodes, &staying).await?;
        let left = wanted - changing.outcome.destroyed.len();
        changing.end_groups(&ended).await?;
        Ok((changing.finish(), left))
    }
}
