//! Tests of reading files, valid and invalid.

use super::*;
use crate::project::config::{SecretPlace, SignerConfig};
use expect_test::{Expect, expect};
use pallet_core::distribution::signature::IdentityRule;
use pallet_core::model::PluginKind;

fn check(text: &str, expected: Expect) {
    let (_, found) = read(&ConfigText { file: "pallet.toml", text, ..ConfigText::default() });
    expected.assert_eq(&found.render(false));
}

#[test]
fn tables_keep_the_order_in_which_they_were_written() {
    let text = "[environment]\nzone = 1\nalpha = { y = 1, b = { x = 2, a = 3 } }\n\
        [environment.mirror]\nubuntu = 1\ndebian = 2\n";
    let (config, found) = read(&ConfigText { file: "pallet.toml", text, ..ConfigText::default() });
    assert_eq!(found.0, []);
    let expected =
        r#"{"zone":1,"alpha":{"y":1,"b":{"x":2,"a":3}},"mirror":{"ubuntu":1,"debian":2}}"#;
    assert_eq!(serde_json::to_string(&config.environment).unwrap(), expected);
}

#[test]
fn every_table_is_read() {
    let text = r#"
        default_service = "lab"
        registry = "oci://example.org/pallet"
        [project]
        name = "shop"
        [services.lab]
        provider = "docker"
        port = 0x10
        environment = { proxy = "http://p" }
        [environment]
        ratio = 1.5
        [admin_user]
        name = "admin"
        identity_files = ["~/.ssh/id", "keys/id"]
        sudo_password = { command = "pass show sudo" }
        no_sudo = true
        [history]
        days = 30
        [plugins]
        docker = "1.2"
        nginx = { version = ">=2", source = "oci://example.org" }
        "crate/docker" = "*"
        [trust]
        "oci://example.org/acme" = ["keys/acme.pub", "-----BEGIN PUBLIC KEY-----"]
        "*" = "~/any.pub"
        "oci://example.org/ci" = [{ identity = "https://example.org/ci@refs/tags/*", issuer = "https://example.org" }, "ci.pub"]
        "oci://example.org/me" = { identity = "me@example.org", issuer = "https://example.org" }
        [sigstore]
        trusted_root = "keys/root.json"
        [mirrors]
        "oci://example.org" = "layout:mirror"
        "oci://example.org/acme" = { source = "layout:/srv/cache", pull_through = true }
    "#;
    let source = ConfigText {
        file: "pallet.toml",
        text,
        directory: "/p".into(),
        home: Some("/home/u".into()),
    };
    let (config, found) = read(&source);
    assert_eq!(found.0, []);
    assert_eq!(config.project.name.as_deref(), Some("shop"));
    assert_eq!(config.services["lab"].provider, "docker");
    assert_eq!(config.services["lab"].options["port"], 16);
    assert_eq!(config.services["lab"].environment["proxy"], "http://p");
    assert_eq!(config.environment["ratio"], 1.5);
    assert_eq!(
        config.admin_user.identity_files,
        [Path::new("/home/u/.ssh/id"), Path::new("/p/keys/id")]
    );
    let sudo_password = config.admin_user.sudo_password.map(|secret| secret.place);
    assert_eq!(sudo_password, Some(SecretPlace::Command("pass show sudo".into())));
    assert_eq!(config.admin_user.no_sudo, Some(true));
    assert_eq!((config.history.days(), config.history.operations()), (30, 1000));
    assert_eq!(config.plugins["docker"].version.to_string(), "^1.2");
    assert_eq!(config.plugins["nginx"].source.as_ref().unwrap().to_string(), "oci://example.org");
    assert_eq!(
        (config.plugins["crate/docker"].name(), config.plugins["crate/docker"].kind),
        ("docker", Some(PluginKind::Crate))
    );
    assert_eq!(config.registry.unwrap().to_string(), "oci://example.org/pallet");
    let keys = [
        SignerConfig::File("/p/keys/acme.pub".into()),
        SignerConfig::Text("-----BEGIN PUBLIC KEY-----".into()),
    ];
    assert_eq!(config.trust["oci://example.org/acme"], keys);
    let identity = |identity| {
        SignerConfig::Identity(IdentityRule::new(identity, "https://example.org").unwrap())
    };
    assert_eq!(
        config.trust["oci://example.org/ci"],
        [identity("https://example.org/ci@refs/tags/*"), SignerConfig::File("/p/ci.pub".into())]
    );
    assert_eq!(config.trust["oci://example.org/me"], [identity("me@example.org")]);
    assert_eq!(config.sigstore.trusted_root.as_deref(), Some(Path::new("/p/keys/root.json")));
    assert_eq!(config.trust["*"], [SignerConfig::File("/home/u/any.pub".into())]);
    assert_eq!(config.mirrors["oci://example.org"].to.to_string(), "layout:/p/mirror");
    assert!(config.mirrors["oci://example.org/acme"].pull_through);
}

#[test]
fn everything_that_is_wrong_is_reported() {
    let text = r#"[projet]
name = "x"

[services]
lab = "docker"

[admin_user]
identity_file = ["~/.ssh/id"]
sudo_password = "hunter2"
no_sudo = 1

[plugins]
nginx = "newest"
"#;
    check(
        text,
        expect![[r#"
            error: unknown key `projet`
             --> pallet.toml:1:2
              |
            1 | [projet]
              |  ^^^^^^
              = help: did you mean `project`?

            error: `services.lab` must be a table, not a string
             --> pallet.toml:5:7
              |
            5 | lab = "docker"
              |       ^^^^^^^^

            error: unknown key `identity_file` in `admin_user`
             --> pallet.toml:8:1
              |
            8 | identity_file = ["~/.ssh/id"]
              | ^^^^^^^^^^^^^
              = help: did you mean `identity_files`?

            error: `sudo_password` must say where the secret is found
             --> pallet.toml:9:1
              |
            9 | sudo_password = ...
              | ^
              = help: write { env = "NAME" }, { file = "path" }, { command = "pass show name" }, { age = "path" }, { sops = "path", key = "name" }, { vault = "path", key = "name" }, { aws_secret = "name" } or { ssm = "name" }

            error: `no_sudo` must be true or false, not an integer
              --> pallet.toml:10:11
               |
            10 | no_sudo = 1
               |           ^

            error: "newest" is not a version requirement: unexpected character 'n' while parsing major version number
              --> pallet.toml:13:9
               |
            13 | nginx = "newest"
               |         ^^^^^^^^
               = help: write "1.2" for 1.2.0 and every compatible later version
        "#]],
    );
}

#[test]
fn a_signer_is_a_key_or_an_identity_with_its_issuer() {
    let text = r#"[trust]
"oci://a" = { identity = "me@example.org" }
"oci://b" = [{ identity = "*", issuer = "https://example.org" }, 1]
"oci://c" = { identity = "me@example.org", issuer = "https://*.example.org", key = "a" }

[sigstore]
root = "root.json"
"#;
    check(
        text,
        expect![[r#"
        error: a signer of oci://a needs `identity` and `issuer`
         --> pallet.toml:2:13
          |
        2 | "oci://a" = { identity = "me@example.org" }
          |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: write { identity = "a@acme.example", issuer = "https://..." }

        error: the identity "*" matches everybody; name the trusted identities
         --> pallet.toml:3:14
          |
        3 | "oci://b" = [{ identity = "*", issuer = "https://example.org" }, 1]
          |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

        error: `oci://b` must be a public key file, a table with `identity` and `issuer`, or a list of them, not an integer
         --> pallet.toml:3:66
          |
        3 | "oci://b" = [{ identity = "*", issuer = "https://example.org" }, 1]
          |                                                                  ^

        error: "https://*.example.org" is not an issuer; write the whole URL, such as https://token.actions.githubusercontent.com
         --> pallet.toml:4:13
          |
        4 | "oci://c" = { identity = "me@example.org", issuer = "https://*.example.org", key = "a" }
          |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

        error: unknown key `key` in `trust.oci://c`
         --> pallet.toml:4:78
          |
        4 | "oci://c" = { identity = "me@example.org", issuer = "https://*.example.org", key = "a" }
          |                                                                              ^^^
          = help: there are identity, issuer

        error: unknown key `root` in `sigstore`
         --> pallet.toml:7:1
          |
        7 | root = "root.json"
          | ^^^^
          = help: there are trusted_root
    "#]],
    );
}

#[test]
fn a_syntax_error() {
    check(
        "[project\nname = 1\n",
        expect![[r#"
        error: unclosed table, expected `]`
         --> pallet.toml:1:9
          |
        1 | [project
          |         ^
    "#]],
    );
}
