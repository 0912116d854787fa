//! The controller's ssh agent, forwarded to git on a node, for a repository that another node
//! serves over ssh.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use pallet_tests::{Bed, Project};

use super::project;

/// An ssh agent with a key that exists nowhere else. It ends with its test.
struct Agent {
    process: Child,
    directory: tempfile::TempDir,
}

impl Agent {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (socket, key) = (directory.path().join("agent"), directory.path().join("key"));
        let process = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let agent = Agent { process, directory };
        while !socket.exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let run = |command: &mut Command| {
            assert!(command.arg(&key).env("SSH_AUTH_SOCK", &socket).status().unwrap().success())
        };
        run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "lent", "-f"]));
        run(Command::new("ssh-add").arg("-q"));
        std::fs::remove_file(&key).unwrap();
        agent
    }

    /// The line of its key for authorized_keys.
    fn public(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("key.pub")).unwrap().trim().to_owned()
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("agent")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Two nodes with git: the second one serves a repository to holders of the agent's key; the first
/// one knows its host key and has a user `app`.
fn bed(agent: &Agent) -> Bed {
    let bed = Bed::of(2);
    let install = "apt-get -qq install -y git >/dev/null 2>&1 && git --version";
    let serve = format!(
        "{install} && useradd -m keeper && cd /home/keeper && mkdir -m 700 .ssh && echo '{}' > \
         .ssh/authorized_keys && chown -R keeper: . && \
         su keeper -c 'git init -q -b main app && cd app && echo one > file && git add file && git \
         -c user.name=x -c user.email=x@example.com commit -qm one'",
        agent.public()
    );
    bed.ssh(2, &serve).exits(0);
    let hosts = std::fs::read_to_string(bed.known_hosts()).unwrap();
    bed.ssh(
        1,
        &format!(
            "{install} && echo '{hosts}' > /etc/ssh/ssh_known_hosts && useradd -m app && mkdir -m \
             755 /srv/apps && chown app: /srv/apps"
        ),
    )
    .exits(0);
    bed
}

/// Checkouts as root and as another user, and what other actions of the phase see of the agent.
const CHECKOUTS: &str = r##"
def configure(request):
    git_checkout(request, "keeper@10.77.1.2:app", "/srv/private", forward_agent = True)
    exec_script(request, "echo ${SSH_AUTH_SOCK-none} > /srv/seen")
    git_checkout(request, "keeper@10.77.1.2:app", "/srv/apps/private", user = "app", forward_agent = True)

app = group_spec("app", phases = {"configure": configure})
"##;

/// Asserts that both are checked out with this content, and that no trace of the agent is left on
/// the node.
#[track_caller]
fn is_checked_out(bed: &Bed, content: &str) {
    let look = "cat /srv/private/file /srv/apps/private/file /srv/seen; stat -c %U \
        /srv/private/file /srv/apps/private/file";
    let output = bed.ssh(1, look).exits(0);
    assert_eq!(
        output.stdout.lines().collect::<Vec<_>>(),
        [content, content, "none", "root", "app"],
        "{output}"
    );
    // sshd removes its own socket when it notices the end of the connection
    let gone = "for i in $(seq 50); do left=$(ls -d /.pallet.* /tmp/.pallet.* /tmp/ssh-* \
        2>/dev/null); [ -n \"$left\" ] || exit 0; sleep 0.2; done; ls -lR $left; exit 1";
    bed.ssh(1, gone).exits(0);
}

fn commits(bed: &Bed, content: &str) {
    let commit = "git -c user.name=x -c user.email=x@example.com commit -qam more";
    bed.ssh(2, &format!("su keeper -c 'cd ~/app && echo {content} > file && {commit}'")).exits(0);
}

fn lending(agent: &Agent, project: Project) -> Project {
    project.set("SSH_AUTH_SOCK", agent.socket())
}

/// Lifts twice, with a new commit in between, for all combinations of git user and login user.
fn checks_out(bed: &Bed, project: &Project) {
    project.events(&["lift"], 0);
    is_checked_out(bed, "one");
    commits(bed, "two");
    // what git's user sees of the agent, and what another user would see
    let hook = "ls -ld ${SSH_AUTH_SOCK%/*} >/srv/apps/saw; ls -l $SSH_AUTH_SOCK >>/srv/apps/saw; \
        ls ${SSH_AUTH_SOCK%/*} 2>>/srv/apps/saw || :";
    bed.ssh(
        1,
        &format!(
            "cd /srv/apps/private/.git/hooks && printf '#!/bin/sh\\n%s\\n' '{hook}' > \
            post-checkout && chmod 755 post-checkout"
        ),
    )
    .exits(0);
    project.events(&["lift"], 0);
    is_checked_out(bed, "two");
    let saw = bed.ssh(1, "cat /srv/apps/saw").exits(0);
    saw.says("drwx--x--x").says("srwxr-xr-x").says(" app ").says("Permission denied");
}

#[test]
fn a_root_login() {
    let agent = Agent::start();
    let bed = bed(&agent);
    checks_out(&bed, &lending(&agent, project(&bed, 1, "root", CHECKOUTS)));
}

#[test]
fn an_admin_with_sudo_or_with_doas() {
    let agent = Agent::start();
    let bed = bed(&agent);
    let project = lending(&agent, project(&bed, 1, "admin", CHECKOUTS));
    checks_out(&bed, &project);

    commits(&bed, "three");
    bed.ssh(
        1,
        "apt-get -qq install -y opendoas >/dev/null 2>&1; rm /usr/bin/sudo; echo 'permit \
        nopass admin' > /etc/doas.conf",
    )
    .exits(0);
    project.events(&["lift"], 0);
    is_checked_out(&bed, "three");
}

#[test]
fn roots_password_and_su() {
    let agent = Agent::start();
    let bed = bed(&agent);
    bed.ssh(1, "rm /usr/bin/sudo; echo root:bed-root | chpasswd --crypt-method SHA512").exits(0);
    let project = lending(&agent, project(&bed, 1, "plain", CHECKOUTS));
    project.write("password", "bed-root\n");
    project.edit(
        "pallet.toml",
        "name = \"plain\"",
        "name = \"plain\"\n\
        sudo_password = { file = \"password\" }",
    );
    checks_out(&bed, &project);
}

#[test]
fn without_it_the_reason_is_told() {
    let agent = Agent::start();
    let bed = bed(&agent);
    let project = lending(
        &agent,
        project(&bed, 1, "admin", &CHECKOUTS.replace(", forward_agent = True", "")),
    );
    project
        .run(&["lift"])
        .exits(1)
        .says("git_checkout /srv/private")
        .says("Permission denied (publickey)")
        .says("forward_agent = True");
    project.write("pallet.star", CHECKOUTS);

    let project = project.unset("SSH_AUTH_SOCK");
    project
        .run(&["lift"])
        .exits(1)
        .says("cannot forward the ssh agent")
        .says("there is no ssh agent here")
        .says("ssh-add");
    let project = lending(&agent, project);
    // the agent's key is not authorized
    bed.ssh(2, "mv /home/keeper/.ssh/authorized_keys /home/keeper/.ssh/none").exits(0);
    project
        .run(&["lift"])
        .exits(1)
        .says("Permission denied (publickey)")
        .says("no key of the ssh agent that is forwarded");
    // the node does not know the other one
    bed.ssh(1, "rm /etc/ssh/ssh_known_hosts").exits(0);
    project.run(&["lift"]).exits(1).says("Host key verification failed");
    bed.ssh(
        1,
        "echo 'AllowAgentForwarding no' > /etc/ssh/sshd_config.d/agent.conf; pkill -HUP -o \
        sshd; sleep 1",
    )
    .exits(0);
    project
        .run(&["lift"])
        .exits(1)
        .says("cannot forward the ssh agent to 10.77.1.1:22")
        .says("AllowAgentForwarding");
    bed.ssh(1, "test ! -e /srv/seen").exits(0);
}
