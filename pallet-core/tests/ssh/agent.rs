//! The agent of this machine, lent to a script on a node.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use expect_test::expect;
use pallet_core::transport::{
    Become, ConnectSettings, ScriptOptions, Stream, Transport, TransportError, run_script_with,
};

use crate::server::{Server, keygen, run};

/// An ssh agent that ends with its test.
pub(crate) struct Agent(Child);

impl Agent {
    pub(crate) fn start(server: &Server) -> Self {
        let socket = server.path("agent");
        let agent = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn();
        let agent = Agent(agent.expect("ssh-agent runs"));
        while !socket.exists() {
            std::thread::sleep(Duration::from_millis(10));
        }
        agent
    }

    pub(crate) fn add(server: &Server, name: &str) {
        let added = Command::new("ssh-add")
            .arg("-q")
            .arg(server.path(name))
            .env("SSH_AUTH_SOCK", server.path("agent"))
            .status();
        assert!(added.expect("ssh-add runs").success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn with_agent(server: &Server) -> ConnectSettings {
    ConnectSettings { agent: Some(server.path("agent")), ..server.settings() }
}

/// Runs a script that may use the agent: its code, and what it printed.
async fn lending(node: &mut dyn Transport, script: &str) -> Result<(i32, String), TransportError> {
    let options = ScriptOptions { agent: true, ..ScriptOptions::default() };
    let mut said = Vec::new();
    let mut listen = |_: Stream, bytes: &[u8]| said.extend_from_slice(bytes);
    let ran = run_script_with(node, &Become::Login, script, &options, &mut listen).await?;
    Ok((ran.code, String::from_utf8_lossy(&said).trim().to_owned()))
}

async fn refusal(node: &mut dyn Transport, server: &Server) -> String {
    server.plain(&lending(node, "true").await.expect_err("nothing can be lent"))
}

#[tokio::test]
async fn a_script_that_asks_for_it_logs_in_with_the_agent() {
    let server = Server::start();
    let _agent = Agent::start(&server);
    keygen(&server.path("lent"), &["-t", "ed25519", "-N", ""]);
    server.authorize(&["lent"]);
    Agent::add(&server, "lent");
    fs::remove_file(server.path("lent")).expect("it was there");
    let mut node = server.connect_with(&with_agent(&server)).await.expect("it lets in");
    let options = "-F none -o BatchMode=yes -o StrictHostKeyChecking=no -o \
        UserKnownHostsFile=/dev/null -o LogLevel=ERROR";
    let log_in = format!("ssh {options} -p {} 127.0.0.1 echo in", server.port);

    let (code, _, err) = run(&mut *node, &log_in, "").await.expect("it runs");
    assert_ne!(code, 0);
    assert!(err.contains("Permission denied"), "{err}");
    // again over the same connection, of which sshd says that it was asked already
    for _ in 0..2 {
        assert_eq!(
            lending(&mut *node, &log_in).await.expect("it runs"),
            (0, "in".to_owned()),
            "{}",
            server.log()
        );
    }
    // sshd still has its socket, and what opens it is refused
    let (code, out, err) =
        run(&mut *node, "[ -S \"$SSH_AUTH_SOCK\" ] && timeout 10 ssh-add -l", "")
            .await
            .expect("it runs");
    // it is told so, or ended by what it cannot write any more, and does not wait
    assert!(code != 0 && code != 124 && out.is_empty(), "{code} {out} {err}");
    assert_eq!(run(&mut *node, "echo on", "").await.expect("it runs").1, "on\n");
}

#[tokio::test]
async fn keys_can_be_used_and_not_changed() {
    let server = Server::start();
    let _agent = Agent::start(&server);
    Agent::add(&server, "key");
    let mut node = server.connect_with(&with_agent(&server)).await.expect("it lets in");
    keygen(&server.path("other"), &["-t", "ed25519", "-N", ""]);
    let other = server.path("other").display().to_string();
    let changes = format!("ssh-add -D; ssh-add -q {other}; ssh-add -x </dev/null; ssh-add -l");
    let (code, said) = lending(&mut *node, &changes).await.expect("it runs");
    assert_eq!(code, 0, "{said}");
    assert_eq!(said.lines().filter(|line| line.contains("ED25519")).count(), 1, "{said}");
}

#[tokio::test]
async fn many_at_once_beside_much_output() {
    let server = Server::start();
    let _agent = Agent::start(&server);
    Agent::add(&server, "key");
    let mut node = server.connect_with(&with_agent(&server)).await.expect("it lets in");
    let script = "head -c 20000000 /dev/zero | tr '\\0' x | fold -w 1000 &\n\
        for i in 1 2 3 4 5 6 7 8 9 10 11 12; do for j in 1 2 3 4 5 6 7 8; do ssh-add -l; done & \
        done\nwait";
    let (code, said) = tokio::time::timeout(Duration::from_secs(60), lending(&mut *node, script))
        .await
        .expect("it ends")
        .expect("it runs");
    assert_eq!((code, said.matches("ED25519").count()), (0, 96));
    assert_eq!(said.matches('x').count() / 1_000_000, 20);
    // more than are served at a time
    let script = "for i in $(seq 60); do timeout 20 ssh-add -l >/dev/null 2>&1 & done; wait; \
        timeout 20 ssh-add -l";
    let (code, said) = tokio::time::timeout(Duration::from_secs(60), lending(&mut *node, script))
        .await
        .expect("it ends")
        .expect("it runs");
    assert!(code == 0 && said.contains("ED25519"), "{code} {said}");
}

#[tokio::test]
async fn an_agent_that_hangs_holds_up_nothing() {
    let server = Server::start();
    let agent = Agent::start(&server);
    Agent::add(&server, "key");
    let mut node = server.connect_with(&with_agent(&server)).await.expect("it lets in");
    let hanging = format!(
        "kill -STOP {}; timeout 2 ssh-add -l; kill -CONT {0}; echo $?; timeout 5 ssh-add -l",
        agent.0.id()
    );
    let (code, said) = tokio::time::timeout(Duration::from_secs(20), lending(&mut *node, &hanging))
        .await
        .expect("it ends")
        .expect("it runs");
    assert!(code == 0 && said.contains("ED25519"), "{code} {said}");
    // what it leaves open ends with it
    let (code, _) =
        lending(&mut *node, "sleep 30 </dev/null >/dev/null 2>&1 & exit 3").await.expect("it runs");
    assert_eq!(
        (code, run(&mut *node, "echo on", "").await.expect("it runs").1.as_str()),
        (3, "on\n")
    );
}

#[tokio::test]
async fn what_cannot_be_lent_is_said_with_the_reason() {
    let server = Server::start_with("AllowAgentForwarding no");
    let none = refusal(&mut *server.connect().await, &server).await;
    let agent = Agent::start(&server);
    let mut node = server.connect_with(&with_agent(&server)).await.expect("it lets in");
    let empty = refusal(&mut *node, &server).await;
    Agent::add(&server, "key");
    let forbidden = refusal(&mut *node, &server).await;
    assert_eq!(run(&mut *node, "echo on", "").await.expect("it runs").1, "on\n");
    drop(agent);
    let gone = refusal(&mut *node, &server).await;
    expect![[r#"
        cannot forward the ssh agent to 127.0.0.1:PORT: there is no ssh agent here (SSH_AUTH_SOCK): start one with `ssh-agent`, and add a key with `ssh-add`
        cannot forward the ssh agent to 127.0.0.1:PORT: the agent at DIR/agent holds no key: add one with `ssh-add`
        cannot forward the ssh agent to 127.0.0.1:PORT: the server does not allow it: enable it there (AllowAgentForwarding in its sshd_config, agent-forwarding in authorized_keys)
        cannot forward the ssh agent to 127.0.0.1:PORT: the agent at DIR/agent does not answer (Connection refused (os error 111)): start one with `ssh-agent`, and add a key with `ssh-add`"#]]
    .assert_eq(&[none, empty, forbidden, gone].join("\n"));
}
