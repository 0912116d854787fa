//! Keys, certificates, agents, passphrases and passwords.

use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};

use expect_test::expect;
use pallet_core::transport::{ConnectSettings, Prompt, Secret};

use crate::agent::Agent;
use crate::server::{Server, keygen, say};

/// Gives its answers one by one, and keeps the questions.
#[derive(Debug, Default)]
struct Person {
    answers: Mutex<Vec<&'static str>>,
    questions: Mutex<Vec<String>>,
}

impl Person {
    fn who_says(answers: &[&'static str]) -> Arc<Self> {
        Arc::new(Person {
            answers: Mutex::new(answers.iter().rev().copied().collect()),
            questions: Mutex::default(),
        })
    }

    fn asked(&self) -> usize {
        self.questions.lock().expect("not poisoned").len()
    }
}

impl Prompt for Person {
    fn secret(&self, question: &str) -> Option<Secret> {
        self.questions.lock().expect("not poisoned").push(question.to_owned());
        self.answers.lock().expect("not poisoned").pop().map(Secret::new)
    }
}

#[tokio::test]
async fn keys_of_every_kind() {
    let server = Server::start();
    let kinds: [(&str, &[&str]); 4] = [
        ("ecdsa", &["-t", "ecdsa", "-N", ""]),
        ("rsa", &["-t", "rsa", "-b", "2048", "-N", ""]),
        ("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]),
        ("bare", &["-t", "ed25519", "-N", ""]),
    ];
    for (name, options) in kinds {
        keygen(&server.path(name), options);
    }
    server.authorize(&["ecdsa", "rsa", "pem", "bare"]);
    fs::remove_file(server.path("bare.pub")).expect("removed");
    for name in ["key", "ecdsa", "rsa", "pem", "bare"] {
        let settings =
            ConnectSettings { identity_files: vec![server.path(name)], ..server.settings() };
        let mut node =
            server.connect_with(&settings).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(say(&mut *node, "echo in").await, "in", "{name}");
        node.close().await;
    }
}

#[tokio::test]
async fn the_usual_keys_in_the_home_directory() {
    let server = Server::start();
    fs::create_dir(server.path(".ssh")).expect("made");
    fs::copy(server.path("key"), server.path(".ssh/id_ed25519")).expect("copied");
    let settings = ConnectSettings {
        identity_files: Vec::new(),
        home: Some(server.dir.path().into()),
        ..server.settings()
    };
    assert_eq!(
        say(&mut *server.connect_with(&settings).await.expect("it lets in"), "echo in").await,
        "in"
    );
}

#[tokio::test]
async fn a_passphrase_is_asked_for_once() {
    let server = Server::start();
    keygen(&server.path("locked"), &["-t", "ed25519", "-a", "2", "-N", "open sesame"]);
    keygen(&server.path("pem"), &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "open sesame"]);
    keygen(&server.path("other"), &["-t", "ed25519", "-a", "2", "-N", "never asked for"]);
    server.authorize(&["locked", "pem"]);
    fs::remove_file(server.path("pem.pub")).expect("removed");
    for (name, wrong) in [("locked", 1), ("pem", 0)] {
        let person = Person::who_says(&["wrong", "open sesame"][1 - wrong..]);
        // The server is of no use for `other`, so nobody is bothered with its passphrase.
        let identity_files = vec![server.path("other"), server.path(name)];
        let settings =
            ConnectSettings { identity_files, prompt: Some(person.clone()), ..server.settings() };
        let clone = settings.clone();
        let both = tokio::join!(server.connect_with(&settings), server.connect_with(&clone));
        for node in [both.0, both.1] {
            assert_eq!(
                say(&mut *node.unwrap_or_else(|error| panic!("{name}: {error}")), "echo in").await,
                "in"
            );
        }
        assert_eq!(person.asked(), 1 + wrong, "{name}");
    }
}

#[tokio::test]
async fn a_locked_key_that_cannot_be_opened_is_named() {
    let server = Server::start();
    keygen(&server.path("locked"), &["-t", "ed25519", "-a", "2", "-N", "open sesame"]);
    server.authorize(&["locked"]);
    let settings =
        ConnectSettings { identity_files: vec![server.path("locked")], ..server.settings() };
    let nobody = server.refusal(&settings).await;
    let person = Person::who_says(&["a", "b", "c", "open sesame"]);
    let wrong = server
        .refusal(&ConnectSettings {
            prompt: Some(person.clone()),
            shared: Arc::default(),
            ..settings.clone()
        })
        .await;
    let silent = Person::who_says(&[]);
    let none = server
        .refusal(&ConnectSettings { prompt: Some(silent), shared: Arc::default(), ..settings })
        .await;
    assert_eq!(person.asked(), 3);
    expect![[r#"
        cannot log in to 127.0.0.1:PORT as USER: DIR/locked: it has a passphrase, and nobody can be asked for it: add the key to the agent with `ssh-add` (the server accepts publickey,keyboard-interactive)
        cannot log in to 127.0.0.1:PORT as USER: DIR/locked: it has a passphrase; 3 attempts failed (the server accepts publickey,keyboard-interactive)
        cannot log in to 127.0.0.1:PORT as USER: DIR/locked: it has a passphrase, and none was given: add the key to the agent with `ssh-add` (the server accepts publickey,keyboard-interactive)"#]]
    .assert_eq(&[nobody, wrong, none].join("\n"));
}

#[tokio::test]
async fn what_was_tried_is_said() {
    let server = Server::start_with("KbdInteractiveAuthentication no");
    keygen(&server.path("other"), &["-t", "ed25519", "-N", ""]);
    let mut settings = ConnectSettings {
        identity_files: vec![server.path("absent"), server.path("other")],
        ..server.settings()
    };
    let tried = server.refusal(&settings).await;
    settings.identity_files.clear();
    let nothing = server.refusal(&settings).await;
    expect![[r#"
        cannot log in to 127.0.0.1:PORT as USER: DIR/absent does not exist; DIR/other was refused (the server accepts publickey)
        cannot log in to 127.0.0.1:PORT as USER: there was nothing to try: no key, no agent, no password (the server accepts publickey)"#]]
    .assert_eq(&[tried, nothing].join("\n"));
}

#[tokio::test]
async fn too_many_keys_are_said_to_be_too_many() {
    let server = Server::start_with("MaxAuthTries 2");
    let names: Vec<String> = (0..4).map(|number| format!("other{number}")).collect();
    for name in &names {
        keygen(&server.path(name), &["-t", "ed25519", "-N", ""]);
    }
    let identity_files =
        names.iter().map(|name| server.path(name)).chain([server.path("key")]).collect();
    let text = server.refusal(&ConnectSettings { identity_files, ..server.settings() }).await;
    assert!(text.contains("DIR/other0 was refused") && text.contains("MaxAuthTries"), "{text}");
}

/// Makes a key of a type, and moves its certificate by the server's authority to where `moved`
/// says.
fn certify(server: &Server, kind: &str, name: &str, moved: Option<&str>) {
    if !server.path("ca").exists() {
        keygen(&server.path("ca"), &["-t", "ed25519", "-N", ""]);
    }
    keygen(&server.path(name), &["-t", kind, "-N", ""]);
    let public = server.path(&format!("{name}.pub"));
    let principal = crate::server::user();
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-I", "test", "-n", &principal, "-s"])
        .arg(server.path("ca"))
        .arg(public)
        .status();
    assert!(signed.expect("ssh-keygen runs").success());
    if let Some(moved) = moved {
        fs::rename(server.path(&format!("{name}-cert.pub")), server.path(moved)).expect("moved");
    }
}

#[tokio::test]
async fn certificates_of_every_kind_wherever_they_are() {
    let server = Server::start_with("TrustedUserCAKeys DIR/ca.pub\nAuthorizedPrincipalsFile none");
    for kind in ["ed25519", "ecdsa", "rsa"] {
        certify(&server, kind, kind, None);
        let settings =
            ConnectSettings { identity_files: vec![server.path(kind)], ..server.settings() };
        let mut node = server
            .connect_with(&settings)
            .await
            .unwrap_or_else(|error| panic!("{kind}: {error}\n{}", server.log()));
        assert_eq!(say(&mut *node, "echo in").await, "in");
    }
    certify(&server, "ed25519", "mine", Some("elsewhere.pub"));
    let without =
        ConnectSettings { identity_files: vec![server.path("mine")], ..server.settings() };
    assert!(server.refusal(&without).await.contains("DIR/mine was refused"));
    let named = |text: &str| {
        fs::write(
            server.path("config"),
            text.replace("DIR", &server.dir.path().display().to_string()),
        )
        .expect("written");
        ConnectSettings {
            ssh_config: vec![server.path("config")],
            identity_files: Vec::new(),
            ..server.settings()
        }
    };
    let found = named("IdentityFile DIR/mine\nCertificateFile DIR/elsewhere.pub\n");
    assert_eq!(
        say(&mut *server.connect_with(&found).await.expect("it lets in"), "echo in").await,
        "in"
    );

    // The agent holds the certificate, too.
    let _agent = Agent::start(&server);
    Agent::add(&server, "ecdsa");
    let with_agent = ConnectSettings {
        identity_files: Vec::new(),
        agent: Some(server.path("agent")),
        ..server.settings()
    };
    assert_eq!(
        say(&mut *server.connect_with(&with_agent).await.expect("it lets in"), "echo in").await,
        "in"
    );
    // Or the key alone, and the certificate lies here: libssh2 cannot sign for it.
    Agent::add(&server, "mine");
    fs::rename(server.path("mine"), server.path("gone")).expect("moved");
    let apart = ConnectSettings {
        agent: Some(server.path("agent")),
        ..named(
            "IdentityFile DIR/mine.pub\nIdentitiesOnly yes\n\
            CertificateFile DIR/elsewhere.pub\n",
        )
    };
    let mut said = vec![server.refusal(&apart).await];
    said.push(server.refusal(&named("CertificateFile DIR/elsewhere.pub\n")).await);
    said.push(
        server
            .refusal(&named(
                "IdentityFile DIR/mine.pub\nCertificateFile DIR/ca.pub\n\
        CertificateFile DIR/absent\n",
            ))
            .await,
    );
    expect![[r#"
        cannot log in to 127.0.0.1:PORT as USER: the certificate of DIR/mine.pub: its key is in the agent, but the certificate is not: `ssh-add` adds a key with the certificate beside it; the agent's key test was refused (the server accepts publickey,keyboard-interactive)
        cannot log in to 127.0.0.1:PORT as USER: DIR/elsewhere.pub: its key is neither named (IdentityFile) nor in the agent (the server accepts publickey,keyboard-interactive)
        cannot log in to 127.0.0.1:PORT as USER: DIR/ca.pub: it is not a certificate; DIR/absent: it does not exist; DIR/mine.pub: the private key is neither in it nor in the agent (the server accepts publickey,keyboard-interactive)"#]].assert_eq(&said.join("\n"));
}

#[tokio::test]
async fn keys_that_the_agent_holds() {
    let server = Server::start_with("MaxAuthTries 2\nKbdInteractiveAuthentication no");
    let _agent = Agent::start(&server);
    let with_agent = ConnectSettings {
        identity_files: Vec::new(),
        agent: Some(server.path("agent")),
        ..server.settings()
    };
    let empty = server.refusal(&with_agent).await;
    Agent::add(&server, "key");
    assert_eq!(
        say(&mut *server.connect_with(&with_agent).await.expect("it lets in"), "echo in").await,
        "in"
    );

    // An agent full of others' keys is not emptied on the server where the configuration names one.
    keygen(&server.path("locked"), &["-t", "ed25519", "-a", "2", "-N", ""]);
    for name in ["a", "b", "c"] {
        keygen(&server.path(name), &["-t", "ed25519", "-N", ""]);
        Agent::add(&server, name);
    }
    Agent::add(&server, "locked");
    server.authorize(&["locked"]);
    let locked = Command::new("ssh-keygen")
        .args(["-q", "-p", "-P", "", "-N", "open sesame", "-f"])
        .arg(server.path("locked"))
        .status();
    assert!(locked.expect("ssh-keygen runs").success());
    fs::write(
        server.path("config"),
        format!("IdentityFile {}\nIdentitiesOnly yes\n", server.path("locked").display()),
    )
    .expect("written");
    let named = ConnectSettings { ssh_config: vec![server.path("config")], ..with_agent.clone() };
    assert_eq!(
        say(&mut *server.connect_with(&named).await.expect("it lets in"), "echo in").await,
        "in"
    );

    fs::write(server.path("config"), "IdentityAgent none\n").expect("written");
    let without = server.refusal(&named).await;
    let absent =
        server.refusal(&ConnectSettings { agent: Some(server.path("absent")), ..with_agent }).await;
    expect![[r#"
        cannot log in to 127.0.0.1:PORT as USER: the agent holds no key (the server accepts publickey)
        cannot log in to 127.0.0.1:PORT as USER: there was nothing to try: no key, no agent, no password (the server accepts publickey)
        cannot log in to 127.0.0.1:PORT as USER: the agent at DIR/absent: failed connecting with agent (the server accepts publickey)"#]]
    .assert_eq(&[empty, without, absent].join("\n"));
}

#[tokio::test]
async fn what_only_others_can_do_is_named() {
    let server = Server::start_with("AuthenticationMethods hostbased\nHostbasedAuthentication yes");
    let text = server.refusal(&server.settings()).await;
    assert!(
        text.ends_with(
            "(the server accepts hostbased, none of which pallet supports: allow keys \
            there)"
        ),
        "{text}"
    );
}
