//! Converge: create and destroy nodes to reach each group's count, then configure them. Down:
//! destroy all nodes.

mod create;
mod destroy;
mod down;
mod dry_run;
mod lease;
mod nodes;
mod outdated;
mod permanent;
mod plan;
mod protection;
mod replace;

pub use plan::{ConvergePlan, PlanError};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::nodes::Nodes;
use super::operation::{Event, Kind, with_groups};
use super::{Engine, EngineError, GroupSpec, LiftOptions, Outcome, Resume, Selection};
use crate::model::Node;

impl Engine {
    /// Creates and destroys nodes to reach the count of each of these groups, and configures them.
    /// `bootstrap` runs first on nodes where it never ran.
    ///
    /// Shows the plan to `agree` first, which may also remove nodes of undeclared groups. If it
    /// does not agree, nothing is done and the result is `None`. A lease that the service keeps
    /// allows only one converge of a project at a time. It is held from before the plan is made, so
    /// that the plan is still valid when `agree` answers, however long that takes. A dry run needs
    /// no lease.
    pub async fn converge(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
        agree: impl FnOnce(&mut ConvergePlan) -> Result<bool, EngineError>,
    ) -> Result<Option<Outcome>, EngineError> {
        self.check_phases(groups, &options.phases)?;
        let options = &options.without_replaced();
        let begun = self.begin();
        let done = match options.dry_run {
            true => begun.engine.dry_converge(groups, options, agree).await,
            false => begun.engine.converge_all(groups, options, agree).await,
        };
        begun.end(done)
    }

    async fn dry_converge(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
        agree: impl FnOnce(&mut ConvergePlan) -> Result<bool, EngineError>,
    ) -> Result<Option<Outcome>, EngineError> {
        let mut plan = self.plan_converge(groups, &options.node_changes).await?;
        if !agree(&mut plan)? {
            return Ok(None);
        }
        let groups: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        let (keep, rest) = self.selected(&plan.keep, &groups, &options.selection).await?;
        self.tell_selected(&options.selection, keep.iter(), plan.keep.len());
        self.tell(Event::started(Kind::Converge, true, plan.names_with(&keep)));
        self.tell_undeclared(&plan.undeclared);
        self.tell_outdated(&plan.outdated);
        self.tell_permanent(&plan.permanent);
        let mut others = std::mem::take(&mut plan.others);
        others.extend(with_groups(rest, &groups));
        plan.keep = keep;
        let mut nodes = Nodes::new(self, &groups, others, options);
        nodes.keep_permanent(&plan.permanent);
        nodes.dry_converge(plan).await?;
        Ok(Some(nodes.finish()))
    }

    async fn converge_all(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
        agree: impl FnOnce(&mut ConvergePlan) -> Result<bool, EngineError>,
    ) -> Result<Option<Outcome>, EngineError> {
        let shared: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        self.leased(async {
            let mut plan = self.plan_converge(groups, &options.node_changes).await?;
            self.tell_permanent(&plan.permanent);
            if !agree(&mut plan)? {
                return Ok(None);
            }
            self.in_time(self.converge_leased(&shared, plan, options)).await.map(Some)
        })
        .await
    }

    /// Does some work while holding the lease on the project's nodes.
    async fn leased<T>(
        &self,
        work: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        let lease = self.take_lease().await?;
        let done = work.await;
        lease.release().await;
        done
    }

    async fn converge_leased(
        &self,
        groups: &[Arc<GroupSpec>],
        mut plan: ConvergePlan,
        options: &LiftOptions,
    ) -> Result<Outcome, EngineError> {
        let (keep, rest) = self.selected(&plan.keep, groups, &options.selection).await?;
        self.tell_selected(&options.selection, keep.iter(), plan.keep.len());
        self.intend(Event::started(Kind::Converge, false, plan.names_with(&keep))).await?;
        self.tell_resumed(options);
        self.tell_undeclared(&plan.undeclared);
        self.tell_outdated(&plan.outdated);
        let mut others = std::mem::take(&mut plan.others);
        others.extend(with_groups(rest, groups));
        // nodes that are about to go are seen until then, and not configured any more
        let leaving = plan.replace.iter().chain(&plan.retire).cloned();
        others.extend(with_groups(leaving, groups));
        // the nodes to be destroyed see those that stay
        let staying: Vec<_> =
            others.iter().cloned().chain(with_groups(keep.iter().cloned(), groups)).collect();
        self.mark_protected(&plan.keep, groups).await?;
        let options = &self.after_interruption(options, &plan);
        let mut nodes = Nodes::new(self, groups, others, options);
        nodes.keep_permanent(&plan.permanent);
        nodes.destroy(plan.destroy.clone(), &staying).await?;
        nodes.end_groups(&plan.end.clone()).await?;
        let made = nodes.create(plan.clone()).await?;
        let fresh: BTreeSet<_> = made.iter().map(|node| node.id.clone()).collect();
        let mut there = with_groups(keep.into_iter().chain(made), groups);
        nodes.configure(&mut there, fresh).await?;
        nodes.retire(&plan, &mut there).await?;
        nodes.replace(&plan, there).await?;
        Ok(nodes.finish())
    }

    /// Options that skip what an interrupted operation finished, unless nodes come or go: then
    /// those that stay may have to know it.
    fn after_interruption(&self, options: &LiftOptions, plan: &ConvergePlan) -> LiftOptions {
        let mut options = options.clone();
        if let Some(resume) = options.resume.as_ref().filter(|_| !plan.is_empty()) {
            options.resume =
                Some(Arc::new(Resume { done: BTreeMap::new(), ..Resume::clone(resume) }));
        }
        options
    }
}

impl Engine {
    /// The nodes to configure, and those that are only seen.
    async fn selected(
        &self,
        nodes: &[Node],
        groups: &[Arc<GroupSpec>],
        selection: &Selection,
    ) -> Result<(Vec<Node>, Vec<Node>), EngineError> {
        let specs: Vec<_> = groups.iter().map(|group| GroupSpec::clone(group)).collect();
        self.part(nodes.to_vec(), |node| node, &specs, selection).await
    }
}

#[cfg(test)]
mod tests;
