//! The password of the server.

use pallet_core::prelude::*;

use super::program::put;

parameters! {
    /// Sets the password that clients must know, and that this node sends to its primary.
    ///
    /// Nodes that replicate each other need the same password. A changed password is changed while
    /// the server runs, by `redis.service`.
    ///
    /// Example: `redis.password(request, secret("redis-password"))`
    pub(crate) struct Password {
        /// The password: one line, usually a secret.
        password: String,
    }
}

pub(crate) fn password(request: &mut Request, wanted: Password) -> Result<()> {
    let Password { password } = wanted;
    ensure!(
        !password.is_empty() && !password.contains(['\n', '\r', '\0']),
        "the password must be one line, and not empty"
    );
    // the program quotes it: here it may be a placeholder of a secret
    put(request, "password", Some(format!("{password}\n")))
}

#[cfg(test)]
mod tests {
    use super::super::Redis;
    use super::*;

    #[test]
    fn a_password_is_only_in_a_file_of_root() {
        let mut recorder = Recorder::<Redis>::on("debian 12");
        recorder.call("password", json!({"password": "⟦secret:r⟧"})).unwrap();
        let actions = recorder.actions();
        let holds = |one: &&RecordedAction| one.arguments.to_string().contains("secret:r");
        let found: Vec<_> = actions.iter().filter(holds).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].subject, "/etc/pallet/redis/password");
        assert_eq!(found[0].arguments["mode"], "0600");
        assert_eq!(found[0].arguments["max_versions"], 0);
        for password in ["", "a\nb"] {
            let error = recorder.call("password", json!({"password": password})).unwrap_err();
            assert!(error.to_string().contains("must be one line"), "{error}");
        }
    }
}
