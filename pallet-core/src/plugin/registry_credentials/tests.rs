//! Tests of the lookup of registry credentials.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::*;

fn found(directory: &Path, config: Value, registry: &str) -> Answer<Option<FoundLogin>> {
    let file = directory.join("config.json");
    fs::write(&file, config.to_string()).unwrap();
    let credentials = RegistryCredentials {
        files: vec![directory.join("absent.json"), file],
        helper_path: vec![directory.to_owned()],
    };
    credentials.find(registry)
}

fn password(user: &str, password: &str) -> RegistryLogin {
    RegistryLogin::Password { user: user.to_owned(), password: password.to_owned() }
}

fn helper(directory: &Path, name: &str, script: &str) {
    let file = directory.join(format!("docker-credential-{name}"));
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn finds_entries_by_name_and_by_url() {
    let directory = tempfile::tempdir().unwrap();
    let auth = STANDARD.encode("me:pa:ss");
    let config = json!({ "auths": {
        "a.example": { "auth": auth },
        "https://b.example/v1/": { "username": "u", "password": "p" },
        "https://index.docker.io/v1/": { "identitytoken": "t" },
        "c.example": {},
    } });
    let of = |registry: &str| found(directory.path(), config.clone(), registry).unwrap();
    assert_eq!(of("a.example").unwrap().login, password("me", "pa:ss"));
    assert_eq!(of("b.example").unwrap().login, password("u", "p"));
    for hub in ["docker.io", "index.docker.io", DOCKER_HUB] {
        assert_eq!(of(hub).unwrap().login, RegistryLogin::IdentityToken("t".to_owned()), "{hub}");
    }
    for registry in ["c.example", "d.example", "example", "a.example:5000"] {
        assert_eq!(of(registry), None, "{registry}");
    }
    assert!(!format!("{:?}", of("a.example")).contains("pa:ss"), "secrets are not shown");
}

#[test]
fn asks_a_helper_before_the_entries() {
    let directory = tempfile::tempdir().unwrap();
    helper(
        directory.path(),
        "one",
        r#"read host; echo "{\"ServerURL\":\"$host\",\"Username\":\"$1\",\"Secret\":\"s-$host\"}""#,
    );
    helper(directory.path(), "none", "echo credentials not found in native keychain; exit 1");
    helper(directory.path(), "locked", "echo the keychain is locked >&2; exit 1");
    let config = json!({
        "auths": { "b.example": { "username": "u", "password": "p" } },
        "credsStore": "none",
        "credHelpers": {
            "a.example:5000": "one", "docker.io": "one", "c.example": "locked",
            "d.example": "missing", "e.example": "../one",
        },
    });
    let of = |registry: &str| found(directory.path(), config.clone(), registry);
    assert_eq!(of("a.example:5000").unwrap().unwrap().login, password("get", "s-a.example:5000"));
    let hub = of("docker.io").unwrap().unwrap();
    assert_eq!(hub.login, password("get", &format!("s-{DOCKER_HUB}")));
    assert_eq!(hub.source, "docker-credential-one");
    assert_eq!(of("b.example").unwrap().unwrap().login, password("u", "p"));
    assert_eq!(
        of("c.example").unwrap_err().to_string(),
        "docker-credential-locked gives no credentials for c.example: the keychain is locked"
    );
    for registry in ["d.example", "e.example"] {
        assert!(of(registry).unwrap_err().to_string().contains("not installed"), "{registry}");
    }
}

#[test]
fn names_a_file_that_cannot_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let config = json!({ "auths": { "a": { "auth": "%" } } });
    let error = found(directory.path(), config, "a").unwrap_err().to_string();
    assert!(error.contains("config.json") && !error.contains('\n'), "{error}");
}

#[test]
fn lists_each_registry_once_with_its_source() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.json");
    let config = json!({
        "auths": { "https://index.docker.io/v1/": {}, "a.example": {} },
        "credHelpers": { "a.example": "pass" },
    });
    fs::write(&file, config.to_string()).unwrap();
    let credentials =
        RegistryCredentials { files: vec![file.clone(), file.clone()], helper_path: Vec::new() };
    let known = credentials.known().unwrap();
    let shown: Vec<_> =
        known.iter().map(|known| (known.name.as_str(), known.source.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("registry a.example", "docker-credential-pass"),
            ("registry index.docker.io", file.to_str().unwrap())
        ]
    );
}
