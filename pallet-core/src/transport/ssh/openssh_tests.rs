//! Tests that our reader agrees with OpenSSH's client, and that OpenSSH is called only if needed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use expect_test::expect;

use super::super::super::{ConnectSettings, TransportError};
use super::super::config;
use super::super::config_reader::ConfigReader;
use super::super::host_config::HostConfig;
use super::super::host_query::HostQuery;
use super::OpenSshQuery;

/// A home directory with an ssh configuration, and an `ssh` that counts its calls. In the files,
/// `HOME` stands for the path of the home directory.
struct Home(tempfile::TempDir);

impl Home {
    fn with(files: &[(&str, &str)]) -> Self {
        let home = Home(tempfile::tempdir().expect("a directory"));
        fs::create_dir_all(home.path(".ssh/conf.d")).expect("made");
        for (name, text) in files {
            fs::write(
                home.path(".ssh").join(name),
                text.replace("HOME", &home.0.path().display().to_string()),
            )
            .expect("written");
        }
        let script = format!(
            "#!/bin/sh\necho call >>'{}'\nKEYS=/keys exec ssh \"$@\"\n",
            home.path("calls").display()
        );
        fs::write(home.path("ssh"), script).expect("written");
        fs::set_permissions(home.path("ssh"), fs::Permissions::from_mode(0o755)).expect("set");
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn settings(&self) -> ConnectSettings {
        let ssh_config = vec![self.path(".ssh/config"), self.path(".ssh/system")];
        ConnectSettings {
            ssh_config,
            ssh_program: Some(self.path("ssh")),
            ..ConnectSettings::for_user("admin", self.0.path())
        }
    }

    fn calls(&self) -> usize {
        fs::read_to_string(self.path("calls")).unwrap_or_default().lines().count()
    }
}

fn asked(host: &str) -> HostQuery<'_> {
    HostQuery { host, user: None, port: None }
}

/// Asks OpenSSH, even if our reader would be enough.
fn ask(asked: HostQuery<'_>, settings: &ConnectSettings) -> Result<HostConfig, TransportError> {
    let mut reader = ConfigReader::new(&asked, settings);
    for file in &settings.ssh_config {
        reader.read_file(file)?;
    }
    OpenSshQuery::new(Path::new("ssh"), asked, &reader, settings).ask()
}

/// Removes differences that have no effect.
fn plain(config: HostConfig) -> HostConfig {
    let port = config.port.filter(|port| *port != 22);
    HostConfig {
        host_name: config.host_name.to_ascii_lowercase(),
        port,
        user: config.user.filter(|user| user != "admin"),
        ..config
    }
}

#[test]
fn both_say_the_same() {
    let files: [&[(&str, &str)]; 8] = [
        &[(
            "config",
            "# comment\nPort 2200\nHost web-* !web-9 # not nine\n  HostName %h.example.com\n\
             \tUser = deploy\n  Port 22\n\n\
             Host db \"two words\" DB-?\n HostName=\"10.0.0.7\"\nhost *\n user \"other one\"\n\
             ConnectTimeout 1m5s\nServerAliveInterval=0\n",
        )],
        &[(
            "config",
            "Host a web-1\nHostName b\nIdentityFile ~/.ssh/%h\nIdentityFile '%d/id'\n\
             CertificateFile ~/c-%n\nHost *\nIdentityFile /keys/%r-%n-%p-%%\n\
             IdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile HOME/known /dev/null\n\
             StrictHostKeyChecking accept-new\nHostKeyAlias z\n",
        )],
        &[
            ("config", "Host web-1\nInclude HOME/.ssh/conf.d/*.conf\nPort 3\nHost *\nPort 4\n"),
            ("conf.d/b.conf", "User b\n"),
            ("conf.d/a.conf", "User a\nHost other\nPort 1\nHost *\nPort 2\n"),
            ("conf.d/.hidden.conf", "User hidden\n"),
            ("system", "Port 5\nUser system\nGlobalKnownHostsFile /known\n"),
        ],
        &[(
            "config",
            "Host a\n HostName a.example.com\nMatch host *.example.com user admin\n Port 1\n\
             Match !originalhost a,web-1\n Port 2\n\
             Match originalhost web-* !host web-9\n User w\nMatch user w,x\n Port 6\n\
             Match all\n Port 3\n",
        )],
        &[(
            "config",
            "Match host=\"a,b\"\nPort 1\nMatch canonical\nPort 9\nHost !a *\nPort 2\n\
            Host ?\nPort=  3\nUser=x\n",
        )],
        &[(
            "config",
            "Host a\nProxyJump me@bastion:2222,ssh://second,[::1]:22\nHost db\nProxyJump none\n\
             Host *\nProxyCommand nc -X 5 'a  b' %h %p\n",
        )],
        &[(
            "config",
            "Host a b\nIdentityFile none\nGlobalKnownHostsFile none\n\
            StrictHostKeyChecking off\nUserKnownHostsFile none\n",
        )],
        &[("config", "IdentityFile \"HOME/my\\\\key\"\nUser a\\ b\nHost x\\\"y\nPort 4\n")],
    ];
    for files in files {
        let home = Home::with(files);
        let settings = home.settings();
        for host in ["a", "b", "web-1", "web-9", "db", "DB-1", "other", "10.0.0.7"] {
            let ours = plain(
                config::read(asked(host), &settings)
                    .unwrap_or_else(|error| panic!("{host}: {error}")),
            );
            assert_eq!(
                ours,
                plain(
                    ask(asked(host), &settings).unwrap_or_else(|error| panic!("{host}: {error}"))
                ),
                "{files:?}"
            );
        }
        let given = HostQuery { host: "a", user: Some("w"), port: Some(7) };
        let ours = config::read(given, &settings).expect("it can be followed");
        let theirs = ask(given, &settings).expect("it can be followed");
        assert_eq!(
            (ours.identity_files, ours.host_name),
            (theirs.identity_files, theirs.host_name),
            "{files:?}"
        );
        assert_eq!(home.calls(), 0);
    }
}

#[test]
fn what_cannot_be_followed_here_is_asked() {
    let home = Home::with(&[
        (
            "config",
            "Match exec \"test %h = web-1\"\n Port 1\nMatch final host web-*\n User final\n\
             Host db\n IdentityFile ${KEYS}/id\n\
             IdentityFile ~/.ssh/%h-%i\n CertificateFile ~root/cert\n\
             Host old\n ProxyCommand nc %h %p\n",
        ),
        ("system", "User system\n"),
    ]);
    let settings = home.settings();
    let read = |host| config::read(asked(host), &settings).expect("it can be followed");
    let (web, nine, db, old) = (read("web-1"), read("web-9"), read("db"), read("old"));
    // earlier values win, and `Match final` comes last
    assert_eq!((web.port, web.user.as_deref()), (Some(1), Some("system")));
    assert_eq!((nine.port, nine.host_name.as_str()), (None, "web-9"));
    let id = rustix::process::getuid().as_raw();
    assert_eq!(
        db.identity_files,
        [PathBuf::from("/keys/id"), home_of_this_user().join(format!(".ssh/db-{id}"))]
    );
    assert_eq!(db.certificate_files, [PathBuf::from("/root/cert")]);
    assert_eq!(old.proxy_command.as_deref(), Some("nc old 22"));
    let given = HostQuery { host: "web-1", user: Some("me"), port: Some(2) };
    let given = config::read(given, &settings).expect("it can be followed");
    assert_eq!((given.port, given.user), (None, None));
}

/// The directory that OpenSSH uses for `~`.
fn home_of_this_user() -> PathBuf {
    let output = std::process::Command::new("sh")
        .args(["-c", "eval echo ~$(id -un)"])
        .output()
        .expect("sh runs");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

#[test]
fn hosts_that_nothing_distinguishes_share_an_answer() {
    let home = Home::with(&[(
        "config",
        "Host web-*\n User web\nMatch exec \"true\"\n Port 1\n\
        Host gone\n HostName elsewhere\n",
    )]);
    let settings = home.settings();
    for number in 0..100 {
        for host in [format!("web-{number}"), format!("db-{number}")] {
            let config = config::read(asked(&host), &settings).expect("it can be followed");
            assert_eq!(
                (config.alias.as_str(), config.host_name.as_str(), config.port),
                (host.as_str(), host.as_str(), Some(1))
            );
            assert_eq!(config.user.as_deref(), host.starts_with("web").then_some("web"));
        }
    }
    assert_eq!(home.calls(), 2);
    assert_eq!(
        config::read(asked("gone"), &settings).expect("it can be followed").host_name,
        "elsewhere"
    );
    // a condition on the host is evaluated for each host
    fs::write(home.path(".ssh/config"), "Match exec \"test %h = a\"\nPort 1\n").expect("written");
    assert_eq!(config::read(asked("a"), &settings).expect("it can be followed").port, Some(1));
    assert_eq!(config::read(asked("b"), &settings).expect("it can be followed").port, None);
    assert_eq!(home.calls(), 5);
    // OpenSSH is not called for what Pallet can evaluate
    fs::write(home.path(".ssh/config"), "Host *\nPort 3\n").expect("written");
    assert_eq!(config::read(asked("a"), &settings).expect("it can be followed").port, Some(3));
    assert_eq!(home.calls(), 5);
}

#[test]
fn what_openssh_refuses_is_said() {
    let home = Home::with(&[
        ("config", "Match exec \"true\"\nPort 1\nHost a\nNoSuchOption yes\n"),
        ("system", "User ${HOME}\n"),
    ]);
    let settings = home.settings();
    let error = config::read(asked("a"), &settings).expect_err("it is wrong").to_string();
    expect![
        "`HOME/ssh -G a` cannot evaluate the ssh configuration: HOME/.ssh/config: line 4: Bad \
        configuration option: nosuchoption; HOME/.ssh/config: terminating, 1 bad configuration \
        options"
    ]
    .assert_eq(&error.replace(&home.0.path().display().to_string(), "HOME"));
    let without = ConnectSettings {
        ssh_program: Some(home.path("absent")),
        shared: Default::default(),
        ..settings
    };
    let error = config::read(asked("a"), &without).expect_err("there is none").to_string();
    expect![
        "`HOME/absent -G a` cannot evaluate the ssh configuration: No such file or directory \
        (os error 2)"
    ]
    .assert_eq(&error.replace(&home.0.path().display().to_string(), "HOME"));
}
