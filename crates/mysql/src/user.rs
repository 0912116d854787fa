//! Users, and their passwords.

use pallet_core::prelude::*;

use super::server::{self, PASSWORD, command};
use super::sql::{self, check_user};

parameters! {
    /// Ensures that a user exists, with this way to log in, or that it does not exist. Privileges
    /// come with `mysql.grant`.
    ///
    /// The password is compared with what the server has, and changed if it differs.
    ///
    /// Example: `mysql.user(request, "app", host = "10.%", password = secret("app"))`
    pub(crate) struct User {
        /// The name of the user.
        name: String,
        /// The machines that it logs in from: a name, an address, or a pattern such as `10.%`.
        #[serde(default = "default_host")]
        host: String,
        /// The password: printable ASCII. Pass it as a secret. Default: unchanged.
        #[serde(default)]
        password: Option<String>,
        /// How the user proves who it is.
        #[serde(default)]
        plugin: Plugin,
        /// Whether it may connect with TLS only. Default: unchanged.
        #[serde(default)]
        require_tls: Option<bool>,
        /// Most connections at a time; 0: no limit of its own. Default: unchanged.
        #[serde(default)]
        max_connections: Option<u32>,
        /// `create` or `delete`.
        #[serde(default)]
        action: Existence,
    }
}

fn default_host() -> String {
    "localhost".to_owned()
}

/// How a user proves who it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Plugin {
    /// By password; every client knows how.
    #[default]
    MysqlNativePassword,
    /// By password, kept as a key: clients need the plugin `client_ed25519`.
    Ed25519,
    /// By the user of the operating system, over the unix socket.
    UnixSocket,
}

impl Plugin {
    fn word(self) -> &'static str {
        match self {
            Plugin::MysqlNativePassword => "mysql_native_password",
            Plugin::Ed25519 => "ed25519",
            Plugin::UnixSocket => "unix_socket",
        }
    }
}

pub(crate) fn user(request: &mut Request, user: User) -> Result<()> {
    let User { name, host, password, plugin, require_tls, max_connections, action } = user;
    check_user(&name, &host)?;
    ensure!(name != "root", "root logs in by the system's user; it cannot be managed");
    ensure!(password.as_deref() != Some(""), "the password of {name} is empty");
    ensure!(
        plugin != Plugin::UnixSocket || (password.is_none() && host == "localhost"),
        "the plugin unix_socket is for localhost, and has no password"
    );
    server::put(request)?;
    let who = sql::user(&name, &host);
    let same = format!("User = {} and Host = {}", sql::text(&name), sql::text(&host));
    if action == Existence::Delete {
        let run = format!("drop user if exists {who};");
        let holds = format!("select count(*) = 0 from mysql.global_priv where {same};");
        return server::sql(request, format!("delete the user {name}@{host}"), &run, &holds);
    }
    // without a password nobody can log in as a new user
    let how = if plugin == Plugin::UnixSocket {
        "unix_socket"
    } else {
        "mysql_native_password using 'invalid'"
    };
    let mut run = format!("create user if not exists {who} identified via {how};\n");
    let field = |field: &str| format!("json_value(Priv, '$.{field}')");
    let mut holds = format!("select count(*) from mysql.global_priv where {same}");
    if plugin == Plugin::UnixSocket {
        run += &format!("alter user {who} identified via unix_socket;\n");
        holds += &format!(" and {} = 'unix_socket'", field("plugin"));
    }
    if let Some(required) = require_tls {
        run += &format!("alter user {who} require {};\n", if required { "ssl" } else { "none" });
        let has = format!("coalesce({}, 0)", field("ssl_type"));
        holds += &format!(" and {has} {} 0", if required { "<>" } else { "=" });
    }
    if let Some(most) = max_connections {
        run += &format!("alter user {who} with max_user_connections {most};\n");
        holds += &format!(" and coalesce({}, 0) = {most}", field("max_user_connections"));
    }
    server::sql(request, format!("user {name}@{host}"), run.trim_end(), &format!("{holds};"))?;
    let Some(password) = password else { return Ok(()) };
    let words = |verb| command(&[verb, &name, &host, plugin.word()]);
    request.add(
        ExecCheckedScript::new(
            format!("password of the user {name}@{host}"),
            words("set-password"),
        )
        .unless(words("has-password"))
        .env(PASSWORD, password),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Mysql;
    use super::*;

    fn declared(arguments: Value) -> Result<Vec<RecordedAction>, PluginError> {
        let mut recorder = Recorder::<Mysql>::on("debian 12");
        recorder.call("user", arguments)?;
        Ok(recorder.actions())
    }

    #[test]
    fn a_password_is_in_no_command() {
        let secret = pallet_core::model::secret_placeholder("app");
        let actions = declared(json!({"name": "a'b", "password": secret})).unwrap();
        let last = actions.last().unwrap();
        assert_eq!(last.arguments["environment"]["PALLET_PASSWORD"], secret);
        for action in &actions {
            for argument in ["script", "unless", "name"] {
                assert!(!action.arguments[argument].to_string().contains("secret:"));
            }
        }
        let script = actions[actions.len() - 2].arguments["script"].to_string();
        assert!(script.contains("not exists"), "{script}");
    }

    #[test]
    fn a_user_is_deleted() {
        let actions = declared(json!({"name": "a'b", "host": "%", "action": "delete"})).unwrap();
        let last = actions.last().unwrap();
        assert_eq!(last.subject, "delete the user a'b@%");
        let run = pallet_core::script::quote("drop user if exists 'a''b'@'%';");
        assert!(last.arguments["script"].as_str().unwrap().ends_with(&run));
    }

    #[test]
    fn bad_users_are_refused() {
        for (arguments, said) in [
            (json!({"name": ""}), "cannot name a user"),
            (json!({"name": "root"}), "cannot be managed"),
            (json!({"name": "a", "host": "x' or"}), "no host"),
            (json!({"name": "a", "password": ""}), "is empty"),
            (json!({"name": "a", "plugin": "unix_socket", "password": "x"}), "has no password"),
            (json!({"name": "a", "plugin": "none"}), "unknown variant"),
        ] {
            let error = declared(arguments.clone()).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
