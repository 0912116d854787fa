//! Nodes with an unusual login.

use std::time::{Duration, Instant};

use pallet_tests::Init;

use super::Node;

/// The key of the tests on `authorized_key`.
const KEY: &str = "ssh-ed25519 \
    AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

#[test]
fn a_new_user_has_a_group_of_its_own_where_the_system_shares_one() {
    // as on openSUSE
    let node = Node::prepared("sed -i 's/^USERGROUPS_ENAB.*/USERGROUPS_ENAB no/' /etc/login.defs");
    node.lifts("user(request, \"deploy\")\nuser(request, \"daemon2\", system = True)");
    node.finds("id -gn deploy; id -gn daemon2", "deploy\ndaemon2\n");
}

#[test]
fn fault_08_one_key_with_two_options_is_an_error_of_check() {
    let node = Node::prepared("useradd -m dep");
    let declarations = format!(
        "k = \"{KEY}\"\nauthorized_key(request, \"dep\", k, options = \
         \"cert-authority,principals=\\\"root\\\"\")\n\
         authorized_key(request, \"dep\", k, options = \
         \"cert-authority,principals=\\\"monitor\\\"\")"
    );
    let lift = node.project(&declarations).run(&["lift"]);
    assert_ne!(lift.code(), 0, "{lift}");
    lift.says("pallet.star:3").says("pallet.star:4");
    node.runs("test ! -e /home/dep/.ssh/authorized_keys");
}

#[test]
fn fault_10_no_unrestricted_line_of_a_restricted_key_stays() {
    let node = Node::prepared(&format!(
        "useradd -m dep; mkdir -p ~dep/.ssh; printf '%s\\n' '{KEY} old' 'command=\"/bin/backup\" \
         {KEY}' >~dep/.ssh/authorized_keys; chown -R dep: ~dep/.ssh"
    ));
    node.lifts(&format!(
        "authorized_key(request, \"dep\", \"{KEY}\", options = \"command=\\\"/bin/backup\\\"\")"
    ));
    node.finds("cat ~dep/.ssh/authorized_keys", &format!("command=\"/bin/backup\" {KEY}\n"));
}

#[test]
fn fault_16_the_lock_of_package_lists_is_waited_for() {
    let node = Node::new(Init::Sshd);
    // an fcntl lock, like apt's
    node.runs(
        "cat >/root/hold <<'END'\nuse Fcntl;\n\
         open(my $lock, '+>>', '/var/lib/apt/lists/lock') or die;\n\
         my $how = pack('s s x4 l! l! i x4', F_WRLCK, 0, 0, 0, 0);\n         fcntl($lock, F_SETLK, \
         $how) or die;\nopen(my $held, '>', '/run/held'); sleep 8;\nEND\n\
         setsid perl /root/hold >/dev/null 2>&1 </dev/null & for try in $(seq 100); do [ -e \
         /run/held ] && exit; sleep 0.1; done; exit 1",
    );
    node.project("package_manager(request, action = \"update\", max_age = 0)")
        .run(&["lift"])
        .exits(0);
}

#[test]
fn fault_17_tcsh_may_be_the_login_shell() {
    let tcsh =
        ["/usr/bin/tcsh", "/bin/tcsh"].into_iter().find(|path| std::path::Path::new(path).exists());
    let tcsh = tcsh.expect("tests/run installs it");
    let node = Node::new(Init::Sshd);
    node.project("pass").run(&["cp", tcsh, "b1:/usr/bin/tcsh"]).exits(0);
    node.runs(
        "chmod 755 /usr/bin/tcsh && useradd -m -s /usr/bin/tcsh utcsh && echo 'utcsh ALL=(ALL) \
         NOPASSWD: ALL' >/etc/sudoers.d/utcsh && \
         cp -r /root/.ssh /home/utcsh/ && chown -R utcsh: /home/utcsh/.ssh && su utcsh -c true",
    );
    let project = node.project_as("utcsh", "file(request, \"/srv/x\")");
    super::lifts_twice(&project);
    node.runs("test -f /srv/x");
}

#[test]
fn fault_18_a_login_that_never_starts_a_shell_is_an_error() {
    let node = Node::prepared("echo 'read x' >/home/admin/.bashrc && usermod -s /bin/bash admin");
    let project = node.project_as("admin", "file(request, \"/srv/x\")");
    let started = Instant::now();
    let lift = project.run(&["lift"]);
    assert_ne!(lift.code(), 0, "{lift}");
    assert!(started.elapsed() < Duration::from_secs(90), "{:?}", started.elapsed());
}

#[test]
fn fault_19_one_session_at_a_time_is_enough() {
    let node = Node::prepared("echo 'MaxSessions 1' >>/etc/ssh/sshd_config");
    node.bed.kill(node.number);
    node.bed.start(node.number);
    let project = node.project("remote_file(request, \"/srv/t.txt\", content = \"0\\n\")");
    for turn in 0..13 {
        project.edit("pallet.star", &format!("\"{turn}\\n\""), &format!("\"{}\\n\"", turn + 1));
        project.run(&["lift"]).exits(0);
    }
    node.finds("cat /srv/t.txt", "13\n");
}
