//! Tests of journals: what is written survives, and what is wrong with a file is told.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::json;
use uuid::{NoContext, Timestamp, Uuid};

use super::write::write_all;
use super::*;
use crate::engine::operation::Recorder;
use crate::engine::{
    Event, Kind, NodeError, NodeResult, PlannedChange, Record, Sink, Totals, Vault,
};
use crate::transport::Secret;

const MACHINE: &str = "boot/pid:[1]";

/// A directory for journals that does not exist yet.
fn place() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("state/pallet/shop/operations");
    (home, directory)
}

fn header() -> JournalHeader {
    JournalHeader {
        project: "shop".to_owned(),
        directory: "/srv/shop".to_owned(),
        command: vec!["lift".to_owned(), "web".to_owned()],
        asked: json!({"verb": "lift"}),
        machine: MACHINE.to_owned(),
        ..JournalHeader::default()
    }
}

fn record(operation: &str, sequence: u64, event: Event) -> Record {
    Record { operation: operation.to_owned(), sequence, time: SystemTime::now(), event }
}

fn started(dry_run: bool) -> Event {
    Event::Started { kind: Kind::Lift, dry_run, nodes: vec!["web-1".to_owned()] }
}

fn finished(ok: bool, cancelled: bool) -> Event {
    Event::Finished { totals: Totals { ok, cancelled, ..Totals::default() }, seconds: 1.5 }
}

fn message(text: &str) -> Event {
    Event::Message { node: None, level: "info".to_owned(), message: text.to_owned() }
}

fn changed(node: &str, subject: &str) -> Event {
    let change = PlannedChange {
        node: node.to_owned(),
        phase: "configure".to_owned(),
        number: 1,
        action: "file".to_owned(),
        subject: subject.to_owned(),
        certainty: None,
        summary: "create".to_owned(),
        diff: String::new(),
        source: None,
        via: Vec::new(),
        undone: false,
        predicted: false,
        on_behalf_of: None,
    };
    Event::Action { change, changed: true }
}

/// Writes the journal of an operation that began `ago`, and returns its ID.
fn written(
    directory: &Path,
    ago: Duration,
    header: JournalHeader,
    events: impl IntoIterator<Item = Event>,
) -> String {
    let time = (SystemTime::now() - ago).duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let time = Timestamp::from_unix(NoContext, time.as_secs(), time.subsec_nanos());
    let operation = Uuid::new_v7(time).to_string();
    let journal = Journal::new(directory, header);
    for (number, event) in std::iter::once(started(false)).chain(events).enumerate() {
        journal.receive(&record(&operation, number as u64 + 1, event));
    }
    assert_eq!(journal.error(), None);
    operation
}

fn append(path: &Path, bytes: &[u8]) {
    use std::io::Write;
    OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn everything_received_is_in_a_private_file() {
    let (_home, directory) = place();
    let journal = Arc::new(Journal::new(&directory, header()));
    let (recorder, sinks) = (Recorder::default(), [journal.clone() as Arc<dyn Sink>]);
    recorder.record(message("looking"), &sinks);
    assert!(!directory.exists(), "nothing is written before an operation starts");
    recorder.record(started(false), &sinks);
    recorder.record(changed("web-1", "/etc/motd"), &sinks);
    journal.commit().unwrap();

    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    for above in directory.ancestors().take(4) {
        assert_eq!(mode(above), 0o700, "{}", above.display());
    }
    let journals = Journals::new(&directory, MACHINE);
    let [operation] = <[String; 1]>::try_from(journals.operations().unwrap()).unwrap();
    assert_eq!(mode(&journals.path(&operation)), 0o600);
    let read = journals.read(&operation).unwrap();
    assert_eq!(read.header, JournalHeader { operation: operation.clone(), ..header() });
    assert_eq!(read.records.iter().map(|record| record.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(read.incomplete, None);
    assert_eq!(journals.summary(&operation).unwrap().ending, Ending::Running);

    recorder.record(finished(true, false), &sinks);
    // what comes after the end belongs to it too
    recorder.record(message("done"), &sinks);
    let summary = journals.summary(&operation).unwrap();
    assert_eq!(summary.ending, Ending::Succeeded);
    assert_eq!(summary.finished.unwrap().1, 1.5);
    assert_eq!(journals.read(&operation).unwrap().records.len(), 5);
    let age = SystemTime::now().duration_since(Journals::began(&operation).unwrap()).unwrap();
    assert!(age < Duration::from_secs(60));
}

#[test]
fn a_dry_run_leaves_no_trace() {
    let (_home, directory) = place();
    let (journal, operation) = (Journal::new(&directory, header()), Uuid::now_v7().to_string());
    for (number, event) in
        [message("looking"), started(true), finished(true, false)].into_iter().enumerate()
    {
        journal.receive(&record(&operation, number as u64 + 1, event));
    }
    journal.commit().unwrap();
    assert!(!directory.exists());
}

#[test]
fn another_operation_does_not_get_into_the_same_journal() {
    let (_home, directory) = place();
    let journal = Journal::new(&directory, header());
    let [one, other] = [(); 2].map(|()| Uuid::now_v7().to_string());
    journal.receive(&record(&one, 1, started(false)));
    journal.receive(&record(&other, 1, message("not for this one")));
    assert_eq!(journal.commit(), Ok(()));
    journal.receive(&record(&other, 2, started(false)));
    assert!(journal.commit().unwrap_err().contains("use one for each operation"));
}

#[test]
fn secrets_in_the_command_are_redacted() {
    let (_home, directory) = place();
    let vault = Vault::default();
    vault.hide(&Secret::new("hunter2"));
    let said = vec!["run".to_owned(), "mysql -phunter2".to_owned()];
    let header = JournalHeader {
        command: said.clone(),
        asked: json!({"command": [said], "deeper": {"still": "hunter2"}}),
        ..header()
    };
    let journal = Journal::new(&directory, header).redacted(Arc::new(vault));
    let operation = Uuid::now_v7().to_string();
    journal.receive(&record(&operation, 1, started(false)));
    let path = Journals::new(&directory, MACHINE).path(&operation);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("mysql -p***") && !text.contains("hunter2"), "{text}");
    JournalFile::read(&path).unwrap();
}

#[test]
fn a_directory_that_cannot_be_created_is_an_error_from_the_beginning() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("state"), "").unwrap();
    let directory = home.path().join("state/operations");
    let journal = Journal::new(&directory, header());
    let early = journal.prepare().unwrap_err().to_string();
    assert!(early.starts_with("cannot write the journal"), "{early}");
    assert!(early.contains("state/operations") && early.contains("--no-journal"), "{early}");
    journal.receive(&record(&Uuid::now_v7().to_string(), 1, started(false)));
    let late = journal.commit().unwrap_err();
    assert!(late.contains("Not a directory") || late.contains("File exists"), "{late}");
    assert_eq!(journal.error(), Some(late));
}

#[test]
fn a_full_disk_is_told_and_nothing_more_is_written() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = write_all(&full, b"line\n").unwrap_err().to_string();
    assert!(error.starts_with("No space left on device"), "{error}");

    // a pipe that takes a part of a line, as a disk does that has room for a part
    let (reader, writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    let error = write_all(&writer, &vec![b'x'; 1 << 20]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    drop(writer);
    let mut taken = Vec::new();
    File::from(std::os::fd::OwnedFd::from(reader)).read_to_end(&mut taken).unwrap();
    assert!(!taken.is_empty() && taken.len() < 1 << 20);
}

#[test]
fn a_small_file_system_stops_the_operation_and_keeps_what_fits() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mount = |arguments: &[&str]| Command::new("mount").args(arguments).status();
    let mounted = mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs", home.path().to_str().unwrap()]);
    if !mounted.is_ok_and(|status| status.success()) {
        return;
    }
    let directory = home.path().join("operations");
    let (journal, operation) = (Journal::new(&directory, header()), Uuid::now_v7().to_string());
    journal.receive(&record(&operation, 1, started(false)));
    let mut sequence = 1;
    while journal.error().is_none() && sequence < 1000 {
        journal.commit().unwrap();
        sequence += 1;
        journal.receive(&record(&operation, sequence, message(&"x".repeat(1000))));
    }
    let error = journal.commit().unwrap_err();
    journal.receive(&record(&operation, sequence + 1, message("short")));
    let read = Journals::new(&directory, MACHINE).read(&operation);
    drop(journal);
    let unmounted = Command::new("umount").arg(home.path()).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    assert!(error.contains("No space left on device"), "{error}");
    let read = read.unwrap();
    assert_eq!(read.records.len() as u64, sequence - 1, "the last one did not fit");
}

#[test]
fn an_incomplete_last_line_is_ignored() {
    let (_home, directory) = place();
    let operation = written(&directory, Duration::ZERO, header(), [message("one")]);
    let journals = Journals::new(&directory, "another machine");
    append(&journals.path(&operation), br#"{"operation":"o","sequ"#);
    let read = journals.read(&operation).unwrap();
    assert_eq!((read.records.len(), read.incomplete), (2, Some(4)));
    assert_eq!(journals.summary(&operation).unwrap().ending, Ending::Unfinished);
    assert_eq!(read.ending(MACHINE), Ending::Running, "its process is this one");
    // a crash of the machine can leave zeros
    append(&journals.path(&operation), &[0; 100]);
    assert_eq!(journals.read(&operation).unwrap().incomplete, Some(4));
}

#[test]
fn a_broken_line_in_the_middle_is_an_error() {
    let (_home, directory) = place();
    let operation = written(&directory, Duration::ZERO, header(), [message("one")]);
    let journals = Journals::new(&directory, MACHINE);
    append(&journals.path(&operation), b"{\"oper\n");
    let end = serde_json::to_string(&record(&operation, 9, finished(true, false))).unwrap();
    append(&journals.path(&operation), format!("{end}\n").as_bytes());
    let error = journals.read(&operation).unwrap_err().to_string();
    assert!(error.contains(".jsonl is broken in line 4: "), "{error}");
    assert_eq!(
        journals.summary(&operation).unwrap().ending,
        Ending::Succeeded,
        "a list shows it nevertheless"
    );
}

#[test]
fn newer_journals_are_refused_and_newer_events_skipped() {
    let (_home, directory) = place();
    let operation = written(&directory, Duration::ZERO, header(), []);
    let path = Journals::new(&directory, MACHINE).path(&operation);
    let event = r#"{"operation":"o","sequence":2,"time":"2026-01-31T12:00:00Z","event":"sang"}"#;
    append(&path, format!("{event}\n").as_bytes());
    assert_eq!(JournalFile::read(&path).unwrap().records.len(), 1);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("{\"journal\":1", "{\"journal\":2", 1)).unwrap();
    let error = JournalFile::read(&path).unwrap_err();
    assert!(matches!(error, JournalError::Newer { version: 2, .. }));
    assert!(error.to_string().contains("written by a newer Pallet"), "{error}");
    for text in ["", "{}\n", "something else\n"] {
        std::fs::write(&path, text).unwrap();
        let error = JournalFile::read(&path).unwrap_err();
        assert!(matches!(error, JournalError::NoHeader { .. }), "{error}");
    }
}

#[test]
fn operations_are_found_by_a_part_of_their_id() {
    let (_home, directory) = place();
    let journals = Journals::new(&directory, MACHINE);
    assert_eq!(journals.operations(), Ok(Vec::new()));
    assert_eq!(journals.latest(None), Ok(None));
    let ages = [30, 20, 10].map(Duration::from_secs);
    let [first, second, third] = ages.map(|ago| written(&directory, ago, header(), []));
    let elsewhere = JournalHeader { directory: "/srv/other".to_owned(), ..header() };
    let fourth = written(&directory, Duration::ZERO, elsewhere, []);
    std::fs::write(directory.join("notes.jsonl"), "mine").unwrap();
    std::fs::write(directory.join(format!("{}.jsonl", Uuid::nil())), "no time").unwrap();
    std::fs::write(directory.join(format!("{}.json", Uuid::now_v7())), "no journal").unwrap();
    let newest = [&fourth, &third, &second, &first];
    assert_eq!(journals.operations().unwrap().iter().collect::<Vec<_>>(), newest);
    assert_eq!(journals.latest(None), Ok(Some(fourth.clone())));
    assert_eq!(journals.latest(Some("/srv/shop")), Ok(Some(third.clone())));

    assert_eq!(journals.find(&first), Ok(first.clone()));
    assert_eq!(journals.find(&second[24..].to_uppercase()), Ok(second.clone()));
    let said = |id: &str| journals.find(id).unwrap_err().to_string();
    assert!(said(&first[..6]).contains("several operations"), "{}", said(&first[..6]));
    assert!(said("abc").contains("at least 4 characters"));
    assert!(said("zzzz-zzzz").starts_with("there is no operation zzzz-zzzz in /"));
}

#[test]
fn endings_are_told_apart() {
    let (_home, directory) = place();
    let journals = Journals::new(&directory, MACHINE);
    let ending = |header: JournalHeader, events: Vec<Event>| {
        let operation = written(&directory, Duration::ZERO, header, events);
        let summary = journals.summary(&operation).unwrap();
        assert_eq!(journals.read(&operation).unwrap().ending(MACHINE), summary.ending);
        summary.ending
    };
    assert_eq!(ending(header(), vec![finished(true, false)]), Ending::Succeeded);
    assert_eq!(ending(header(), vec![finished(false, false)]), Ending::Failed);
    assert_eq!(ending(header(), vec![finished(false, true)]), Ending::Interrupted);
    assert_eq!(ending(header(), vec![]), Ending::Running);
    let long = || vec![message(&"x".repeat(100_000)), finished(true, false)];
    assert_eq!(ending(header(), long()), Ending::Succeeded);
    let elsewhere = || JournalHeader { machine: "other".to_owned(), ..header() };
    assert_eq!(ending(elsewhere(), vec![]), Ending::Unfinished);
    let unknown = JournalHeader { machine: String::new(), ..header() };
    assert_eq!(ending(unknown, vec![]), Ending::Unfinished);
    let mut child = Command::new("true").spawn().unwrap();
    let process = child.id();
    child.wait().unwrap();
    assert_eq!(ending(JournalHeader { process, ..header() }, vec![]), Ending::Unfinished);
}

#[test]
fn old_journals_are_removed() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let (_home, directory) = place();
    let journals = Journals::new(&directory, MACHINE);
    let end = || [finished(true, false)];
    let elsewhere = || JournalHeader { machine: "other".to_owned(), ..header() };
    let running = written(&directory, 100 * DAY, header(), []);
    written(&directory, 95 * DAY, header(), end());
    written(&directory, 94 * DAY, elsewhere(), []);
    std::fs::write(directory.join("notes.jsonl"), "mine").unwrap();
    let kept = [3, 2, 1].map(|days| written(&directory, days * DAY, header(), end()));
    let project = header().directory;
    let prune = |days, operations| journals.prune(&project, days, operations);
    assert_eq!(prune(90, 1000), Ok(2));
    let left = |journals: &Journals| journals.operations().unwrap();
    assert_eq!(left(&journals), [&kept[2], &kept[1], &kept[0], &running].map(String::clone));

    // one that may run on another machine stays for a day
    let other = written(&directory, Duration::from_secs(60), elsewhere(), []);
    assert_eq!(journals.prune("/srv/another", 1, 0), Ok(0), "those are not its own");
    assert_eq!(prune(90, 0), Ok(3));
    assert_eq!(left(&journals), [other, running]);
    assert!(directory.join("notes.jsonl").exists());
    assert_eq!(Journals::new(directory.join("none"), MACHINE).prune(&project, 90, 0), Ok(0));

    // several at the same time
    for _ in 0..50 {
        written(&directory, Duration::ZERO, header(), end());
    }
    std::thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| prune(90, 10).unwrap()));
        assert_eq!(both.map(|one| one.join().unwrap()).iter().sum::<usize>(), 40);
    });
}

#[test]
fn what_earlier_operations_did_is_confirmed_too() {
    let (_home, directory) = place();
    let journals = Journals::new(&directory, MACHINE);
    let done = |node: &str| Event::NodeDone {
        node: node.to_owned(),
        id: format!("i-{node}"),
        address: Some(format!("{node}:22")),
    };
    let created = |node: &str, started| Event::Created {
        node: node.to_owned(),
        group: "web".to_owned(),
        address: None,
        started,
    };
    let destroyed = |node: &str| Event::Destroyed {
        node: node.to_owned(),
        id: format!("i-{node}"),
        group: "web".to_owned(),
    };
    let inputs = |digest: &str| Event::Inputs {
        files: BTreeMap::from([("motd".to_owned(), digest.to_owned())]),
        first: vec![format!("i-{digest}")],
    };
    let unchanged = match changed("web-1", "/c") {
        Event::Action { change, .. } => Event::Action { change, changed: false },
        other => other,
    };
    let first = written(
        &directory,
        Duration::from_secs(20),
        header(),
        [
            created("web-1", false),
            created("web-2", true),
            destroyed("db-1"),
            inputs("1"),
            changed("web-1", "/a"),
            unchanged,
            changed("web-3", "/a"),
            done("web-2"),
            done("web-3"),
        ],
    );
    let again = JournalHeader { resumes: Some(first.clone()), ..header() };
    let failed = Event::NodeFinished {
        node: "web-1".to_owned(),
        group: "web".to_owned(),
        result: NodeResult::Unchanged,
    };
    let second = written(
        &directory,
        Duration::ZERO,
        again,
        [destroyed("web-3"), inputs("2"), changed("web-1", "/b"), failed],
    );
    let confirmed = journals.confirmed(&second).unwrap();
    assert_eq!(confirmed.operations, [first.clone(), second.clone()]);
    let web_2 = DoneNode { name: "web-2".to_owned(), address: Some("web-2:22".to_owned()) };
    assert_eq!(confirmed.nodes, BTreeMap::from([("i-web-2".to_owned(), web_2)]));
    let subjects: Vec<_> =
        confirmed.actions["web-1"].iter().map(|action| action.subject.as_str()).collect();
    assert_eq!(subjects, ["/a", "/b"]);
    assert_eq!(confirmed.actions.len(), 1, "web-3 is gone");
    assert_eq!(confirmed.created.iter().collect::<Vec<_>>(), ["web-1"]);
    assert_eq!(
        confirmed.destroyed.iter().collect::<Vec<_>>(),
        ["db-1", "i-db-1", "i-web-3", "web-3"]
    );
    assert_eq!(confirmed.first.iter().collect::<Vec<_>>(), ["i-1", "i-2"]);
    assert_eq!(confirmed.files["motd"], "2");
    assert_eq!(confirmed.missing, None);

    // a circle of resumes ends
    let path = journals.path(&first);
    let text = std::fs::read_to_string(&path).unwrap();
    let circle = format!("\"resumes\":\"{second}\"");
    std::fs::write(&path, text.replacen("\"resumes\":null", &circle, 1)).unwrap();
    assert_eq!(journals.confirmed(&second).unwrap().operations, [first.clone(), second.clone()]);

    std::fs::remove_file(path).unwrap();
    let alone = journals.confirmed(&second).unwrap();
    assert_eq!((alone.operations, alone.missing), (vec![second], Some(first)));
}

#[test]
fn a_list_of_a_thousand_is_fast() {
    let (_home, directory) = place();
    for number in 0..1000 {
        written(&directory, Duration::from_secs(number), header(), [finished(true, false)]);
    }
    let journals = Journals::new(&directory, MACHINE);
    let begun = std::time::Instant::now();
    let ended = journals.operations().unwrap().into_iter().map(|operation| {
        assert_eq!(journals.summary(&operation).unwrap().ending, Ending::Succeeded);
    });
    assert_eq!(ended.count(), 1000);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn operations_are_compared_node_by_node() {
    let (_home, directory) = place();
    let journals = Journals::new(&directory, MACHINE);
    let ended = |node: &str, result| Event::NodeFinished {
        node: node.to_owned(),
        group: "web".to_owned(),
        result,
    };
    let made = |changes| NodeResult::Changed { changes };
    let error = NodeError::new("no route");
    let [first, second] = [
        vec![
            changed("web-1", "/a"),
            changed("web-1", "/b"),
            changed("web-1", "/b"),
            changed("web-10", "/a"),
            ended("web-1", made(3)),
            ended("web-10", made(1)),
            ended("web-2", NodeResult::Unchanged),
        ],
        vec![
            changed("web-1", "/b"),
            changed("web-1", "/c"),
            ended("web-1", made(2)),
            ended("web-10", NodeResult::Failed { changes: 0, error }),
            ended("web-2", NodeResult::Unchanged),
        ],
    ]
    .map(|events| written(&directory, Duration::ZERO, header(), events))
    .map(|operation| journals.read(&operation).unwrap());
    let nodes = first.compare(&second).nodes;
    assert_eq!(nodes.keys().collect::<Vec<_>>(), ["web-1", "web-10"]);
    let subjects = |changes: &[ComparedChange]| {
        changes.iter().map(|change| change.subject.clone()).collect::<Vec<_>>()
    };
    assert_eq!(subjects(&nodes["web-1"].only_first), ["/a", "/b"]);
    assert_eq!(subjects(&nodes["web-1"].only_second), ["/c"]);
    assert_eq!(nodes["web-1"].first_result, None, "both changed it");
    assert_eq!(nodes["web-10"].first_result.as_deref(), Some("changed"));
    assert_eq!(nodes["web-10"].second_result.as_deref(), Some("failed: no route"));
    assert_eq!(first.compare(&first).nodes, BTreeMap::new());

    assert_eq!(first.nodes(), ["web-1", "web-2", "web-10"]);
    assert_eq!(first.about("web-10").count(), 2);
    let outcome = second.outcome();
    assert_eq!(outcome.counts(), (1, 1, 1));
    assert_eq!(outcome.nodes[2].node, "web-10", "in natural order");
}

#[test]
fn a_journal_is_followed_while_it_is_written() {
    let (_home, directory) = place();
    let operation = written(&directory, Duration::ZERO, header(), [message("one")]);
    let path = Journals::new(&directory, MACHINE).path(&operation);
    let whole = std::fs::read(&path).unwrap();
    let ends: Vec<usize> = (1..=whole.len()).filter(|end| whole[end - 1] == b'\n').collect();
    assert_eq!(ends.len(), 3);
    std::fs::write(&path, &whole[..ends[0]]).unwrap();
    let mut follower = JournalFollower::open(&path).unwrap();
    let mut put = |bytes: &[u8]| {
        append(&path, bytes);
        let new = follower.read_on();
        (new, follower.journal().records.len(), follower.journal().incomplete)
    };
    assert_eq!(put(b""), (Ok(false), 0, None));
    assert_eq!(put(&whole[ends[0]..ends[1] - 5]), (Ok(false), 0, Some(2)));
    assert_eq!(put(&whole[ends[1] - 5..ends[1]]), (Ok(true), 1, None));
    assert_eq!(put(&whole[ends[1]..]), (Ok(true), 2, None));
    let (wrong, ..) = put(b"{\n");
    assert!(wrong.unwrap_err().to_string().contains("is broken in line 4"));
}
