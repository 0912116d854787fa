//! What an attacker does to his own directory while root works in it: replaces entries with links,
//! as fast as he can.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::process::{Gid, Uid};

use super::super::{AuthorizedKey, Fifo, GitCheckout, LineInFile, RemoteDirectory, Rsync};
use super::*;

const KEY: &str = "ssh-ed25519 \
    AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a";

/// The attacker's user; a thread of this process switches to it.
const ATTACKER: u32 = 1;

/// All observable properties of root's files.
fn snapshot(directory: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        let data = fs::symlink_metadata(&path).expect("it is there");
        let content = if data.is_file() {
            fs::read_to_string(&path).expect("it can be read")
        } else {
            String::new()
        };
        let said =
            format!("{:o} {}:{} {} {content}", data.mode(), data.uid(), data.gid(), data.nlink());
        if data.is_dir() {
            open.extend(
                fs::read_dir(&path)
                    .expect("it is a directory")
                    .map(|entry| entry.expect("it can be read").path()),
            );
        }
        found.insert(path, said);
    }
    found
}

/// An attacker with a directory of his own, `yard`, and his target, `vault`.
struct Attack {
    vault: PathBuf,
    before: BTreeMap<PathBuf, String>,
    stop: Arc<AtomicBool>,
    exchanged: Arc<AtomicU64>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Attack {
    fn begin(place: &Place) -> Attack {
        fs::set_permissions(place.root.path(), fs::Permissions::from_mode(0o711))
            .expect("it is ours");
        let (yard, vault) = (place.path("yard"), PathBuf::from(place.path("vault")));
        fs::create_dir_all(vault.join("sub/deep")).expect("it can be made");
        for name in ["file", "lines", "keys", "gone", "sub/deep/file", "bin", "touched"] {
            fs::write(vault.join(name), "secret\n").expect("it can be written");
            fs::set_permissions(vault.join(name), fs::Permissions::from_mode(0o600))
                .expect("it is ours");
        }
        fs::set_permissions(&vault, fs::Permissions::from_mode(0o700)).expect("it is ours");
        fs::create_dir_all(format!("{yard}/spot")).expect("it can be made");
        symlink(&vault, format!("{yard}/link")).expect("it can be made");
        for leaf in ["leaf", "lines"] {
            fs::write(format!("{yard}/{leaf}"), "mine\n").expect("it can be written");
            symlink(vault.join("file"), format!("{yard}/{leaf}.link")).expect("it can be made");
        }
        for path in
            [yard.clone(), format!("{yard}/spot"), format!("{yard}/leaf"), format!("{yard}/lines")]
        {
            chown(path, Some(ATTACKER), Some(ATTACKER)).expect("we are root");
        }
        for link in ["link", "leaf.link", "lines.link"] {
            std::os::unix::fs::lchown(format!("{yard}/{link}"), Some(ATTACKER), Some(ATTACKER))
                .expect("we are root");
        }
        let before = snapshot(&vault);
        let (stop, exchanged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let thread = std::thread::spawn({
            let (yard, stop, exchanged) = (yard.clone(), stop.clone(), exchanged.clone());
            move || {
                rustix::thread::set_thread_groups(&[]).expect("we are root");
                rustix::thread::set_thread_res_gid(
                    Gid::from_raw(ATTACKER),
                    Gid::from_raw(ATTACKER),
                    Gid::from_raw(ATTACKER),
                )
                .expect("we are root");
                rustix::thread::set_thread_res_uid(
                    Uid::from_raw(ATTACKER),
                    Uid::from_raw(ATTACKER),
                    Uid::from_raw(ATTACKER),
                )
                .expect("we are root");
                assert!(
                    fs::read_dir(format!("{yard}/link")).is_err(),
                    "he cannot look into the vault"
                );
                while !stop.load(Ordering::Relaxed) {
                    for (one, other) in
                        [("spot", "link"), ("leaf", "leaf.link"), ("lines", "lines.link")]
                    {
                        let at = |name: &str| format!("{yard}/{name}");
                        // root may have put something else there meanwhile
                        if renameat_with(CWD, at(one), CWD, at(other), RenameFlags::EXCHANGE)
                            .is_ok()
                        {
                            exchanged.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    // so that root has something to do
                    if exchanged.load(Ordering::Relaxed) % 97 == 0 {
                        for name in ["file", "lines", "keys", "pipe", "l", "bin", "new1"] {
                            let _ = fs::remove_file(format!("{yard}/spot/{name}"));
                        }
                    }
                    // now and then he pauses, so that root feels safe
                    let tired = exchanged.load(Ordering::Relaxed) % 144 < 3;
                    std::thread::sleep(std::time::Duration::from_micros(if tired {
                        120_000
                    } else {
                        200
                    }));
                }
            }
        });
        Attack { vault, before, stop, exchanged, thread: Some(thread) }
    }

    fn end(mut self, label: &str) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("it was begun").join().expect("the attacker did what he could");
        assert!(self.exchanged.load(Ordering::Relaxed) > 100, "{label}: the attacker did nothing");
        assert_eq!(snapshot(&self.vault), self.before, "{label}: what is root's was changed");
    }
}

/// Runs each script this many times, as the engine does. Returns how often each succeeded, and
/// their errors.
fn rounds(
    place: &Place,
    count: usize,
    scripts: &[(String, String)],
) -> (BTreeMap<String, usize>, String) {
    let all: String = scripts.iter().map(|(_, script)| script.as_str()).collect();
    let mut text = format!(
        "{{\nuid=0\ntoken={TOKEN}\n{}\nincoming={}\nround=0\n\
        while [ \"$round\" -lt {count} ]; do\nround=$((round + 1))\n",
        library_for(&format!("{all}\nbatch_begin")),
        place.incoming.path().display()
    );
    for (name, script) in scripts {
        text += &format!(
            "( set -e; change= drift=\n{script}\n) </dev/null 3>&1 >/dev/null\n\
            [ \"$?\" != 0 ] || echo 'held {name}'\n"
        );
    }
    let output = place.run(&format!("{text}\ndone\n}}\n"));
    let mut held = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some(name) = line.strip_prefix("held ") {
            *held.entry(name.to_owned()).or_default() += 1;
        }
    }
    (held, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn script(place: &Place, action: impl Action) -> String {
    let action = place.prepared(action);
    let change = action
        .plan(&mut NodeState::new(place.observe(&action).os))
        .expect("it can be planned")
        .expect("it may change");
    for upload in &change.uploads {
        let content = match &upload.source {
            UploadSource::Bytes(bytes) => bytes.to_vec(),
            UploadSource::File(path) => fs::read(path).expect("it was there when it was prepared"),
            UploadSource::LeftOut { .. } => panic!("a plan that was not written has it"),
        };
        fs::write(place.incoming.path().join(&upload.digest), content).expect("it can be written");
    }
    change.script.as_str().to_owned()
}

fn scripts(place: &Place, yard: &str) -> Vec<(String, String)> {
    let at = |name: &str| format!("{yard}/{name}");
    let project = place.project.0.path();
    fs::create_dir_all(project.join("app/sub/deep")).expect("it can be made");
    fs::write(project.join("app/bin"), "of the archive\n").expect("it can be written");
    fs::write(project.join("app/sub/deep/file"), "of the archive\n").expect("it can be written");
    let packed = std::process::Command::new("tar")
        .args(["-cf", "../app.tar", "bin", "sub/deep/file"])
        .current_dir(project.join("app"))
        .status();
    assert!(packed.is_ok_and(|status| status.success()));
    let unpack = |path: &str| {
        format!(
            "rm -rf \"{STATE}/unpacked\"\n{}",
            script(place, RemoteDirectory::local_file(path, "app.tar").owner("daemon"))
        )
    };
    let origin = place.path("origin");
    let identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"];
    fs::create_dir_all(&origin).expect("it can be made");
    for words in
        [vec!["init", "-q", "-b", "main"], vec!["commit", "-q", "--allow-empty", "-m", "one"]]
    {
        let made = std::process::Command::new("git")
            .args(identity)
            .args(words)
            .current_dir(&origin)
            .status();
        assert!(made.is_ok_and(|status| status.success()));
    }
    let new = |name: &str| {
        script(place, RemoteFile::content(at(name), "new\n").owner("daemon").mode(0o666))
    };
    let key = || AuthorizedKey::new("daemon", KEY).path(at("spot/keys"));
    [
        (
            "remote_file",
            script(
                place,
                RemoteFile::content(at("spot/file"), "new\n")
                    .owner("daemon")
                    .mode(0o666)
                    .overwrite_changes(),
            ),
        ),
        (
            "remote_file of the name",
            script(
                place,
                RemoteFile::content(at("leaf"), "new\n")
                    .owner("daemon")
                    .mode(0o666)
                    .overwrite_changes(),
            ),
        ),
        ("attributes", script(place, File::at(at("lines")).owner("daemon").mode(0o666))),
        (
            "batch",
            format!("part=1\nbatch_begin\n{}{}batch_end\n", new("spot/new1"), new("spot/new2")),
        ),
        (
            "line_in_file",
            script(
                place,
                LineInFile::new(at("spot/lines"), "line").create().owner("daemon").mode(0o666),
            ),
        ),
        ("line_in_file of the name", script(place, LineInFile::new(at("lines"), "line").create())),
        ("authorized_key", script(place, key())),
        ("directory", script(place, Directory::at(at("spot")).owner("daemon").mode(0o777))),
        (
            "directory below",
            script(place, Directory::at(at("spot/sub/deep")).owner("daemon").mode(0o777)),
        ),
        ("all that is in it", script(place, Directory::at(yard).owner("daemon").recursive())),
        ("remote_directory", unpack(&at("spot"))),
        ("rsync", script(place, Rsync::new("app", at("spot")).delete().exclude(["keys"]))),
        ("symbolic_link", script(place, SymbolicLink::new(at("spot/l"), "/nowhere").force())),
        ("file absent", script(place, File::at(at("spot/gone")).absent())),
        ("directory absent", script(place, Directory::at(at("spot/sub")).absent())),
        ("touch", script(place, File::at(at("spot/touched")).touch().owner("daemon"))),
        (
            "git_checkout",
            script(place, GitCheckout::new(format!("file://{origin}"), at("spot/checkout"))),
        ),
        ("fifo", script(place, Fifo::at(at("spot/pipe")).mode(0o666))),
    ]
    .map(|(name, script)| (name.to_owned(), script))
    .into()
}

#[test]
#[ignore = "needs root"]
fn links_that_are_exchanged_meanwhile_lead_nowhere() {
    for place in places() {
        // this was first verified with PALLET_LAW_ROUNDS=500
        let most = std::env::var("PALLET_LAW_ROUNDS")
            .ok()
            .and_then(|rounds| rounds.parse().ok())
            .unwrap_or(60);
        let count = if place.shell.to_string() == "sh" { most } else { 10 };
        let yard = place.path("yard");
        let scripts = scripts(&place, &yard);
        let attack = Attack::begin(&place);
        let (mut held, mut said) = rounds(&place, count, &scripts);
        // git works with path names, but as the attacker himself, who can only harm his own files
        let mut left = scripts;
        left.retain(|(name, _)| name != "git_checkout" && !held.contains_key(name));
        // success is up to chance: scripts that never succeeded get more rounds, on their own
        for _ in 0..20 {
            if left.is_empty() || count < 60 {
                break;
            }
            let (more, also_said) = rounds(&place, count, &left);
            left.retain(|(name, _)| !more.contains_key(name));
            held.extend(more);
            said += &also_said;
        }
        attack.end(&place.shell.to_string());
        assert!(
            left.is_empty() || count < 60,
            "{}: {:?} never came through: {held:?}\n{}",
            place.shell,
            left.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            &said[said.len().saturating_sub(2000)..]
        );
        let said: Vec<_> = said
            .lines()
            .filter(|line| line.contains("not found") || line.contains("yntax"))
            .collect();
        assert!(said.is_empty(), "{}: {said:?}", place.shell);
        let left: Vec<_> = [yard.clone(), format!("{yard}/spot"), format!("{yard}/link")]
            .iter()
            .filter_map(|directory| fs::read_dir(directory).ok())
            .flatten()
            .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with(".pallet"))
            .collect();
        assert_eq!(left, Vec::<String>::new(), "{}", place.shell);
    }
}

#[test]
#[ignore = "needs root"]
fn a_link_that_another_user_made_is_refused() {
    for place in places() {
        let yard = place.path("yard");
        let mut scripts = scripts(&place, &yard);
        let attack = Attack::begin(&place);
        attack.stop.store(true, Ordering::Relaxed);
        let Attack { thread, vault, before, .. } = attack;
        thread.expect("it was begun").join().expect("it ended");
        // whichever it is at this moment
        if fs::symlink_metadata(format!("{yard}/spot")).expect("it is there").is_dir() {
            renameat_with(
                CWD,
                format!("{yard}/spot"),
                CWD,
                format!("{yard}/link"),
                RenameFlags::EXCHANGE,
            )
            .expect("we are root");
        }
        scripts.push((
            "mount".to_owned(),
            format!("ensure_mounted {yard}/spot/mount {yard}/spot/mount tmpfs tmpfs defaults\n"),
        ));
        let (held, said) = rounds(&place, 1, &scripts);
        assert_eq!(snapshot(&vault), before, "{}", place.shell);
        for (name, script) in &scripts {
            let through = script.contains("/spot");
            assert!(
                !through || !held.contains_key(name),
                "{}: {name} came through\n{said}",
                place.shell
            );
        }
        assert!(
            said.contains("of another user (uid 1), which is not followed; name where it leads"),
            "{said}"
        );
        // root's own links are followed within the directory, but not out of it
        let link = |target: &str| {
            let _ = fs::remove_file(format!("{yard}/mine"));
            symlink(target, format!("{yard}/mine")).expect("it can be made");
        };
        fs::create_dir(format!("{yard}/v1")).expect("it can be made");
        link("v1");
        let change = |place: &Place| {
            place.apply(&Change::will(
                "test",
                crate::script::Script::new()
                    .raw(&script(place, RemoteFile::content(format!("{yard}/mine/file"), "new\n"))),
            ))
        };
        assert_eq!(change(&place), Ok(true));
        assert_eq!(fs::read_to_string(format!("{yard}/v1/file")).expect("it is there"), "new\n");
        link(vault.to_str().expect("it is UTF-8"));
        assert!(change(&place).expect_err("it leads elsewhere").contains("leads through the link"));
        assert_eq!(snapshot(&vault), before, "{}", place.shell);
    }
}

/// A hard link that another user made to root's file, if the kernel allows it.
#[test]
#[ignore = "needs root"]
fn a_hard_link_to_a_file_of_another_user_is_refused() {
    for place in places() {
        let (yard, vault) = (place.path("yard"), place.path("vault"));
        fs::create_dir(&yard).expect("it can be made");
        chown(&yard, Some(ATTACKER), None).expect("we are root");
        fs::write(&vault, "secret\n").expect("it can be written");
        fs::hard_link(&vault, format!("{yard}/file")).expect("it can be made");
        for action in [
            script(&place, File::at(format!("{yard}/file")).owner("daemon").mode(0o666)),
            script(&place, LineInFile::new(format!("{yard}/file"), "line").owner("daemon")),
            script(&place, RemoteFile::copy(place.path("copy"), format!("{yard}/file"))),
        ] {
            let said = place
                .apply(&Change::will("test", crate::script::Script::new().raw(&action)))
                .expect_err("it is refused");
            assert!(said.contains("is a hard link to a file of another user"), "{said}");
        }
        let data = fs::metadata(&vault).expect("it is there");
        assert_eq!((data.uid(), data.mode() & 0o777, data.nlink()), (0, 0o644, 2));
        assert_eq!(names(Path::new(&yard)), ["file"], "{}", place.shell);
    }
}

/// The archive of a crate that may only change its own directory contains a link that leads out of
/// it.
#[test]
#[ignore = "needs root"]
fn fault_33_links_of_an_archive_lead_nowhere() {
    for place in places() {
        let (vault, app) = (place.path("vault"), place.path("app"));
        fs::create_dir(&vault).expect("it can be made");
        fs::write(format!("{vault}/file"), "secret\n").expect("it can be written");
        fs::set_permissions(format!("{vault}/file"), fs::Permissions::from_mode(0o600))
            .expect("it is ours");
        let project = place.project.0.path();
        for of in ["one", "two"] {
            fs::create_dir_all(project.join(of).join("v1/deep")).expect("it can be made");
        }
        symlink(&vault, project.join("one/out")).expect("it can be made");
        symlink(format!("{vault}/file"), project.join("one/leaf")).expect("it can be made");
        symlink("../../../vault", project.join("one/v1/deep/up")).expect("it can be made");
        symlink("v1/../../vault", project.join("one/through")).expect("it can be made");
        symlink("v1", project.join("one/current")).expect("it can be made");
        symlink("../../v1", project.join("one/v1/deep/within")).expect("it can be made");
        fs::create_dir_all(project.join("two/out")).expect("it can be made");
        fs::write(project.join("two/out/file"), "of the archive\n").expect("it can be written");
        for of in ["one", "two"] {
            let packed = std::process::Command::new("tar")
                .args(["-cf", &format!("../{of}.tar"), "."])
                .current_dir(project.join(of))
                .status();
            assert!(packed.is_ok_and(|status| status.success()));
        }
        let before = snapshot(Path::new(&vault));
        place.law(RemoteDirectory::local_file(&app, "one.tar"), true);
        let owner =
            |name: &str| fs::symlink_metadata(format!("{app}/{name}")).expect("it is there").uid();
        assert_eq!(
            ["out", "leaf", "through", "v1/deep/up", "current", "v1/deep/within"].map(owner),
            [65534, 65534, 65534, 65534, 0, 0],
            "{}",
            place.shell
        );
        for name in ["out", "through", "v1/deep/up"] {
            let said =
                place.fails(RemoteFile::content(format!("{app}/{name}/file"), "new\n").mode(0o666));
            assert!(
                said.contains("of another user (uid 65534), which is not followed"),
                "{}: {said}",
                place.shell
            );
        }
        // planned from an unknown state, so the node decides
        let copy = script(&place, RemoteFile::copy(place.path("copy"), format!("{app}/leaf")));
        let said = place
            .apply(&Change::will("test", crate::script::Script::new().raw(&copy)))
            .expect_err("it is refused");
        assert!(said.contains("is a link; name the file itself"), "{said}");
        let said = place.fails(RemoteDirectory::local_file(&app, "two.tar"));
        assert!(said.contains("of another user (uid 65534)"), "{}: {said}", place.shell);
        assert_eq!(snapshot(Path::new(&vault)), before, "{}", place.shell);
        // links within the directory lead to the right targets
        place.law(RemoteFile::content(format!("{app}/current/file"), "new\n"), true);
        assert_eq!(fs::read_to_string(format!("{app}/v1/file")).expect("it is there"), "new\n");
    }
}
