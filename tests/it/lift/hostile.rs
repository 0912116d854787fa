//! Nodes whose login shell answers late, never, or endlessly; and stopping what runs on nodes.

use std::time::{Duration, Instant};

use pallet_tests::Bed;
use rustix::process::Signal;

use super::project;

const APP: &str = r##"
def configure(request):
    remote_file(request, "/srv/x", content = "hello\n")

app = group_spec("app", phases = {"configure": configure})
"##;

/// Makes the login shell of `admin` on a node a script that begins like this.
fn login_shell(bed: &Bed, node: usize, begins: &str) {
    let script =
        format!("printf '%s\\n' '#!/bin/sh' '{begins}' 'exec sh \"$@\"' >/usr/local/bin/odd");
    bed.ssh(
        node,
        &format!("{script} && chmod 755 /usr/local/bin/odd && usermod -s /usr/local/bin/odd admin"),
    )
    .exits(0);
}

#[test]
fn fault_18_a_login_shell_that_does_not_answer_is_given_up_and_holds_up_nobody() {
    let bed = Bed::of(6);
    let project = project(&bed, 6, "admin", APP);
    project.edit("pallet.toml", "[admin_user]", "[connect]\nshell_timeout = 4\n\n[admin_user]");
    for (node, begins) in
        [(1, "yes"), (2, "sleep 10000"), (3, "read x"), (4, "exit 0"), (5, "exec cat")]
    {
        login_shell(&bed, node, begins);
    }
    // they take no slots from other nodes
    for arguments in
        [&["run", "app", "--parallel", "1", "--", "hostname"][..], &["lift", "--parallel", "1"]]
    {
        let output = project.run(arguments).exits(1);
        assert!(output.took < Duration::from_secs(25), "{output}");
        output.says("prints endlessly before it runs anything");
    }
    bed.ssh(6, "cat /srv/x").exits(0).says("hello");
    let ran = project.run(&["run", "app", "--no-sudo", "--", "hostname"]).exits(1);
    let ran = ran
        .says("node6: exit 0")
        .says("the login shell prints endlessly")
        .says("the login shell ran nothing for 4 s");
    ran.says("start-up files (.bashrc, .profile, .cshrc) end it (`exit`)")
        .says("read its input (`read`)");
    for node in 1..=5 {
        bed.ssh(node, "test ! -e /srv/x").exits(0);
    }
}

#[test]
fn a_lift_that_takes_too_long_says_what_each_node_was_at() {
    let bed = Bed::of(2);
    let slow = "def configure(request):\n    if request.target.name == \"node2\":\n        \
        exec_script(request, \"sleep 300\")\n\n\
        app = group_spec(\"app\", phases = {\"configure\": configure})\n";
    let project = project(&bed, 2, "root", slow);
    let output = project.run(&["lift", "--timeout", "4"]).exits(1);
    assert!(output.took < Duration::from_secs(30), "{output}");
    // the other one was done
    output
        .says("node2 failed: timed out after 4 s before phase configure was done, at exec_script")
        .says("pallet.star:3:9")
        .never_says("node1");
    project.edit("pallet.toml", "[admin_user]", "[connect]\ntimeout = 0\n\n[admin_user]");
    project.run(&["lift"]).exits(2).says("a number of seconds, 1 or more");
}

#[test]
fn what_ignores_to_be_told_is_killed_and_what_stays_behind_holds_nothing_up() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", APP);
    let gone = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do pgrep -f '[s]leep 12345' \
        >/dev/null || exit 0; sleep 1; done; exit 1";
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut running = project.start(&[
            "run",
            "node1",
            "-v",
            "--",
            "trap '' TERM HUP INT; echo begun; sleep 12345; sleep 12345; sleep 12345",
        ]);
        running.wait_for("node1: begun");
        running.signal(signal);
        let output = running.wait();
        assert_eq!(output.code(), 130, "{output}");
        bed.ssh(1, gone).exits(0);
    }
    // a daemon that keeps its output open
    let started = Instant::now();
    let left = project.run(&[
        "run",
        "node1",
        "--",
        "(trap '' HUP TERM; exec setsid sleep 54321) & echo started; exit 3",
    ]);
    left.exits(1)
        .says("exit 3")
        .says("node1: ")
        .says("sleep (process ")
        .says("was started by a script and still runs");
    project.write(
        "pallet.star",
        "def configure(request):\n    exec_script(request, \"setsid sleep 54321 & echo \
         started\")\n    file(request, \"/srv/after\")\n\n\
         app = group_spec(\"app\", phases = {\"configure\": configure})\n",
    );
    project.run(&["lift"]).exits(0).says("sleep (process ").says("still runs");
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    bed.ssh(1, "test -e /srv/after && pgrep -f '[s]leep 54321'").exits(0);
}

#[test]
fn a_copy_that_is_stopped_leaves_nothing_here() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", APP);
    bed.ssh(1, "head -c 400000000 /dev/zero >/srv/big").exits(0);
    let to = project.home().join("to");
    std::fs::create_dir(&to).unwrap();
    let names = || {
        std::fs::read_dir(&to)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect::<Vec<_>>()
    };
    for signal in [Signal::TERM, Signal::HUP] {
        let running = project.start(&["cp", "node1:/srv/big", to.to_str().unwrap()]);
        while names().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        running.signal(signal);
        let output = running.wait();
        assert_eq!((output.code(), names()), (130, Vec::new()), "{output}");
    }
}

#[test]
fn a_third_ctrl_c_ends_the_process_whatever_it_does() {
    let bed = Bed::of(1);
    let project = project(
        &bed,
        1,
        "root",
        "def configure(request):\n    print(\"busy\")\n    for a in range(100000):\n        for b \
         in range(1000000):\n            pass\n\n\
         app = group_spec(\"app\", phases = {\"configure\": configure})\n",
    );
    let running = project.start(&["lift"]);
    std::thread::sleep(Duration::from_secs(3));
    // the second one tells what is being waited for
    for _ in 0..2 {
        running.signal(Signal::INT);
        std::thread::sleep(Duration::from_millis(300));
    }
    let struck = Instant::now();
    running.signal(Signal::INT);
    let output = running.wait();
    assert_eq!(output.code(), 130, "{output}");
    assert!(output.stderr.contains("waiting for node1"), "{output}");
    assert!(struck.elapsed() < Duration::from_secs(5), "{output}");
}

#[test]
fn the_password_of_the_admin_user_logs_in() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "operator", APP);
    let allow = "sed -i 's/^PasswordAuthentication no/PasswordAuthentication yes/' \
         /etc/ssh/sshd_config.d/bed.conf && pkill -HUP -o -x sshd";
    bed.ssh(1, allow).exits(0);
    std::thread::sleep(Duration::from_secs(1));
    project.write("password", "bed-secret\n");
    let key = format!("identity_files = [{:?}]", bed.key());
    project.edit("pallet.toml", &key, "password = { file = \"password\" }");
    // sudo needs a password too, and the error says how to configure it
    project
        .run(&["lift"])
        .exits(1)
        .says("sudo needs a password: set `sudo_password` in [admin_user] of pallet.toml");
    project.run(&["run", "node1", "--no-sudo", "--", "id -un"]).exits(0).says("operator");
    project.edit(
        "pallet.toml",
        "password = {",
        "sudo_password = { file = \"password\" }\n\
        password = {",
    );
    project.run(&["lift"]).exits(0).never_says("bed-secret");
    bed.ssh(1, "cat /srv/x").exits(0).says("hello");
}

#[test]
fn without_user_in_the_environment_the_user_database_says_who_logs_in() {
    let bed = Bed::of(1);
    // the environment has no USER, and a misleading HOME
    let project = project(&bed, 1, "root", APP).unset("USER");
    assert!(project.variables().all(|(name, _)| name != "USER" && name != "LOGNAME"));
    project.edit("pallet.toml", "name = \"root\"\n", "");
    project.run(&["run", "node1", "--", "id -un"]).exits(0).says("root");
}
