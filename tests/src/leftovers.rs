//! The resources that a project's nodes use on this machine: mounts, processes, network devices,
//! files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Project;
use crate::mounts::mounts;

/// The resources at one moment. Mounts, processes and files are limited to those of the project, so
/// that other tests may run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Leftovers {
    /// Lines of mountinfo of this program's namespace.
    pub mounts: BTreeSet<String>,
    /// Processes, by their command line.
    pub processes: BTreeSet<String>,
    /// Network devices and named network namespaces.
    pub links: BTreeSet<String>,
    /// Files in the project's home, and files named after Pallet in the system's state directories.
    pub files: BTreeSet<String>,
}

impl Leftovers {
    /// The current resources.
    pub fn of(project: &Project) -> Self {
        let home = project.home().to_str().unwrap();
        let mut files = BTreeSet::new();
        walk(project.home(), &mut files);
        // the journal of operations outlives the nodes
        let journal = project.home().join(".local/state");
        files.retain(|file| !Path::new(file).starts_with(&journal));
        for directory in [
            "/run",
            "/run/lock",
            "/var/lib",
            "/var/run",
            "/var/cache",
            "/etc",
            "/tmp",
            "/dev/shm",
            "/sys/fs/cgroup",
            "/sys/fs/cgroup/unified",
        ] {
            files.extend(names(directory).into_iter().filter(|name| {
                name.contains("pallet")
                    && !name.contains("pallet-test-")
                    && !name.contains("pallet-bed")
                    // the group of all nodes with systemd, also those of other tests
                    && (!name.starts_with("/sys/fs/cgroup/") || !name.ends_with("/pallet"))
            }));
        }
        let links = names("/sys/class/net")
            .into_iter()
            .chain(names("/run/netns"))
            .filter(|name| !name.contains("pallet-bed"));
        Leftovers {
            mounts: mounts("self", home),
            processes: processes(home),
            links: links.collect(),
            files,
        }
    }

    /// Asserts that there are no more resources than before. Those that others on this machine
    /// create temporarily are given some time to go.
    #[track_caller]
    pub fn is_all(&self, project: &Project) {
        let mut left = self.added(&Leftovers::of(project));
        let end = Instant::now() + Duration::from_secs(180);
        while !left.is_empty() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(300));
            left = left.intersection(&self.added(&Leftovers::of(project))).cloned().collect();
        }
        assert!(left.is_empty(), "left behind: {left:#?}");
    }

    fn added(&self, later: &Leftovers) -> BTreeSet<String> {
        let pairs = [
            ("mount", &self.mounts, &later.mounts),
            ("process", &self.processes, &later.processes),
            ("network", &self.links, &later.links),
            ("file", &self.files, &later.files),
        ];
        pairs
            .into_iter()
            .flat_map(|(kind, before, after)| {
                after.difference(before).map(move |what| format!("{kind} {what}"))
            })
            .collect()
    }
}

fn names(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path().to_string_lossy().into_owned()).collect()
}

fn walk(directory: &Path, files: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_directory {
            walk(&entry.path(), files);
        } else {
            files.insert(entry.path().to_string_lossy().into_owned());
        }
    }
}

/// Processes that refer to the project in their command line, variables or directories, or that see
/// one of its mounts.
fn processes(home: &str) -> BTreeSet<String> {
    let own = std::process::id().to_string();
    let mut found = BTreeSet::new();
    for process in names("/proc") {
        let pid = process.trim_start_matches("/proc/").to_owned();
        if pid == own || !pid.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let read = |name: &str| {
            String::from_utf8_lossy(&fs::read(format!("{process}/{name}")).unwrap_or_default())
                .replace('\0', " ")
        };
        let link = |name: &str| {
            fs::read_link(format!("{process}/{name}"))
                .map(|path| path.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        let words = read("cmdline");
        let refers = words.contains(home)
            || read("environ").contains(home)
            || [link("cwd"), link("root"), link("exe")].iter().any(|path| path.starts_with(home));
        let sees = || same_mounts(&process) != Some(true) && !mounts(&pid, home).is_empty();
        // the guard that destroys the project's nodes waits for the end of the test
        if !words.contains("cat >/dev/null") && words != "cat " && (refers || sees()) {
            found.insert(format!("{pid} {words}"));
        }
    }
    found
}

/// Whether the process is in this program's mount namespace.
fn same_mounts(process: &str) -> Option<bool> {
    Some(
        fs::read_link(format!("{process}/ns/mnt")).ok()?
            == fs::read_link("/proc/self/ns/mnt").ok()?,
    )
}
