//! Tests of planning with options and blocks.

use super::super::check::node;
use super::super::{Action, ExecScript, InBlock, Options, RemoteFile, Service};
use super::*;
use crate::action::check::NoWorkspace;
use BlockRole::{Always, Body, Rescue};

fn within(blocks: &[(usize, BlockRole)], declared: Declared) -> Declared {
    let blocks = blocks.iter().map(|(id, role)| InBlock { id: *id, role: *role, rescued: true });
    Declared { blocks: blocks.collect(), ..declared }
}

fn file(path: &str, content: &str) -> Declared {
    let mut file = RemoteFile::content(path, content);
    file.prepare(&NoWorkspace).unwrap();
    Declared::of(file)
}

fn with(options: Options, declared: Declared) -> Declared {
    Declared { options, ..declared }
}

/// `will`, `may`, `-`, or why it is skipped, for each action.
fn planned(actions: &[Declared], node: &mut NodeState) -> Vec<String> {
    let mut flags = Flags::new();
    let steps = plan(actions, node, &mut flags, false).unwrap();
    assert!(steps.iter().enumerate().all(|(at, step)| step.index == at), "{steps:?}");
    let word = |step: &Step| match (&step.change, &step.skipped) {
        (Some(change), None) => format!("{:?}", change.certainty).to_lowercase(),
        (None, Some(skipped)) => format!("{skipped:?}"),
        (None, None) => "-".to_owned(),
        other => panic!("{other:?}"),
    };
    steps.iter().map(word).collect()
}

fn block() -> Vec<Declared> {
    vec![
        within(&[(0, Body)], file("/srv/a", "new\n")),
        within(&[(0, Body)], with(Options::new().flag_on_change("f"), file("/srv/b", "new\n"))),
        within(&[(0, Rescue)], file("/srv/a", "old\n")),
        within(&[(0, Rescue)], with(Options::new().if_flag("f"), file("/srv/c", "c\n"))),
        within(&[(0, Always)], file("/srv/d", "d\n")),
        file("/srv/b", "new\n"),
        with(Options::new().if_flag("f"), file("/srv/e", "e\n")),
    ]
}

fn known(text: &str) -> NodeState {
    let paths = ["/srv/a", "/srv/b", "/srv/c", "/srv/d", "/srv/e"];
    paths.iter().fold(node(), |node, path| node.file(path, text, 0o644)).0
}

#[test]
fn a_rescue_is_planned_where_something_can_fail() {
    let mut node = known("old\n");
    assert_eq!(planned(&block(), &mut node), ["will", "will", "may", "may", "will", "may", "may"]);
    // the rescue may have undone it
    assert_eq!(node.file("/srv/a"), Known::Unknown);
}

#[test]
fn without_a_change_nothing_is_rescued() {
    let mut node = known("new\n");
    node.set_file("/srv/d", crate::observe::FileState::Absent);
    assert_eq!(
        planned(&block(), &mut node),
        ["-", "-", "Rescue", "Rescue", "will", "-", "Flag(\"f\")"]
    );
}

#[test]
fn without_a_rescue_what_follows_knows_that_all_went_well() {
    let unrescued = |role, declared| {
        let block = InBlock { id: 0, role, rescued: false };
        Declared { blocks: vec![block], ..declared }
    };
    let actions = [
        unrescued(Body, with(Options::new().flag_on_change("f"), file("/srv/a", "new\n"))),
        unrescued(Always, file("/srv/a", "new\n")),
        unrescued(Always, with(Options::new().if_flag("f"), file("/srv/b", "new\n"))),
        file("/srv/a", "new\n"),
        with(Options::new().if_flag("f"), file("/srv/c", "new\n")),
    ];
    assert_eq!(planned(&actions, &mut known("old\n")), ["will", "may", "may", "-", "will"]);
}

#[test]
fn blocks_are_nested() {
    let actions = [
        within(&[(0, Body)], file("/srv/a", "new\n")),
        within(&[(0, Body), (1, Body)], file("/srv/b", "old\n")),
        within(&[(0, Body), (1, Rescue)], file("/srv/c", "new\n")),
        within(&[(0, Rescue), (2, Body)], file("/srv/c", "new\n")),
        within(&[(0, Rescue), (2, Always)], file("/srv/a", "old\n")),
        within(&[(0, Always)], file("/srv/d", "old\n")),
    ];
    assert_eq!(planned(&actions, &mut known("old\n")), ["will", "-", "Rescue", "may", "may", "-"]);
}

#[test]
fn after_an_ignored_error_nothing_is_sure() {
    let ignored = Options::new().ignore_errors().flag_on_change("f");
    let actions = [
        with(ignored, file("/srv/a", "new\n")),
        file("/srv/a", "new\n"),
        with(Options::new().if_flag("f"), Declared::of(ExecScript::new("true"))),
    ];
    assert_eq!(planned(&actions, &mut known("old\n")), ["will", "may", "may"]);
    assert_eq!(planned(&actions, &mut known("new\n")), ["-", "-", "Flag(\"f\")"]);
}

#[test]
fn the_same_action_waits_for_the_next_time_that_its_flag_is_set() {
    let site = |path: &str| with(Options::new().flag_on_change("f"), file(path, "new\n"));
    let reload = || with(Options::new().if_flag("f"), Declared::of(Service::reload("nginx")));
    let actions = || vec![site("/srv/a"), reload(), site("/srv/b"), reload(), reload()];
    let on = |a: &str, b: &str| {
        let node = node().service("nginx", true, true);
        node.file("/srv/a", a, 0o644).file("/srv/b", b, 0o644).0
    };
    let (flag, served) = ("Flag(\"f\")", "Served(\"f\")");
    let planned_on = planned;
    let planned = |a, b| planned_on(&actions(), &mut on(a, b));
    assert_eq!(planned("new\n", "new\n"), ["-", flag, "-", flag, flag]);
    assert_eq!(planned("old\n", "new\n"), ["will", "will", "-", served, served]);
    assert_eq!(planned("new\n", "old\n"), ["-", flag, "will", "will", served]);
    assert_eq!(planned("old\n", "old\n"), ["will", "will", "will", "will", served]);
    // the node decides about b
    let mut unknown = on("old\n", "new\n");
    unknown.forget_files_below("/srv/b");
    assert_eq!(planned_on(&actions(), &mut unknown), ["will", "will", "may", "may", served]);
}

#[test]
fn a_turn_within_a_block_that_may_fail_is_not_sure() {
    let reload = || with(Options::new().if_flag("f"), Declared::of(Service::reload("nginx")));
    let actions = |always: Declared| {
        [
            with(Options::new().flag_on_change("f"), file("/srv/a", "new\n")),
            within(&[(0, Body)], file("/srv/b", "new\n")),
            within(&[(0, Body)], reload()),
            within(&[(0, Rescue)], file("/srv/c", "new\n")),
            within(&[(0, Always)], always),
        ]
    };
    let on = |text: &str| {
        let paths = ["/srv/a", "/srv/b", "/srv/c"];
        let node = node().service("nginx", true, true);
        paths.iter().fold(node, |node, path| node.file(path, text, 0o644)).0
    };
    // if b fails, the body does not come to it
    assert_eq!(
        planned(&actions(reload()), &mut on("old\n")),
        ["will", "will", "will", "may", "may"]
    );
    let ignored =
        with(Options::new().if_flag("f").ignore_errors(), Declared::of(Service::reload("nginx")));
    let actions = [with(Options::new().flag_on_change("f"), file("/srv/a", "new\n")), ignored];
    assert_eq!(planned(&actions, &mut on("old\n")), ["will", "will"]);
}
