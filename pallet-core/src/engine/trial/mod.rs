//! Tries a declaration on fresh nodes: a dry run must write nothing and predict the changes, and a
//! second run must have nothing to do.

mod laws;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{
    Engine, EngineConfig, EngineError, Event, Files, GroupSpec, LiftOptions, NodeOutcome,
    NodeResult, Outcome, Phase, PhaseChoice, PlanError, Record, ServerSpec, Sink,
};
use crate::model::{ImageSpec, NodeSpec};

/// The phase that checks the result of the others.
const VERIFY: &str = "verify";

/// How long to wait before nodes are destroyed again that could not be: on a machine with much to
/// do, a node may take its time to end.
const PAUSES: [Duration; 3] =
    [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(15)];

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
    /// It failed, broke laws, or left nodes: the reasons, one line each.
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
    /// even if the trial was stopped. That is tried several times; the verdict names what is left.
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
        let left = last.destroy_all(&all, &PAUSES).await;
        with_left(verdict, left, &last)
    }

    /// Destroys the nodes of these groups. What could not be destroyed is tried again after each
    /// pause. Returns what is left, one line each.
    async fn destroy_all(&self, groups: &[GroupSpec], pauses: &[Duration]) -> Vec<String> {
        let mut pauses = pauses.iter();
        loop {
            let (left, again) = match self.down(groups, &LiftOptions::default(), |_| Ok(true)).await
            {
                Ok(outcome) => (outcome.iter().flat_map(not_destroyed).collect(), true),
                Err(error) => {
                    let again =
                        matches!(error, EngineError::Service { .. } | EngineError::Leased { .. });
                    (vec![error.to_string()], again)
                }
            };
            let pause = pauses.next().filter(|_| again && !left.is_empty());
            let Some(pause) = pause else { return left };
            tokio::time::sleep(*pause).await;
        }
    }
}

/// What an operation that destroys nodes could not destroy, one line each.
fn not_destroyed(outcome: &Outcome) -> Vec<String> {
    let node = |node: &NodeOutcome| match &node.result {
        NodeResult::Failed { error, .. } => Some(format!("{}: {}", node.node, error.message)),
        _ => None,
    };
    outcome.nodes.iter().filter_map(node).chain(outcome.errors.iter().cloned()).collect()
}

/// The verdict, with what is left of the nodes. An error stays one, and the rest is a warning.
fn with_left(
    verdict: Result<Verdict, EngineError>,
    left: Vec<String>,
    engine: &Engine,
) -> Result<Verdict, EngineError> {
    if left.is_empty() {
        return verdict;
    }
    let project = &engine.project;
    let left = left.into_iter().map(|what| format!("left of the trial, in {project}: {what}"));
    match verdict {
        Ok(Verdict::Broken(reasons)) => {
            Ok(Verdict::Broken(reasons.into_iter().chain(left).collect()))
        }
        Ok(Verdict::Kept { .. } | Verdict::NotTried(_)) => Ok(Verdict::Broken(left.collect())),
        Err(error) => {
            left.for_each(|message| engine.tell(Event::Warning { node: None, message }));
            Err(error)
        }
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
    use crate::engine::testing::{Cloud, engine, warnings};

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

    async fn left_after(stuck: &[&'static str], times: usize, says_which: bool) -> (String, usize) {
        let cloud = Cloud::of(&["web-1", "web-2"]);
        {
            let mut state = cloud.state();
            (state.stuck, state.stuck_times) = (stuck.to_vec(), times);
            state.says_which = says_which;
        }
        let group = GroupSpec::new("web", Some(2), ServerSpec::new()).unwrap();
        let (engine, _) = engine(cloud.clone(), std::slice::from_ref(&group));
        let pauses = [Duration::ZERO; 3];
        let left = engine.destroy_all(&[group], &pauses).await;
        let calls = cloud.state().calls.iter().filter(|call| call.starts_with("destroy")).count();
        (left.join("; "), calls)
    }

    #[tokio::test]
    async fn nodes_that_could_not_be_destroyed_are_destroyed_again() {
        for says_which in [false, true] {
            assert_eq!(left_after(&[], 0, says_which).await, (String::new(), 1));
            assert_eq!(left_after(&["i-web-2"], 2, says_which).await, (String::new(), 3));
            let (left, calls) = left_after(&["i-web-2"], 0, says_which).await;
            assert!(left.starts_with("web-2: could not be destroyed: "), "{left}");
            assert!(left.contains("is busy") && !left.contains("web-1"), "{left}");
            assert_eq!(calls, 4);
        }
    }

    #[tokio::test]
    async fn a_protected_group_is_not_tried_again() {
        let cloud = Cloud::of(&["web-1"]);
        let mut group = GroupSpec::new("web", Some(1), ServerSpec::new()).unwrap();
        group.protect = true;
        let (engine, _) = engine(cloud.clone(), std::slice::from_ref(&group));
        let left = engine.destroy_all(&[group], &[Duration::from_secs(600)]).await;
        assert!(left[0].starts_with("group web is protected"), "{left:?}");
    }

    #[test]
    fn a_verdict_names_what_is_left() {
        let (engine, told) = engine(Cloud::default(), &[]);
        let left = || vec!["web-1: could not be destroyed: it is busy".to_owned()];
        let line = "left of the trial, in test: web-1: could not be destroyed: it is busy";
        let kept = Verdict::Kept { changes: 1, open: Vec::new() };
        assert_eq!(with_left(Ok(kept.clone()), Vec::new(), &engine).unwrap(), kept);
        assert_eq!(
            with_left(Ok(kept), left(), &engine).unwrap(),
            Verdict::Broken(vec![line.to_owned()])
        );
        assert_eq!(
            with_left(Ok(Verdict::Broken(vec!["a".to_owned()])), left(), &engine).unwrap(),
            Verdict::Broken(vec!["a".to_owned(), line.to_owned()])
        );
        let refused = EngineError::Refused("no".to_owned());
        assert_eq!(with_left(Err(refused), left(), &engine).unwrap_err().to_string(), "no");
        assert_eq!(warnings(&told), [line]);
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
