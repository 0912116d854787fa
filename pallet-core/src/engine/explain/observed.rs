//! What an action must know of a node, and what is known of it, in words.

use super::explanation::Observed;
use crate::action::{AnyAction, Declared};
use crate::model::{
    Attributes, FileState, Known, NodeState, Observation, PackageState, Reading, ServiceState,
    UserState,
};

/// So much of what a command printed is told.
const READING: usize = 60;

/// What a declared action must know of the node, its conditions included.
pub(super) fn observed(declared: &Declared, node: &NodeState) -> Vec<Observed> {
    let placeholders = declared.shown.as_ref().and_then(|shown| shown.action.as_ref());
    let action: &dyn AnyAction = placeholders.unwrap_or(&declared.action).as_ref();
    let mut wanted = Observation::default();
    action.observe(&mut wanted);
    // commands that hold a secret are not told
    let withheld = declared.secret.is_some() && placeholders.is_none();
    if withheld && !(wanted.commands.is_empty() && wanted.readings.is_empty()) {
        wanted.commands.clear();
        wanted.readings.clear();
    }
    for condition in &declared.conditions {
        wanted.command(&condition.command);
    }
    let secret =
        declared.secret.is_some() || wanted.files.keys().any(|path| node.holds_secret(path));
    words(&wanted, node, !secret)
}

/// `outputs`: also digests of contents and what commands printed, which tell something of secrets.
fn words(wanted: &Observation, node: &NodeState, outputs: bool) -> Vec<Observed> {
    let mut observed = Vec::new();
    let mut add = |what: String, found: Option<String>| observed.push(Observed { what, found });
    for path in wanted.files.keys() {
        add(format!("file {path}"), node.file(path).known().map(|state| file(state, outputs)));
    }
    for name in &wanted.packages {
        add(format!("package {name}"), node.package(name).known().map(|state| package(state)));
    }
    if wanted.package_lists {
        let age = |age: &Option<u64>| {
            age.map_or("there are none".to_owned(), |seconds| format!("{seconds} s old"))
        };
        add("the age of the package lists".to_owned(), node.package_lists_age().known().map(age));
    }
    for (name, command) in &wanted.services {
        let process = if command.is_empty() {
            String::new()
        } else {
            format!(
                " (the process of \
            `{command}`)"
            )
        };
        add(
            format!("service {name}{process}"),
            node.service(name).known().map(|state| service(state)),
        );
    }
    for name in &wanted.users {
        add(
            format!("user {name}"),
            node.user(name)
                .known()
                .map(|state| state.as_ref().map_or("there is none".to_owned(), user)),
        );
    }
    for name in &wanted.groups {
        let words = match node.group(name) {
            Known::Known(None) => Some("there is none".to_owned()),
            Known::Known(Some(group)) => {
                Some(group.gid.map_or("it is there".to_owned(), |gid| format!("gid {gid}")))
            }
            Known::Unknown => None,
        };
        add(format!("group {name}"), words);
    }
    for command in &wanted.commands {
        add(
            format!("command {command}"),
            node.command(command).known().map(|state| {
                format!(
                    "exit \
            {}",
                    state.exit
                )
            }),
        );
    }
    for command in wanted.readings.keys() {
        add(
            format!("output of {command}"),
            node.reading(command).known().map(|read| reading(read, outputs)),
        );
    }
    if wanted.records {
        add("what Pallet recorded there".to_owned(), None);
    }
    observed
}

fn file(state: &FileState, digests: bool) -> String {
    match state {
        FileState::Absent => "there is none".to_owned(),
        FileState::File { digest, attributes: of, .. } => {
            let digest = digest
                .as_ref()
                .filter(|_| digests)
                .map(|digest| format!(", sha256 {}", &digest[..digest.len().min(12)]))
                .unwrap_or_default();
            format!("a file{}{digest}", attributes(of))
        }
        FileState::Directory(of) => format!("a directory{}", attributes(of)),
        FileState::Link { target } => format!("a link to {target}"),
        FileState::Fifo(of) => format!("a named pipe{}", attributes(of)),
        FileState::Other => "a device or a socket".to_owned(),
    }
}

fn attributes(of: &Attributes) -> String {
    let owner = match (&of.owner, &of.group) {
        (None, None) => String::new(),
        (owner, group) => {
            format!(", {}:{}", owner.as_deref().unwrap_or("?"), group.as_deref().unwrap_or("?"))
        }
    };
    owner + &of.mode.map(|mode| format!(", mode {mode:04o}")).unwrap_or_default()
}

fn package(state: &PackageState) -> String {
    match state {
        PackageState::Absent => "not installed".to_owned(),
        PackageState::Removed => "removed, its configuration may be there".to_owned(),
        PackageState::Installed { version: None } => "installed".to_owned(),
        PackageState::Installed { version: Some(version) } => format!("installed, {version}"),
    }
}

fn service(state: &ServiceState) -> String {
    if !state.exists {
        return "there is none".to_owned();
    }
    let running = if state.running { "running" } else { "stopped" };
    match state.enabled {
        Some(true) => format!("{running}, starts with the node"),
        Some(false) => format!("{running}, does not start with the node"),
        None => running.to_owned(),
    }
}

fn user(state: &UserState) -> String {
    let parts = [
        state.uid.map(|uid| format!("uid {uid}")),
        state.group.as_ref().map(|group| format!("group {group}")),
        state.home.as_ref().map(|home| format!("home {home}")),
        state.shell.as_ref().map(|shell| format!("shell {shell}")),
        state.locked.filter(|locked| *locked).map(|_| "password locked".to_owned()),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "it is there".to_owned() } else { parts.join(", ") }
}

fn reading(read: &Reading, outputs: bool) -> String {
    let first = read.output.lines().next().unwrap_or_default();
    let short: String = first.chars().take(READING).collect();
    let more = if short.len() < read.output.len() { " ..." } else { "" };
    match outputs && !short.is_empty() {
        true => format!("exit {}: {short}{more}", read.exit),
        false => format!("exit {}", read.exit),
    }
}
