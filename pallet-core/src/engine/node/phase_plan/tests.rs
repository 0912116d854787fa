//! Plans that are serialized and read back.

use super::*;
use crate::action::{Action, Package, RemoteFile};
use crate::engine::declare::Directory;
use crate::engine::node::compile;
use crate::observe::NodeState;
use crate::script::Library;

const SECRET: &str = "correct-horse-battery";

fn file(path: &str, content: &str) -> Declared {
    let mut file = RemoteFile::content(path, content);
    file.prepare(&Directory::at("/nonexistent".into())).unwrap();
    Declared::of(file)
}

/// The changes of these actions on an unknown node; `later`: flags that later phases read.
pub(in crate::engine) fn planned(
    declared: &[Declared],
    later: &[&str],
    leftovers: bool,
) -> PhasePlan {
    let mut state = NodeState::new(Os::named("debian 12", "x86_64"));
    "root".clone_into(&mut state.user);
    PhasePlan { leftovers, ..planned_from(declared, state, Flags::new(), later) }
}

/// The changes of these actions on a node in this state.
pub(in crate::engine) fn planned_from(
    declared: &[Declared],
    mut state: NodeState,
    mut flags: Flags,
    later: &[&str],
) -> PhasePlan {
    let context = PlanContext {
        node: "web-1",
        phase: "configure",
        predicted: false,
        later: later.iter().map(|flag| (*flag).to_owned()).collect(),
        drift: false,
        leftovers: false,
        mark_bootstrapped: false,
        continues: false,
        on_behalf_of: None,
    };
    plan_phase(&context, declared, &mut state, &mut flags, &mut |_, _| {}).unwrap()
}

fn read_back(plan: &PhasePlan) -> PhasePlan {
    serde_json::from_str(&serde_json::to_string(plan).unwrap()).unwrap()
}

#[test]
fn a_plan_that_is_read_back_runs_the_same_script() {
    let mut conditional = file("/etc/app.conf", &"large\n".repeat(10_000));
    conditional.options.if_flag = Some("installed".to_owned());
    conditional.conditions =
        vec![Condition { id: 0, command: "test -e /etc/app".to_owned(), unless: true }];
    let mut package = Declared::of(Package::install("nginx"));
    package.options.flag_on_change = Some("installed".to_owned());
    let declared = [package, file("/etc/motd", "welcome\n"), conditional];
    let plan = PhasePlan { mark_bootstrapped: true, ..planned(&declared, &["restart"], true) };
    assert_eq!(plan.changing(), 3, "{plan:?}");
    let again = read_back(&plan);
    let script = |plan| compile(plan, "token", &Library::default()).unwrap().script;
    assert_eq!(script(&plan), script(&again));
    let described = |plan: &PhasePlan| {
        let actions = plan.actions.iter().map(|action| format!("{:?}", plan.describe(action)));
        actions.collect::<Vec<_>>()
    };
    assert_eq!(described(&plan), described(&again));
}

#[test]
fn a_written_plan_holds_no_secret_and_says_so() {
    let mut secret = file("/etc/password", SECRET);
    secret.secret = Some("/etc/password".to_owned());
    let plan = planned(&[secret, file("/etc/motd", "welcome\n")], &[], false);
    let written = serde_json::to_string(&plan).unwrap();
    assert!(!written.contains(SECRET), "{written}");
    let digest = crate::model::digest(SECRET.as_bytes());
    assert!(!written.contains(&digest), "the digest of a short secret gives it away: {written}");
    let again = read_back(&plan);
    let withheld: Vec<_> = again.actions.iter().map(|action| action.withheld).collect();
    assert_eq!(withheld, [true, false]);
}
