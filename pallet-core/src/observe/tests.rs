//! Tests that run the observing script.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;
use crate::model::{Known, OsFamily, digest};
use crate::observe::{FileState, Observation};
use crate::script::shells::shells;

const TOKEN: &str = "t0k3n";

/// Names that shells and the output of tools often get wrong.
pub(crate) const WEIRD_NAMES: [&str; 13] = [
    "plain",
    "with space",
    "it's",
    "\"quoted\"",
    "new\nline",
    "ends with newline\n",
    "back\\slash",
    "back\\nslash n",
    "carriage\rreturn",
    "-leading-dash",
    "ünïcödé",
    "$HOME `id` $(id)",
    "*?[a]",
];

fn observe(wanted: &Observation) -> Vec<Observed> {
    shells()
        .iter()
        .map(|shell| {
            let output = shell.run(&compile(wanted, TOKEN));
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell}");
            parse(wanted, TOKEN, &output.stdout).unwrap_or_else(|error| panic!("{shell}: {error}"))
        })
        .collect()
}

#[test]
fn finds_the_facts_of_this_machine() {
    for observed in observe(&Observation::default()) {
        let hostname = fs::read_to_string("/proc/sys/kernel/hostname").expect("there is /proc");
        assert_eq!(observed.facts.machine.hostname, hostname.trim_end());
        assert_eq!(observed.facts.os.arch, std::env::consts::ARCH);
        let machine = &observed.facts.machine;
        assert!(machine.cores > 0 && machine.memory > 0, "{machine:?}");
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        assert_eq!(machine.kernel, read("/proc/sys/kernel/osrelease").trim_end());
        assert_eq!(machine.machine_id, read("/etc/machine-id").trim_end());
        assert_eq!(machine.init, read("/proc/1/comm").trim_end());
        assert!(!machine.selinux.is_empty(), "{machine:?}");
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        assert!(release.contains(&observed.facts.os.id), "{:?}", observed.facts.os);
        assert!(
            release.is_empty()
                || observed.facts.os.family != OsFamily::Unknown
                || !release.contains("debian")
        );
        assert_eq!(observed.state.user, observed.facts.user);
    }
}

#[test]
fn files_of_any_name() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut wanted = Observation::default();
    let path = |name: &str| format!("{}/{name}", directory.path().to_str().expect("it is UTF-8"));
    for name in WEIRD_NAMES {
        fs::write(path(name), name).expect("any name will do");
        symlink(name, path(&format!("link to {name}"))).expect("any target will do");
        wanted.content(&path(name), &digest(b"something else"));
        wanted.file(&path(&format!("link to {name}")));
        wanted.digest(&path(&format!("no {name}")));
    }
    for observed in observe(&wanted) {
        for name in WEIRD_NAMES {
            let Known::Known(FileState::File { digest: found, text, .. }) =
                observed.state.file(&path(name))
            else {
                panic!("{name:?}: {:?}", observed.state.file(&path(name)));
            };
            assert_eq!(
                (found.as_deref(), text.as_deref()),
                (Some(digest(name.as_bytes()).as_str()), Some(name)),
                "{name:?}"
            );
            let link = observed.state.file(&path(&format!("link to {name}")));
            assert_eq!(
                link,
                Known::Known(&FileState::Link { target: name.to_owned() }),
                "{name:?}"
            );
            assert_eq!(
                observed.state.file(&path(&format!("no {name}"))),
                Known::Known(&FileState::Absent),
                "{name:?}"
            );
        }
    }
}

#[test]
fn attributes_and_kinds() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = directory.path().to_str().expect("it is UTF-8");
    fs::write(format!("{root}/file"), "x").expect("it can be written");
    fs::set_permissions(format!("{root}/file"), fs::Permissions::from_mode(0o4751))
        .expect("it is ours");
    fs::set_permissions(root, fs::Permissions::from_mode(0o1770)).expect("it is ours");
    let mut wanted = Observation::default();
    for path in [root, &format!("{root}/file"), "/dev/null", "/"] {
        wanted.file(path);
    }
    let root_is_named = fs::metadata("/").expect("there is a root").uid() == 0;
    for Observed { state, .. } in observe(&wanted) {
        let Known::Known(FileState::Directory(attributes)) = state.file(root) else {
            panic!("{:?}", state.file(root))
        };
        assert_eq!(attributes.mode, Some(0o1770));
        let Known::Known(FileState::File { digest: None, text: None, attributes }) =
            state.file(&format!("{root}/file"))
        else {
            panic!("nothing else was asked")
        };
        assert_eq!(attributes.mode, Some(0o4751));
        assert_eq!(state.file("/dev/null"), Known::Known(&FileState::Other));
        let Known::Known(FileState::Directory(attributes)) = state.file("/") else {
            panic!("{:?}", state.file("/"))
        };
        assert!(!root_is_named || attributes.owner.as_deref() == Some("root"));
    }
}

#[test]
fn text_comes_only_where_it_can_be_shown() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = directory.path().to_str().expect("it is UTF-8");
    let contents: [(&str, &[u8], bool); 6] = [
        ("text", "no final newline, \u{fc}".as_bytes(), true),
        ("empty", b"", true),
        ("same", b"expected", false),
        ("binary", b"\xff\xfe", false),
        ("nul", b"a\0b", false),
        ("large", &[b'x'; 64 * 1024 + 1], false),
    ];
    let mut wanted = Observation::default();
    for (name, content, _) in contents {
        fs::write(format!("{root}/{name}"), content).expect("it can be written");
        wanted.content(&format!("{root}/{name}"), &digest(b"expected"));
    }
    for Observed { state, .. } in observe(&wanted) {
        for (name, content, shown) in contents {
            let Known::Known(FileState::File { digest: found, text, .. }) =
                state.file(&format!("{root}/{name}"))
            else {
                panic!("{name}")
            };
            assert_eq!(found.as_deref(), Some(digest(content).as_str()), "{name}");
            assert_eq!(text.as_deref().map(str::as_bytes), shown.then_some(content), "{name}");
        }
    }
}

#[test]
fn a_file_that_vanishes_between_calls_is_no_other() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = directory.path().to_str().expect("it is UTF-8");
    let mut wanted = Observation::default();
    for name in ["a", "b", "c"] {
        fs::write(format!("{root}/{name}"), name).expect("it can be written");
        wanted.content(&format!("{root}/{name}"), &digest(b"expected"));
    }
    // the tools get the names of all files, but `b` vanishes right before they look
    let tools = format!(
        "lose() {{ if [ -e {root}/b ] && [ $1 = {{tool}} ]; then rm {root}/b; fi; }}\n\
         stat() {{ lose stat; command stat \"$@\"; }}\n\
         sha256sum() {{ lose sha256sum; command sha256sum \"$@\"; }}\n"
    );
    for tool in ["stat", "sha256sum"] {
        for shell in shells() {
            fs::write(format!("{root}/b"), "b").expect("it can be written");
            let output =
                shell.run(&format!("{}{}", tools.replace("{tool}", tool), compile(&wanted, TOKEN)));
            let state = parse(&wanted, TOKEN, &output.stdout).expect("it is whole").state;
            assert_eq!(
                state.file(&format!("{root}/b")),
                Known::Known(&FileState::Absent),
                "{tool} in {shell}"
            );
            for name in ["a", "c"] {
                let Known::Known(FileState::File { digest: found, text, .. }) =
                    state.file(&format!("{root}/{name}"))
                else {
                    panic!("{name}")
                };
                assert_eq!(
                    (found.as_deref(), text.as_deref()),
                    (Some(digest(name.as_bytes()).as_str()), Some(name)),
                    "{tool} in {shell}"
                );
            }
        }
    }
}

#[test]
fn content_that_is_as_expected_is_told_in_a_word() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| format!("{}/{name}", directory.path().to_str().expect("it is UTF-8"));
    let mut wanted = Observation::default();
    for number in 0..100 {
        fs::write(path(&number.to_string()), number.to_string()).expect("it can be written");
        wanted.content(&path(&number.to_string()), &digest(number.to_string().as_bytes()));
    }
    wanted.content(&path("absent"), &digest(b"absent"));
    let check = |changed: Option<&str>| {
        for observed in observe(&wanted) {
            for number in 0..100 {
                let name = number.to_string();
                let content =
                    if changed == Some(name.as_str()) { "by hand" } else { name.as_str() };
                let Known::Known(FileState::File { digest: found, text, .. }) =
                    observed.state.file(&path(&name))
                else {
                    panic!("{name}")
                };
                let shown = (changed == Some(name.as_str())).then_some(content);
                assert_eq!(
                    (found.as_deref(), text.as_deref()),
                    (Some(digest(content.as_bytes()).as_str()), shown),
                    "{name}"
                );
            }
            assert_eq!(observed.state.file(&path("absent")), Known::Known(&FileState::Absent));
        }
    };
    check(None);
    fs::write(path("42"), "by hand").expect("it can be written");
    check(Some("42"));
}

#[test]
fn readings_are_what_a_command_prints() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = format!("{}/lines", directory.path().to_str().expect("it is UTF-8"));
    fs::write(&path, "a\nb\n\n").expect("it can be written");
    let mut wanted = Observation::default();
    wanted.reading_of(&path, &format!("cat {path}; printf x"));
    wanted.reading("echo out; echo err >&2; cat; exit 3");
    wanted.text(&path);
    for Observed { mut state, .. } in observe(&wanted) {
        let Known::Known(reading) = state.reading("echo out; echo err >&2; cat; exit 3") else {
            panic!("it was asked")
        };
        assert_eq!(
            (reading.exit, reading.output.as_str(), reading.of.as_deref()),
            (3, "out", None)
        );
        let Known::Known(reading) = state.reading(&format!("cat {path}; printf x")) else {
            panic!("it was asked")
        };
        assert_eq!((reading.exit, reading.output.as_str()), (0, "a\nb\n\nx"));
        let Known::Known(FileState::File { text, .. }) = state.file(&path) else {
            panic!("it is a file")
        };
        assert_eq!(text.as_deref(), Some("a\nb\n\n"));
        // the result of reading a file holds until that file changes
        state.set_file("/elsewhere", FileState::Absent);
        assert_ne!(state.reading(&format!("cat {path}; printf x")), Known::Unknown);
        state.set_file(&path, FileState::Absent);
        assert_eq!(state.reading(&format!("cat {path}; printf x")), Known::Unknown);
        assert_ne!(state.reading("echo out; echo err >&2; cat; exit 3"), Known::Unknown);
    }
}

#[test]
fn commands_answer_with_their_exit_codes_alone() {
    let mut wanted = Observation::default();
    let commands = [
        ("true", 0),
        ("exit 3", 3),
        ("echo noise; echo noise >&2; cat; false", 1),
        ("if then syntax (", 2),
        ("token=broken; answer() { :; }", 0),
        ("printf '%s' 't0k3n< t0k3n command t0k3n 0 t0k3n 77 t0k3n t0k3n> t0k3n '", 0),
    ];
    for (command, _) in commands {
        wanted.command(command);
    }
    for Observed { state, .. } in observe(&wanted) {
        for (command, exit) in commands {
            assert_eq!(
                state.command(command).known().map(|state| state.exit),
                Some(exit),
                "{command}"
            );
        }
    }
}

#[test]
fn users_groups_packages_and_services_of_this_machine() {
    let mut wanted = Observation::default();
    wanted.user("root");
    wanted.user("no-such-user");
    wanted.group("root");
    wanted.group("no-such-group");
    wanted.package("no-such-package");
    wanted.service("no-such-service");
    wanted.package_lists = true;
    for Observed { state, .. } in observe(&wanted) {
        let root =
            state.user("root").known().and_then(|user| user.as_ref()).expect("there is root");
        assert_eq!((root.uid, root.group.as_deref()), (Some(0), Some("root")));
        assert_eq!(state.user("no-such-user"), Known::Known(&None));
        assert_eq!(
            state
                .group("root")
                .known()
                .and_then(|group| group.as_ref())
                .and_then(|group| group.gid),
            Some(0)
        );
        assert_eq!(state.group("no-such-group"), Known::Known(&None));
        assert_eq!(
            state.service("no-such-service").known().map(|service| service.exists),
            Some(false)
        );
        assert_ne!(state.package_lists_age(), Known::Unknown);
    }
}

#[test]
fn stray_output_is_nobodys_and_an_end_that_is_missing_is_told() {
    let wanted = Observation::default();
    let output = shells()[0].run(&compile(&wanted, TOKEN)).stdout;
    let mut noisy = b"Welcome!\nt0k3n\n".to_vec();
    noisy.extend(&output);
    noisy.extend(b"logout\xff\n");
    assert_eq!(parse(&wanted, TOKEN, &noisy), parse(&wanted, TOKEN, &output));
    let error = parse(&wanted, TOKEN, &output[..output.len() / 2]).expect_err("it is cut short");
    assert!(
        error.to_string().starts_with("the observing script did not finish; the last it said was"),
        "{error}"
    );
}

/// Answers, framed as the script frames them.
fn recorded(answers: &[&[&str]]) -> Vec<u8> {
    let frame = |answer: &&[&str]| {
        format!(
            "{TOKEN}< {TOKEN} {} {TOKEN} {TOKEN}> {TOKEN} \n",
            answer.join(&format!(" {TOKEN} "))
        )
    };
    answers.iter().map(frame).collect::<String>().into_bytes()
}

#[test]
fn a_system_that_is_not_known_is_no_error() {
    let mut wanted = Observation::default();
    wanted.package("nginx");
    wanted.service("nginx");
    let plan9 = recorded(&[
        &["fact", "packages", "unknown"],
        &["fact", "services", "process"],
        &["fact", "uname", "box riscv64"],
        &["end"],
    ]);
    let observed = parse(&wanted, TOKEN, &plan9).expect("it is no error");
    assert_eq!(
        (observed.facts.os.family, observed.facts.os.id.as_str()),
        (OsFamily::Unknown, "unknown")
    );
    assert_eq!(
        (observed.facts.machine.hostname.as_str(), observed.facts.os.arch.as_str()),
        ("box", "riscv64")
    );
    assert_eq!(observed.state.package("nginx"), Known::Unknown);
    assert_eq!(observed.state.service("nginx").known().map(|service| service.exists), Some(false));
}

#[test]
fn alpine_as_recorded() {
    let mut wanted = Observation::default();
    wanted.package("nginx");
    wanted.service("nginx");
    wanted.package_lists = true;
    let alpine = recorded(&[
        &["fact", "id", "alpine"],
        &["fact", "id_like", ""],
        &["fact", "version", "3.20.3"],
        &["fact", "packages", "apk"],
        &["fact", "services", "openrc"],
        &["fact", "uname", "node x86_64"],
        &["fact", "user", "root"],
        &["fact", "cores", "2"],
        &["fact", "ram", "2048000"],
        &["packages", "nginx-1.26.2-r0"],
        &["package_lists", ""],
        &["service", "nginx", "yes", "no"],
        &["end"],
    ]);
    let observed = parse(&wanted, TOKEN, &alpine).expect("it can be read");
    assert_eq!(
        (observed.facts.os.to_string().as_str(), observed.facts.os.family),
        ("alpine 3.20.3 (x86_64)", OsFamily::Alpine)
    );
    assert_eq!(
        (observed.facts.machine.cores, observed.facts.machine.memory, observed.facts.bootstrapped,),
        (2, 2000, false)
    );
    let installed = crate::observe::PackageState::Installed { version: Some("1.26.2-r0".into()) };
    assert_eq!(observed.state.package("nginx"), Known::Known(&installed));
    assert_eq!(observed.state.package_lists_age(), Known::Known(None));
    let service = crate::observe::ServiceState {
        exists: true,
        running: true,
        enabled: Some(false),
        masked: false,
    };
    assert_eq!(observed.state.service("nginx"), Known::Known(&service));
}

#[test]
fn an_answer_that_makes_no_sense_is_told() {
    let wanted = Observation::default();
    let stranger =
        recorded(&[&["fact", "uname", "box x86_64"], &["absent", "/never/asked"], &["end"]]);
    let error = parse(&wanted, TOKEN, &stranger).expect_err("it was not asked");
    assert_eq!(
        error.to_string(),
        "cannot read the observing script's answer \"absent /never/asked\""
    );
}
