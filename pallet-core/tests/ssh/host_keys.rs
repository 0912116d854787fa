//! Hosts that are known, unknown, changed and revoked.

use std::fs;
use std::process::Command;

use expect_test::expect;
use pallet_core::model::{Connection, SshConnection};
use pallet_core::transport::{ConnectSettings, TransportError, connect};

use crate::server::{Server, keygen};

/// Connects by what `known` and `config` hold; the provider knows nothing.
async fn attempt(server: &Server, known: &str, config: &str) -> Result<(), TransportError> {
    fs::write(server.path("known"), known.replace("HOST", &format!("[127.0.0.1]:{}", server.port)))
        .expect("written");
    retry(server, config).await
}

/// The same, with the file as it is.
async fn retry(server: &Server, config: &str) -> Result<(), TransportError> {
    fs::write(server.path("config"), config).expect("written");
    let connection = SshConnection { host_keys: Vec::new(), ..server.connection() };
    let settings = ConnectSettings {
        known_hosts: vec![server.path("known")],
        ssh_config: vec![server.path("config")],
        ..server.settings()
    };
    connect(&Connection::Ssh(connection), &settings).await.map(drop)
}

fn key(server: &Server, name: &str) -> String {
    let text = fs::read_to_string(server.path(&format!("{name}.pub"))).expect("there");
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

fn fingerprint(server: &Server, name: &str) -> String {
    let output = Command::new("ssh-keygen")
        .arg("-lf")
        .arg(server.path(&format!("{name}.pub")))
        .output()
        .expect("ssh-keygen runs");
    String::from_utf8_lossy(&output.stdout)
        .split_whitespace()
        .nth(1)
        .expect("has a fingerprint")
        .to_owned()
}

#[tokio::test]
async fn a_known_host_is_let_be() {
    let server = Server::start();
    let key = key(&server, "host");
    for known in [
        format!("HOST {key}\n"),
        format!("other {key}\n[127.0.*]:* {key}"),
        format!("@revoked * ssh-rsa AAAAB3NzaC1yc2E=\nHOST {key}\n"),
    ] {
        attempt(&server, &known, "").await.unwrap_or_else(|error| panic!("{known}: {error}"));
    }
    attempt(&server, &format!("alias {key}\n"), "HostKeyAlias alias")
        .await
        .expect("it is known by its alias");
    attempt(&server, &format!("HOST {key}\n"), "").await.expect("it is known");
    assert!(
        Command::new("ssh-keygen")
            .args(["-q", "-H", "-f"])
            .arg(server.path("known"))
            .output()
            .expect("ssh-keygen runs")
            .status
            .success()
    );
    assert!(fs::read_to_string(server.path("known")).expect("there").starts_with("|1|"));
    retry(&server, "").await.expect("it is known by its hash");
}

#[tokio::test]
async fn a_host_that_is_not_known_is_refused() {
    let server = Server::start();
    keygen(&server.path("other"), &["-t", "ed25519", "-N", ""]);
    let (right, other) = (key(&server, "host"), key(&server, "other"));
    let mut said = Vec::new();
    for (known, config) in [
        (String::new(), ""),
        (format!("127.0.0.1 {right}\n"), "HostKeyAlias web"),
        (format!("@cert-authority HOST {other}\n"), "StrictHostKeyChecking yes"),
        (format!("# first\nHOST {other}\n"), "StrictHostKeyChecking no"),
        (format!("HOST {right}\n@revoked HOST {right}\n"), "StrictHostKeyChecking no"),
        ("HOST ssh-rsa AAAAB3NzaC1yc2E=\n".to_owned(), "StrictHostKeyChecking accept-new"),
    ] {
        let error = attempt(&server, &known, config).await.expect_err("it is refused");
        assert!(matches!(error, TransportError::HostKey { .. }), "{error}");
        said.push(
            server
                .plain(&error)
                .replace(&fingerprint(&server, "host"), "SHA256:RIGHT")
                .replace(&fingerprint(&server, "other"), "SHA256:OTHER"),
        );
    }
    expect![[r#"
        host key of 127.0.0.1:PORT: it is not known and shows ssh-ed25519 SHA256:RIGHT: if that is right, accept it with `ssh-keyscan -p PORT 127.0.0.1 >> DIR/known`
        host key of 127.0.0.1:PORT: it is not known and shows ssh-ed25519 SHA256:RIGHT: if that is right, accept it with `ssh -p PORT USER@127.0.0.1`
        host key of 127.0.0.1:PORT: it is not known and shows ssh-ed25519 SHA256:RIGHT; host certificates, as DIR/known:1 (@cert-authority) wants them, cannot be verified here: if that is right, accept it with `ssh-keyscan -p PORT 127.0.0.1 >> DIR/known`
        host key of 127.0.0.1:PORT: it shows ssh-ed25519 SHA256:RIGHT, but DIR/known:2 knows ssh-ed25519 SHA256:OTHER: it was reinstalled, or somebody intercepts the connection; if you know that it was reinstalled, remove the old key with `ssh-keygen -R '[127.0.0.1]:PORT' -f DIR/known` and accept the new one with `ssh-keyscan -p PORT 127.0.0.1 >> DIR/known`
        host key of 127.0.0.1:PORT: it shows ssh-ed25519 SHA256:RIGHT, which is revoked at DIR/known:2
        host key of 127.0.0.1:PORT: it shows ssh-ed25519 SHA256:RIGHT, but DIR/known:1 knows ssh-rsa SHA256:NOHASH: it was reinstalled, or somebody intercepts the connection; if you know that it was reinstalled, remove the old key with `ssh-keygen -R '[127.0.0.1]:PORT' -f DIR/known` and accept the new one with `ssh-keyscan -p PORT 127.0.0.1 >> DIR/known`"#]]
    .assert_eq(&said.join("\n").replace(&rsa_fingerprint(), "SHA256:NOHASH"));
}

/// The fingerprint of the eleven bytes that stand for an RSA key above.
fn rsa_fingerprint() -> String {
    let output = Command::new("sh")
        .args(["-c", "printf AAAAB3NzaC1yc2E= | base64 -d | openssl dgst -sha256 -binary | base64"])
        .output();
    format!(
        "SHA256:{}",
        String::from_utf8_lossy(&output.expect("sh runs").stdout).trim().trim_end_matches('=')
    )
}

#[tokio::test]
async fn a_new_host_is_added_where_that_is_wanted() {
    let server = Server::start();
    attempt(&server, "unfinished line", "StrictHostKeyChecking accept-new")
        .await
        .expect("it is new");
    let known = fs::read_to_string(server.path("known")).expect("there");
    assert_eq!(
        known,
        format!("unfinished line\n[127.0.0.1]:{} {}\n", server.port, key(&server, "host"))
    );
    retry(&server, "").await.expect("it is known now");
    attempt(&server, "", "StrictHostKeyChecking no").await.expect("nobody minds");
    assert_eq!(fs::read_to_string(server.path("known")).expect("there"), "");
}

#[tokio::test]
async fn of_several_keys_the_known_one_is_asked_for() {
    let server = Server::start();
    keygen(&server.path("rsa"), &["-t", "rsa", "-b", "2048", "-N", ""]);
    keygen(&server.path("ecdsa"), &["-t", "ecdsa", "-N", ""]);
    let config = format!("HostKey {0}/rsa\nHostKey {0}/ecdsa", server.dir.path().display());
    let several = Server::start_with(&config);
    for name in ["rsa", "ecdsa"] {
        attempt(&several, &format!("HOST {}\n", key(&server, name)), "")
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let given = SshConnection { host_keys: vec![key(&server, name)], ..several.connection() };
        connect(&Connection::Ssh(given), &several.settings())
            .await
            .map(drop)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[tokio::test]
async fn what_the_provider_knows_is_decisive() {
    let server = Server::start();
    keygen(&server.path("other"), &["-t", "ed25519", "-N", ""]);
    fs::write(
        server.path("known"),
        format!("[127.0.0.1]:{} {}\n", server.port, key(&server, "host")),
    )
    .expect("written");
    let settings = ConnectSettings { known_hosts: vec![server.path("known")], ..server.settings() };
    let mut said = Vec::new();
    for given in [key(&server, "other"), "nonsense".to_owned()] {
        let connection = SshConnection { host_keys: vec![given], ..server.connection() };
        let error =
            connect(&Connection::Ssh(connection), &settings).await.err().expect("it is refused");
        said.push(
            server
                .plain(&error)
                .replace(&fingerprint(&server, "host"), "SHA256:RIGHT")
                .replace(&fingerprint(&server, "other"), "SHA256:OTHER"),
        );
    }
    expect![[r#"
        host key of 127.0.0.1:PORT: it shows ssh-ed25519 SHA256:RIGHT, but the provider knows ssh-ed25519 SHA256:OTHER: it was reinstalled, or somebody intercepts the connection; if you know that it was reinstalled, give the provider its new key (`host_keys` of a node-list), or destroy the node and converge
        host key of 127.0.0.1:PORT: the provider gave `nonsense`, which is not a host key, such as `ssh-ed25519 AAAA...`"#]]
    .assert_eq(&said.join("\n"));
}

#[tokio::test]
async fn the_commands_in_the_message_accept_a_changed_key() {
    let server = Server::start();
    keygen(&server.path("other"), &["-t", "ed25519", "-N", ""]);
    let error = attempt(&server, &format!("HOST {}\nelse {0}\n", key(&server, "other")), "")
        .await
        .expect_err("it is refused")
        .to_string();
    let commands: Vec<&str> = error.split('`').skip(1).step_by(2).collect();
    assert_eq!(commands.len(), 2, "{error}");
    for command in commands {
        let done = Command::new("sh").args(["-c", command]).output().expect("sh runs");
        assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
    }
    retry(&server, "").await.expect("it is known now");
    assert!(fs::read_to_string(server.path("known")).expect("there").contains("else "));
}

#[tokio::test]
async fn a_host_with_a_certificate_is_known_by_its_key() {
    let server = Server::start_with("HostCertificate DIR/cert-cert.pub");
    keygen(&server.path("ca"), &["-t", "ed25519", "-N", ""]);
    fs::copy(server.path("host.pub"), server.path("cert.pub")).expect("copied");
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-h", "-I", "test", "-s"])
        .arg(server.path("ca"))
        .arg(server.path("cert.pub"))
        .status();
    assert!(signed.expect("ssh-keygen runs").success());
    // only now can it read the certificate
    let again = Server::start_with(&format!(
        "HostKey {0}/host\nHostCertificate {0}/cert-cert.pub",
        server.dir.path().display()
    ));
    let known = format!("@cert-authority * {}\n", key(&server, "ca"));
    attempt(&again, &format!("{known}HOST {}\n", key(&server, "host")), "")
        .await
        .expect("its key is known");
    let error =
        attempt(&again, &known, "").await.expect_err("certificates are not verified").to_string();
    assert!(
        error.contains("shows ssh-ed25519 SHA256")
            && error.contains("(@cert-authority) wants them, cannot be verified here"),
        "{error}"
    );
}
