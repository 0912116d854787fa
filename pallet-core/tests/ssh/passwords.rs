//! Passwords: for the login, and for sudo.

use std::fs;
use std::process::Command;

use expect_test::expect;
use pallet_core::transport::{Become, ConnectSettings, Secret, Stream, TransportError, run_script};

use crate::server::{Server, say};

/// A user of this machine, for a while.
struct User(String);

impl User {
    fn create(name: &str, password: &str) -> Self {
        let user = User(name.to_owned());
        let made = Command::new("useradd")
            .args(["-M", "-s", "/bin/sh", name])
            .status()
            .expect("useradd runs");
        assert!(made.success());
        let set = Command::new("sh")
            .args(["-c", "printf '%s:%s\n' \"$1\" \"$2\" | chpasswd", "sh", name, password])
            .status();
        assert!(set.expect("chpasswd runs").success());
        user
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = Command::new("userdel").arg(&self.0).status();
    }
}

#[tokio::test]
async fn passwords_for_login_and_sudo() {
    if crate::server::user() != "root" {
        println!("skipped: only root can make a user with a password");
        return;
    }
    let user = User::create(&format!("pallet-test-{}", std::process::id()), "hunter2 'x");
    for config in [
        "PasswordAuthentication yes\nKbdInteractiveAuthentication no",
        "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no",
        "PasswordAuthentication yes",
    ] {
        let server = Server::start_with(config);
        let with = |password: &str| ConnectSettings {
            user: user.0.clone(),
            password: Some(Secret::new(password)),
            identity_files: Vec::new(),
            ..server.settings()
        };
        let mut node = server
            .connect_with(&with("hunter2 'x"))
            .await
            .unwrap_or_else(|error| panic!("{config}: {error}"));
        assert_eq!(say(&mut *node, "id -un").await, user.0);
        if config == "PasswordAuthentication yes" {
            sudo(&mut *node, &user.0).await;
        }
        let text = server.refusal(&with("wrong")).await;
        assert!(text.contains("the password was refused") && !text.contains("wrong"), "{text}");
    }
}

#[tokio::test]
async fn a_key_and_a_password() {
    if crate::server::user() != "root" {
        println!("skipped: only root can make a user with a password");
        return;
    }
    let user = User::create(&format!("pallet-both-{}", std::process::id()), "hunter2");
    let server = Server::start_with(
        "AuthenticationMethods publickey,password\n\
        PasswordAuthentication yes",
    );
    let settings = ConnectSettings {
        user: user.0.clone(),
        password: Some(Secret::new("hunter2")),
        ..server.settings()
    };
    let mut node = server.connect_with(&settings).await.unwrap_or_else(|error| {
        panic!(
            "{error}\n\
        {}",
            server.log()
        )
    });
    assert_eq!(say(&mut *node, "id -un").await, user.0);
    let without = server.refusal(&ConnectSettings { password: None, ..settings }).await;
    assert!(without.ends_with("(the server accepts password)"), "{without}");
}

/// Becomes root by a real sudo.
async fn sudo(node: &mut dyn pallet_core::transport::Transport, user: &str) {
    async fn whoami(
        node: &mut dyn pallet_core::transport::Transport,
        password: Option<&str>,
    ) -> Result<String, TransportError> {
        let mut text = String::new();
        let become_root = Become::Root(password.map(Secret::new));
        let mut listen = |stream, bytes: &[u8]| {
            text.push_str(&format!("{stream:?} {}", String::from_utf8_lossy(bytes)))
        };
        let code = run_script(node, &become_root, "id -un", &mut listen).await?;
        assert_eq!((code, Stream::Out), (0, Stream::Out));
        Ok(text)
    }
    if Command::new("sudo").arg("-V").output().is_err() {
        let error = whoami(node, None).await.expect_err("there is no sudo").to_string();
        assert!(error.contains("there is neither sudo nor doas: log in as root"), "{error}");
        println!("no sudo is installed: becoming root was not tried");
        return;
    }
    let mut said = Vec::new();
    let mut fail = |result: Result<String, TransportError>| {
        said.push(
            result
                .expect_err("sudo refuses")
                .to_string()
                .split_once(": ")
                .expect("has a host")
                .1
                .to_owned(),
        )
    };
    fail(whoami(node, Some("hunter2 'x")).await);
    let rule = format!("/etc/sudoers.d/{user}");
    fs::write(&rule, format!("{user} ALL=(ALL) ALL\n")).expect("written");
    fail(whoami(node, None).await);
    fail(whoami(node, Some("wrong")).await);
    let with_password = whoami(node, Some("hunter2 'x")).await;
    fs::write(&rule, format!("{user} ALL=(ALL) NOPASSWD: ALL\n")).expect("written");
    let without = [whoami(node, None).await, whoami(node, Some("hunter2 'x")).await];
    fs::write(&rule, format!("Defaults:{user} requiretty\n{user} ALL=(ALL) NOPASSWD: ALL\n"))
        .expect("written");
    fail(whoami(node, None).await);
    fs::remove_file(&rule).expect("removed");
    assert_eq!(with_password.expect("sudo lets in"), "Out root\n");
    for result in without {
        assert_eq!(result.expect("sudo lets in"), "Out root\n");
    }
    expect![[r#"
        sudoers does not permit the login user: add a rule there, or log in as another user
        sudo needs a password: set `sudo_password` in [admin_user] of pallet.toml, such as `sudo_password = { env = "SUDO_PASSWORD" }`, or allow NOPASSWD in sudoers
        sudo refused the password: give the login user's own
        sudo needs a terminal: remove `requiretty` from sudoers for the login user"#]]
    .assert_eq(&said.join("\n"));
}
