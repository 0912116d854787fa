//! Credentials for a registry, in the form that the client needs.

use oci_client::secrets::RegistryAuth;

use crate::distribution::artifact::ArtifactError;
use crate::distribution::repository::Access;
use crate::plugin::registry_credentials::{
    RegistryCredentials, RegistryCredentialsError, RegistryLogin,
};

/// Credentials and their origin.
pub(super) struct Credentials {
    pub(super) auth: RegistryAuth,
    /// A token that must be exchanged for one that the registry accepts.
    pub(super) identity_token: Option<String>,
    /// Where they were found, for messages; `None` if there are none.
    pub(super) origin: Option<String>,
}

/// Finds the credentials for a registry.
pub(super) async fn find(host: &str, access: &Access) -> Result<Credentials, ArtifactError> {
    let credentials = RegistryCredentials {
        files: access.credentials.clone(),
        helper_path: access.helper_path.clone(),
    };
    let registry = host.to_owned();
    let found = tokio::task::spawn_blocking(move || credentials.find(&registry)).await;
    let found = found.map_err(|error| ArtifactError::Unauthorized {
        place: host.to_owned(),
        message: error.to_string(),
    })??;
    let (auth, identity_token) = match &found {
        None => (RegistryAuth::Anonymous, None),
        Some(found) => match found.login.clone() {
            RegistryLogin::Password { user, password } => {
                (RegistryAuth::Basic(user, password), None)
            }
            RegistryLogin::IdentityToken(token) => (RegistryAuth::Anonymous, Some(token)),
            RegistryLogin::RegistryToken(token) => (RegistryAuth::Bearer(token), None),
        },
    };
    Ok(Credentials { auth, identity_token, origin: found.map(|found| found.source) })
}

impl From<RegistryCredentialsError> for ArtifactError {
    fn from(error: RegistryCredentialsError) -> Self {
        match error {
            RegistryCredentialsError::File { path, error } => ArtifactError::reading(&path)(error),
            RegistryCredentialsError::Helper { program, message } => {
                ArtifactError::Unauthorized { place: program, message }
            }
        }
    }
}
