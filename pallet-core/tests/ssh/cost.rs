//! What a connection costs this machine. Run alone, in a release build:
//! `cargo test --release -p pallet-core --features host --test ssh -- --ignored --nocapture cost`

use std::fs;
use std::time::Instant;

use pallet_core::model::{Connection, SshConnection};
use pallet_core::transport::{ConnectSettings, connect};

use crate::server::{Server, say};

/// The processor time of this process, in seconds.
fn processor_time() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("there");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("has fields").split(' ').collect();
    (fields[11].parse::<f64>().expect("a number") + fields[12].parse::<f64>().expect("a number"))
        / 100.0
}

/// The memory of this process, in KiB.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("has a size");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn cost_of_connections() {
    const COUNT: usize = 100;
    let server = Server::start_with("MaxStartups 1000\nMaxSessions 100");
    let mut known = String::new();
    for number in 0..1000 {
        known.push_str(&format!(
            "host{number}.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{number:043}\n"
        ));
    }
    known.push_str(&format!(
        "[127.0.0.1]:{} {}",
        server.port,
        fs::read_to_string(server.path("host.pub")).expect("there")
    ));
    let config = (0..100)
        .map(|number| {
            format!("Host alias{number}\n  HostName host{number}.example.com\n  Port 2200\n")
        })
        .collect::<String>();
    fs::write(server.path("known"), known).expect("written");
    fs::write(server.path("config"), config + "Host *\n  ServerAliveInterval 30\n")
        .expect("written");
    let files = ConnectSettings {
        known_hosts: vec![server.path("known")],
        ssh_config: vec![server.path("config")],
        ..server.settings()
    };
    for (name, settings, host_keys) in [
        ("key given", server.settings(), server.connection().host_keys),
        ("files of 1,000 and 100 hosts", files, Vec::new()),
    ] {
        let connection = Connection::Ssh(SshConnection { host_keys, ..server.connection() });
        let (cpu, wall, before) = (processor_time(), Instant::now(), memory());
        let mut nodes = Vec::new();
        for _ in 0..COUNT / 10 {
            let batch: Vec<_> = (0..10)
                .map(|_| {
                    let (connection, settings) = (connection.clone(), settings.clone());
                    tokio::spawn(async move {
                        connect(&connection, &settings).await.expect("it lets in")
                    })
                })
                .collect();
            for node in batch {
                nodes.push(node.await.expect("no panic"));
            }
        }
        let connected = processor_time() - cpu;
        for node in &mut nodes {
            assert_eq!(say(&mut **node, "echo in").await, "in");
        }
        let held = memory().saturating_sub(before) as f64 / COUNT as f64;
        for node in &mut nodes {
            node.close().await;
        }
        let all = processor_time() - cpu;
        println!(
            "{name}: {:.2} ms to connect, {:.2} ms with a command and the end, {held:.0} KiB each, \
             {:.1} s in all",
            connected * 1000.0 / COUNT as f64,
            all * 1000.0 / COUNT as f64,
            wall.elapsed().as_secs_f64()
        );
    }
    let mut client = std::process::Command::new("ssh");
    client.args([
        "-F",
        "none",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
        "-o",
        "KexAlgorithms=curve25519-sha256",
    ]);
    client.arg("-i").arg(server.path("key")).args([
        "-p",
        &server.port.to_string(),
        "127.0.0.1",
        "true",
    ]);
    let children = || {
        let stat = fs::read_to_string("/proc/self/stat").expect("there");
        let fields: Vec<&str> = stat.rsplit(") ").next().expect("has fields").split(' ').collect();
        (fields[13].parse::<f64>().expect("a number")
            + fields[14].parse::<f64>().expect("a number"))
            / 100.0
    };
    let before = children();
    for _ in 0..50 {
        assert!(client.output().expect("ssh runs").status.success());
    }
    println!("OpenSSH's client: {:.2} ms", (children() - before) * 1000.0 / 50.0);
}
