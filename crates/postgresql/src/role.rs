//! Roles, and their passwords.

use pallet_core::prelude::*;

use super::cluster::{Cluster, USER};
use super::sql::{check_name, name, text};

parameters! {
    /// Ensures that a role exists, with these attributes and this password, or that it does not
    /// exist. Attributes that are omitted stay as they are.
    ///
    /// The password is compared with the role's SCRAM verifier in the database, and changed if it
    /// differs. It is in no statement, log or list of processes.
    ///
    /// Example: `postgresql.role(request, "app", password = secret("app"))`
    pub(crate) struct Role {
        /// The name of the role.
        name: String,
        /// The password: printable ASCII. Pass it as a secret. Default: unchanged.
        #[serde(default)]
        password: Option<String>,
        /// Whether it can log in.
        #[serde(default = "yes")]
        login: bool,
        /// Whether it is a superuser.
        #[serde(default)]
        superuser: Option<bool>,
        /// Whether it can make databases.
        #[serde(default)]
        createdb: Option<bool>,
        /// Whether it can make roles.
        #[serde(default)]
        createrole: Option<bool>,
        /// Whether it can replicate: the role of replicas.
        #[serde(default)]
        replication: Option<bool>,
        /// Whether it passes by row security.
        #[serde(default)]
        bypassrls: Option<bool>,
        /// Most connections at a time; -1: no limit.
        #[serde(default)]
        connection_limit: Option<i32>,
        /// Until when the password is valid: `2030-01-01 00:00:00+00`, or `infinity`.
        #[serde(default)]
        valid_until: Option<String>,
        /// Roles that it is a member of. Other memberships stay.
        #[serde(default)]
        member_of: Vec<String>,
        /// `create` or `delete`. A role that owns something is not deleted: that is an error.
        #[serde(default)]
        action: Existence,
        /// The cluster. Default: `main`.
        #[serde(default)]
        instance: Option<String>,
    }
}

fn yes() -> bool {
    true
}

pub(crate) fn role(request: &mut Request, role: Role) -> Result<()> {
    check_name("a role", &role.name)?;
    ensure!(
        !role.name.starts_with("pg_") && role.name != "public" && role.name != "none",
        "{:?} is a name that PostgreSQL keeps for itself",
        role.name
    );
    role.member_of.iter().try_for_each(|group| check_name("a role", group))?;
    role.valid_until.iter().try_for_each(|time| check_name("a time", time))?;
    ensure!(
        role.connection_limit.is_none_or(|limit| limit >= -1),
        "the connection_limit must be -1 or more"
    );
    ensure!(role.password.as_deref() != Some(""), "the password of {} is empty", role.name);
    let cluster = Cluster::of(request, role.instance.as_deref())?;
    cluster.put(request)?;
    if role.action == Existence::Delete {
        let run = format!("drop role if exists {};", name(&role.name));
        let known = text(&role.name);
        let holds = format!("select not exists (select from pg_roles where rolname = {known});");
        let action = (format!("delete the role {}", role.name), "postgres");
        return cluster.sql(request, action, &run, &holds);
    }
    let action = (format!("role {}", role.name), "postgres");
    cluster.sql(request, action, &create(&role), &holds(&role))?;
    let Some(password) = role.password else { return Ok(()) };
    request.add(
        ExecCheckedScript::new(
            format!("password of the role {}", role.name),
            cluster.command("set-password", &[&role.name]),
        )
        .unless(cluster.command("has-password", &[&role.name]))
        .env("PALLET_PASSWORD", password)
        .user(USER),
    )
}

/// The attributes that are given: the word for it, the column, and whether it has it.
fn attributes(role: &Role) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    [
        ("login", "rolcanlogin", Some(role.login)),
        ("superuser", "rolsuper", role.superuser),
        ("createdb", "rolcreatedb", role.createdb),
        ("createrole", "rolcreaterole", role.createrole),
        ("replication", "rolreplication", role.replication),
        ("bypassrls", "rolbypassrls", role.bypassrls),
    ]
    .into_iter()
    .filter_map(|(word, column, has)| Some((word, column, has?)))
}

fn create(role: &Role) -> String {
    let (quoted, known) = (name(&role.name), text(&role.name));
    let mut out = format!(
        "begin;\nselect {} where not exists (select from pg_roles where rolname = {known}) \
         \\gexec\nalter role {quoted}",
        text(&format!("create role {quoted}"))
    );
    for (word, _, has) in attributes(role) {
        out += if has { " " } else { " no" };
        out += word;
    }
    if let Some(limit) = role.connection_limit {
        out += &format!(" connection limit {limit}");
    }
    if let Some(time) = &role.valid_until {
        out += &format!(" valid until {}", text(time));
    }
    out += ";\n";
    for group in &role.member_of {
        out += &format!("grant {} to {quoted};\n", name(group));
    }
    out + "commit;"
}

fn holds(role: &Role) -> String {
    let mut out =
        format!("select exists (select from pg_roles r where rolname = {}", text(&role.name));
    for (_, column, has) in attributes(role) {
        out += if has { " and " } else { " and not " };
        out += column;
    }
    if let Some(limit) = role.connection_limit {
        out += &format!(" and rolconnlimit = {limit}");
    }
    if let Some(time) = &role.valid_until {
        out += &format!(" and rolvaliduntil = {}::timestamptz", text(time));
    }
    for group in &role.member_of {
        out += &format!(
            " and exists (select from pg_auth_members m where m.member = r.oid and m.roleid = \
             (select oid from pg_roles where rolname = {}))",
            text(group)
        );
    }
    out + ");"
}

#[cfg(test)]
mod tests {
    use super::super::Postgresql;
    use super::*;

    fn declared(arguments: Value) -> Result<Vec<RecordedAction>, PluginError> {
        let mut recorder = Recorder::<Postgresql>::on("debian 12");
        recorder.call("role", arguments)?;
        Ok(recorder.actions())
    }

    #[test]
    fn a_role_has_what_is_given() {
        let arguments = json!({"name": "app", "createdb": true, "superuser": false,
            "connection_limit": 5, "member_of": ["staff"]});
        let role: Role = Role::deserialize(arguments).unwrap();
        assert_eq!(
            create(&role),
            "begin;\nselect 'create role \"app\"' where not exists (select from pg_roles where \
             rolname = 'app') \\gexec\nalter role \"app\" login nosuperuser createdb connection \
             limit 5;\ngrant \"staff\" to \"app\";\ncommit;"
        );
        assert!(holds(&role).contains("rolcanlogin and not rolsuper and rolcreatedb"));
    }

    #[test]
    fn a_role_is_deleted() {
        let actions = declared(json!({"name": "a\"b", "action": "delete"})).unwrap();
        let script = actions.last().unwrap().arguments["script"].to_string();
        assert!(script.contains("drop role if exists \\\"a\\\"\\\"b\\\";"), "{script}");
    }

    #[test]
    fn a_password_is_in_no_command() {
        let secret = pallet_core::model::secret_placeholder("app");
        let actions = declared(json!({"name": "app", "password": secret})).unwrap();
        let last = actions.last().unwrap();
        assert_eq!(last.arguments["environment"]["PALLET_PASSWORD"], secret);
        for action in &actions {
            for argument in ["script", "unless", "name"] {
                assert!(!action.arguments[argument].to_string().contains("secret:"));
            }
        }
    }

    #[test]
    fn bad_roles_are_refused() {
        for (arguments, said) in [
            (json!({"name": ""}), "cannot name a role"),
            (json!({"name": "pg_app"}), "keeps for itself"),
            (json!({"name": "app", "password": ""}), "is empty"),
            (json!({"name": "app", "action": "drop"}), "unknown variant"),
            (json!({"name": "app", "connection_limit": -2}), "-1 or more"),
            (json!({"name": "app", "member_of": ["a\nb"]}), "cannot name a role"),
        ] {
            let error = declared(arguments.clone()).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
