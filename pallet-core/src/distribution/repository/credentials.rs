//! Credentials of registries, from the files and helpers that docker, podman and others share.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci_client::secrets::RegistryAuth;
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use super::Access;
use crate::distribution::artifact::ArtifactError;

/// A helper may ask a person; it has this long.
const HELPER_TIMEOUT: Duration = Duration::from_secs(120);

/// Credentials, and where they are from.
pub(super) struct Credentials {
    pub(super) auth: RegistryAuth,
    /// A token that is to be exchanged for one that the registry takes.
    pub(super) identity_token: Option<String>,
    /// Where they were found, for messages. None where there are none.
    pub(super) origin: Option<String>,
}

/// Looks for credentials for a registry.
pub(super) async fn find(host: &str, access: &Access) -> Result<Credentials, ArtifactError> {
    for file in &access.credentials {
        let Some(config) = read(file)? else { continue };
        if let Some(helper) = helper_of(&config, host)
            && let Some(credentials) = ask(helper, host, access).await?
        {
            return Ok(credentials);
        }
        if let Some(entry) = entry(&config["auths"], host)
            && let Some(credentials) = of_entry(file, host, entry)?
        {
            return Ok(credentials);
        }
    }
    Ok(Credentials { auth: RegistryAuth::Anonymous, identity_token: None, origin: None })
}

fn read(file: &Path) -> Result<Option<Value>, ArtifactError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ArtifactError::reading(file)(error)),
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| ArtifactError::reading(file)(std::io::Error::other(error.to_string())))
}

/// The helper that keeps this registry's credentials, or all of them.
fn helper_of<'a>(config: &'a Value, host: &str) -> Option<&'a str> {
    entry(&config["credHelpers"], host)
        .unwrap_or(&config["credsStore"])
        .as_str()
        .filter(|name| !name.is_empty())
}

/// The entry of a registry: by its name, or as a URL as older tools write it.
fn entry<'a>(table: &'a Value, host: &str) -> Option<&'a Value> {
    let table = table.as_object()?;
    let plain = |key: &str| {
        let key = key.trim_start_matches("https://").trim_start_matches("http://");
        key.split('/').next().unwrap_or_default().to_owned()
    };
    let is_docker_hub =
        |name: &str| matches!(name, "docker.io" | "index.docker.io" | "registry-1.docker.io");
    let matches =
        |key: &str| plain(key) == host || (is_docker_hub(host) && is_docker_hub(&plain(key)));
    table.get(host).or_else(|| table.iter().find(|(key, _)| matches(key)).map(|(_, value)| value))
}

fn of_entry(file: &Path, host: &str, entry: &Value) -> Result<Option<Credentials>, ArtifactError> {
    let origin = Some(file.display().to_string());
    let text = |key: &str| entry[key].as_str().filter(|text| !text.is_empty());
    if let Some(token) = text("registrytoken") {
        return Ok(Some(Credentials {
            auth: RegistryAuth::Bearer(token.to_owned()),
            identity_token: None,
            origin,
        }));
    }
    if let Some(token) = text("identitytoken") {
        return Ok(Some(Credentials {
            auth: RegistryAuth::Anonymous,
            identity_token: Some(token.to_owned()),
            origin,
        }));
    }
    let pair = match text("auth") {
        None => text("username")
            .zip(text("password"))
            .map(|(user, password)| (user.to_owned(), password.to_owned())),
        Some(encoded) => {
            let decoded =
                STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
            let (user, password) = pair.ok_or_else(|| {
                ArtifactError::reading(file)(std::io::Error::other(format!(
                    "its entry for {host} \
                    is not base64 of USER:PASSWORD"
                )))
            })?;
            Some((user.to_owned(), password.trim_end_matches('\0').to_owned()))
        }
    };
    Ok(pair.map(|(user, password)| Credentials {
        auth: RegistryAuth::Basic(user, password),
        identity_token: None,
        origin,
    }))
}

/// Asks a helper, `docker-credential-NAME get`. None where it has no credentials for the registry.
async fn ask(
    helper: &str,
    host: &str,
    access: &Access,
) -> Result<Option<Credentials>, ArtifactError> {
    let name = format!("docker-credential-{helper}");
    let failed = |message: String| ArtifactError::Unauthorized { place: name.clone(), message };
    let program = program(&name, &access.helper_path).ok_or_else(|| {
        failed(format!(
            "this helper keeps the credentials of {host}, and is not \
            installed on the PATH"
        ))
    })?;
    // the hub is known to helpers by the address of its first version
    let server = if host == "docker.io" { "https://index.docker.io/v1/" } else { host };
    let run = async {
        let mut command = tokio::process::Command::new(&program);
        command
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // a helper that does not read its input says so by its own error
            let _ = input.write_all(server.as_bytes()).await;
        }
        child.wait_with_output().await
    };
    let output = tokio::time::timeout(HELPER_TIMEOUT, run).await;
    let output = output
        .map_err(|_| failed(format!("does not answer within {} s", HELPER_TIMEOUT.as_secs())))?;
    let output = output.map_err(|error| failed(format!("cannot be run: {error}")))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        if said.contains("credentials not found") {
            return Ok(None);
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().chain(errors.lines()).map(str::trim).find(|line| !line.is_empty());
        return Err(failed(format!(
            "gives no credentials for {host}: {}",
            line.unwrap_or(
                "it failed \
            without a word"
            )
        )));
    }
    let answer: Value =
        serde_json::from_str(&said).map_err(|_| failed("its answer is no JSON".to_owned()))?;
    let (Some(user), Some(secret)) = (answer["Username"].as_str(), answer["Secret"].as_str())
    else {
        return Err(failed("its answer has no Username and Secret".to_owned()));
    };
    let origin = Some(name.clone());
    Ok(Some(match user {
        "<token>" => Credentials {
            auth: RegistryAuth::Anonymous,
            identity_token: Some(secret.to_owned()),
            origin,
        },
        user => Credentials {
            auth: RegistryAuth::Basic(user.to_owned(), secret.to_owned()),
            identity_token: None,
            origin,
        },
    }))
}

fn program(name: &str, path: &[PathBuf]) -> Option<PathBuf> {
    if name.contains('/') {
        return None;
    }
    path.iter().map(|directory| directory.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::*;

    async fn found(
        directory: &Path,
        config: Value,
        host: &str,
    ) -> Result<Credentials, ArtifactError> {
        let file = directory.join("config.json");
        std::fs::write(&file, config.to_string()).unwrap();
        let access = Access {
            credentials: vec![directory.join("absent.json"), file],
            helper_path: vec![directory.to_owned()],
            ..Access::default()
        };
        find(host, &access).await
    }

    fn helper(directory: &Path, name: &str, script: &str) {
        let file = directory.join(format!("docker-credential-{name}"));
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[tokio::test]
    async fn entries_are_found_by_name_and_by_url() {
        let directory = tempfile::tempdir().unwrap();
        let auth = STANDARD.encode("me:pa:ss");
        let config = json!({ "auths": { "a.example": { "auth": auth }, "https://b.example/v1/": {
            "username": "u", "password": "p",
        },
            "https://index.docker.io/v1/": { "identitytoken": "t" }, "c.example": {} } });
        let of = async |host: &str| found(directory.path(), config.clone(), host).await.unwrap();
        assert_eq!(
            of("a.example").await.auth,
            RegistryAuth::Basic("me".to_owned(), "pa:ss".to_owned())
        );
        assert_eq!(of("b.example").await.auth, RegistryAuth::Basic("u".to_owned(), "p".to_owned()));
        assert_eq!(of("docker.io").await.identity_token.as_deref(), Some("t"));
        for host in ["c.example", "d.example", "example"] {
            assert!(of(host).await.origin.is_none(), "{host}");
        }
    }

    #[tokio::test]
    async fn a_helper_is_asked_before_the_entries() {
        let directory = tempfile::tempdir().unwrap();
        helper(
            directory.path(),
            "one",
            r#"read host; echo "{\"ServerURL\":\"$host\",\"Username\":\"$1\",\"Secret\":\"s-$host\"}""#,
        );
        helper(directory.path(), "none", "echo credentials not found in native keychain; exit 1");
        helper(directory.path(), "locked", "echo the keychain is locked >&2; exit 1");
        let config = json!({ "auths": { "b.example": {
            "username": "u", "password": "p",
        } }, "credsStore": "none",
            "credHelpers": {
                "a.example:5000": "one", "c.example": "locked", "d.example": "missing",
            } });
        let of = async |host: &str| found(directory.path(), config.clone(), host).await;
        assert_eq!(
            of("a.example:5000").await.unwrap().auth,
            RegistryAuth::Basic("get".to_owned(), "s-a.example:5000".to_owned())
        );
        assert_eq!(
            of("b.example").await.unwrap().auth,
            RegistryAuth::Basic("u".to_owned(), "p".to_owned())
        );
        let error = of("c.example").await.err().unwrap().to_string();
        assert_eq!(
            error,
            "docker-credential-locked: gives no credentials for c.example: the \
            keychain is locked"
        );
        assert!(of("d.example").await.err().unwrap().to_string().contains("not installed"));
    }

    #[tokio::test]
    async fn a_broken_file_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().unwrap();
        let error = found(directory.path(), json!({ "auths": { "a": { "auth": "%" } } }), "a")
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("config.json") && !error.contains('\n'), "{error}");
    }
}
