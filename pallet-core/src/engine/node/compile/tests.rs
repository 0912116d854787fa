//! What a script leaves behind when it is killed, and how the next run cleans up.

mod turns;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use super::{cleaning, compile};
use crate::action::{Action, BlockRole, Declared, ExecScript, InBlock, Options, RemoteFile};
use crate::engine::declare::Directory;
use crate::engine::node::phase_plan::tests::planned;
use crate::script::Library;

const STATE: &str = "/var/lib/pallet";

/// A directory for files, one in place of /var/lib/pallet, and one for programs that come first in
/// `PATH`.
struct Sandbox {
    shell: Vec<&'static str>,
    files: TempDir,
    state: TempDir,
    programs: TempDir,
}

fn places() -> Vec<Sandbox> {
    let shells: [&[&str]; 3] = [&["sh"], &["bash", "--posix"], &["busybox", "sh"]];
    let there = |shell: &&[&str]| {
        Command::new(shell[0])
            .args(&shell[1..])
            .args(["-c", ":"])
            .status()
            .is_ok_and(|status| status.success())
    };
    let temporary = || tempfile::tempdir().expect("a temporary directory");
    let place = |shell: &[&'static str]| Sandbox {
        shell: shell.to_vec(),
        files: temporary(),
        state: temporary(),
        programs: temporary(),
    };
    shells.iter().filter(|shell| there(shell)).map(|shell| place(shell)).collect()
}

impl Sandbox {
    fn at(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    fn kept(&self, name: &str) -> PathBuf {
        self.state.path().join(name)
    }

    /// The script that applies these actions, without checking the current state.
    fn script(&self, declared: &[Declared], later: &[&str], leftovers: bool) -> String {
        let plan = planned(declared, later, leftovers);
        let token = "pallet-0123456789abcdef";
        compile(&plan, token, &Library::default()).expect("it can be compiled").script
    }

    fn start(&self, script: &str) -> Child {
        let path = format!(
            "{}:{}",
            self.programs.path().display(),
            std::env::var("PATH").unwrap_or_default()
        );
        let mut command = Command::new(self.shell[0]);
        command.args(&self.shell[1..]).env("PATH", path).process_group(0);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the shell starts");
        let script = script.replace(STATE, self.state.path().to_str().expect("it is UTF-8"));
        child.stdin.take().expect("it is piped").write_all(script.as_bytes()).expect("it is read");
        child
    }

    fn run(&self, script: &str) -> Output {
        self.start(script).wait_with_output().expect("it ends")
    }

    /// Temporary entries that still exist.
    fn left(&self) -> Vec<String> {
        let mut left = names(self.files.path());
        left.retain(|name| name.starts_with(".pallet"));
        left.extend(names(&self.kept("incoming")));
        left.extend(names(&self.kept("flags")).into_iter().filter(|name| name.starts_with(".log")));
        left
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .collect()
}

fn file(place: &Sandbox, name: &str, content: &str, flag: Option<&str>) -> Declared {
    let mut file = RemoteFile::content(place.at(name).to_str().expect("it is UTF-8"), content)
        .overwrite_changes();
    file.prepare(&Directory::at(place.files.path().to_owned())).expect("the arguments are right");
    let mut declared = Declared::of(file);
    declared.options.flag_on_change = flag.map(str::to_owned);
    declared
}

#[test]
fn a_flag_is_there_when_the_change_itself_kills_the_script() {
    for place in places() {
        let mv = place.programs.path().join("mv");
        fs::write(&mv, "#!/bin/sh\nPATH=/usr/bin:/bin\nmv \"$@\"\nkill -9 0\n").unwrap();
        fs::set_permissions(&mv, fs::Permissions::from_mode(0o755)).unwrap();
        place.run(&place.script(&[file(&place, "a", "new\n", Some("f"))], &["f"], false));
        assert_eq!(fs::read_to_string(place.at("a")).unwrap(), "new\n", "{:?}", place.shell);
        assert!(place.kept("flags/f").exists(), "{:?}", place.shell);
    }
}

#[test]
fn a_flag_is_taken_back_where_nothing_was_changed() {
    for place in places() {
        let script = place.script(&[file(&place, "a", "new\n", Some("f"))], &["f"], false);
        let output = place.run(&script);
        assert!(output.status.success(), "{:?}: {output:?}", place.shell);
        assert!(place.kept("flags/f").exists(), "{:?}", place.shell);
        // a flag that was set before stays, whether or not this changes anything
        assert!(
            place.run(&script).status.success() && place.kept("flags/f").exists(),
            "{:?}",
            place.shell
        );
        fs::remove_file(place.kept("flags/f")).unwrap();
        assert!(
            place.run(&script).status.success() && !place.kept("flags/f").exists(),
            "{:?}",
            place.shell
        );
    }
}

#[test]
fn new_files_are_put_in_place_together_where_nothing_is_known_of_them() {
    for place in places() {
        let script = place.script(
            &["a", "b", "c"].map(|name| file(&place, name, "new\n", None)),
            &[],
            false,
        );
        assert_eq!(script.matches("\nbatch_begin\n").count(), 1);
        // an impossible path fails the script; the files before it are in place anyway
        fs::create_dir(place.at("b")).unwrap();
        let output = place.run(&script);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            !output.status.success() && said.contains("end 0 0") && said.contains("end 1 1"),
            "{:?}: {output:?}",
            place.shell
        );
        assert!(place.at("a").exists() && !place.at("c").exists(), "{:?}", place.shell);
        fs::remove_dir(place.at("b")).unwrap();
        assert!(place.run(&script).status.success(), "{:?}", place.shell);
        assert!(
            ["a", "b", "c"]
                .iter()
                .all(|name| fs::read_to_string(place.at(name)).unwrap() == "new\n"),
            "{:?}",
            place.shell
        );
        assert!(place.left().is_empty(), "{:?}", place.left());
    }
}

/// 1,000 kills over all shells.
#[test]
fn a_thousand_kills_lose_no_flag_and_leave_nothing_behind() {
    let places = places();
    let rounds = 1000usize.div_ceil(places.len());
    for place in &places {
        let (mut changed, mut left) = (0, 0);
        let started = Instant::now();
        for round in 0..5 {
            assert!(
                place
                    .run(&place.script(
                        &[file(place, "a", &format!("before {round}\n"), Some("f"))],
                        &[],
                        false
                    ))
                    .status
                    .success()
            );
        }
        let took = started.elapsed() / 4;
        for round in 0..rounds {
            let content = format!("{round}\n");
            let script =
                place.script(&[file(place, "a", &content, Some("f"))], &["f"], round % 2 == 0);
            let mut child = place.start(&script);
            // from before the first command to after the last one
            std::thread::sleep(took.mul_f64((round * 7919 % 1000) as f64 / 1000.0));
            let group = rustix::process::Pid::from_child(&child);
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            child.wait().expect("it ends");
            left += place.left().len();
            if fs::read_to_string(place.at("a")).is_ok_and(|found| found == content) {
                changed += 1;
                assert!(
                    place.kept("flags/f").exists(),
                    "{:?}: the flag of round {round} is lost",
                    place.shell
                );
            }
            let _ = fs::remove_file(place.kept("flags/f"));
        }
        assert!(changed > 0 && changed < rounds, "{:?}: {changed} of {rounds}", place.shell);
        assert!(
            place.run(&cleaning(&Library::default(), "root", &BTreeSet::new())).status.success()
        );
        assert_eq!(
            place.left(),
            Vec::<String>::new(),
            "{:?}, which left {left} before",
            place.shell
        );
        assert_eq!(fs::read(place.kept("temporaries")).unwrap(), b"", "{:?}", place.shell);
    }
}

#[test]
fn what_is_cleaned_is_what_was_made_and_nothing_that_a_user_puts_in_its_place() {
    for place in places() {
        let own = |name: &str| {
            fs::DirBuilder::new().mode(0o700).create(place.at(name)).unwrap();
            fs::create_dir(place.at(name).join("deep")).unwrap();
            fs::write(place.at(name).join("deep/.file"), "x").unwrap();
        };
        own(".pallet.pallet-1");
        own("treasure");
        own("elsewhere");
        own("elsewhere/.pallet.pallet-5");
        fs::write(place.at(".pallet.pallet-2"), "half").unwrap();
        symlink("treasure", place.at(".pallet.pallet-3")).unwrap();
        own(".pallet.pallet-4");
        fs::set_permissions(place.at(".pallet.pallet-4"), fs::Permissions::from_mode(0o755))
            .unwrap();
        symlink("treasure", place.at("link")).unwrap();
        let recorded = [
            ".pallet.pallet-1",
            ".pallet.pallet-2",
            ".pallet.pallet-3",
            ".pallet.pallet-4",
            "treasure",
            "link/deep",
            "none/.pallet.x",
        ];
        let lines: String =
            recorded.iter().map(|name| format!("{}\n", place.at(name).display())).collect();
        fs::create_dir_all(place.kept("flags")).unwrap();
        fs::create_dir_all(place.kept("incoming")).unwrap();
        for name in ["flags/.log.0.1", "incoming/aa", "incoming/bb.part", "written.new"] {
            fs::write(place.kept(name), "").unwrap();
        }
        fs::write(place.kept("flags/f"), "").unwrap();
        fs::write(place.kept("temporaries"), lines).unwrap();
        let output = place.run(&cleaning(&Library::default(), "root", &BTreeSet::new()));
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{:?}: {output:?}",
            place.shell
        );
        let mut found = names(place.files.path());
        found.sort();
        assert_eq!(
            found,
            [".pallet.pallet-4", "elsewhere", "link", "treasure"],
            "{:?}",
            place.shell
        );
        for kept in [
            "treasure/deep/.file",
            ".pallet.pallet-4/deep/.file",
            "elsewhere/.pallet.pallet-5/deep/.file",
        ] {
            assert!(place.at(kept).exists(), "{:?}: {kept}", place.shell);
        }
        // an upload in progress is not removed
        assert_eq!(names(&place.kept("incoming")), ["bb.part"], "{:?}", place.shell);
        assert_eq!(names(&place.kept("flags")), ["f"], "{:?}", place.shell);
        assert!(!place.kept("written.new").exists(), "{:?}", place.shell);
    }
}

#[test]
fn what_held_a_secret_is_marked_and_not_kept() {
    for place in places() {
        let write = |content: &str, secret: bool| {
            let mut declared = file(&place, "a", content, None);
            declared.secret = secret.then(|| "a".to_owned());
            let output = place.run(&place.script(&[declared], &[], false));
            assert!(output.status.success(), "{:?}: {output:?}", place.shell);
        };
        let versions = || {
            let directory =
                format!("{}{}", place.kept("versions").display(), place.files.path().display());
            let mut found: Vec<_> = names(Path::new(&directory));
            found.sort();
            found
                .iter()
                .map(|name| fs::read_to_string(Path::new(&directory).join(name)).unwrap())
                .collect::<Vec<_>>()
        };
        write("one\n", false);
        write("two\n", false);
        assert_eq!(versions(), ["one\n"], "{:?}", place.shell);
        write("hunter2\n", true);
        assert_eq!(
            fs::metadata(place.kept("secrets")).unwrap().permissions().mode() & 0o777,
            0o600
        );
        write("three\n", false);
        assert_eq!(versions(), ["one\n"], "{:?}: the secret is kept", place.shell);
        write("four\n", false);
        assert_eq!(
            versions(),
            ["one\n", "three\n"],
            "{:?}: there is no secret in it any more",
            place.shell
        );
        // the same content is a secret wherever it is used again
        fs::write(place.at("a"), "hunter2\n").unwrap();
        write("five\n", false);
        assert_eq!(versions(), ["one\n", "three\n"], "{:?}", place.shell);
        let lines = fs::read_to_string(place.kept("secrets")).unwrap();
        assert_eq!(lines.lines().count(), 2, "{lines}");
    }
}

#[test]
fn a_failure_has_words() {
    for place in places() {
        fs::create_dir(place.at("a")).unwrap();
        let output = place.run(&place.script(&[file(&place, "a", "new\n", None)], &[], false));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let reason =
            format!("\npallet-0123456789abcdef reason {} is not a file", place.at("a").display());
        assert!(said.contains(&reason), "{:?}: {said}", place.shell);
    }
}

/// Commands in the parts of blocks, each with its block numbers and roles.
/// A script, the parts of blocks that it is in, and its options.
type InBlocks<'a> = (&'a str, &'a [(usize, BlockRole)], Options);

fn commands(place: &Sandbox, all: &[InBlocks<'_>]) -> String {
    let declared: Vec<_> = all
        .iter()
        .map(|(command, blocks, options)| {
            let blocks = blocks
                .iter()
                .map(|(id, role)| InBlock { id: *id, role: *role, rescued: *id < 10 })
                .collect();
            let action =
                ExecScript::new(command.replace("DIR", &place.files.path().display().to_string()));
            Declared { blocks, options: options.clone(), ..Declared::of(action) }
        })
        .collect();
    place.script(&declared, &[], false)
}

/// The frames that a script prints, without the token, and whether it succeeded.
fn frames(place: &Sandbox, script: &str) -> (Vec<String>, bool) {
    let output = place.run(script);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let frames = said.lines().filter_map(|line| line.strip_prefix("pallet-0123456789abcdef "));
    let frames = frames.filter(|line| !line.starts_with("changed"));
    (frames.map(str::to_owned).collect(), output.status.success())
}

const BODY: BlockRole = BlockRole::Body;
const RESCUE: BlockRole = BlockRole::Rescue;
const ALWAYS: BlockRole = BlockRole::Always;

#[test]
fn a_block_is_rescued() {
    let plain = Options::new;
    for place in places() {
        let block = |first: &str, then: &str, always: &str| {
            let all = [
                (first, &[(0, BODY)][..], plain()),
                ("true", &[(0, BODY)], plain()),
                (then, &[(0, RESCUE)], plain()),
                (always, &[(0, ALWAYS)], plain()),
                ("true", &[], plain()),
            ];
            frames(&place, &commands(&place, &all))
        };
        let (seen, done) = block("true", "true", "true");
        let all = "begin 0, end 0 0, begin 1, end 1 0, begin 3, end 3 0, begin 4, end 4 0, done";
        assert_eq!((seen.join(", ").as_str(), done), (all, true), "{:?}", place.shell);
        let (seen, done) = block("exit 7", "true", "true");
        let all = "begin 0, end 0 7, begin 2, end 2 0, rescued 0, begin 3, end 3 0, begin 4, \
            end 4 0, done";
        assert_eq!((seen.join(", ").as_str(), done), (all, true), "{:?}", place.shell);
        let (seen, done) = block("exit 7", "exit 8", "true");
        let all = "begin 0, end 0 7, begin 2, end 2 8, begin 3, end 3 0";
        assert_eq!((seen.join(", ").as_str(), done), (all, false), "{:?}", place.shell);
        let (seen, done) = block("exit 7", "true", "exit 9");
        let all = "begin 0, end 0 7, begin 2, end 2 0, rescued 0, begin 3, end 3 9";
        assert_eq!((seen.join(", ").as_str(), done), (all, false), "{:?}", place.shell);
    }
}

#[test]
fn blocks_within_blocks() {
    let plain = Options::new;
    for place in places() {
        let nested = |inner: &str, rescue: &str| {
            let all = [
                ("true", &[(0, BODY)][..], plain()),
                (inner, &[(0, BODY), (1, BODY)], plain()),
                (rescue, &[(0, BODY), (1, RESCUE)], plain()),
                ("true", &[(0, BODY), (1, ALWAYS)], plain()),
                ("true", &[(0, BODY)], plain()),
                // a block without a rescue
                ("true", &[(0, RESCUE), (10, BODY)], plain()),
                ("true", &[(0, RESCUE), (10, ALWAYS)], plain()),
                ("true", &[(0, ALWAYS)], plain()),
            ];
            let (seen, done) = frames(&place, &commands(&place, &all));
            let ended = seen.iter().filter(|line| line.starts_with("end") || line.contains("resc"));
            (ended.map(|line| line.replace("end ", "")).collect::<Vec<_>>().join(", "), done)
        };
        let (seen, done) = nested("exit 7", "true");
        assert_eq!((seen.as_str(), done), ("0 0, 1 7, 2 0, rescued 1, 3 0, 4 0, 7 0", true));
        let (seen, done) = nested("exit 7", "exit 8");
        assert_eq!((seen.as_str(), done), ("0 0, 1 7, 2 8, 3 0, 5 0, 6 0, rescued 0, 7 0", true));
    }
}

#[test]
fn what_is_ignored_and_what_is_rescued_sets_no_flag_and_is_not_recorded() {
    let flag = |name: &str| Options::new().flag_on_change(name);
    for place in places() {
        fs::create_dir_all(place.kept("flags")).unwrap();
        let all = [
            ("exit 7", &[][..], flag("a").ignore_errors()),
            ("exit 0", &[(0, BODY)], flag("b")),
            ("exit 8", &[(0, BODY)], flag("c")),
            ("echo x >DIR/ran", &[(0, BODY)], Options::new().if_flag("b")),
            ("true", &[(0, RESCUE)], Options::new()),
            ("ls /var/lib/pallet/flags >DIR/flags", &[], Options::new()),
        ];
        let (seen, done) = frames(&place, &commands(&place, &all));
        assert!(done, "{:?}: {seen:?}", place.shell);
        assert!(!place.at("ran").exists());
        assert_eq!(fs::read_to_string(place.at("flags")).unwrap(), "b\n", "{:?}", place.shell);
        // what waited for it was skipped: the next run does it
        assert_eq!(names(&place.kept("flags")), ["b"], "{:?}", place.shell);
        let marks = fs::read_to_string(place.kept("applied/configure")).unwrap();
        // only the last action was applied for sure
        assert_eq!(marks.lines().count(), 1, "{:?}: {marks}", place.shell);
    }
}

#[test]
fn a_block_that_fails_keeps_the_flags_of_what_failed() {
    for place in places() {
        let all = [
            ("exit 7", &[(0, BODY)][..], Options::new().flag_on_change("a")),
            ("exit 8", &[(0, RESCUE)], Options::new()),
        ];
        let (seen, done) = frames(&place, &commands(&place, &all));
        assert!(!done, "{:?}: {seen:?}", place.shell);
        assert_eq!(names(&place.kept("flags")), ["a"], "{:?}", place.shell);
    }
}

#[test]
fn a_part_with_a_timeout() {
    for place in places() {
        let all = [
            ("echo in time", &[][..], Options::new().timeout(60)),
            ("sleep 7790", &[], Options::new().timeout(1).ignore_errors()),
            ("true", &[], Options::new()),
        ];
        let script = commands(&place, &all);
        let (seen, done) = frames(&place, &script);
        let all = "begin 0, end 0 0, begin 1, reason it ran longer than its timeout of 1 s, \
            end 1 1, begin 2, end 2 0, done";
        assert_eq!((seen.join(", ").as_str(), done), (all, true), "{:?}", place.shell);
    }
}
