//! The law of actions that write files that the system reads, in a copy of this machine's root.

use std::io::BufRead;
use std::process::{Child, Command, Stdio};

use super::super::mount::MountAction;
use super::super::{AuthorizedKey, Cron, Hostname, Mount, Sed, Sysctl, User};
use super::*;

fn copy() -> Place {
    Place::of(Shell::copy())
}

/// A copy of this machine's root with a host name and mounts of its own, which persist between
/// runs.
pub(super) struct OverlayPlace {
    pub(super) place: Place,
    holder: Child,
    _layer: TempDir,
}

const HOLD: &str = r#"
mkdir -p "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
cd "$1/root"
exec chroot . sh -c 'echo ready; exec sleep 600'"#;

impl OverlayPlace {
    pub(super) fn new() -> OverlayPlace {
        let layer = tempfile::tempdir().expect("a temporary directory");
        let mut holder = Command::new("unshare")
            .args(["--mount", "--uts", "--net", "sh", "-e", "-c", HOLD, "sh"])
            .arg(layer.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        std::io::BufReader::new(holder.stdout.as_mut().expect("it is piped"))
            .read_line(&mut line)
            .expect("it says something");
        assert_eq!(line, "ready\n");
        let words = [
            "nsenter",
            "--mount",
            "--uts",
            "--net",
            "--root",
            "--wd",
            "--target",
            &holder.id().to_string(),
        ];
        let place = Place::of(Shell::entered(words.map(str::to_owned).to_vec()));
        OverlayPlace { place, holder, _layer: layer }
    }
}

impl Drop for OverlayPlace {
    fn drop(&mut self) {
        self.holder.kill().ok();
        self.holder.wait().ok();
    }
}

/// Runs a script in the place, and returns its output.
pub(super) fn printed(place: &Place, script: &str) -> String {
    let output = place.shell.run(&format!("set -e\n{script}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "needs root"]
fn jobs_of_cron() {
    let place = copy();
    printed(&place, "mkdir -p /etc/cron.d");
    let job = || {
        Cron::new("law", "echo \"it's $HOME\" +%F")
            .at(["*/5", "1-3", "*", "*", "mon"])
            .env("A", "b c")
    };
    place.law(job(), true);
    place.law_of_unknown(job(), false);
    place.law_of_unknown(job().user("daemon"), true);
    assert_eq!(
        printed(&place, "stat -c '%U %G %a' /etc/cron.d/pallet-law; cat /etc/cron.d/pallet-law"),
        "root root 644\nA=\"b c\"\n*/5 1-3 * * mon daemon echo \"it's $HOME\" +\\%F\n"
    );
    place.law(job().absent(), true);
    place.law_of_unknown(job().absent(), false);
    printed(
        &place,
        "mkdir -p /etc/crontabs; sed -i 's/^ID=.*/ID=alpine/; /^ID_LIKE/d' \
        \"$(readlink -f /etc/os-release)\"",
    );
    place.law(job(), true);
    place.law_of_unknown(job(), false);
    place.law_of_unknown(job().special("@daily").at(["*"; 5]), true);
    assert_eq!(
        printed(
            &place,
            "stat -c %a /etc/crontabs/root; cat /etc/crontabs/root /etc/crontabs/cron.update"
        ),
        "600\n0 0 * * * export A='b c'; echo \"it's $HOME\" +%F # pallet: law\nroot\nroot\n"
    );
    place.law(job().absent(), true);
}

#[test]
#[ignore = "needs root"]
fn keys_that_may_log_in() {
    let place = copy();
    let (one, two) = ("ssh-ed25519 AAAAC3Nz+/a= ann@home", "ssh-rsa AAAAB3+/x it's \"two\"");
    let key = |text| AuthorizedKey::new("app", text);
    place.law(User::new("app").home("/srv/an app"), true);
    let state = "stat -c '%U %G %a' '/srv/an app/.ssh' '/srv/an app/.ssh/authorized_keys'; cat \
        '/srv/an app/.ssh/authorized_keys'";
    // the home directory is not the usual one, so the node decides
    let change = place
        .prepared(key(one))
        .plan(&mut place.observe(&key(one)))
        .expect("it can be planned")
        .expect("it may change");
    assert_eq!((change.certainty, place.apply(&change)), (Certainty::May, Ok(true)));
    assert_eq!(place.apply(&change), Ok(false));
    assert_eq!(printed(&place, state), format!("app app 700\napp app 600\n{one}\n"));
    place.law(User::new("app2"), true);
    let key = |text| AuthorizedKey::new("app2", text);
    let state = state.replace("/srv/an app/", "/home/app2/");
    printed(&place, "mkdir -p /home/app2");
    place.law(key(one), true);
    place.law(key(one), false);
    place.law(key(two), true);
    place.law(key("ssh-ed25519 AAAAC3Nz+/a= other"), false);
    place.law(key(one).options("from=\"10.0.0.0/8,b c\",no-pty"), true);
    assert_eq!(
        printed(&place, &state),
        format!(
            "app2 app2 700\napp2 app2 600\n\
        from=\"10.0.0.0/8,b c\",no-pty {one}\n{two}\n"
        )
    );
    printed(&place, "chmod 755 /home/app2/.ssh; chmod 644 /home/app2/.ssh/authorized_keys");
    place.law(key(two).exclusive(), true);
    place.law(key(two).exclusive(), false);
    assert_eq!(printed(&place, &state), format!("app2 app2 700\napp2 app2 600\n{two}\n"));
    place.law(key(two).absent(), true);
    place.law(key(two).absent(), false);
    place.law(key(one).path("/etc/ssh/keys_app2"), true);
    // all keys of the user, each with its own options
    let all =
        || AuthorizedKey::new("app2", vec![one.to_owned(), format!("no-pty {two}")]).exclusive();
    printed(
        &place,
        "printf 'ssh-dss AAAAB3x\\r\\n%s\\r\\n' '# kept' >/home/app2/.ssh/authorized_keys",
    );
    place.law(all(), true);
    place.law_of_unknown(all(), false);
    assert_eq!(
        printed(&place, &state),
        format!(
            "app2 app2 700\napp2 app2 600\n# kept\r\n{one}\r\n\
        no-pty {two}\r\n"
        )
    );
    printed(
        &place,
        &format!(
            "echo '{one}' >>/home/app2/.ssh/authorized_keys; echo 'ssh-rsa \
        AAAAB3+/x' >>/home/app2/.ssh/authorized_keys"
        ),
    );
    place.law_of_unknown(key(two).options("no-pty"), true);
    assert_eq!(printed(&place, "grep -c AAAAB3 /home/app2/.ssh/authorized_keys"), "1\n");
}

/// The link belongs to the user, who could make it point to root's files.
#[test]
#[ignore = "needs root"]
fn keys_behind_a_link_stay_whose_they_are() {
    let place = copy();
    place.law(User::new("app"), true);
    printed(
        &place,
        "mkdir -p /home/app /root/keys; printf 'ssh-rsa AAAAroot root\\n' \
         >/root/keys/authorized_keys; chmod 600 /root/keys/authorized_keys; \
         ln -s /root/keys /home/app/.ssh; chown -h app /home/app /home/app/.ssh",
    );
    let key = || AuthorizedKey::new("app", "ssh-rsa AAAAroot");
    for key in [key(), key().absent(), key().exclusive()] {
        let key = place.prepared(key);
        let mut state = place.observe(&key);
        let refused = key.plan(&mut state).expect_err("it is a link").to_string();
        assert!(
            refused.starts_with("/home/app/.ssh is a link to /root/keys, not a directory"),
            "{refused}"
        );
        // a link that was created since
        state.forget_files_below("/home/app");
        let change = key.plan(&mut state).expect("it can be planned").expect("it may change");
        let said = place.apply(&change).expect_err("it is a link");
        assert!(said.starts_with("/home/app/.ssh is a link, not a directory"), "{said}");
        let file = "/root/keys/authorized_keys";
        assert_eq!(
            printed(&place, &format!("stat -c '%U %G %a' {file}; cat {file}")),
            "root root 600\nssh-rsa AAAAroot root\n"
        );
    }
}

#[test]
#[ignore = "needs root"]
fn the_host_name() {
    let kept = OverlayPlace::new();
    let place = &kept.place;
    printed(place, "printf '127.0.0.1\\tlocalhost\\n' >/etc/hosts; hostname before");
    place.law(Hostname::new("web.example.com"), true);
    place.law(Hostname::new("web.example.com"), false);
    place.law_of_unknown(Hostname::new("web.example.com"), false);
    place.law_of_unknown(Hostname::new("other"), true);
    assert_eq!(
        printed(place, "hostname; cat /etc/hostname /etc/hosts"),
        "other\nother\n\
        127.0.0.1\tlocalhost\n127.0.1.1\tother\n"
    );
}

#[test]
#[ignore = "needs root"]
fn settings_of_the_kernel() {
    let kept = OverlayPlace::new();
    let place = &kept.place;
    printed(place, "mkdir -p /etc/sysctl.d; echo '4096 5000 6000' >/proc/sys/net/ipv4/tcp_rmem");
    let setting = |value: &str| Sysctl::new("net.ipv4.tcp_rmem", value);
    place.law(setting("4096 5000 6000").not_persistent(), false);
    place.law(setting("4096 5000 7000"), true);
    place.law(setting("4096\t5000  7000"), false);
    place.law_of_unknown(setting("4096 5000 7000"), false);
    place.law_of_unknown(setting("4096 5000 8000").not_persistent(), true);
    place.law(setting("4096 5000 9000"), true);
    assert_eq!(
        printed(place, "cat /etc/sysctl.d/zz-pallet-*"),
        "net.ipv4.tcp_rmem = 4096 5000 9000\n"
    );
    let said = place.apply(&Change::may(
        "",
        crate::script::Script::new().call(["ensure_running", "/proc/sys/no/such", "1"]),
    ));
    assert!(
        said.expect_err("there is none").contains("there is no kernel setting /proc/sys/no/such")
    );
}

/// What systemd-sysctl and procps would set at boot: the files by name, then /etc/sysctl.conf.
const AT_BOOT: &str = r#"
{ for file in /etc/sysctl.d/*.conf; do echo "${file##*/} $file"; done | LC_ALL=C sort | cut -d ' ' -f 2; echo /etc/sysctl.conf; } | while read -r file; do
  sed -n 's/^[ -]*\(net[.\/]ipv4[.\/]tcp_rmem\) *= *//p' "$file"
done | tr -d '\r' | tail -n 1"#;

#[test]
#[ignore = "needs root"]
fn fault_15_settings_of_the_kernel_hold_after_a_restart() {
    let kept = OverlayPlace::new();
    let place = &kept.place;
    printed(
        place,
        "mkdir -p /etc/sysctl.d; rm -f /etc/sysctl.d/*; echo '4096 5000 6000' \
         >/proc/sys/net/ipv4/tcp_rmem\n\
         printf '# x\\nnet.ipv4.tcp_rmem=1 2 3\\n-net/ipv4/tcp_rmem = 4 5 6\\r\\nvm.swappiness = \
         1\\n' >/etc/sysctl.conf\n\
         ln -s ../sysctl.conf /etc/sysctl.d/99-sysctl.conf; echo 'net.ipv4.tcp_rmem = 7 8 9' \
         >/etc/sysctl.d/zzz.conf\n\
         echo 'net.ipv4.tcp_rmem = 1 1 1' >/etc/sysctl.d/50-early.conf; echo 'net.ipv4.tcp_rmem = \
         2 2 2' >/etc/sysctl.d/60-pallet-net.ipv4.tcp_rmem.conf",
    );
    let setting = |value: &str| Sysctl::new("net.ipv4.tcp_rmem", value);
    place.law(setting("4096 5000 6000"), true);
    assert_eq!(printed(place, AT_BOOT), "4096 5000 6000\n");
    assert_eq!(
        printed(place, "cat /etc/sysctl.conf /etc/sysctl.d/zzz.conf; ls /etc/sysctl.d"),
        "# x\nnet.ipv4.tcp_rmem=4096 5000 6000\n-net/ipv4/tcp_rmem = 4096 5000 6000\r\n\
         vm.swappiness = 1\nnet.ipv4.tcp_rmem = 4096 5000 6000\n\
         50-early.conf\n99-sysctl.conf\nzz-pallet-net.ipv4.tcp_rmem.conf\nzzz.conf\n"
    );
    place.law(setting("4096 5000 6000"), false);
    place.law_of_unknown(setting("4096 5000 6000"), false);
    place.law_of_unknown(setting("4096 5000 7000"), true);
    assert_eq!(printed(place, AT_BOOT), "4096 5000 7000\n");
    printed(
        place,
        "mkdir -p /run/sysctl.d; echo 'net.ipv4.tcp_rmem = 7 8 9' >/run/sysctl.d/zzz-other.conf",
    );
    let action = place.prepared(setting("4096 5000 7000"));
    let error = action.plan(&mut place.observe(&action)).expect_err("it wins").to_string();
    assert!(
        error.starts_with(
            "/run/sysctl.d/zzz-other.conf sets net.ipv4.tcp_rmem to 7 8 9, and is read behind "
        ),
        "{error}"
    );
    let change = action
        .plan(&mut NodeState::new(place.observe(&action).os))
        .expect("it can be planned")
        .expect("it may change");
    let said = place.apply(&change).expect_err("it wins");
    assert!(
        said.contains("/run/sysctl.d/zzz-other.conf sets net.ipv4.tcp_rmem, and is read behind "),
        "{said}"
    );
}

/// Debian's own cron runs the written job at startup.
#[test]
#[ignore = "needs root, and Debian's cron"]
fn fault_07_cron_runs_commands_as_they_are_written() {
    let place = copy();
    printed(&place, "rm -f /etc/cron.d/*; : >/etc/crontab");
    let commands = [r"a\\b", r"a\b", r"100%", r"a\%b", r"a\\%b%%\", r"\\\\%\\"];
    for (at, text) in commands.iter().enumerate() {
        place.law(
            Cron::new(format!("law{at}"), format!("printf %s '{text}' >/tmp/out{at}"))
                .special("@reboot"),
            true,
        );
    }
    place.law(Cron::new("long", format!("echo {:0>977} >/tmp/long", 0)).special("@reboot"), true);
    let out = printed(
        &place,
        "rm -f /run/crond.reboot /run/crond.pid /var/spool/cron/crontabs/*; mount -t tmpfs tmpfs \
         /run; cron -f & cron=$!\n\
         waited=0; until [ -s /tmp/long ] || [ $waited = 50 ]; do sleep 0.1; waited=$((waited + \
         1)); done; sleep 0.3; kill $cron\n\
         for at in 0 1 2 3 4 5; do cat /tmp/out$at; echo; done; wc -c </tmp/long",
    );
    assert_eq!(
        out.lines().collect::<Vec<_>>(),
        commands.into_iter().chain(["978"]).collect::<Vec<_>>()
    );
}

/// How cronie reads a command: `\%` is a percent sign; a backslash before anything else stays, and
/// the character after it is skipped too.
#[test]
fn other_crons_run_commands_as_they_are_written() {
    for text in [r"a\\b", r"a\b", r"100%", r"a\%b", r"a\\%b%%\x", r"it's \\\\%\\ $HOME"] {
        let command = format!("printf %s {}", crate::script::quote(text));
        let mut job = Cron::new("law", &command).content(crate::model::OsFamily::RedHat);
        assert_eq!(job.pop(), Some('\n'));
        let (mut run, mut chars) = (String::new(), job["* * * * * root ".len()..].chars());
        while let Some(char) = chars.next() {
            match (char, chars.clone().next()) {
                ('\\', Some('%')) => run.extend(chars.next()),
                ('\\', Some(next)) => {
                    run.extend([char, next]);
                    chars.next();
                }
                ('%', _) => break,
                _ => run.push(char),
            }
        }
        for shell in shells() {
            assert_eq!(String::from_utf8_lossy(&shell.run(&run).stdout), text, "{shell}: {job}");
        }
    }
}

#[test]
#[ignore = "needs root"]
fn jobs_are_for_users_that_are_there() {
    let place = copy();
    printed(&place, "mkdir -p /etc/cron.d");
    let job = || Cron::new("law", "true").user("app");
    let action = place.prepared(job());
    let error = action.plan(&mut place.observe(&action)).expect_err("there is none").to_string();
    assert_eq!(error, "there is no user app; declare user(\"app\") before it");
    let change = action
        .plan(&mut NodeState::new(place.observe(&action).os))
        .expect("it can be planned")
        .expect("it may change");
    assert_eq!(
        place.apply(&change).expect_err("there is none"),
        "there is no user app; declare user(\"app\") before it\n"
    );
    place.law(User::new("app"), true);
    place.law(job(), true);
    place.law_of_unknown(job(), false);
}

#[test]
#[ignore = "needs root"]
fn a_mount_point_is_known_by_any_name() {
    let kept = OverlayPlace::new();
    let place = &kept.place;
    for name in ["/srv/a 7", "/srv/b\\040c", "/srv/new\nline"] {
        printed(
            place,
            &format!(
                "set -- {}; mkdir \"$1\"; mount -t tmpfs x \"$1\"",
                crate::script::quote(name)
            ),
        );
        let said = place.fails(super::super::Directory::at(name).absent());
        assert!(said.contains("is busy: something is mounted there"), "{name:?}: {said}");
    }
}

#[test]
#[ignore = "needs root"]
fn swap_space() {
    let kept = OverlayPlace::new();
    let place = &kept.place;
    // the machine's own swap space is left alone
    printed(
        place,
        "printf '# none\\r\\n' >/etc/fstab; : >/swapfile; printf 'Filename Type Size Used \
         Priority\\n' >/tmp/swaps; mount --bind /tmp/swaps /proc/swaps\n\
         printf '#!/bin/sh\\necho \"$@\" >>/tmp/calls\\nfor device do :; done\\necho \"$device \
         file 1 0 -2\" >>/tmp/swaps\\n' >/usr/local/sbin/swapon\n\
         printf '#!/bin/sh\\ngrep -v \"^$1 \" /tmp/swaps >/tmp/left\\ncat /tmp/left \
         >/tmp/swaps\\n' >/usr/local/sbin/swapoff\n\
         chmod 755 /usr/local/sbin/swapo*",
    );
    let swap = || Mount::new("none", "/swapfile", "swap").options("sw,pri=5,discard=once");
    place.law(swap().action(MountAction::Present), true);
    place.law(swap(), true);
    place.law(swap(), false);
    place.law_of_unknown(swap(), false);
    assert_eq!(
        printed(place, "cat /etc/fstab /tmp/calls"),
        "# none\r\n/swapfile none swap sw,pri=5,discard=once 0 0\r\n-p 5 -donce /swapfile\n"
    );
    place.law(swap().action(MountAction::Unmounted), true);
    place.law_of_unknown(swap(), true);
    place.law(swap().action(MountAction::Absent), true);
    place.law_of_unknown(swap().action(MountAction::Absent), false);
    assert_eq!(printed(place, "cat /etc/fstab; wc -l </proc/swaps"), "# none\r\n1\n");
}

#[test]
fn files_that_sed_edits() {
    for place in places() {
        let path = place.path("it's a file");
        for text in ["a\n", "a", "x\n\na b\n\n\n", "\u{fc}\n"] {
            for commands in [
                vec!["s/a/it's \\\\ $x/"],
                vec!["/^$/d", "$!s/x/y/"],
                vec!["1i\\\nz", "1d", "s/$/ /;s/ *$//"],
            ] {
                fs::write(&path, text).expect("it can be written");
                let action = place.prepared(Sed::new(&path, commands.clone()));
                let changes =
                    action.plan(&mut place.observe(&action)).expect("it can be planned").is_some();
                if commands[0].starts_with("1i") {
                    // it changes something in every run
                    assert!(changes, "{}: {commands:?} on {text:?}", place.shell);
                    continue;
                }
                place.law(action.clone(), changes);
                let planned = fs::read(&path).expect("it is there");
                fs::write(&path, text).expect("it can be written");
                place.law_of_unknown(action, changes);
                assert_eq!(
                    fs::read(&path).expect("it is there"),
                    planned,
                    "{}: {commands:?} on {text:?}",
                    place.shell
                );
            }
        }
        place.law(Sed::new(&path, ["s/(u|z)/x/"]).extended(), false);
        let wrong = place.prepared(Sed::new(&path, ["no such"]));
        let error = wrong.plan(&mut place.observe(&wrong)).expect_err("sed refuses it").to_string();
        assert!(error.starts_with("sed refuses the commands for "), "{error}");
        let sandboxed = place.prepared(Sed::new(&path, [format!("w {}", place.path("written"))]));
        drop(sandboxed.plan(&mut place.observe(&sandboxed)));
        assert!(
            place.shell.to_string() == "busybox" || !Path::new(&place.path("written")).exists(),
            "{}",
            place.shell
        );
    }
}

#[test]
#[ignore = "needs root"]
fn filesystems() {
    let kept = OverlayPlace::new();
    let place = &kept.place;
    printed(place, "echo '# none' >/etc/fstab");
    let data = || Mount::new("/srv/my data", "tmpfs", "tmpfs").options("size=1m");
    place.law(data().action(MountAction::Present), true);
    place.law(data(), true);
    place.law(data(), false);
    place.law_of_unknown(data(), false);
    assert_eq!(
        printed(place, "cat /etc/fstab; stat -f -c %T '/srv/my data'"),
        "# none\n\
        tmpfs /srv/my\\040data tmpfs size=1m 0 0\ntmpfs\n"
    );
    place.law(data().options("size=2m"), true);
    place.law(data().action(MountAction::Unmounted), true);
    place.law_of_unknown(data().action(MountAction::Unmounted), false);
    place.law_of_unknown(data(), true);
    place.law(data().action(MountAction::Absent), true);
    place.law_of_unknown(data().action(MountAction::Absent), false);
    assert_eq!(
        printed(place, "cat /etc/fstab; grep -c my.040data /proc/self/mounts || :"),
        "# none\n0\n"
    );
}
