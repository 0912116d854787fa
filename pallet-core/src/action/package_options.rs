//! The common options of package actions.

use super::ActionError;
use super::package_spec::plain;

/// Refuses an invalid name of a repository.
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
        /// Also use this repository.
        pub fn enable(mut self, repository: impl Into<String>) -> Self {
            self.enable.push(repository.into());
            self
        }

        /// Do not use this repository.
        pub fn disable(mut self, repository: impl Into<String>) -> Self {
            self.disable.push(repository.into());
            self
        }

        /// Do not start its services.
        pub fn disable_service_start(mut self) -> Self {
            self.disable_service_start = true;
            self
        }

        /// Allow packages whose signature cannot be verified.
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
