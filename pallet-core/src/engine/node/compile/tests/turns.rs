//! Which actions that wait for a flag run, and when the flag goes. What the plan predicts and what
//! the script does must be the same.

use super::*;
use crate::action::{Certainty, Condition, ExecCheckedScript, Flags};
use crate::engine::node::phase_plan::tests::planned_from;
use crate::engine::node::phase_plan::{PhasePlan, PlannedAction};
use crate::model::Os;
use crate::observe::{Attributes, FileState, NodeState};

/// Appends a line to the file `log`, and changes nothing that could be observed.
fn logs(place: &Sandbox, line: &str, flag: &str) -> Declared {
    let command = format!("echo {line} >>{}", place.at("log").display());
    let mut action = ExecCheckedScript::new(line, command).only_looks();
    action.prepare(&Directory::at(place.files.path().to_owned())).unwrap();
    let mut declared = Declared::of(action);
    declared.options.if_flag = Some(flag.to_owned());
    declared
}

fn within(id: usize, role: BlockRole, declared: Declared) -> Declared {
    Declared { blocks: vec![InBlock { id, role, rescued: true }], ..declared }
}

fn fails() -> Declared {
    Declared::of(ExecScript::new("exit 7"))
}

fn when(id: usize, command: &str, declared: Declared) -> Declared {
    let condition = Condition { id, command: command.to_owned(), unless: false };
    Declared { conditions: vec![condition], ..declared }
}

impl Sandbox {
    /// What is known of the files with these names.
    fn known(&self, all: &[&str]) -> NodeState {
        let mut state = NodeState::new(Os::named("debian 12", "x86_64"));
        "root".clone_into(&mut state.user);
        let root = || Some("root".to_owned());
        for name in all {
            let path = self.at(name);
            let attributes = Attributes { owner: root(), group: root(), mode: Some(0o644) };
            let found = match fs::read(&path) {
                Ok(content) => FileState::File {
                    digest: Some(crate::model::digest(&content)),
                    text: None,
                    attributes,
                },
                Err(_) => FileState::Absent,
            };
            state.set_file(path.to_str().unwrap(), found);
        }
        state
    }

    /// Applies a plan, and returns the lines of the file `log`.
    fn log_of(&self, plan: &PhasePlan) -> Vec<String> {
        let token = "pallet-0123456789abcdef";
        let script = compile(plan, token, &Library::default()).unwrap().script;
        let output = self.run(&script);
        assert!(output.status.success(), "{:?}: {output:?}", self.shell);
        let log = fs::read_to_string(self.at("log")).unwrap_or_default();
        let _ = fs::remove_file(self.at("log"));
        log.lines().map(str::to_owned).collect()
    }

    fn flags(&self) -> Vec<String> {
        let mut flags = names(&self.kept("flags"));
        flags.sort();
        flags
    }
}

/// The actions that a plan runs for sure, and those that it may run.
fn foreseen(plan: &PhasePlan) -> (Vec<String>, Vec<String>) {
    let of = |certainty: Certainty| {
        let runs = |action: &&PlannedAction| {
            action.options.if_flag.is_some()
                && action.change.as_ref().is_some_and(|change| change.certainty == certainty)
        };
        plan.actions.iter().filter(runs).map(|action| action.subject.clone()).collect()
    };
    (of(Certainty::Will), of(Certainty::May))
}

#[test]
fn the_same_action_runs_once_for_each_time_that_its_flag_is_set() {
    for place in places() {
        // a function of a crate, called three times
        let sites = || -> Vec<Declared> {
            let site = |name: &str, content: &str| {
                [
                    file(&place, name, content, Some("f")),
                    logs(&place, "check", "f"),
                    logs(&place, "reload", "f"),
                ]
            };
            ["a", "b", "c"].iter().flat_map(|name| site(name, "new\n")).collect()
        };
        for changed in 0..16 {
            let mut expected = Vec::new();
            let mut flags = Flags::new();
            if changed & 8 != 0 {
                // an earlier run was interrupted
                flags.set("f", Certainty::Will);
            }
            for (bit, name) in ["a", "b", "c"].iter().enumerate() {
                let differs = changed & (1 << bit) != 0;
                fs::write(place.at(name), if differs { "old\n" } else { "new\n" }).unwrap();
                if differs || (bit == 0 && changed & 8 != 0) {
                    expected.extend(["check", "reload"].map(str::to_owned));
                }
            }
            let state = place.known(&["a", "b", "c"]);
            let plan = planned_from(&sites(), state, flags.clone(), &[]);
            assert_eq!(foreseen(&plan), (expected.clone(), vec![]), "{:?}: {changed}", place.shell);
            assert_eq!(place.log_of(&plan), expected, "{:?}: {changed}", place.shell);
            assert_eq!(place.flags(), Vec::<String>::new(), "{:?}: {changed}", place.shell);
            // the same where the node decides
            for (bit, name) in ["a", "b", "c"].iter().enumerate() {
                if changed & (1 << bit) != 0 {
                    fs::write(place.at(name), "old\n").unwrap();
                }
            }
            let plan = planned_from(&sites(), place.known(&[]), flags, &[]);
            assert_eq!(place.log_of(&plan), expected, "{:?}: {changed} unknown", place.shell);
            assert_eq!(place.flags(), Vec::<String>::new(), "{:?}: {changed}", place.shell);
        }
    }
}

#[test]
fn an_action_had_its_turn_in_an_earlier_part() {
    for place in places() {
        fs::write(place.at("a"), "old\n").unwrap();
        let reload = || logs(&place, "reload", "f");
        let mut flags = Flags::new();
        let first = [file(&place, "a", "new\n", Some("f")), reload()];
        let plan = planned_from(&first, place.known(&["a"]), flags.clone(), &["f"]);
        assert_eq!(place.log_of(&plan), ["reload"], "{:?}", place.shell);
        // the flag is kept for what comes
        assert_eq!(place.flags(), ["f"], "{:?}", place.shell);
        let waiting = plan.actions[1].waiting.clone().unwrap();
        let turns =
            [crate::action::FlagTurn::Set("f".to_owned()), crate::action::FlagTurn::Had(waiting)];
        flags.happened(&plan.served, &turns);
        let next = [
            reload(),
            logs(&place, "other", "f"),
            file(&place, "a", "newer\n", Some("f")),
            reload(),
        ];
        let plan = planned_from(&next, place.known(&["a"]), flags.clone(), &["f"]);
        assert_eq!(foreseen(&plan).0, ["other", "reload"]);
        assert_eq!(place.log_of(&plan), ["other", "reload"], "{:?}", place.shell);
        // where the node decides whether the flag is set again
        let plan = planned_from(&next, place.known(&[]), flags.clone(), &["f"]);
        assert_eq!(foreseen(&plan), (vec!["other".to_owned()], vec!["reload".to_owned()]));
        assert_eq!(place.log_of(&plan), ["other"], "{:?}", place.shell);
        fs::write(place.at("a"), "old\n").unwrap();
        assert_eq!(place.log_of(&plan), ["other", "reload"], "{:?}", place.shell);
    }
}

#[test]
fn actions_that_differ_are_not_the_same() {
    for place in places() {
        let mut limited = logs(&place, "reload", "f");
        limited.options.timeout = Some(60);
        let mut tagged = logs(&place, "reload", "f");
        tagged.options.tags = vec!["web".to_owned()];
        let declared = [
            file(&place, "a", "new\n", Some("f")),
            file(&place, "b", "new\n", Some("g")),
            logs(&place, "reload", "f"),
            logs(&place, "reload", "g"),
            limited,
            when(0, "true", logs(&place, "reload", "f")),
            when(1, "true", logs(&place, "reload", "f")),
            tagged,
        ];
        let plan = planned_from(&declared, place.known(&[]), Flags::new(), &[]);
        // of one flag, of the other, with a timeout, and once under the condition
        assert_eq!(place.log_of(&plan).len(), 4, "{:?}", place.shell);
        // one that was skipped had no turn
        for name in ["a", "b"] {
            fs::remove_file(place.at(name)).unwrap();
        }
        let declared = [
            file(&place, "a", "new\n", Some("f")),
            when(0, "false", logs(&place, "reload", "f")),
            when(1, "true", logs(&place, "reload", "f")),
        ];
        let plan = planned_from(&declared, place.known(&[]), Flags::new(), &[]);
        assert_eq!(place.log_of(&plan).len(), 1, "{:?}", place.shell);
    }
}

#[test]
fn a_rescued_body_keeps_the_flags_of_those_alone_whose_turn_did_not_come() {
    for place in places() {
        let run = |declared: &[Declared]| {
            let _ = fs::remove_file(place.at("a"));
            let _ = fs::remove_dir_all(place.kept("flags"));
            let log = place.log_of(&planned_from(declared, place.known(&[]), Flags::new(), &[]));
            (log.join(" "), place.flags().join(" "))
        };
        let body = |declared| within(0, BODY, declared);
        let site = || body(file(&place, "a", "new\n", Some("f")));
        let reload = || logs(&place, "reload", "f");
        let rescue = || within(0, RESCUE, Declared::of(ExecScript::new("true")));
        let seen = run(&[site(), body(reload()), body(fails()), rescue()]);
        assert_eq!(seen, ("reload".to_owned(), String::new()), "{:?}", place.shell);
        // it was not reached, so the next run does it
        let seen = run(&[site(), body(fails()), body(reload()), rescue()]);
        assert_eq!(seen, (String::new(), "f".to_owned()), "{:?}", place.shell);
        // the same action outside did it
        let seen = run(&[site(), body(fails()), body(reload()), rescue(), reload()]);
        assert_eq!(seen, ("reload".to_owned(), String::new()), "{:?}", place.shell);
        // another one outside did not
        let other = logs(&place, "other", "f");
        let seen = run(&[site(), body(fails()), body(reload()), rescue(), other]);
        assert_eq!(seen, ("other".to_owned(), "f".to_owned()), "{:?}", place.shell);
        // it failed itself
        let mut failing = fails();
        failing.options.if_flag = Some("f".to_owned());
        let seen = run(&[site(), body(failing), rescue()]);
        assert_eq!(seen, (String::new(), "f".to_owned()), "{:?}", place.shell);
        // its turn came, and its flag was not set
        let never = logs(&place, "never", "g");
        let seen = run(&[site(), body(never), body(fails()), rescue()]);
        assert_eq!(seen, (String::new(), String::new()), "{:?}", place.shell);
    }
}

#[test]
fn flags_that_nobody_waits_for_any_more_go() {
    for place in places() {
        let mut flags = Flags::new();
        for flag in ["f", "g", "later", "other"] {
            flags.set(flag, Certainty::Will);
            fs::create_dir_all(place.kept("flags")).unwrap();
            fs::write(place.kept("flags").join(flag), "").unwrap();
        }
        // nothing is to be done: the conditions do not hold
        let mut state = place.known(&[]);
        state.set_command("test -e /none", crate::observe::CommandState { exit: 1 });
        let declared = [
            when(0, "test -e /none", logs(&place, "a", "f")),
            when(0, "test -e /none", logs(&place, "b", "g")),
            when(0, "test -e /none", logs(&place, "c", "later")),
            when(0, "test -e /none", logs(&place, "d", "unset")),
        ];
        let plan = planned_from(&declared, state, flags, &["later"]);
        assert_eq!(plan.changing(), 0);
        let spent = plan.spent_flags();
        assert_eq!(spent.iter().map(|flag| flag.as_str()).collect::<Vec<_>>(), ["f", "g"]);
        let output = place.run(&cleaning(&Library::default(), "root", &spent));
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        assert_eq!(place.flags(), ["later", "other"], "{:?}", place.shell);
    }
}
