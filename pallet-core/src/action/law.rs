//! The law of actions, tested on this machine: after a change was applied, an observation returns
//! what was planned, and planning again returns no change.

mod archives;
mod downloads;
mod edits;
mod files;
mod filesystems;
mod foreign;
mod git;
mod hostile;
mod hostile_archives;
mod kernel_modules;
mod large;
mod lines;
mod mirrors;
mod package_managers;
mod packages;
#[cfg(feature = "host")]
mod property;
mod services;
mod swap;
mod system;
mod tables;
mod timezone;
mod waits;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use super::{
    Action, ActionError, Certainty, Change, Directory, Exec, ExecCheckedScript, ExecScript, File,
    Listed, RemoteFile, SymbolicLink, UploadSource, Workspace,
};
use crate::observe::{NodeState, Observation};
use crate::observe::{compile, parse};
use crate::script::library_for;
use crate::script::shells::{Shell, shells};

const TOKEN: &str = "t0k3n";

/// The project from which the tests read.
struct Project(TempDir);

impl Workspace for Project {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ActionError> {
        fs::read(self.0.path().join(path)).map_err(|error| ActionError::node(error.to_string()))
    }
    fn digest(&self, path: &Path) -> Result<(String, u64, std::path::PathBuf), ActionError> {
        let content = self.read(path)?;
        Ok((crate::model::digest(&content), content.len() as u64, self.0.path().join(path)))
    }
    fn list(&self, path: &Path) -> Result<Vec<Listed>, ActionError> {
        let output = std::process::Command::new("find")
            .args([".", "!", "-name", ".", "-printf", "%y%m %P\n"])
            .current_dir(self.0.path().join(path))
            .output();
        let output = output.map_err(|error| ActionError::node(error.to_string()))?.stdout;
        let entry = |line: &str| {
            line.split_once(' ').map(|(mode, path)| Listed {
                path: path.to_owned(),
                directory: mode.starts_with('d'),
                executable: mode.ends_with("755"),
            })
        };
        let mut found: Vec<_> =
            String::from_utf8_lossy(&output).lines().filter_map(entry).collect();
        found.sort_by(|one, other| one.path.split('/').cmp(other.path.split('/')));
        Ok(found)
    }
    fn render(&self, _name: &str, template: &str, values: &Value) -> Result<String, ActionError> {
        Ok(template.replace("{{ name }}", values["name"].as_str().unwrap_or_default()))
    }
}

/// A directory on this machine that one shell may change freely.
struct Place {
    shell: Shell,
    root: TempDir,
    incoming: TempDir,
    /// Replaces /var/lib/pallet, where Pallet keeps its records.
    state: TempDir,
    project: Project,
}

const STATE: &str = "/var/lib/pallet";

impl Place {
    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.root.path().to_str().expect("it is UTF-8"))
    }

    fn observe(&self, action: &impl Action) -> NodeState {
        let mut wanted = Observation::default();
        action.observe(&mut wanted);
        let output = self.run(&compile(&wanted, TOKEN));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "observing in {}", self.shell);
        let answer = String::from_utf8_lossy(&output.stdout)
            .replace(self.state.path().to_str().expect("it is UTF-8"), STATE);
        parse(&wanted, TOKEN, answer.as_bytes()).expect("the answer can be read").state
    }

    /// Runs a script that keeps its records in this place.
    fn run(&self, script: &str) -> Output {
        self.shell.run(&script.replace(STATE, self.state.path().to_str().expect("it is UTF-8")))
    }

    /// Applies a change as the engine does. Returns whether it reported a change, or its output if
    /// it failed.
    fn apply(&self, change: &Change) -> Result<bool, String> {
        self.report(change).map(|report| report.starts_with('1'))
    }

    /// The same, but returns what it reported: `1` for a change, a space, and `1` for drift.
    fn report(&self, change: &Change) -> Result<String, String> {
        for upload in &change.uploads {
            let content = match &upload.source {
                UploadSource::Bytes(bytes) => bytes.to_vec(),
                UploadSource::File(path) => {
                    fs::read(path).expect("it was there when it was prepared")
                }
                UploadSource::LeftOut { .. } => panic!("a plan that was not written has it"),
            };
            fs::write(self.incoming.path().join(&upload.digest), content)
                .expect("it can be written");
        }
        let script = change.script.as_str();
        let (incoming, library) = (self.incoming.path().display(), library_for(script));
        let script = format!(
            "{{\n{library}\nincoming={incoming}\n( set -e; change= drift=\n\
            {script}\necho \"reported=$change $drift\" ) </dev/null\n}}"
        );
        let output = self.run(&script);
        let said = String::from_utf8_lossy(&output.stdout);
        match (
            output.status.success(),
            said.lines().find_map(|line| line.strip_prefix("reported=")),
        ) {
            (true, Some(reported)) => Ok(reported.to_owned()),
            _ => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn prepared<A: Action>(&self, mut action: A) -> A {
        action.prepare(&self.project).expect("the arguments are right");
        action
    }

    /// Applies the action to the current state of the place, and checks the law. `changes`: whether
    /// it must change something.
    fn law(&self, action: impl Action, changes: bool) {
        let action = self.prepared(action);
        let (shell, label) = (&self.shell, format!("{action:?}"));
        let mut state = self.observe(&action);
        let change =
            action.plan(&mut state).unwrap_or_else(|error| panic!("{shell}: {label}: {error}"));
        assert_eq!(change.is_some(), changes, "{shell}: {label}: planned {change:?}");
        if let Some(change) = change {
            assert_eq!(change.certainty, Certainty::Will, "{shell}: {label}");
            let reported = self.apply(&change).unwrap_or_else(|error| {
                panic!("{shell}: {label}: {error}\n{}", change.script.as_str())
            });
            assert!(
                reported,
                "{shell}: {label}: it reported no change\n{}",
                change.script.as_str()
            );
        }
        self.settled(&action, &state);
    }

    /// The same from an unknown state, where the script decides.
    fn law_of_unknown(&self, action: impl Action, changes: bool) {
        let action = self.prepared(action);
        let (shell, label) = (&self.shell, format!("{action:?}"));
        let mut state = NodeState::new(self.observe(&action).os);
        let change = action
            .plan(&mut state)
            .unwrap_or_else(|error| panic!("{label}: {error}"))
            .expect("it is not known to be right");
        assert_eq!(change.certainty, Certainty::May, "{shell}: {label}");
        let reported = self.apply(&change).unwrap_or_else(|error| {
            panic!("{shell}: {label}: {error}\n{}", change.script.as_str())
        });
        assert_eq!(reported, changes, "{shell}: {label}\n{}", change.script.as_str());
        self.settled(&action, &state);
    }

    fn settled(&self, action: &impl Action, predicted: &NodeState) {
        let mut observed = self.observe(action);
        assert_eq!(
            predicted.contradictions(&observed),
            Vec::<String>::new(),
            "{}: {action:?}",
            self.shell
        );
        let again = action.plan(&mut observed).expect("it can be planned");
        assert!(again.is_none(), "{}: {action:?}: planned again {again:?}", self.shell);
        let left: Vec<_> = names(self.root.path())
            .into_iter()
            .filter(|name| name.starts_with(".pallet"))
            .collect();
        assert_eq!(left, Vec::<String>::new(), "{}: temporary files stay behind", self.shell);
    }

    /// Why the action cannot be planned for the current state of the place.
    fn refuses(&self, action: impl Action) -> String {
        let action = self.prepared(action);
        action.plan(&mut self.observe(&action)).expect_err("it cannot be planned").to_string()
    }

    fn fails(&self, action: impl Action) -> String {
        let action = self.prepared(action);
        let change = action
            .plan(&mut self.observe(&action))
            .expect("it can be planned")
            .expect("it has something to do");
        self.apply(&change).expect_err("it fails")
    }
}

fn names(directory: &Path) -> Vec<String> {
    fs::read_dir(directory)
        .expect("it is a directory")
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .collect()
}

impl Place {
    fn of(shell: Shell) -> Place {
        let temporary = || tempfile::tempdir().expect("a temporary directory");
        Place {
            shell,
            root: temporary(),
            incoming: temporary(),
            state: temporary(),
            project: Project(temporary()),
        }
    }
}

fn places() -> impl Iterator<Item = Place> {
    shells().into_iter().map(Place::of)
}

/// Names and contents that shells and the output of tools often get wrong.
const WEIRD: [&str; 6] = [
    "plain",
    "it's a \"quoted\" \u{fc}n\u{ef}c\u{f6}d\u{e9}",
    "new\nline\n",
    "back\\slash \\n \\",
    "-leading dash",
    "$HOME `id` $(id) %s *?[a] # ~",
];

fn mode(path: &str) -> u32 {
    fs::symlink_metadata(path).expect("it is there").permissions().mode() & 0o7777
}

#[test]
fn remote_file_of_any_name_and_content() {
    for place in places() {
        for weird in WEIRD {
            let path = place.path(weird);
            place.law(RemoteFile::content(&path, weird), true);
            assert_eq!(fs::read_to_string(&path).expect("it is there"), weird);
            assert_eq!(mode(&path), 0o644);
            place.law(RemoteFile::content(&path, weird), false);
            place.law_of_unknown(RemoteFile::content(&path, weird), false);
            place.law(RemoteFile::content(&path, "other\n").mode(0o4750), true);
            assert_eq!(mode(&path), 0o4750);
            place.law_of_unknown(RemoteFile::content(&path, weird), true);
            assert_eq!(
                (fs::read_to_string(&path).expect("it is there").as_str(), mode(&path)),
                (weird, 0o4750)
            );
        }
    }
}

#[test]
fn remote_file_of_any_size() {
    for place in places() {
        for (name, content) in [
            ("binary", b"\0\xff\n".repeat(300)),
            ("empty", Vec::new()),
            ("large", b"\0\xffabc".repeat(20_000)),
        ] {
            fs::write(place.project.0.path().join(name), &content).expect("it can be written");
            let path = place.path(name);
            place.law(RemoteFile::local_file(&path, name), true);
            assert_eq!(fs::read(&path).expect("it is there"), content);
            place.law_of_unknown(RemoteFile::local_file(&path, name), false);
        }
        fs::write(place.project.0.path().join("hello"), "hello {{ name }}\n")
            .expect("it can be written");
        let values =
            serde_json::json!({"name": "it's"}).as_object().cloned().expect("it is an object");
        place.law(RemoteFile::template(place.path("hello"), "hello", values), true);
        assert_eq!(fs::read_to_string(place.path("hello")).expect("it is there"), "hello it's\n");
        let large = "x\n".repeat(40_000);
        place.law_of_unknown(RemoteFile::content(place.path("text"), &large), true);
        assert_eq!(fs::read_to_string(place.path("text")).expect("it is there"), large);
    }
}

#[test]
fn remote_file_corrects_attributes_alone() {
    for place in places() {
        let path = place.path("file");
        place.law(RemoteFile::content(&path, "x"), true);
        let before = fs::metadata(&path).expect("it is there").modified().expect("it has a time");
        place.law(RemoteFile::content(&path, "x").mode(0o600), true);
        place.law_of_unknown(RemoteFile::content(&path, "x").mode(0o640), true);
        assert_eq!(
            fs::metadata(&path).expect("it is there").modified().expect("it has a time"),
            before
        );
    }
}

#[test]
fn remote_file_takes_the_place_of_a_link_and_not_of_what_it_points_to() {
    for place in places() {
        fs::write(place.path("target"), "old").expect("it can be written");
        symlink("target", place.path("link")).expect("it can be made");
        place.law(RemoteFile::content(place.path("link"), "new"), true);
        assert_eq!(fs::read_to_string(place.path("target")).expect("it is there"), "old");
    }
}

#[test]
fn remote_file_leaves_the_old_content_where_the_new_is_refused() {
    for place in places() {
        let path = place.path("it's");
        place.law(RemoteFile::content(&path, "old\n").verify("grep -q old"), true);
        let said = place.fails(RemoteFile::content(&path, "new\n").verify("grep -q old"));
        assert!(said.ends_with("it's was refused by: grep -q old\n"), "{said}");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "old\n");
        assert_eq!(names(place.root.path()), ["it's"], "{}", place.shell);
    }
}

#[test]
fn remote_file_needs_its_directory() {
    for place in places() {
        let action = place.prepared(RemoteFile::content(place.path("no/file"), ""));
        let error = action.plan(&mut place.observe(&action)).expect_err("there is none");
        assert!(error.to_string().starts_with("there is no directory "), "{error}");
        let change = action
            .plan(&mut NodeState::new(place.observe(&action).os))
            .expect("nothing is known")
            .expect("it may change");
        assert!(place.apply(&change).expect_err("it fails").starts_with("there is no directory "));
    }
}

#[test]
fn directory_of_any_name() {
    for place in places() {
        for weird in WEIRD {
            let path = place.path(weird);
            place.law(Directory::at(&path), true);
            place.law(Directory::at(&path).mode(0o1770), true);
            place.law(Directory::at(&path), false);
            place.law_of_unknown(Directory::at(&path), false);
            place.law_of_unknown(Directory::at(&path).mode(0o700), true);
            fs::write(format!("{path}/x"), "").expect("it can be written");
            place.law(Directory::at(&path).absent(), true);
            place.law_of_unknown(Directory::at(&path).absent(), false);
            place.law_of_unknown(Directory::at(format!("{path}/deep/er")), true);
        }
    }
}

#[test]
fn file_of_any_name() {
    for place in places() {
        for weird in WEIRD {
            let path = place.path(weird);
            place.law(File::at(&path), true);
            place.law_of_unknown(File::at(&path), false);
            fs::write(&path, "kept").expect("it can be written");
            place.law(File::at(&path).mode(0o600), true);
            place.law_of_unknown(File::at(&path).mode(0o400), true);
            assert_eq!(fs::read_to_string(&path).expect("it is there"), "kept");
            place.law(File::at(&path).absent(), true);
            place.law(File::at(&path).absent(), false);
            place.law_of_unknown(File::at(&path), true);
            place.law_of_unknown(File::at(&path).absent(), true);
        }
    }
}

#[test]
fn symbolic_link_of_any_name() {
    for place in places() {
        for weird in WEIRD {
            let path = place.path(weird);
            place.law(SymbolicLink::new(&path, weird), true);
            assert_eq!(fs::read_link(&path).expect("it is a link").to_str(), Some(weird));
            place.law(SymbolicLink::new(&path, weird), false);
            place.law_of_unknown(SymbolicLink::new(&path, weird), false);
            place.law(SymbolicLink::new(&path, "/"), true);
            place.law_of_unknown(SymbolicLink::new(&path, weird), true);
            place.law(SymbolicLink::new(&path, weird).absent(), true);
            fs::write(&path, "").expect("it can be written");
            place.law(SymbolicLink::new(&path, "/").force(), true);
        }
    }
}

#[test]
fn texts_run_in_any_interpreter() {
    for place in places() {
        for weird in WEIRD {
            let path = place.path(weird);
            let exec = || {
                Exec::new("printf '%s' \"$content\" >\"$file\"\n", "sh")
                    .env("content", weird)
                    .env("file", &path)
                    .cwd("/")
            };
            place.law(exec().creates(&path), true);
            place.law_of_unknown(exec().creates(&path), false);
            assert_eq!(fs::read_to_string(&path).expect("it ran"), weird);
        }
        let program = "import os\nopen(os.environ['file'], 'w').write('written')\n";
        if std::process::Command::new("python3").arg("--version").output().is_ok() {
            place.law(
                Exec::new(program, "python3")
                    .env("file", place.path("python"))
                    .creates(place.path("python")),
                true,
            );
        }
        assert_eq!(place.fails(Exec::new("exit 3", "sh")), "");
        assert_eq!(
            place.fails(Exec::new("x", "no-such-program")),
            "there is no no-such-program on this node; install it before\n"
        );
    }
}

#[test]
fn scripts_run_until_their_guards_say_otherwise() {
    for place in places() {
        for weird in WEIRD {
            let path = place.path(weird);
            let script = || {
                ExecScript::new("printf %s \"$content\" >\"$file\"")
                    .env("file", &path)
                    .env("content", weird)
                    .cwd("/")
            };
            place.law(script().creates(&path), true);
            place.law_of_unknown(script().creates(&path), false);
            assert_eq!(fs::read_to_string(&path).expect("it ran"), weird);
            fs::remove_file(&path).expect("it is there");
            place.law_of_unknown(script().unless("test -e \"$file\""), true);
            place.law(script().only_if("! test -e \"$file\""), false);
            place.law_of_unknown(script().only_if("! test -e \"$file\""), false);
        }
        let said = place.fails(ExecCheckedScript::new("it's named", "false; true"));
        assert_eq!(said, "it's named: the script failed\n");
    }
}
