//! An operation whose journal a test writes: with as many nodes and as much time as it likes.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pallet_core::engine::{
    Event, Journal, JournalHeader, Kind, NodeError, NodeResult, PlannedChange, Record, Sink, Totals,
};

use sha2::{Digest as _, Sha256};

use crate::Project;

/// An operation of a project, recorded as by this process: it runs until it is finished.
pub struct Recorded {
    journal: Journal,
    operation: String,
    directory: PathBuf,
    sequence: u64,
    began: SystemTime,
}

impl Recorded {
    /// The journal of an operation on nodes with this command line. `name` is the project's.
    pub fn begin(project: &Project, name: &str, kind: Kind, command: &str, nodes: &[&str]) -> Self {
        let directory = project.home().join(".local/state/pallet").join(name).join("operations");
        let header = JournalHeader {
            project: name.to_owned(),
            directory: project.directory().canonicalize().unwrap().display().to_string(),
            service: "bed".to_owned(),
            command: command.split(' ').map(str::to_owned).collect(),
            user: "ops".to_owned(),
            host: "build7".to_owned(),
            machine: machine(),
            pallet: env!("CARGO_PKG_VERSION").to_owned(),
            ..JournalHeader::default()
        };
        let journal = Journal::new(&directory, header);
        let began = SystemTime::now();
        let operation = operation(began);
        let mut recorded = Recorded { journal, operation, directory, sequence: 0, began };
        let nodes = nodes.iter().map(|node| (*node).to_owned()).collect();
        recorded.at(0.0, Event::Started { kind, dry_run: false, nodes });
        recorded
    }

    /// Records an event, so many seconds after the beginning.
    pub fn at(&mut self, seconds: f64, event: Event) {
        self.sequence += 1;
        let time = self.began + Duration::from_secs_f64(seconds);
        let (operation, sequence) = (self.operation.clone(), self.sequence);
        self.journal.receive(&Record { operation, sequence, time, event });
        assert_eq!(self.journal.error(), None);
    }

    /// A phase begins on a node.
    pub fn phase(&mut self, seconds: f64, node: &str, phase: &str) {
        let (node, phase) = (node.to_owned(), phase.to_owned());
        self.at(seconds, Event::PhaseStarted { node, phase, actions: 1 });
    }

    /// An action changed something on a node.
    pub fn change(&mut self, seconds: f64, node: &str, phase: &str, change: [&str; 4]) {
        let [action, subject, summary, diff] = change.map(str::to_owned);
        let change = PlannedChange {
            node: node.to_owned(),
            phase: phase.to_owned(),
            number: 1,
            action,
            subject,
            certainty: None,
            summary,
            diff,
            source: None,
            via: Vec::new(),
            undone: false,
            predicted: false,
            on_behalf_of: None,
        };
        self.at(seconds, Event::Action { change, changed: true });
    }

    /// The operation is done with a node: it made so many changes, or failed.
    pub fn node(&mut self, seconds: f64, node: &str, result: Result<usize, NodeError>) {
        let result = match result {
            Ok(0) => NodeResult::Unchanged,
            Ok(changes) => NodeResult::Changed { changes },
            Err(error) => NodeResult::Failed { changes: 0, error },
        };
        let group = node.rsplit_once('-').map_or(node, |(group, _)| group).to_owned();
        self.at(seconds, Event::NodeFinished { node: node.to_owned(), group, result });
    }

    /// The operation has ended.
    pub fn finish(&mut self, seconds: f64, totals: Totals) {
        self.at(seconds, Event::Finished { totals, seconds });
    }

    /// The ID of the operation.
    pub fn id(&self) -> &str {
        &self.operation
    }

    /// The file of the journal.
    pub fn path(&self) -> PathBuf {
        self.directory.join(format!("{}.jsonl", self.operation))
    }
}

/// An ID of version 7.
fn operation(time: SystemTime) -> String {
    let millis = time.duration_since(UNIX_EPOCH).unwrap().as_millis() & 0xffff_ffff_ffff;
    let random = Sha256::digest(format!("{time:?} {:?}", std::thread::current().id()));
    let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let time = format!("{millis:012x}");
    let (first, second) = time.split_at(8);
    format!("{first}-{second}-7{}-8{}-{}", &random[..3], &random[3..6], &random[6..18])
}

/// This machine since its last boot, as Pallet identifies it.
fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap();
    format!("{}/{}", boot.trim(), namespace.display())
}
