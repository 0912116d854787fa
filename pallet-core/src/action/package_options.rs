//! The options that package actions share.

use super::ActionError;
use super::package_spec::plain;

/// Refuses what cannot be the name of a repository.
pub(super) fn check_repositories(caller: &str, names: &[String]) -> Result<(), ActionError> {
    match names.iter().find(|name| !plain(name, b"+-._:/*")) {
        Some(name) => {
            Err(ActionError::arguments(caller, format!("{name:?} is not the name of a repository")))
        }
        None => Ok(()),
    }
}

macro_rules! package_option_builders {
    () => {
        /// With this repository enabled as well.
        pub fn enable(mut self, repository: impl Into<String>) -> Self {
            self.enable.push(repository.into());
            self
        }

        /// Without this repository.
        pub fn disable(mut self, repository: impl Into<String>) -> Self {
            self.disable.push(repository.into());
            self
        }

        /// Without its services being started.
        pub fn disable_service_start(mut self) -> Self {
            self.disable_service_start = true;
            self
        }

        /// Even if its signature cannot be verified.
        pub fn allow_unsigned(mut self) -> Self {
            self.allow_unsigned = true;
            self
        }

        fn options(&self) -> crate::model::PackageOptions {
            crate::model::PackageOptions {
                enable: self.enable.clone(),
                disable: self.disable.clone(),
                disable_service_start: self.disable_service_start,
                allow_unsigned: self.allow_unsigned,
            }
        }
    };
}
pub(super) use package_option_builders;
