//! Logins to registries.

use pallet_core::prelude::*;

use super::check::check_line;
use super::program::{command, private};

parameters! {
    /// Logs root in to a registry, so that images are pulled from it. A changed password is logged
    /// in with.
    ///
    /// Example: `docker.login(request, "registry.example.com", "deploy", secret("registry"))`
    pub(crate) struct Login {
        /// The registry, with a port if it has one: `registry.example.com:5000`, `docker.io`.
        registry: String,
        /// The user.
        user: String,
        /// The password or token. Pass it as a secret.
        password: String,
    }
}

pub(crate) fn login(request: &mut Request, login: Login) -> Result<()> {
    let Login { registry, user, password } = login;
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    ensure!(
        registry.starts_with(|c: char| c.is_ascii_alphanumeric()) && registry.chars().all(good),
        "{registry:?} cannot be a registry: give its host, with a port if it has one"
    );
    check_line("user", &user)?;
    check_line("password", &password)?;
    ensure!(!user.contains(':') && !user.starts_with('-'), "{user:?} cannot be a user");
    private(request, "logins", &registry, format!("{user}\n{password}\n"))?;
    request.add(
        ExecCheckedScript::new(format!("log in to {registry}"), command(&["login", &registry]))
            .unless(command(&["is-logged-in", &registry])),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Docker;
    use super::*;

    #[test]
    fn the_password_is_in_no_command() {
        let mut recorder = Recorder::<Docker>::on("debian 12");
        let password = secret_placeholder("registry");
        let arguments = json!({"registry": "r.example:5000", "user": "me", "password": password});
        recorder.call("login", arguments).unwrap();
        let actions = recorder.actions();
        assert_eq!(actions[1].subject, "/etc/docker/pallet/logins/r.example:5000");
        assert_eq!(actions[1].arguments["mode"], "0600");
        assert_eq!(
            actions[2].arguments["script"],
            "sh /usr/local/lib/pallet/docker-node login r.example:5000"
        );
        for (registry, user) in [("../a", "me"), ("a b", "me"), ("a", "b:c"), ("a", "-u")] {
            let wrong = json!({"registry": registry, "user": user, "password": "p"});
            assert!(recorder.call("login", wrong).is_err(), "{registry} {user}");
        }
    }
}
