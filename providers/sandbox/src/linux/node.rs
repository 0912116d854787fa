//! A node as Pallet sees it.

use pallet_core::prelude::*;

use crate::linux::image;
use crate::linux::init::confinement;
use crate::linux::machine;
use crate::linux::store::Record;
use crate::options::Init;

/// Converts a stored node.
pub(crate) fn node(record: &Record, boot_id: &str) -> Node {
    let process = record.running(boot_id);
    let mut tags = record.tags.clone();
    if record.disk_in_memory {
        tags.insert(
            "disk".to_owned(),
            "in memory, lost when it stops: no file system here can hold an overlay".to_owned(),
        );
    }
    if let Some(why) = &record.isolated {
        tags.insert("network".to_owned(), format!("no outside: {why}"));
    }
    let connection =
        Connection::Exec { command: command(record, process.map_or(0, |process| process.pid)) };
    Node {
        group: Some(record.group.clone()),
        address: Some(record.address.to_string()),
        status: match process {
            Some(_) if record.booted_by.is_some() => NodeStatus::Starting,
            Some(_) => NodeStatus::Running,
            None => NodeStatus::Stopped,
        },
        os: image::os_of(&record.root, record.init),
        tags,
        taggable: true,
        created: record.created,
        ..Node::new(&record.id, &record.name, connection)
    }
}

/// A node that shuts down stops all of its processes for a moment. `nsenter` would stop with its
/// child and stay so, and the node would wait for what nobody collects. A shell does not: it waits
/// outside, and its child is in the node.
pub(crate) const WAITER: [&str; 5] = ["--no-fork", "sh", "-c", "\"$@\"; exit $?", "sh"];

/// The command line before a command that runs in the node: as root, with a clean environment, in
/// `/`.
fn command(record: &Record, pid: u32) -> Vec<String> {
    let pid = pid.to_string();
    let nsenter = machine::program("nsenter")
        .map_or_else(|| "nsenter".to_owned(), |path| path.to_string_lossy().into_owned());
    let enter = [&nsenter, "--target", &pid, "--mount", "--uts", "--ipc", "--net", "--pid"];
    let group = record.cgroup.is_some().then_some("--cgroup");
    let systemd = record.init == Init::Systemd;
    let waiter: &[&str] = if systemd { &WAITER } else { &[] };
    let path = format!("PATH={}", machine::PATH);
    let clean = [
        "env",
        "-i",
        &path,
        "HOME=/root",
        "USER=root",
        "LOGNAME=root",
        "SHELL=/bin/sh",
        "LANG=C.UTF-8",
        "TERM=xterm",
        "container=pallet",
    ];
    let words = enter.into_iter().chain(group).map(str::to_owned);
    let words = words.chain(waiter.iter().map(|word| (*word).to_owned()));
    let words = words.chain(confinement(&record.root, record.init));
    words.chain(clean.iter().map(|word| (*word).to_owned())).collect()
}
