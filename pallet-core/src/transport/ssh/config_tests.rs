//! Tests of the ssh configuration for a host.

use std::fs;
use std::path::Path;
use std::time::Duration;

use expect_test::expect;

use super::super::super::ConnectSettings;
use super::super::host_config::{AgentChoice, Hop, HostConfig, UnknownHosts};
use super::super::host_query::HostQuery;
use super::read as read_config;

fn settings(home: &Path, text: &str) -> ConnectSettings {
    fs::create_dir_all(home.join(".ssh")).expect("made");
    fs::write(home.join(".ssh/config"), text).expect("written");
    ConnectSettings {
        ssh_config: vec![home.join(".ssh/config"), home.join("absent")],
        ..ConnectSettings::for_user("admin", home)
    }
}

fn host(host: &str) -> HostQuery<'_> {
    HostQuery { host, user: None, port: None }
}

fn read(text: &str, name: &str) -> HostConfig {
    let home = tempfile::tempdir().expect("a directory");
    read_config(host(name), &settings(home.path(), text)).expect("it can be followed")
}

fn refused(text: &str, name: &str) -> String {
    let home = tempfile::tempdir().expect("a directory");
    let error =
        read_config(host(name), &settings(home.path(), text)).expect_err("it cannot be followed");
    error.to_string().replace(&home.path().display().to_string(), "~")
}

#[test]
fn the_first_value_wins_and_blocks_are_for_their_hosts() {
    let text = "Port 2200\nHost web-* !web-9\n  HostName %h.example.com\n  User = deploy\n  Port \
        22\n\nHost db # the base\n\
        \tHostName \"10.0.0.7\"\nHost *\n User other\nConnectTimeout 1m5s\nServerAliveInterval=0\n";
    let web = read(text, "web-1");
    assert_eq!(
        (web.host_name.as_str(), web.user.as_deref(), web.port),
        ("web-1.example.com", Some("deploy"), Some(2200))
    );
    assert_eq!(
        (web.connect_timeout, web.server_alive_interval),
        (Some(Duration::from_secs(65)), Some(None))
    );
    let nine = read(text, "web-9");
    assert_eq!((nine.host_name.as_str(), nine.user.as_deref()), ("web-9", Some("other")));
    assert_eq!(read(text, "db").host_name, "10.0.0.7");
    assert_eq!(
        read("", "plain"),
        HostConfig { alias: "plain".into(), host_name: "plain".into(), ..HostConfig::default() }
    );
}

#[test]
fn identity_files_add_up_and_their_tokens_are_replaced() {
    let home = tempfile::tempdir().expect("a directory");
    let text = "Host a\nHostName b\nIdentityFile ~/.ssh/%h\nIdentityFile '%d/with space'\nHost *\n\
        IdentityFile /keys/%r-%n-%p-%%\n\
        IdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile ~/known /dev/null\n\
        StrictHostKeyChecking accept-new\nHostKeyAlias z\n";
    let config = read_config(host("a"), &settings(home.path(), text)).expect("it can be followed");
    let at_home = |path: &str| home.path().join(path);
    assert_eq!(
        config.identity_files,
        [at_home(".ssh/b"), at_home("with space"), "/keys/admin-a-22-%".into()]
    );
    assert_eq!((config.identities_only, config.agent), (true, AgentChoice::None));
    assert_eq!(
        (config.unknown_hosts, config.host_key_alias.as_deref()),
        (UnknownHosts::Add, Some("z"))
    );
    assert_eq!(config.known_hosts, Some(vec![at_home("known"), "/dev/null".into()]));
}

#[test]
fn files_are_included_where_they_stand() {
    let home = tempfile::tempdir().expect("a directory");
    let settings = settings(
        home.path(),
        "Host web\nInclude conf.d/*.conf\nPort 3\nHost *\n\
        Port 4\n",
    );
    fs::create_dir(home.path().join(".ssh/conf.d")).expect("made");
    fs::write(home.path().join(".ssh/conf.d/b.conf"), "User b\n").expect("written");
    fs::write(
        home.path().join(".ssh/conf.d/a.conf"),
        "User a\nHost other\nPort 1\nHost *\n\
        Port 2\n",
    )
    .expect("written");
    let web = read_config(host("web"), &settings).expect("it can be followed");
    assert_eq!((web.user.as_deref(), web.port), (Some("a"), Some(2)));
    let other = read_config(host("other"), &settings).expect("it can be followed");
    assert_eq!((other.user.as_deref(), other.port), (None, Some(4)));
    fs::write(home.path().join(".ssh/conf.d/a.conf"), "Include config\nInclude conf.d/a.conf\n")
        .expect("written");
    let error = read_config(host("web"), &settings).expect_err("it goes round");
    assert!(error.to_string().contains("do the files include each other?"), "{error}");
}

#[test]
fn hosts_on_the_way() {
    let hop = |user: Option<&str>, host: &str, port| Hop {
        host: host.into(),
        user: user.map(str::to_owned),
        port,
    };
    let text = "ProxyJump me@bastion:2222,ssh://second/,[::1]:22\n";
    assert_eq!(
        read(text, "x").proxy_jump,
        [
            hop(Some("me"), "bastion", Some(2222)),
            hop(None, "second", None),
            hop(None, "::1", Some(22))
        ]
    );
    assert_eq!(read("ProxyJump none\nProxyCommand nc %h %p\n", "x").proxy_jump, []);
    let text = "ProxyCommand nc -x 'a  b' %h %p # %%%r %n\nProxyJump a\nHostName y\n";
    let config = read(text, "x");
    assert_eq!(
        (config.proxy_command.as_deref(), config.proxy_jump),
        (Some("nc -x 'a  b' y 22 # %admin x"), vec![])
    );
    assert_eq!(read("ProxyJump a\nProxyCommand nc %h %p\n", "x").proxy_command, None);
}

#[test]
fn match_blocks_are_followed_or_refused() {
    let text = "Host a\n HostName a.example.com\nMatch host *.example.com user admin\n Port 1\n\
        Match !originalhost a\n Port 2\nMatch all\n Port 3\n";
    assert_eq!((read(text, "a").port, read(text, "b").port), (Some(1), Some(2)));
    // A condition that cannot be evaluated is harmless if no option depends on it.
    let text = "Host a\nPort 5\nMatch exec \"true\"\nPort 6\nCompression yes\n\
        Match canonical host c\nPort 7\n";
    assert_eq!(read(text, "a").port, Some(5));
    let refusals = [
        refused(text, "b"),
        refused("ProxyCommand nc %h %C\n", "b"),
        refused("ProxyCommand nc %h\nProxyUseFdpass yes\n", "b"),
        refused("Include ${CONFIG}\n", "b"),
        refused("IdentityFile ${KEYS}/id\n", "b"),
        refused("IdentityFile %C\n", "b"),
        refused("Port ssh\n", "b"),
        refused("User \"bob\n", "b"),
        refused("ConnectTimeout soon\n", "b"),
    ];
    expect![[r#"
        ~/.ssh/config:4: port 6 depends on `Match exec`, which is not supported: use `Host`
        ~/.ssh/config:1: proxycommand nc %h %C holds the token `%C`, which is not supported here
        ~/.ssh/config:2: proxyusefdpass yes is not supported: use a ProxyCommand that carries the bytes itself
        ~/.ssh/config:1: include ${CONFIG} names an environment variable, which is not supported
        ~/.ssh/config:1: identityfile ${KEYS}/id names an environment variable, which is not supported
        ~/.ssh/config:1: identityfile %C holds the token `%C`, which is not supported here
        ~/.ssh/config:1: port ssh is not a port
        ~/.ssh/config:1: a quote is not closed
        ~/.ssh/config:1: connecttimeout soon is not a time"#]]
    .assert_eq(&refusals.join("\n"));
}
