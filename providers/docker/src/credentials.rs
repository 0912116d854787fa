//! Credentials of registries, in the form that the engine expects.

use std::path::Path;

use bollard::auth::DockerCredentials;
use pallet_core::plugin::registry_credentials::{
    DOCKER_HUB, RegistryCredentials, RegistryCredentialsError, RegistryLogin,
};
use pallet_core::prelude::*;

use crate::answer::Answer;

/// The registries for which Docker's own client has credentials.
pub(crate) fn known(home: &Path) -> Answer<Vec<Credential>> {
    of_user(home).known().map_err(error_of)
}

/// The credentials for the registry of an image, if there are any.
pub(crate) fn for_image(home: &Path, reference: &str) -> Answer<Option<DockerCredentials>> {
    let registry = registry(reference);
    let found = of_user(home).find(registry).map_err(|error| match error {
        RegistryCredentialsError::File { .. } => {
            error_of(error).with_help(format!("run: docker login {registry}"))
        }
        error => error_of(error),
    })?;
    Ok(found.map(|found| with_login(registry, found.login)))
}

/// The places where Docker's own client looks for credentials.
fn of_user(home: &Path) -> RegistryCredentials {
    let path = std::env::var_os("PATH").unwrap_or_default();
    RegistryCredentials {
        files: vec![home.join(".docker/config.json")],
        helper_path: std::env::split_paths(&path).collect(),
    }
}

fn error_of(error: RegistryCredentialsError) -> PluginError {
    match &error {
        RegistryCredentialsError::File { .. } => PluginError::unauthorized(error.to_string()),
        RegistryCredentialsError::Helper { .. } => PluginError::unauthorized(error.to_string())
            .with_help("see credsStore and credHelpers in ~/.docker/config.json"),
    }
}

fn with_login(registry: &str, login: RegistryLogin) -> DockerCredentials {
    let mut credentials =
        DockerCredentials { serveraddress: Some(registry.to_owned()), ..Default::default() };
    match login {
        RegistryLogin::Password { user, password } => {
            credentials.username = Some(user);
            credentials.password = Some(password);
        }
        RegistryLogin::IdentityToken(token) => credentials.identitytoken = Some(token),
        RegistryLogin::RegistryToken(token) => credentials.registrytoken = Some(token),
    }
    credentials
}

/// The registry of an image, in the form of configurations: `registry.local:5000`.
fn registry(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => {
            if first == "docker.io" { DOCKER_HUB } else { first }
        }
        _ => DOCKER_HUB,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn home(text: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".docker")).unwrap();
        std::fs::write(home.path().join(".docker/config.json"), text).unwrap();
        home
    }

    #[test]
    fn an_image_has_the_credentials_of_its_registry() {
        let ann = STANDARD.encode("ann:pass:word");
        let home = home(&format!(
            r#"{{"auths": {{"https://index.docker.io/v1/": {{"auth": "{ann}"}}, "reg.example:5000": {{"identitytoken": "t"}}, "bad.example": {{"auth": "!"}}}}}}"#
        ));
        let of = |image: &str| for_image(home.path(), image);
        for image in ["debian", "team/app:1", "docker.io/library/debian"] {
            let found = of(image).unwrap().unwrap();
            assert_eq!(
                (found.username.as_deref(), found.password.as_deref()),
                (Some("ann"), Some("pass:word")),
                "{image}"
            );
            assert_eq!(found.serveraddress.as_deref(), Some(DOCKER_HUB));
        }
        assert_eq!(
            of("reg.example:5000/app").unwrap().unwrap().identitytoken.as_deref(),
            Some("t")
        );
        assert_eq!(of("reg.example/app").unwrap(), None, "another port is another registry");
        let error = of("bad.example/app").unwrap_err().to_string();
        assert!(error.contains("docker login bad.example"), "{error}");
        assert_eq!(known(home.path()).unwrap().len(), 3);
        assert_eq!(for_image(Path::new("/nowhere"), "debian").unwrap(), None);
    }

    #[test]
    fn a_helper_that_is_not_there_is_named() {
        let home = home(r#"{"credHelpers": {"reg.example": "is-not-there"}}"#);
        let error = for_image(home.path(), "reg.example/app").unwrap_err();
        assert!(
            error
                .message
                .starts_with("docker-credential-is-not-there gives no credentials for reg.example"),
            "{error}"
        );
        assert_eq!(for_image(home.path(), "other.example/app").unwrap(), None);
        assert_eq!(known(home.path()).unwrap()[0].source, "docker-credential-is-not-there");
    }
}
