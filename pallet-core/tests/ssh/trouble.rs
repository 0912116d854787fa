//! Servers that are silent, busy, broken or gone.

use std::io::Write;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use expect_test::expect;
use pallet_core::model::{Connection, SshConnection};
use pallet_core::transport::{ConnectSettings, Input, Transport, TransportError, connect};

use crate::server::{Server, run, say};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_command_is_ended_and_the_connection_goes_on() {
    let server = Server::start();
    let settings =
        ConnectSettings { command_timeout: Some(Duration::from_secs(1)), ..server.settings() };
    let mut node = server.connect_with(&settings).await.expect("it lets in");
    // Noise is a sign of life.
    assert_eq!(
        run(&mut *node, "for i in 1 2 3 4; do echo $i; sleep 0.5; done", Input::none())
            .await
            .expect("it runs")
            .0,
        0
    );
    let error =
        run(&mut *node, "echo begin; sleep 20", Input::none()).await.expect_err("it is silent");
    assert!(matches!(error, TransportError::Timeout { .. }));
    expect![
        "127.0.0.1:PORT: the command neither read nor wrote anything for 1 s: raise the timeout, \
         or check what it waits for"
    ]
    .assert_eq(&server.plain(&error));
    assert_eq!(say(&mut *node, "echo still here").await, "still here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_is_noticed() {
    let server = Server::start();
    let mut node = server.connect().await;
    let started = Instant::now();
    let error =
        run(&mut *node, "kill -KILL $PPID; sleep 1", vec![0; 1 << 20]).await.expect_err("it died");
    assert!(matches!(error, TransportError::Lost { .. }), "{error}");
    let again = run(&mut *node, "true", Input::none()).await.expect_err("it is dead");
    assert!(matches!(again, TransportError::Lost { .. }), "{again}");
    node.close().await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

/// Stops the server's process of a connection in the middle of a command, and says how long it took
/// to be noticed.
async fn freeze(
    node: &mut dyn Transport,
    command: &str,
    input: Vec<u8>,
) -> (TransportError, Duration) {
    let started = Instant::now();
    let error =
        run(node, &format!("kill -STOP $PPID; {command}"), input).await.expect_err("it is frozen");
    (error, started.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_silent_is_asked_and_given_up() {
    let server = Server::start();
    let settings = ConnectSettings { keepalive: Some(Duration::from_secs(3)), ..server.settings() };
    let (mut reader, mut writer) = (
        server.connect_with(&settings).await.expect("it lets in"),
        server.connect_with(&settings).await.expect("it lets in"),
    );
    let pids = [say(&mut *reader, "echo $PPID").await, say(&mut *writer, "echo $PPID").await];
    let (read, wrote) = tokio::join!(
        freeze(&mut *reader, "sleep 20", Vec::new()),
        freeze(&mut *writer, "cat >/dev/null", vec![0; 64 << 20])
    );
    for pid in pids {
        assert!(Command::new("kill").args(["-KILL", &pid]).status().expect("kill runs").success());
    }
    for (error, took) in [read, wrote] {
        assert!(error.to_string().contains("silent"), "{error}");
        assert!((Duration::from_secs(6)..Duration::from_secs(15)).contains(&took), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_answers_the_server_and_survives() {
    let server = Server::start_with("ClientAliveInterval 1\nClientAliveCountMax 1");
    let mut node = server.connect().await;
    say(&mut *node, "true").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(say(&mut *node, "echo still here").await, "still here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_exchanged_again_in_the_middle() {
    let server = Server::start_with("RekeyLimit 1M");
    let mut node = server.connect().await;
    let ended = run(&mut *node, "cat", vec![b'x'; 12 << 20]).await.expect("it runs");
    assert_eq!((ended.0, ended.1.len()), (0, 12 << 20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_server_is_asked_again() {
    let server = Server::start_with("MaxStartups 2\nLogLevel VERBOSE");
    let settings = server.settings();
    let attempts = (0..20).map(|_| {
        let (connection, settings) = (Connection::Ssh(server.connection()), settings.clone());
        tokio::spawn(async move {
            let mut node = connect(&connection, &settings).await?;
            run(&mut *node, "echo in", Input::none()).await
        })
    });
    for attempt in attempts.collect::<Vec<_>>() {
        let (code, out, _) = attempt.await.expect("no panic").expect("it lets in");
        assert_eq!((code, out.as_str()), (0, "in\n"));
    }
    assert!(server.log().contains("MaxStartups"), "nothing was refused:\n{}", server.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ports_that_no_sshd_serves() {
    let at = |port| {
        Connection::Ssh(SshConnection {
            host: "127.0.0.1".into(),
            port: Some(port),
            ..SshConnection::default()
        })
    };
    let settings =
        ConnectSettings { connect_timeout: Duration::from_secs(1), ..ConnectSettings::default() };
    let listen = || TcpListener::bind("127.0.0.1:0").expect("a port");
    let (closed, mute, shutting, web) = (listen(), listen(), listen(), listen());
    let ports = [&closed, &mute, &shutting, &web]
        .map(|listener| listener.local_addr().expect("an address").port());
    drop(closed);
    std::thread::spawn(move || shutting.incoming().for_each(drop));
    std::thread::spawn(move || {
        for socket in web.incoming().flatten() {
            let _ = (&socket).write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let mut said = Vec::new();
    for port in ports {
        let error = connect(&at(port), &settings)
            .await
            .err()
            .expect("no ssh")
            .to_string()
            .replace(&port.to_string(), "PORT");
        let error = (2..9)
            .fold(error, |error, times| error.replace(&format!(" {times} times"), " N times"));
        assert!(!error.contains('\n'), "{error}");
        said.push(error);
    }
    let unknown = Connection::Ssh(SshConnection {
        host: "no-such-host.invalid".into(),
        ..SshConnection::default()
    });
    let error = connect(&unknown, &settings).await.err().expect("no such host").to_string();
    assert!(error.starts_with("cannot connect to no-such-host.invalid:22: "), "{error}");
    expect![[r#"
        cannot connect to 127.0.0.1:PORT: nothing listens there: is sshd running on this port?
        cannot connect to 127.0.0.1:PORT: it accepts the connection but sends nothing for 1 s: is this an ssh server, and the right port?
        cannot connect to 127.0.0.1:PORT: it closes the connection before its greeting, N times: sshd is overloaded (MaxStartups), or it bans this address
        cannot connect to 127.0.0.1:PORT: it closes the connection before its greeting, N times: sshd is overloaded (MaxStartups), or it bans this address"#]].assert_eq(&said.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_asks_and_is_answered() {
    let server = Server::start();
    let settings = ConnectSettings { keepalive: Some(Duration::from_secs(3)), ..server.settings() };
    let mut node = server.connect_with(&settings).await.expect("it lets in");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(say(&mut *node, "echo still here").await, "still here");
}
