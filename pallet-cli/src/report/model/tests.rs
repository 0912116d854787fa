//! Tests of the model: what is equal is together, and what is known of each node is there.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use pallet_core::engine::{
    Copied, CopyResult, Event, JournalFile, JournalHeader, Kind, NodeError, NodeResult,
    PlannedChange, Record, RunResult, Totals, compact,
};

use super::lane::word;
use super::{Mark, Report};

const MACHINE: &str = "boot/pid:[1]";

/// A journal of events, each with its time in seconds from the beginning.
fn journal(events: Vec<(f64, Event)>) -> JournalFile {
    let time = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs_f64(1000.0 + seconds);
    let records = events.into_iter().enumerate().map(|(number, (at, event))| Record {
        operation: "o".to_owned(),
        sequence: number as u64 + 1,
        time: time(at),
        event,
    });
    JournalFile {
        path: "o.jsonl".into(),
        header: JournalHeader { machine: MACHINE.to_owned(), ..JournalHeader::default() },
        records: records.collect(),
        incomplete: None,
    }
}

fn started(kind: Kind, nodes: &[&str]) -> Event {
    let nodes = nodes.iter().map(|node| (*node).to_owned()).collect();
    Event::Started { kind, dry_run: false, nodes }
}

fn phase(node: &str, phase: &str) -> Event {
    Event::PhaseStarted { node: node.to_owned(), phase: phase.to_owned(), actions: 1 }
}

fn phase_finished(node: &str, phase: &str, ok: bool) -> Event {
    let (node, phase) = (node.to_owned(), phase.to_owned());
    Event::PhaseFinished { node, phase, changes: 0, ok }
}

fn change(node: &str, phase: &str, subject: &str, diff: &str) -> PlannedChange {
    PlannedChange {
        node: node.to_owned(),
        phase: phase.to_owned(),
        number: 1,
        action: "remote_file".to_owned(),
        subject: subject.to_owned(),
        certainty: None,
        summary: "write".to_owned(),
        diff: diff.to_owned(),
        source: None,
        via: Vec::new(),
        undone: false,
        predicted: false,
        on_behalf_of: None,
    }
}

fn action(change: PlannedChange, changed: bool) -> Event {
    Event::Action { change, changed }
}

fn ended(node: &str, result: NodeResult) -> Event {
    Event::NodeFinished { node: node.to_owned(), group: "web".to_owned(), result }
}

fn finished(totals: Totals) -> Event {
    Event::Finished { totals, seconds: 10.0 }
}

/// A report in a few lines.
fn told(journal: &JournalFile) -> String {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1020);
    let report = Report::of(journal, MACHINE, now);
    let mut out = format!("{} {:.1} s {:?}\n", report.ending, report.seconds, report.counts);
    let names = |nodes: &[&str]| compact(nodes.iter().copied()).join(" ");
    for lane in &report.lanes {
        let nodes: Vec<_> = lane.names().collect();
        let _ = write!(out, "lane {}: {}", names(&nodes), word(lane.state));
        for (span, usual) in lane.spans.iter().zip(&lane.usual) {
            let marks = [(span.failed, " failed"), (span.open, " open")];
            let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
            let _ = write!(
                out,
                "; {} {}-{} ({}-{}){marks}",
                span.phase, span.from, span.to, usual.0, usual.1
            );
        }
        for (group, mark) in &lane.plan {
            let mark = match mark {
                Mark::Changed => '~',
                Mark::Unchanged => '=',
                Mark::Drift => '!',
            };
            let _ = write!(out, " {mark}{group}");
        }
        for (action, nodes) in &lane.current {
            let _ = write!(out, " at {action} {}", names(nodes));
        }
        out.push('\n');
    }
    for (number, group) in report.groups.iter().enumerate() {
        let _ = writeln!(
            out,
            "change {number}: {} {} on {}, drift on {}",
            group.change.phase,
            group.subject,
            names(&group.changed),
            names(&group.drifted)
        );
        for (diff, nodes) in group.diffs.kept.iter().chain(&group.drift.kept) {
            let _ = writeln!(out, "  {diff:?} {}", names(nodes));
        }
        for (tail, nodes) in &group.outputs.kept {
            let _ = writeln!(out, "  printed {:?} {}", tail.lines, names(nodes));
        }
    }
    for failure in &report.failures {
        let _ = writeln!(out, "failure {} on {}", failure.message, names(&failure.nodes));
        if let Some(output) = &failure.output {
            let _ = writeln!(out, "  printed {:?}", output.lines);
        }
    }
    for not_reached in &report.not_reached {
        let _ = writeln!(out, "not reached {}: {}", names(&not_reached.nodes), not_reached.reason);
    }
    for ran in &report.ran {
        let _ = writeln!(out, "ran {:?} {} {:?}", ran.result.exit, names(&ran.nodes), ran.stdout);
    }
    for copies in &report.copies {
        let _ =
            writeln!(out, "copied {} with {}", copies.result.copied[0].to, names(&copies.nodes));
    }
    for wave in &report.waves {
        let (from, to) = (wave.from, wave.to);
        let _ = writeln!(out, "wave {} {} {from} {to:?}", wave.wave, names(&wave.nodes));
    }
    for machines in &report.machines {
        let _ =
            writeln!(out, "{} {} of {:?}", machines.what, names(&machines.nodes), machines.made_of);
    }
    for note in &report.notes {
        let _ = writeln!(out, "{}: {} {}", note.level, note.message, names(&note.nodes));
    }
    out
}

#[test]
fn nodes_that_did_the_same_are_one_lane() {
    let mut events = vec![(0.0, started(Kind::Lift, &["web-1", "web-2", "web-3", "web-4"]))];
    for (at, node) in [(1.0, "web-1"), (2.0, "web-2"), (4.0, "web-3")] {
        events.push((at, phase(node, "configure")));
        events.push((at + 0.5, action(change(node, "configure", "/etc/hosts", ""), false)));
        let written = change(node, "configure", "/etc/name", &format!("+I am {node}"));
        let line = |line: &str| Event::Output {
            node: node.to_owned(),
            phase: "configure".to_owned(),
            action: "remote_file /etc/name".to_owned(),
            line: line.to_owned(),
        };
        events.push((at + 1.0, line("hello")));
        if node == "web-3" {
            let drift = change(node, "configure", "/etc/motd", "-by hand");
            events.push((at + 1.0, Event::Drift(drift)));
        }
        events.push((at + 1.0, action(written, true)));
    }
    let skipped = NodeResult::NotReached { reason: "too many failed".to_owned() };
    let changed = NodeResult::Changed { changes: 1 };
    for node in ["web-1", "web-2", "web-3"] {
        events.push((9.0, ended(node, changed.clone())));
    }
    events.push((9.0, ended("web-4", skipped)));
    events.push((10.0, finished(Totals { changed: 3, ..Totals::default() })));
    expect_test::expect![[r#"
        failed 10.0 s [("changed", 3), ("not reached", 1)]
        lane web-[1:2]: changed; configure 1-3 (2-3) =0 ~1
        lane web-3: changed; configure 4-5 (4-5) =0 !2 ~1
        lane web-4: not reached
        change 0: configure /etc/hosts on , drift on 
        change 1: configure /etc/name on web-[1:3], drift on 
          "+I am NODE" web-[1:3]
          printed ["hello"] web-[1:3]
        change 2: configure /etc/motd on , drift on web-3
          "-by hand" web-3
        not reached web-4: too many failed
    "#]]
    .assert_eq(&told(&journal(events)));
}

#[test]
fn failures_have_their_output_and_what_runs_is_open() {
    let failed = |node: &str| {
        let error = NodeError {
            phase: Some("configure".to_owned()),
            action: Some("exec_script x".to_owned()),
            detail: "last line".to_owned(),
            ..NodeError::new(format!("exit 1 on {node}"))
        };
        ended(node, NodeResult::Failed { changes: 0, error })
    };
    let begun = |node: &str| Event::ActionStarted {
        node: node.to_owned(),
        phase: "configure".to_owned(),
        action: "exec_script x".to_owned(),
    };
    let line = |node: &str, line: &str| Event::Output {
        node: node.to_owned(),
        phase: "configure".to_owned(),
        action: "exec_script x".to_owned(),
        line: line.to_owned(),
    };
    let warning = |node: &str| Event::Warning {
        node: Some(node.to_owned()),
        message: format!("{node} is slow"),
    };
    let wave = |wave, nodes: &[&str]| Event::WaveStarted {
        wave,
        waves: 2,
        nodes: nodes.iter().map(|node| (*node).to_owned()).collect(),
    };
    let done = Event::WaveFinished { wave: 1, waves: 2, failed: vec!["web-1".to_owned()] };
    let mut events = vec![
        (0.0, started(Kind::Lift, &["web-1", "web-2", "web-3"])),
        (0.5, wave(1, &["web-1", "web-2"])),
        (1.0, phase("web-1", "settings")),
        (1.5, phase_finished("web-1", "settings", true)),
        (2.0, phase("web-1", "configure")),
        (2.0, phase("web-2", "configure")),
        (2.5, phase("web-3", "settings")),
        (3.0, phase_finished("web-3", "settings", true)),
        (3.0, begun("web-1")),
        (3.0, begun("web-2")),
        (4.0, line("web-1", "first line")),
        (5.0, line("web-1", "last line")),
        (5.0, phase_finished("web-1", "configure", false)),
        (5.0, warning("web-1")),
        (5.0, warning("web-2")),
        (6.0, done),
        (6.0, wave(2, &["web-3"])),
        (6.5, Event::NodeDone { node: "web-3".to_owned(), id: String::new(), address: None }),
    ];
    expect_test::expect![[r#"
        running 20.0 s [("failed", 1), ("running", 1), ("done", 1)]
        lane web-1: failed; settings 1-1.5 (1-1.5); configure 2-5 (2-5) failed
        lane web-2: running; configure 2-20 (2-20) open at exec_script x web-2
        lane web-3: done; settings 2.5-3 (2.5-3)
        wave 1 web-[1:2] 0.5 Some(6.0)
        wave 2 web-3 6 None
        warning: NODE is slow web-[1:2]
    "#]]
    .assert_eq(&told(&journal(events.clone())));
    events.push((7.0, failed("web-1")));
    events.push((7.0, failed("web-2")));
    events.push((8.0, finished(Totals { failed: 2, cancelled: true, ..Totals::default() })));
    expect_test::expect![[r#"
        interrupted 10.0 s [("failed", 2), ("done", 1)]
        lane web-1: failed; settings 1-1.5 (1-1.5); configure 2-5 (2-5) failed
        lane web-2: failed; configure 2-3 (2-3) failed
        lane web-3: done; settings 2.5-3 (2.5-3)
        failure exit 1 on NODE on web-[1:2]
          printed ["first line", "last line"]
        wave 1 web-[1:2] 0.5 Some(6.0)
        wave 2 web-3 6 None
        warning: NODE is slow web-[1:2]
    "#]]
    .assert_eq(&told(&journal(events)));
}

#[test]
fn nodes_begin_and_end() {
    let [node, group] = ["web-1", "web"].map(str::to_owned);
    let creating = Event::Creating {
        node: node.clone(),
        group: group.clone(),
        image: Some("debian-12".to_owned()),
        hardware: Some("small".to_owned()),
        location: None,
        why: vec!["the smallest".to_owned()],
    };
    let created =
        Event::Created { node: node.clone(), group: group.clone(), address: None, started: false };
    let not_created = Event::NotCreated {
        node: "web-2".to_owned(),
        group: group.clone(),
        error: "no more addresses".to_owned(),
    };
    let destroying = |node: &str| Event::Destroying { node: node.to_owned(), group: group.clone() };
    let destroyed = |node: &str| Event::Destroyed {
        node: node.to_owned(),
        id: String::new(),
        group: group.clone(),
    };
    let events = vec![
        (0.0, destroying("old-1")),
        (0.5, started(Kind::Converge, &["web-1"])),
        (2.0, destroyed("old-1")),
        (2.0, creating),
        (3.0, not_created),
        (4.0, created),
        (5.0, phase("web-1", "configure")),
        (6.0, ended("web-1", NodeResult::Unchanged)),
        (6.0, finished(Totals::default())),
    ];
    expect_test::expect![[r#"
        failed 10.0 s [("destroyed", 1), ("unchanged", 1), ("not created", 1)]
        lane old-1: destroyed; destroy 0-2 (0-2)
        lane web-1: unchanged; create 2-4 (2-4); configure 5-5 (5-5)
        lane web-2: not created
        failure no more addresses on web-2
        destroyed old-1 of []
        created web-1 of ["debian-12", "small"]
    "#]]
    .assert_eq(&told(&journal(events)));
}

#[test]
fn results_of_commands_and_copies_are_together() {
    let ran = |node: &str, exit, stdout: &str| {
        Event::Ran(RunResult {
            node: node.to_owned(),
            exit,
            error: exit.is_none().then(|| "cannot connect".to_owned()),
            stdout: stdout.to_owned(),
            seconds: 1.5,
            ..RunResult::default()
        })
    };
    let events = vec![
        (0.0, started(Kind::Run, &["web-1", "web-2", "web-3", "web-4"])),
        (1.0, Event::Connected { node: "web-1".to_owned() }),
        (2.0, ran("web-1", Some(0), "web-1 is up\n")),
        (2.0, ran("web-2", Some(0), "web-2 is up\n")),
        (2.0, ran("web-3", Some(7), "")),
        (2.0, ran("web-4", None, "")),
        (3.0, finished(Totals { failed: 2, ..Totals::default() })),
    ];
    expect_test::expect![[r#"
        failed 10.0 s [("exit", 3), ("failed", 1)]
        lane web-[1:2]: exit; run 0.5-2 (0.5-2)
        lane web-3: exit; run 0.5-2 (0.5-2) failed
        lane web-4: failed; run 0.5-2 (0.5-2) failed
        ran Some(7) web-3 ""
        ran None web-4 ""
        ran Some(0) web-[1:2] "NODE is up\n"
    "#]]
    .assert_eq(&told(&journal(events)));
    let copied = |node: &str, error: Option<&str>| {
        let copied = Copied { from: "a".to_owned(), to: "/srv/a".to_owned(), files: 1, bytes: 5 };
        Event::Copied(CopyResult {
            node: node.to_owned(),
            copied: if error.is_some() { Vec::new() } else { vec![copied] },
            error: error.map(str::to_owned),
            seconds: 1.0,
            ..CopyResult::default()
        })
    };
    let events = vec![
        (0.0, started(Kind::Copy, &["web-1", "web-2", "web-3"])),
        (2.0, copied("web-1", None)),
        (2.0, copied("web-2", None)),
        (2.0, copied("web-3", Some("no space"))),
    ];
    expect_test::expect![[r#"
        running 20.0 s [("copied", 2), ("failed", 1)]
        lane web-[1:2]: copied; copy 1-2 (1-2)
        lane web-3: failed; copy 1-2 (1-2) failed
        failure no space on web-3
        copied /srv/a with web-[1:2]
    "#]]
    .assert_eq(&told(&journal(events)));
}

#[test]
fn many_different_nodes_are_few_lanes() {
    let names: Vec<String> = (1..=1000).map(|number| format!("web-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut events = vec![(0.0, started(Kind::Lift, &names))];
    for (number, node) in names.iter().enumerate() {
        events.push((1.0, phase(node, "configure")));
        let own = change(node, "configure", &format!("/srv/{}", number * 7), "+x");
        events.push((2.0, action(own, true)));
        events.push((3.0, ended(node, NodeResult::Changed { changes: 1 })));
    }
    let journal = journal(events);
    let report = Report::of(&journal, MACHINE, SystemTime::UNIX_EPOCH);
    assert_eq!((report.lanes.len(), report.lanes[0].nodes.len()), (1, 1000));
    assert_eq!(report.groups.len(), 1000);
    assert_eq!(report.lane_of["web-500"], 0);
}
