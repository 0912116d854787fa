//! Privileges of users.

use pallet_core::prelude::*;

use super::server::{self, command};
use super::sql::{self, check_name, check_user};

parameters! {
    /// Ensures that a user has privileges, or that it has not. Other privileges stay.
    ///
    /// Example: `mysql.grant(request, "app", ["ALL"], database = "app", host = "10.%")`
    pub(crate) struct Grant {
        /// The name of the user.
        user: String,
        /// The privileges, such as `SELECT`, or `ALL`.
        privileges: Vec<String>,
        /// The database; `*`: all, and privileges of the server.
        database: String,
        /// The table. Default: all.
        #[serde(default)]
        table: Option<String>,
        /// The host of the user.
        #[serde(default = "default_host")]
        host: String,
        /// Whether the user may pass the privileges on.
        #[serde(default)]
        grant_option: bool,
        /// `create`, or `delete` to revoke the privileges.
        #[serde(default)]
        action: Existence,
    }
}

fn default_host() -> String {
    "localhost".to_owned()
}

pub(crate) fn grant(request: &mut Request, grant: Grant) -> Result<()> {
    let Grant { user, privileges, database, table, host, grant_option, action } = grant;
    check_user(&user, &host)?;
    check_name("a database", &database, 64)?;
    ensure!(!privileges.is_empty(), "no privilege is named; name one, or ALL");
    let mut wanted = Vec::new();
    for privilege in privileges {
        let privilege = privilege.to_ascii_uppercase();
        ensure!(
            privilege.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b' ')
                && privilege.trim() == privilege
                && !privilege.is_empty()
                && !["GRANT OPTION", "PROXY"].contains(&privilege.as_str()),
            "{privilege:?} is no privilege that can be granted here"
        );
        wanted.push(if privilege == "ALL" { "ALL PRIVILEGES".to_owned() } else { privilege });
    }
    ensure!(
        !grant_option || action == Existence::Create,
        "the grant_option is for privileges that are granted; omit it"
    );
    let on = scope(&database, table.as_deref())?;
    server::put(request)?;
    let privileges = wanted.join(", ");
    let who = sql::user(&user, &host);
    let option = if grant_option { " with grant option" } else { "" };
    let (name, run, look) = match action {
        Existence::Create => (
            format!("grant {privileges} on {on} to {user}@{host}"),
            format!("grant {privileges} on {on} to {who}{option};"),
            "has-grant",
        ),
        Existence::Delete => (
            format!("revoke {privileges} on {on} from {user}@{host}"),
            format!("revoke {privileges} on {on} from {who};"),
            "has-no-grant",
        ),
    };
    let has_option = if grant_option { "yes" } else { "no" };
    let mut words = vec![look, &user, &host, &on, has_option];
    words.extend(wanted.iter().map(String::as_str));
    request.add(ExecCheckedScript::new(name, command(&["run", &run])).unless(command(&words)))
}

/// What a grant is on, as SHOW GRANTS has it.
fn scope(database: &str, table: Option<&str>) -> Result<String> {
    let Some(table) = table else {
        return Ok(match database {
            "*" => "*.*".to_owned(),
            // patterns otherwise
            name => {
                let name = name.replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%");
                format!("{}.*", sql::name(&name))
            }
        });
    };
    check_name("a table", table, 64)?;
    ensure!(database != "*", "a table is in a database; name it");
    Ok(format!("{}.{}", sql::name(database), sql::name(table)))
}

#[cfg(test)]
mod tests {
    use super::super::Mysql;
    use super::*;

    #[test]
    fn a_name_is_no_pattern() {
        assert_eq!(scope("my_db", None).unwrap(), "`my\\_db`.*");
        assert_eq!(scope("my_db", Some("a`b")).unwrap(), "`my_db`.`a``b`");
        assert_eq!(scope("*", None).unwrap(), "*.*");
    }

    #[test]
    fn what_is_no_grant_is_refused() {
        for (arguments, said) in [
            (json!({"user": "a", "privileges": [], "database": "d"}), "no privilege"),
            (json!({"user": "a", "privileges": ["ALL on *.* to b; "], "database": "d"}), "is no"),
            (json!({"user": "a", "privileges": ["ALL"], "database": "*", "table": "t"}), "name it"),
            (json!({"user": "a", "privileges": ["ALL"], "database": "a\nb"}), "cannot name"),
        ] {
            let error = Recorder::<Mysql>::on("debian 12").call("grant", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
