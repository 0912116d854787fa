//! Lift: configures nodes, without creating or destroying any.

use std::sync::Arc;

use super::operation::{Division, Event, Kind, Purpose};
use super::{Engine, EngineError, GroupSpec, LiftOptions, Outcome};

impl Engine {
    /// Configures the running nodes of these groups.
    pub async fn lift(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
    ) -> Result<Outcome, EngineError> {
        self.check_phases(groups, &options.phases)?;
        let begun = self.begin();
        let done = begun.engine.in_time(begun.engine.lift_all(groups, options)).await;
        begun.end(done)
    }

    async fn lift_all(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
    ) -> Result<Outcome, EngineError> {
        let shared: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        let mut division = self.divide(self.nodes().await?, &shared);
        division.keep(self, &options.selection, groups).await?;
        let of = division.own.len() + division.others.len();
        let Division { own, others, undeclared } = division;
        self.tell_selected(&options.selection, own.iter().map(|(node, _)| node), of);
        self.intend(Event::started(
            Kind::Lift,
            options.dry_run || options.drift_only,
            own.iter().map(|(node, _)| node.name.clone()),
        ))
        .await?;
        self.tell_resumed(options);
        self.tell_undeclared(&undeclared);
        self.tell_outdated_among(&own);
        Ok(self.configure(own, others, options, Purpose::Lift).await?.0)
    }
}
