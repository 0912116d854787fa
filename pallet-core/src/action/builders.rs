//! Builder methods that several actions have.

/// Builders for `owner`, `group` and `mode` of an action on files.
macro_rules! attribute_builders {
    () => {
        /// With this owner.
        pub fn owner(mut self, name: impl Into<String>) -> Self {
            self.owner = Some(name.into());
            self
        }

        /// With this group.
        pub fn group(mut self, name: impl Into<String>) -> Self {
            self.group = Some(name.into());
            self
        }

        /// With these permissions, such as `0o644`.
        pub fn mode(mut self, mode: u32) -> Self {
            self.mode = Some(format!("{mode:04o}"));
            self
        }
    };
}

/// Builders for when, where and as whom an action runs its commands.
macro_rules! guard_builders {
    () => {
        /// Skip if `path` exists.
        pub fn creates(mut self, path: impl Into<String>) -> Self {
            self.creates = Some(path.into());
            self
        }

        /// Skip if `command` succeeds.
        pub fn unless(mut self, command: impl Into<String>) -> Self {
            self.unless = Some(command.into());
            self
        }

        /// Skip if `command` fails.
        pub fn only_if(mut self, command: impl Into<String>) -> Self {
            self.only_if = Some(command.into());
            self
        }

        /// In the directory `path`.
        pub fn cwd(mut self, path: impl Into<String>) -> Self {
            self.cwd = Some(path.into());
            self
        }

        /// As the user `name`.
        pub fn user(mut self, name: impl Into<String>) -> Self {
            self.user = Some(name.into());
            self
        }

        /// With an environment variable.
        pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.environment.insert(name.into(), value.into());
            self
        }

        fn guards(&self) -> crate::action::guard::Guards<'_> {
            crate::action::guard::Guards {
                creates: self.creates.as_deref(),
                unless: self.unless.as_deref(),
                only_if: self.only_if.as_deref(),
                cwd: self.cwd.as_deref(),
                user: self.user.as_deref(),
                environment: &self.environment,
            }
        }
    };
}

pub(super) use {attribute_builders, guard_builders};

/// The first line of a text, cut to 60 characters, as the name of a script in output.
pub(super) fn first_line(text: &str) -> String {
    let first = text.trim().lines().next().unwrap_or_default();
    match first.chars().count() > 60 {
        true => first.chars().take(57).chain("...".chars()).collect(),
        false => first.to_owned(),
    }
}
