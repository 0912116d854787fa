//! Tries a declaration on fresh nodes: a dry run must write nothing and predict the changes, and a
//! second run must have nothing to do.

mod laws;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::{
    Engine, EngineConfig, EngineError, Event, Files, GroupSpec, LiftOptions, NodeResult, Outcome,
    Phase, PhaseChoice, PlanError, Record, ServerSpec, Sink,
};
use crate::model::{ImageSpec, NodeSpec};

/// The phase that checks the result of the others.
const VERIFY: &str = "verify";

/// The verdict of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It succeeded, and kept the laws.
    Kept {
        /// How many actions changed something.
        changes: usize,
        /// Changes that the dry run left open, because only the node can decide.
        open: Vec<String>,
    },
    /// It failed or broke laws: the reasons, one line each.
    Broken(Vec<String>),
    /// It was not tried, because no offer matches; the reason.
    NotTried(String),
}

/// The events of an operation.
type Events = Arc<Mutex<Vec<Event>>>;

/// Options of a trial.
#[derive(Debug, Clone, Default)]
pub struct TrialOptions {
    /// The system of the nodes, such as `debian 12`; `None`: the service's default.
    pub system: Option<String>,
    /// Keep the nodes, to inspect them.
    pub keep: bool,
}

impl Engine {
    /// Tries groups on fresh nodes of a project of their own. The nodes are destroyed at the end,
    /// even if the trial was stopped.
    ///
    /// The nodes are created, then a dry run must write nothing and predict the changes of the
    /// first run, and a second run must have nothing to do. A control node, which is not
    /// configured, shows which files change by themselves. If a group has a phase `verify`, it
    /// checks the result.
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
            // only the groups themselves are tried
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
            // destroy the nodes even if the trial was stopped
            cancel: CancellationToken::new(),
            ..trial.engine.config().clone()
        });
        let all: Vec<_> = trial.groups.iter().chain(&trial.control).cloned().collect();
        let down = last.down(&all, &LiftOptions::default(), |_| Ok(true)).await;
        verdict.and_then(|verdict| down.map(|_| verdict))
    }
}

/// The group with its nodes on a system such as `debian 12`.
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

/// A control node like those of the first group, which is not configured. Files that change there
/// change by themselves: a sandbox node shows this machine's files until it has its own copies, and
/// machines run daemons.
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
    /// A group with a node that is not configured.
    control: Option<GroupSpec>,
    events: Events,
}

impl Trial {
    async fn verdict(&self) -> Result<Verdict, EngineError> {
        // bare nodes: run only the scenario's own bootstrap, if it has one
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
        if let Some(broken) = failures("cannot prepare the nodes", &made, &self.take()) {
            return Ok(Verdict::Broken(broken));
        }
        if let Some(control) = &self.control {
            // if no more nodes can be created, there is no control
            let _ = self
                .engine
                .converge(std::slice::from_ref(control), &LiftOptions::default(), |_| Ok(true))
                .await;
        }
        // Files that change by themselves: the nodes are surveyed before and after the control, so
        // that any change that lasts long enough to be blamed on the dry run shows up on the
        // control too.
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

    /// Runs the scenario's phase that checks the result, if it has one.
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

/// The failures of an operation, one line each; `None` if it succeeded.
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
