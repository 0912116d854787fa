//! Servers that mean no good: whatever they send, or do not send, a connection to them ends within
//! its time, and holds up no other.
//!
//! All of it runs on a single thread, so that a call that does not end would hold up everything.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use expect_test::expect;
use pallet_core::model::{Connection, SshConnection};
use pallet_core::transport::{Become, ConnectSettings, TransportError, connect, run_script};

use crate::server::{Server, say};

const LIMIT: Duration = Duration::from_secs(8);

const SOON: Duration = Duration::from_secs(4);

/// A server that does with each connection what `serve` does. Its threads end when their peer does.
fn serve(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(socket));
        }
    });
    address
}

/// Sends the same bytes as often as the peer takes them.
fn flood(bytes: &'static [u8]) -> impl Fn(TcpStream) + Clone + Send + 'static {
    move |mut socket| while socket.write_all(bytes).is_ok() {}
}

fn at(address: SocketAddr) -> Connection {
    Connection::Ssh(SshConnection {
        host: "127.0.0.1".into(),
        port: Some(address.port()),
        ..SshConnection::default()
    })
}

/// Why it cannot be connected to, and how long it took to say so.
async fn refusal(address: SocketAddr) -> (String, Duration) {
    let settings = ConnectSettings { connect_timeout: LIMIT, ..ConnectSettings::default() };
    let started = Instant::now();
    let error =
        connect(&at(address), &settings).await.err().expect("it lets nobody in").to_string();
    (error.replace(&address.port().to_string(), "PORT"), started.elapsed())
}

#[tokio::test]
async fn a_greeting_that_does_not_end_is_given_up() {
    let lines = serve(flood(b"welcome to the machine, please wait\r\n"));
    let no_end = serve(flood(&[b'x'; 4096]));
    let slow = serve(|mut socket| {
        while socket.write_all(b"wait\r\n").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let mute = serve(|mut socket| {
        let _ = socket.read(&mut [0; 1]);
        thread::sleep(Duration::from_secs(60));
    });
    let nul = serve(flood(b"\0\0\0\0"));
    let server = Server::start();
    let good = async {
        let started = Instant::now();
        let mut node = server.connect().await;
        assert_eq!(say(&mut *node, "echo well").await, "well");
        started.elapsed()
    };
    let (lines, no_end, slow, mute, nul, good) = tokio::join!(
        refusal(lines),
        refusal(no_end),
        refusal(slow),
        refusal(mute),
        refusal(nul),
        good
    );
    assert!(good < Duration::from_secs(7), "the good node waited: {good:?}");
    let all = [lines, no_end, slow, mute, nul];
    for (error, took) in &all {
        assert!(*took < LIMIT + Duration::from_secs(3), "{took:?}: {error}");
    }
    expect![[r#"
        cannot connect to 127.0.0.1:PORT: it sent over 1024 KB before the key exchange was complete: is this an ssh server, and the right port?
        cannot connect to 127.0.0.1:PORT: it sent over 1024 KB before the key exchange was complete: is this an ssh server, and the right port?
        127.0.0.1:PORT: the key exchange took longer than 8 s: check whether the host is overloaded, or raise the timeout
        cannot connect to 127.0.0.1:PORT: it accepts the connection but sends nothing for 8 s: is this an ssh server, and the right port?
        cannot connect to 127.0.0.1:PORT: it does not speak ssh ([Session(-2)] Failed getting banner): is this the right port?"#]]
    .assert_eq(&all.map(|(error, _)| error).join("\n"));
}

#[tokio::test]
async fn the_second_half_of_a_handshake_that_does_not_end_is_given_up() {
    // a greeting as it should be, and packets without end
    let packets = serve(|mut socket| {
        let _ = socket.write_all(b"SSH-2.0-OpenSSH_9.6\r\n");
        // SSH_MSG_IGNORE, in clear
        let packet = [0, 0, 0, 12, 6, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        while socket.write_all(&packet.repeat(64)).is_ok() {}
    });
    let noise = serve(|mut socket| {
        let _ = socket.write_all(b"SSH-2.0-OpenSSH_9.6\r\n");
        while socket.write_all(&[0x5a; 512]).is_ok() {}
    });
    let half = serve(|mut socket| {
        let _ = socket.write_all(b"SSH-2.0-OpenSSH_9.6\r\n\0\0\x03\xfc");
        thread::sleep(Duration::from_secs(60));
    });
    for (name, address) in [("packets", packets), ("noise", noise), ("half", half)] {
        let (error, took) = refusal(address).await;
        assert!(took < LIMIT + Duration::from_secs(3), "{name}: {took:?}: {error}");
        assert!(!error.contains('\n'), "{name}: {error}");
    }
}

/// Carries bytes to a server, and from it so many; garbage follows.
fn spoiled(server: u16, after: usize, again: bool) -> SocketAddr {
    serve(move |client| {
        let real = TcpStream::connect(("127.0.0.1", server)).expect("sshd listens");
        let (mut from, mut to) =
            (client.try_clone().expect("a socket"), real.try_clone().expect("a socket"));
        thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
        let (mut real, mut client) = (real, client);
        let (mut seed, mut sent, mut buffer) = (after as u64 | 1, 0, [0; 4096]);
        let mut noise = |bytes: &mut [u8]| {
            for byte in bytes {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                *byte = (seed >> 33) as u8;
            }
        };
        while let Ok(read @ 1..) = real.read(&mut buffer) {
            let clean = after.saturating_sub(sent).min(read);
            noise(&mut buffer[clean..read]);
            sent += read;
            if client.write_all(&buffer[..read]).is_err() {
                return;
            }
            if again && sent > after {
                loop {
                    noise(&mut buffer);
                    if client.write_all(&buffer).is_err() {
                        return;
                    }
                }
            }
        }
        // what was spoiled stays open
        thread::sleep(Duration::from_secs(60));
    })
}

#[tokio::test]
async fn garbage_in_the_encrypted_stream_ends_the_connection() {
    let server = Server::start();
    let mut slowest = Duration::ZERO;
    // from the middle of the key exchange to the middle of the output
    for number in 0..40_usize {
        let after = 1000 + number * 67;
        let address = spoiled(server.port, after, number % 2 == 0);
        let ssh = SshConnection { port: Some(address.port()), ..server.connection() };
        let settings = ConnectSettings {
            connect_timeout: SOON,
            keepalive: Some(SOON),
            shell_timeout: SOON,
            ..server.settings()
        };
        let started = Instant::now();
        let work = async {
            let mut node = connect(&Connection::Ssh(ssh), &settings).await?;
            let script = "i=0; while [ $i -lt 500 ]; do echo 0123456789; i=$((i+1)); done";
            run_script(&mut *node, &Become::Login, script, &mut |_, _| {}).await
        };
        let result = tokio::time::timeout(Duration::from_secs(30), work).await;
        let result: Result<i32, TransportError> =
            result.unwrap_or_else(|_| panic!("garbage after {after} bytes hangs"));
        assert!(result.is_err() || after > 3000, "garbage after {after} bytes was not noticed");
        slowest = slowest.max(started.elapsed());
    }
    assert!(slowest < Duration::from_secs(20), "{slowest:?}");
}

#[tokio::test]
async fn a_long_login_banner_is_the_reason_that_is_given() {
    let server = Server::start_with("Banner DIR/banner");
    for (lines, taken) in [(100, true), (1000, false)] {
        std::fs::write(
            server.path("banner"),
            format!("{}\n", "all that you do here is seen by somebody, so be kind to all")
                .repeat(lines),
        )
        .expect("written");
        match server.connect_with(&server.settings()).await {
            Ok(mut node) if taken => assert_eq!(say(&mut *node, "echo in").await, "in"),
            Err(error) if !taken => expect![
                "cannot log in to 127.0.0.1:PORT as USER: it sent something that pallet cannot \
                 read, most likely a login banner over 32 KB (`Banner` in its sshd_config): \
                 shorten it there"
            ]
            .assert_eq(&server.plain(&error)),
            other => panic!("{:?}", other.err()),
        }
    }
}
