//! Databases and their extensions.

use pallet_core::prelude::*;

use super::cluster::Cluster;
use super::sql::{check_name, name, text};

parameters! {
    /// Ensures that a database exists, with this owner, or that it does not exist.
    ///
    /// An existing database gets the owner. Its encoding and locale cannot be changed: if they
    /// differ, the operation fails on this node.
    ///
    /// Example: `postgresql.database(request, "app", owner = "app")`
    pub(crate) struct Database {
        /// The name of the database.
        name: String,
        /// The role that owns it. Default: unchanged; `postgres` for a new database.
        #[serde(default)]
        owner: Option<String>,
        /// Encoding, such as `UTF8`. Default: that of the template.
        #[serde(default)]
        encoding: Option<String>,
        /// Locale of sorting and of characters, such as `C.UTF-8`. Default: that of the template.
        #[serde(default)]
        locale: Option<String>,
        /// The database that a new one is copied from. Default: `template1`, or `template0` if an
        /// encoding or a locale is given.
        #[serde(default)]
        template: Option<String>,
        /// `create`, or `delete` the database with all that is in it.
        #[serde(default)]
        action: Existence,
        /// The cluster. Default: `main`.
        #[serde(default)]
        instance: Option<String>,
    }

    /// Ensures that a database has an extension, or that it does not.
    ///
    /// Example: `postgresql.extension(request, "pg_trgm", database = "app")`
    pub(crate) struct Extension {
        /// The name of the extension.
        name: String,
        /// The database.
        database: String,
        /// The schema of a new extension. Default: its own choice.
        #[serde(default)]
        schema: Option<String>,
        /// Version. Default: any.
        #[serde(default)]
        version: Option<String>,
        /// Package that brings the extension, such as `postgresql-15-postgis-3`. Default: none.
        #[serde(default)]
        package: Option<String>,
        /// `create` or `delete`. An extension that something else needs is not deleted: that is an
        /// error.
        #[serde(default)]
        action: Existence,
        /// The cluster. Default: `main`.
        #[serde(default)]
        instance: Option<String>,
    }
}

pub(crate) fn database(request: &mut Request, database: Database) -> Result<()> {
    check_name("a database", &database.name)?;
    for (what, value) in [
        ("an owner", &database.owner),
        ("an encoding", &database.encoding),
        ("a locale", &database.locale),
        ("a template", &database.template),
    ] {
        value.as_ref().map_or(Ok(()), |value| check_name(what, value))?;
    }
    let cluster = Cluster::of(request, database.instance.as_deref())?;
    cluster.put(request)?;
    if database.action == Existence::Delete {
        ensure!(
            !["postgres", "template0", "template1"].contains(&database.name.as_str()),
            "the database {} belongs to PostgreSQL; it cannot be deleted",
            database.name
        );
        let run = format!("drop database if exists {};", name(&database.name));
        let holds = format!("select not {};", exists(&database.name, &[]));
        let action = (format!("delete the database {}", database.name), "postgres");
        return cluster.sql(request, action, &run, &holds);
    }
    let action = (format!("database {}", database.name), "postgres");
    cluster.sql(request, action, &create(&database), &holds(&database))
}

fn create(database: &Database) -> String {
    let Database { owner, encoding, locale, .. } = database;
    let (quoted, known) = (name(&database.name), text(&database.name));
    let mut command = format!("create database {quoted}");
    let fixed = encoding.is_some() || locale.is_some();
    let template = database.template.as_deref().or(fixed.then_some("template0"));
    for (option, value) in [("owner", owner.as_deref()), ("template", template)] {
        if let Some(value) = value {
            command += &format!(" {option} {}", name(value));
        }
    }
    for (option, value) in [("encoding", encoding), ("lc_collate", locale), ("lc_ctype", locale)] {
        if let Some(value) = value {
            command += &format!(" {option} {}", text(value));
        }
    }
    let mut out = format!(
        "select {} where not exists (select from pg_database where datname = {known}) \\gexec\n",
        text(&command)
    );
    if fixed {
        let message = format!(
            "the database {} has another encoding or locale, which cannot be changed",
            database.name
        );
        let body = format!(
            "begin if not {} then raise exception using message = {}; end if; end",
            exists(&database.name, &fixed_ones(database)),
            text(&message)
        );
        out += &format!("do {};\n", text(&body));
    }
    if let Some(owner) = owner {
        out += &format!("alter database {quoted} owner to {};\n", name(owner));
    }
    out
}

fn holds(database: &Database) -> String {
    let mut conditions = fixed_ones(database);
    if let Some(owner) = &database.owner {
        conditions.push(format!("pg_get_userbyid(datdba) = {}", text(owner)));
    }
    format!("select {};", exists(&database.name, &conditions))
}

fn exists(database: &str, conditions: &[String]) -> String {
    let conditions: String = conditions.iter().map(|one| format!(" and {one}")).collect();
    format!("exists (select from pg_database where datname = {}{conditions})", text(database))
}

/// What cannot be changed later.
fn fixed_ones(database: &Database) -> Vec<String> {
    let mut conditions = Vec::new();
    if let Some(encoding) = &database.encoding {
        conditions.push(format!("encoding = pg_char_to_encoding({})", text(encoding)));
    }
    if let Some(locale) = &database.locale {
        let locale = text(locale);
        conditions.push(format!("datcollate = {locale} and datctype = {locale}"));
    }
    conditions
}

pub(crate) fn extension(request: &mut Request, extension: Extension) -> Result<()> {
    let Extension { name: own, database, schema, version, package, action, instance } = extension;
    check_name("an extension", &own)?;
    check_name("a database", &database)?;
    for (what, value) in [("a schema", &schema), ("a version", &version)] {
        value.as_ref().map_or(Ok(()), |value| check_name(what, value))?;
    }
    let cluster = Cluster::of(request, instance.as_deref())?;
    cluster.put(request)?;
    if action == Existence::Delete {
        let run = format!("drop extension if exists {};", name(&own));
        let known = text(&own);
        let holds =
            format!("select not exists (select from pg_extension where extname = {known});");
        let action = (format!("delete the extension {own} of {database}"), database.as_str());
        return cluster.sql(request, action, &run, &holds);
    }
    if let Some(package) = package {
        request.add(Package::install(package))?;
    }
    let mut run = format!("create extension if not exists {}", name(&own));
    let mut holds =
        format!("select exists (select from pg_extension where extname = {}", text(&own));
    if let Some(schema) = schema {
        run += &format!(" schema {}", name(&schema));
    }
    if let Some(version) = version {
        run += &format!(
            " version {0};\nalter extension {1} update to {0}",
            text(&version),
            name(&own)
        );
        holds += &format!(" and extversion = {}", text(&version));
    }
    let action = (format!("extension {own} of {database}"), database.as_str());
    cluster.sql(request, action, &format!("{run};"), &format!("{holds});"))
}

#[cfg(test)]
mod tests {
    use super::super::Postgresql;
    use super::*;

    fn last(function: &str, arguments: Value) -> RecordedAction {
        let mut recorder = Recorder::<Postgresql>::on("debian 12");
        recorder.call(function, arguments).unwrap();
        recorder.actions().pop().unwrap()
    }

    #[test]
    fn names_cannot_leave_their_quotes() {
        let evil = "x\"; drop database app; --' \\! reboot";
        let database = Database {
            name: evil.into(),
            owner: Some(evil.into()),
            encoding: None,
            locale: None,
            template: None,
            action: Existence::Create,
            instance: None,
        };
        assert_eq!(
            create(&database),
            "select 'create database \"x\"\"; drop database app; --'' \\! reboot\" owner \
             \"x\"\"; drop database app; --'' \\! reboot\"' where not exists (select from \
             pg_database where datname = 'x\"; drop database app; --'' \\! reboot') \\gexec\n\
             alter database \"x\"\"; drop database app; --' \\! reboot\" owner to \
             \"x\"\"; drop database app; --' \\! reboot\";\n"
        );
    }

    #[test]
    fn a_database_of_another_encoding_is_an_error() {
        let arguments = json!({"name": "app", "encoding": "UTF8", "locale": "C"});
        let action = last("database", arguments);
        let script = action.arguments["script"].as_str().unwrap();
        assert!(script.contains("template \"template0\""), "{script}");
        assert!(script.contains("which cannot be changed"), "{script}");
        assert_eq!(action.arguments["user"], "postgres");
        assert_eq!(action.subject, "database app");
    }

    #[test]
    fn what_postgresql_needs_is_not_deleted() {
        let action = last("database", json!({"name": "app", "action": "delete"}));
        assert_eq!(action.subject, "delete the database app");
        let error = Recorder::<Postgresql>::on("debian 12")
            .call("database", json!({"name": "template1", "action": "delete"}))
            .unwrap_err();
        assert!(error.to_string().contains("cannot be deleted"), "{error}");
    }

    #[test]
    fn an_extension_is_made_in_its_database() {
        let action = last("extension", json!({"name": "pg_trgm", "database": "app"}));
        assert_eq!(
            action.arguments["script"],
            "sh /usr/local/lib/pallet/postgresql run 15-main app 'create extension if not exists \
             \"pg_trgm\";'"
        );
    }
}
