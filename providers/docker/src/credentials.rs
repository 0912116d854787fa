//! Credentials of registries, as Docker's own client keeps them: in `~/.docker/config.json`, or
//! with a helper program that it names.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::auth::DockerCredentials;
use pallet_core::prelude::*;

use crate::Answer;
use crate::engine::one_line;

/// What Docker's own registry is called in configurations.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// What of `config.json` matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(crate = "pallet_core::serde", default, rename_all = "camelCase")]
pub(crate) struct Config {
    auths: BTreeMap<String, Auth>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
    #[serde(skip)]
    file: PathBuf,
}

#[derive(Default, Deserialize)]
#[serde(crate = "pallet_core::serde", default)]
struct Auth {
    auth: String,
    identitytoken: String,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a secret")
    }
}

/// What a helper answers.
#[derive(Deserialize)]
#[serde(crate = "pallet_core::serde", rename_all = "PascalCase")]
struct Helped {
    username: String,
    secret: String,
}

impl Config {
    /// That of a user; an empty one if there is none.
    pub(crate) fn of(home: &Path) -> Answer<Config> {
        let file = home.join(".docker/config.json");
        let wrong = |error: String| {
            PluginError::new(
                ErrorKind::InvalidInput,
                format!(
                    "{} cannot \
            be read: {error}",
                    file.display()
                ),
            )
        };
        match std::fs::read(&file) {
            Ok(bytes) => {
                let config =
                    serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
                Ok(Config { file, ..config })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    /// The credentials for the registry of an image, if there are any.
    pub(crate) fn for_image(&self, reference: &str) -> Answer<Option<DockerCredentials>> {
        let registry = registry(reference);
        let named = |known: &str| plain(known) == plain(registry);
        let helper = self
            .cred_helpers
            .iter()
            .find(|(known, _)| named(known))
            .map(|(_, helper)| helper)
            .or(self.creds_store.as_ref());
        let found = helper.map(|helper| ask(helper, registry)).transpose()?.flatten();
        if found.is_some() {
            return Ok(found);
        }
        let Some((_, auth)) = self.auths.iter().find(|(known, _)| named(known)) else {
            return Ok(None);
        };
        if !auth.identitytoken.is_empty() {
            return Ok(Some(token(registry, auth.identitytoken.clone())));
        }
        if auth.auth.is_empty() {
            // the entry only says that a helper has them
            return Ok(None);
        }
        let text = STANDARD.decode(&auth.auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let wrong = || {
            let message =
                format!("{}: the credentials of {registry} cannot be read", self.file.display());
            PluginError::new(ErrorKind::Unauthorized, message).with_help(format!(
                "run: docker \
                login {registry}"
            ))
        };
        let (user, password) =
            text.as_deref().and_then(|text| text.split_once(':')).ok_or_else(wrong)?;
        Ok(Some(by_name(registry, user, password)))
    }

    /// Where the credentials of each registry that is known come from.
    pub(crate) fn known(&self) -> Vec<Credential> {
        let names = self
            .auths
            .keys()
            .chain(self.cred_helpers.keys())
            .map(|name| plain(name))
            .collect::<std::collections::BTreeSet<_>>();
        let source = |name: &str| {
            let helper = self
                .cred_helpers
                .iter()
                .find(|(known, _)| plain(known) == name)
                .map(|(_, helper)| helper);
            match helper.or(self.creds_store.as_ref()) {
                Some(helper) => format!("docker-credential-{helper}"),
                None => self.file.display().to_string(),
            }
        };
        names
            .into_iter()
            .map(|name| Credential {
                name: format!("registry {name}"),
                source: source(name),
                found: true,
            })
            .collect()
    }
}

/// The registry of an image, as configurations call it: `registry.local:5000`.
fn registry(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => {
            if first == "docker.io" { DOCKER_HUB } else { first }
        }
        _ => DOCKER_HUB,
    }
}

/// The same registry has one name, with and without a scheme and a path.
fn plain(name: &str) -> &str {
    let rest = name.split_once("://").map_or(name, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or(rest);
    if host == "docker.io" { "index.docker.io" } else { host }
}

/// Asks a helper; `None` if it has nothing for this registry.
fn ask(helper: &str, registry: &str) -> Answer<Option<DockerCredentials>> {
    let program = format!("docker-credential-{helper}");
    let failed = |why: String| {
        let error = PluginError::new(
            ErrorKind::Unauthorized,
            format!(
                "{program} gives no \
            credentials for {registry}: {why}"
            ),
        );
        error.with_help("see credsStore and credHelpers in ~/.docker/config.json")
    };
    let talk = || -> std::io::Result<std::process::Output> {
        let mut child = Command::new(&program)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(registry.as_bytes())?;
        }
        child.wait_with_output()
    };
    let output = talk().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        // helpers say on their output what is wrong
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        return if said.contains("credentials not found") {
            Ok(None)
        } else {
            Err(failed(one_line(&said)))
        };
    }
    let Helped { username, secret } = serde_json::from_slice(&output.stdout).map_err(|_| {
        failed(
            "it does not answer as it \
            should"
                .to_owned(),
        )
    })?;
    Ok(Some(if username == "<token>" {
        token(registry, secret)
    } else {
        by_name(registry, &username, &secret)
    }))
}

fn by_name(registry: &str, user: &str, password: &str) -> DockerCredentials {
    let (username, password) = (Some(user.to_owned()), Some(password.to_owned()));
    DockerCredentials {
        username,
        password,
        serveraddress: Some(registry.to_owned()),
        ..DockerCredentials::default()
    }
}

fn token(registry: &str, token: String) -> DockerCredentials {
    DockerCredentials {
        identitytoken: Some(token),
        serveraddress: Some(registry.to_owned()),
        ..DockerCredentials::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".docker")).unwrap();
        std::fs::write(home.path().join(".docker/config.json"), text).unwrap();
        Config::of(home.path()).unwrap()
    }

    #[test]
    fn an_image_has_the_credentials_of_its_registry() {
        let ann = STANDARD.encode("ann:pass:word");
        let config = config(&format!(
            r#"{{"auths": {{"https://index.docker.io/v1/": {{"auth": "{ann}"}}, "reg.example:5000": {{"identitytoken": "t"}}, "bad.example": {{"auth": "!"}}}}}}"#
        ));
        for image in ["debian", "team/app:1", "docker.io/library/debian"] {
            let found = config.for_image(image).unwrap().unwrap();
            assert_eq!(
                (found.username.as_deref(), found.password.as_deref()),
                (Some("ann"), Some("pass:word")),
                "{image}"
            );
        }
        assert_eq!(
            config.for_image("reg.example:5000/app").unwrap().unwrap().identitytoken.as_deref(),
            Some("t")
        );
        assert_eq!(
            config.for_image("reg.example/app").unwrap(),
            None,
            "another port is another \
            registry"
        );
        assert!(config.for_image("bad.example/app").unwrap_err().to_string().contains(
            "docker \
            login bad.example"
        ));
        assert_eq!(config.known().len(), 3);
        assert!(!format!("{config:?}").contains(&ann), "secrets are not shown");
        assert_eq!(Config::of(Path::new("/nowhere")).unwrap().for_image("debian").unwrap(), None);
    }

    #[test]
    fn a_helper_that_is_not_there_is_named() {
        let config = config(r#"{"credHelpers": {"reg.example": "is-not-there"}}"#);
        let error = config.for_image("reg.example/app").unwrap_err();
        assert!(
            error.message.starts_with(
                "docker-credential-is-not-there gives no credentials for \
            reg.example"
            ),
            "{error}"
        );
        assert_eq!(config.for_image("other.example/app").unwrap(), None);
        assert_eq!(config.known()[0].source, "docker-credential-is-not-there");
    }
}
