//! Hosts that the ssh configuration knows the way to.

use std::fs;
use std::time::{Duration, Instant};

use pallet_core::model::{Connection, SshConnection};
use pallet_core::transport::{ConnectSettings, Input, TransportError, connect, login_user};

use crate::server::{Server, run, say, user};

/// Settings that know the hosts by a configuration: `NAME` and `PORT` of each server, and their
/// keys.
fn settings(first: &Server, config: &str, servers: &[&Server]) -> ConnectSettings {
    let mut known = String::new();
    for server in servers {
        known.push_str(&format!(
            "[127.0.0.1]:{} {}",
            server.port,
            fs::read_to_string(server.path("host.pub")).expect("there")
        ));
    }
    fs::write(first.path("known"), known).expect("written");
    fs::write(first.path("config"), config).expect("written");
    ConnectSettings {
        user: "nobody-else".to_owned(),
        ssh_config: vec![first.path("config")],
        known_hosts: vec![first.path("known")],
        ..ConnectSettings::default()
    }
}

fn host(name: &str) -> Connection {
    Connection::Ssh(SshConnection { host: name.to_owned(), ..SshConnection::default() })
}

fn entry(name: &str, server: &Server, more: &str) -> String {
    let (port, key) = (server.port, server.path("key"));
    format!(
        "Host {name}\nHostName 127.0.0.1\nPort {port}\nUser {}\nIdentityFile {}\n{more}\n",
        user(),
        key.display()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias() {
    let server = Server::start();
    let settings = settings(&server, &entry("web", &server, ""), &[&server]);
    assert_eq!(
        say(&mut *connect(&host("web"), &settings).await.expect("it lets in"), "echo in").await,
        "in"
    );
    assert_eq!(login_user(&host("web"), &settings).expect("readable"), Some(user()));
    assert_eq!(
        login_user(&host("other"), &settings).expect("readable").as_deref(),
        Some("nobody-else")
    );
    let named = Connection::Ssh(SshConnection {
        host: "web".into(),
        user: Some("bob".into()),
        ..SshConnection::default()
    });
    assert_eq!(login_user(&named, &settings).expect("readable").as_deref(), Some("bob"));
    assert_eq!(login_user(&Connection::Local, &settings).expect("readable"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_one_and_two_other_hosts() {
    let (near, middle, far) = (Server::start(), Server::start(), Server::start());
    let config = entry("near", &near, "")
        + &entry("middle", &middle, "ProxyJump near")
        + &entry("far", &far, "ProxyJump middle")
        + &entry("listed", &far, "ProxyJump near,middle");
    let settings = settings(&near, &config, &[&near, &middle, &far]);
    for name in ["middle", "far", "listed"] {
        let mut node =
            connect(&host(name), &settings).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        // Both directions at once, through every hop.
        let ended = run(&mut *node, "head -c 3000000 /dev/zero; cat", vec![b'x'; 8 << 20])
            .await
            .expect("it runs");
        assert_eq!((ended.0, ended.1.len()), (0, 3_000_000 + (8 << 20)), "{name}");
        node.close().await;
    }
    assert_eq!(far.log().matches("Accepted publickey").count(), 2, "{}", far.log());
    assert_eq!(near.log().matches("Accepted publickey").count(), 3, "{}", near.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trouble_on_the_way_names_the_host() {
    let (near, far, closed) =
        (Server::start(), Server::start(), Server::start_with("AllowTcpForwarding no"));
    let config = entry("near", &near, "")
        + &entry("closed", &closed, "")
        + &entry("far", &far, "ProxyJump near")
        + &entry("barred", &far, "ProxyJump closed")
        + "Host round\nProxyJump about\nHost about\nProxyJump round\n";
    let unknown = settings(&near, &config, &[&far]);
    let error = connect(&host("far"), &unknown).await.err().expect("the first host is not known");
    assert!(
        matches!(
            &error,
            TransportError::HostKey { host, .. } if *host == format!("127.0.0.1:{}", near.port)
        ),
        "{error}"
    );
    let settings = settings(&near, &config, &[&near, &closed]);
    let error = connect(&host("far"), &settings).await.err().expect("the second host is not known");
    assert!(
        matches!(
            &error,
            TransportError::HostKey { host, .. } if *host == format!("127.0.0.1:{}", far.port)
        ),
        "{error}"
    );
    let error =
        connect(&host("barred"), &settings).await.err().expect("it may not forward").to_string();
    assert!(error.contains("AllowTcpForwarding"), "{error}");
    let error = connect(&host("round"), &settings).await.err().expect("it goes round").to_string();
    assert!(error.contains("does its ProxyJump lead back to itself?"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_on_the_way_that_dies_is_noticed() {
    let (near, far) = (Server::start(), Server::start());
    let config = entry("near", &near, "") + &entry("far", &far, "ProxyJump near");
    let settings = settings(&near, &config, &[&near, &far]);
    let mut node = connect(&host("far"), &settings).await.expect("it lets in");
    assert_eq!(say(&mut *node, "echo in").await, "in");
    let started = Instant::now();
    near.kill_connections();
    let error = run(&mut *node, "sleep 20", Input::none()).await.expect_err("the way is gone");
    assert!(matches!(error, TransportError::Lost { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_leads_to_the_host() {
    let (near, far) = (Server::start(), Server::start());
    // a shell, so that there is more than one process to end
    let through = format!(
        "ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i {} -p {}",
        near.path("key").display(),
        near.port
    );
    let command = format!(
        "sh -c 'echo $$ >> {}/pid; {through} -W %h:%p 127.0.0.1; true'",
        near.dir.path().display()
    );
    let config = entry("commanded", &far, &format!("ProxyCommand {command}"))
        + &entry("behind", &near, "ProxyJump commanded")
        + &entry("broken", &far, "ProxyCommand sh -c 'echo no way to %h >&2; exit 3'");
    let settings = settings(&near, &config, &[&near, &far]);
    let mut node =
        connect(&host("commanded"), &settings).await.unwrap_or_else(|error| panic!("{error}"));
    let ended = run(&mut *node, "head -c 3000000 /dev/zero; cat", vec![b'x'; 8 << 20])
        .await
        .expect("it runs");
    assert_eq!((ended.0, ended.1.len()), (0, 3_000_000 + (8 << 20)));
    let pid = fs::read_to_string(near.path("pid")).expect("there");
    // of a process that has ended nothing is left there
    let runs = || !fs::read(format!("/proc/{}/cmdline", pid.trim())).unwrap_or_default().is_empty();
    assert!(runs());
    node.close().await;
    let started = Instant::now();
    while runs() {
        assert!(started.elapsed() < Duration::from_secs(5), "the command goes on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut node =
        connect(&host("behind"), &settings).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(say(&mut *node, "echo in").await, "in");
    let error = connect(&host("broken"), &settings).await.err().expect("it fails").to_string();
    let expected = format!(
        "cannot connect to 127.0.0.1:{}: its ProxyCommand failed: no way to \
        127.0.0.1 (exit status: 3)",
        far.port
    );
    assert_eq!(error, expected);
}
