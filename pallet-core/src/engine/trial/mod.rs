//! Trying a declaration on fresh nodes: a dry run writes nothing and shows what then happens, and a
//! second run finds nothing to do.

mod laws;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::{
    Engine, EngineConfig, EngineError, Event, Files, GroupSpec, LiftOptions, NodeResult, Outcome,
    Phase, PhaseChoice, PlanError, Record, ServerSpec, Sink,
};
use crate::model::{ImageSpec, NodeSpec};

/// The phase that looks at what the others did.
const VERIFY: &str = "verify";

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It did what it should, and kept the laws.
    Kept {
        /// How many actions changed something.
        changes: usize,
        /// What the dry run left open, because only the node can tell.
        open: Vec<String>,
    },
    /// It did not: why, a line each.
    Broken(Vec<String>),
    /// It was not tried, because there is nothing to try it on.
    NotTried(String),
}

/// What happened in an operation.
type Events = Arc<Mutex<Vec<Event>>>;

/// How to try.
#[derive(Debug, Clone, Default)]
pub struct TrialOptions {
    /// The system that the nodes have, such as `debian 12`; `None`: as the service likes.
    pub system: Option<String>,
    /// Leave the nodes, to look at them.
    pub keep: bool,
}

impl Engine {
    /// Tries groups on fresh nodes of a project of their own, and takes the nodes down again, also
    /// when it was stopped.
    ///
    /// The nodes are made and configured. A dry run before that must write nothing and show what
    /// then happens; a second run must find nothing to do. One node more, which nobody configures,
    /// shows what changes by itself. Where a group has a phase `verify`, that looks at the result.
    pub async fn trial(
        &self,
        groups: &[GroupSpec],
        options: &TrialOptions,
    ) -> Result<Verdict, EngineError> {
        let groups: Vec<GroupSpec> =
            groups.iter().map(|group| with_system(group, options.system.as_deref())).collect();
        let events = Events::default();
        let received = events.clone();
        let sink = move |record: &Record| {
            let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
            received.push(record.event.clone());
        };
        let mut sinks = self.sinks.clone();
        sinks.push(Arc::new(sink) as Arc<dyn Sink>);
        let engine = self.with(EngineConfig {
            sinks,
            // what is tried is the groups alone
            default_bootstrap: None,
            ..self.config().clone()
        });
        let control = control(&groups);
        let trial = Trial { engine, groups, control, events };
        let verdict = trial.verdict().await;
        if options.keep {
            return verdict;
        }
        let last = trial.engine.with(EngineConfig {
            // also when the trial was stopped
            cancel: CancellationToken::new(),
            ..trial.engine.config().clone()
        });
        let all: Vec<_> = trial.groups.iter().chain(&trial.control).cloned().collect();
        let down = last.down(&all, &LiftOptions::default(), |_| Ok(true)).await;
        verdict.and_then(|verdict| down.map(|_| verdict))
    }
}

/// The group on nodes of a system such as `debian 12`.
fn with_system(group: &GroupSpec, system: Option<&str>) -> GroupSpec {
    let Some(system) = system else { return group.clone() };
    let (family, version) = system.split_once(' ').unwrap_or((system, ""));
    let version = Some(version.trim().to_owned()).filter(|version| !version.is_empty());
    let image = ImageSpec {
        os_family: Some(family.to_owned()),
        os_version: version,
        ..ImageSpec::default()
    };
    let mut group = group.clone();
    group.server.node_spec =
        group.server.node_spec.merged(&NodeSpec { image: Some(image), ..NodeSpec::default() });
    group
}

/// A node like those of the first group that nobody configures. What changes there changes by
/// itself: a sandbox node shows the machine's own files until it has its own, and machines have
/// daemons.
fn control(groups: &[GroupSpec]) -> Option<GroupSpec> {
    let names: Vec<_> = groups.iter().map(|group| group.name.as_str()).collect();
    let mut name = "control".to_owned();
    while names.contains(&name.as_str()) {
        name.push('-');
        name.push_str("control");
    }
    let node_spec = groups.first()?.server.node_spec.clone();
    GroupSpec::new(&name, Some(1), ServerSpec::new().node_spec(node_spec)).ok()
}

struct Trial {
    engine: Engine,
    groups: Vec<GroupSpec>,
    /// What nobody configures.
    control: Option<GroupSpec>,
    events: Events,
}

impl Trial {
    async fn verdict(&self) -> Result<Verdict, EngineError> {
        // nodes as they come: nothing but their own bootstrap, if the scenario has one
        let nothing = PhaseChoice::Inline(Phase::new(|_: &mut crate::plugin::Request| Ok(())));
        let options = LiftOptions { phases: vec![nothing], ..LiftOptions::default() };
        let mut none = None;
        let made = self.engine.converge(&self.groups, &options, |plan| {
            none = plan.choices.values().find_map(|choice| match choice {
                Err(PlanError::NoMatch(none)) => Some(none.to_string()),
                _ => None,
            });
            Ok(none.is_none())
        });
        let Some(made) = made.await? else {
            return Ok(Verdict::NotTried(none.unwrap_or_default()));
        };
        if let Some(broken) = failures("the nodes cannot be made ready", &made, &self.take()) {
            return Ok(Verdict::Broken(broken));
        }
        if let Some(control) = &self.control {
            // where no more nodes can be made there is none
            let _ = self
                .engine
                .converge(std::slice::from_ref(control), &LiftOptions::default(), |_| Ok(true))
                .await;
        }
        // What comes and goes by itself: a node is looked at on both sides of the control, so that
        // whatever stands long enough to be taken for the dry run's work has stood on the control
        // too.
        let before = self.survey().await?;
        let control_before = self.engine.survey(self.control.as_slice()).await?;
        let mut by_itself = laws::changed_by_itself(&before, &self.survey().await?);
        let (outcome, dry) =
            self.lift(LiftOptions { dry_run: true, ..LiftOptions::default() }).await?;
        if let Some(broken) = failures("a dry run failed", &outcome, &dry) {
            return Ok(Verdict::Broken(broken));
        }
        let after = self.survey().await?;
        by_itself.extend(laws::changed_by_itself(
            &control_before,
            &self.engine.survey(self.control.as_slice()).await?,
        ));
        let mut broken = laws::nothing_written(&before, &after, &by_itself);
        if !broken.is_empty() {
            by_itself.extend(laws::changed_by_itself(&after, &self.survey().await?));
            broken = laws::nothing_written(&before, &after, &by_itself);
        }
        let (outcome, applied) = self.lift(LiftOptions::default()).await?;
        if let Some(failed) = failures("the first run failed", &outcome, &applied) {
            return Ok(Verdict::Broken(broken.into_iter().chain(failed).collect()));
        }
        broken.extend(laws::plan_was_true(&dry, &applied));
        broken.extend(self.verify().await?);
        let (outcome, again) = self.lift(LiftOptions::default()).await?;
        broken.extend(failures("the second run failed", &outcome, &again).unwrap_or_default());
        broken.extend(laws::nothing_to_do(&again));
        let changes = applied
            .iter()
            .filter(|event| matches!(event, Event::Action { changed: true, .. }))
            .count();
        Ok(if broken.is_empty() {
            Verdict::Kept { changes, open: laws::left_open(&dry) }
        } else {
            Verdict::Broken(broken)
        })
    }

    async fn survey(&self) -> Result<BTreeMap<String, Files>, EngineError> {
        self.engine.survey(&self.groups).await
    }

    /// Runs the scenario's own phase that looks at the result, where it has one.
    async fn verify(&self) -> Result<Vec<String>, EngineError> {
        if !self.groups.iter().any(|group| group.server.phases.contains_key(VERIFY)) {
            return Ok(Vec::new());
        }
        let phases = vec![PhaseChoice::Named(VERIFY.to_owned())];
        let (outcome, events) = self.lift(LiftOptions { phases, ..LiftOptions::default() }).await?;
        Ok(failures("the result is not what verify wants", &outcome, &events).unwrap_or_default())
    }

    async fn lift(&self, options: LiftOptions) -> Result<(Outcome, Vec<Event>), EngineError> {
        self.take();
        let outcome = self.engine.lift(&self.groups, &options).await?;
        Ok((outcome, self.take()))
    }

    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What failed in an operation, a line each; `None` if nothing did.
fn failures(what: &str, outcome: &Outcome, events: &[Event]) -> Option<Vec<String>> {
    let mut failed = Vec::new();
    if outcome.cancelled {
        failed.push("it was stopped".to_owned());
    }
    for node in &outcome.nodes {
        let error = match &node.result {
            NodeResult::Failed { error, .. } => error,
            NodeResult::NotReached { reason } => {
                failed.push(format!("{what}: {}: {reason}", node.node));
                continue;
            }
            NodeResult::Unchanged | NodeResult::Changed { .. } => continue,
        };
        let action = error.action.as_ref().map(|action| format!("{action}: ")).unwrap_or_default();
        let place = error.source.as_ref().map(|source| format!(" ({source})")).unwrap_or_default();
        failed.push(format!("{what}: {}: {action}{}{place}", node.node, error.message));
        failed.extend(error.detail.lines().map(|line| format!("  {line}")));
    }
    if outcome.nodes.is_empty() {
        let reason = events.iter().find_map(|event| match event {
            Event::NotCreated { node, error, .. } => Some(format!("{node}: {error}")),
            _ => None,
        });
        failed.push(format!(
            "{what}: {}",
            reason.unwrap_or_else(|| "there is no node; give its groups a count".to_owned())
        ));
    }
    Some(failed).filter(|failed| !failed.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_is_like_the_first_group_and_has_a_name_of_its_own() {
        let spec = NodeSpec {
            image: Some(ImageSpec { os_family: Some("debian".into()), ..ImageSpec::default() }),
            ..NodeSpec::default()
        };
        let group = |name: &str, spec: &NodeSpec| {
            GroupSpec::new(name, Some(2), ServerSpec::new().node_spec(spec.clone())).unwrap()
        };
        let control =
            control(&[group("web", &spec), group("control", &NodeSpec::default())]).unwrap();
        assert_eq!(
            (control.name.as_str(), control.count, control.server.node_spec),
            ("control-control", Some(1), spec)
        );
        assert!(super::control(&[]).is_none());
    }

    #[test]
    fn a_system_is_a_condition_on_the_image() {
        let spec = NodeSpec {
            image: Some(ImageSpec { arch: Some("x86_64".into()), ..ImageSpec::default() }),
            ..NodeSpec::default()
        };
        let group = GroupSpec::new("a", Some(1), ServerSpec::new().node_spec(spec)).unwrap();
        let image =
            |system: Option<&str>| with_system(&group, system).server.node_spec.image.unwrap();
        assert_eq!(image(None).os_family, None);
        let debian = image(Some("debian 12"));
        assert_eq!(
            (debian.os_family.as_deref(), debian.os_version.as_deref()),
            (Some("debian"), Some("12"))
        );
        assert_eq!(debian.arch.as_deref(), Some("x86_64"));
        assert_eq!(image(Some("rocky")).os_version, None);
    }
}
