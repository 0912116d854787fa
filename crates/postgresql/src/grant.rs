//! Privileges of roles.

use pallet_core::prelude::*;

use super::cluster::Cluster;
use super::sql::{check_name, name, names, text, texts};

parameters! {
    /// Ensures that a role has privileges, or that it has not. Other privileges stay.
    ///
    /// Only what is granted to the role itself counts, not what it has as a member of another role
    /// or as everybody (`PUBLIC`).
    ///
    /// Example: `postgresql.grant(request, "report", ["SELECT"], database = "app", on = "tables")`
    pub(crate) struct Grant {
        /// The role; `PUBLIC`: all roles.
        role: String,
        /// The privileges, such as `SELECT` or `CONNECT`, or `ALL`.
        privileges: Vec<String>,
        /// The database.
        database: String,
        /// What the privileges are on.
        #[serde(default)]
        on: On,
        /// The schema of the objects, or the schema itself for `on = "schema"`.
        #[serde(default = "public")]
        schema: String,
        /// The tables or sequences. Default: all that the schema has.
        #[serde(default)]
        objects: Vec<String>,
        /// Sets default privileges instead: those on objects that this role makes in the schema
        /// from now on.
        #[serde(default)]
        future_of: Option<String>,
        /// `create`, or `delete` to revoke the privileges.
        #[serde(default)]
        action: Existence,
        /// The cluster. Default: `main`.
        #[serde(default)]
        instance: Option<String>,
    }
}

fn public() -> String {
    "public".to_owned()
}

/// What privileges are on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum On {
    /// The database.
    #[default]
    Database,
    /// A schema.
    Schema,
    /// Tables and views.
    Tables,
    /// Sequences.
    Sequences,
    /// Functions.
    Functions,
}

impl On {
    fn privileges(self) -> &'static [&'static str] {
        match self {
            On::Database => &["CONNECT", "CREATE", "TEMPORARY"],
            On::Schema => &["CREATE", "USAGE"],
            On::Tables => &[
                "SELECT",
                "INSERT",
                "UPDATE",
                "DELETE",
                "TRUNCATE",
                "REFERENCES",
                "TRIGGER",
                "MAINTAIN",
            ],
            On::Sequences => &["SELECT", "UPDATE", "USAGE"],
            On::Functions => &["EXECUTE"],
        }
    }

    /// As `acldefault` names it.
    fn letter(self) -> char {
        match self {
            On::Database => 'd',
            On::Schema => 'n',
            On::Tables => 'r',
            On::Sequences => 's',
            On::Functions => 'f',
        }
    }

    fn plural(self) -> &'static str {
        match self {
            On::Database => "databases",
            On::Schema => "schemas",
            On::Tables => "tables",
            On::Sequences => "sequences",
            On::Functions => "functions",
        }
    }
}

pub(crate) fn grant(request: &mut Request, mut grant: Grant) -> Result<()> {
    let on = grant.on;
    for (what, name) in
        [("a role", &grant.role), ("a database", &grant.database), ("a schema", &grant.schema)]
    {
        check_name(what, name)?;
    }
    grant.future_of.iter().try_for_each(|owner| check_name("a role", owner))?;
    grant.objects.iter().try_for_each(|object| check_name("a table or sequence", object))?;
    let of_objects = matches!(on, On::Tables | On::Sequences | On::Functions);
    ensure!(
        grant.objects.is_empty() || matches!(on, On::Tables | On::Sequences),
        "objects are for on = \"tables\" and \"sequences\"; omit them"
    );
    ensure!(
        grant.future_of.is_none() || (of_objects && grant.objects.is_empty()),
        "future_of is for all tables, sequences or functions of a schema"
    );
    ensure!(!grant.privileges.is_empty(), "no privilege is named; name one, or ALL");
    for privilege in &mut grant.privileges {
        *privilege = privilege.to_ascii_uppercase();
        if privilege == "TEMP" {
            *privilege = "TEMPORARY".to_owned();
        }
        ensure!(
            privilege == "ALL" || on.privileges().contains(&privilege.as_str()),
            "{privilege:?} is no privilege on {}; there are {} and ALL",
            on.plural(),
            on.privileges().join(", ")
        );
    }
    if grant.privileges.iter().any(|privilege| privilege == "ALL") {
        grant.privileges = vec!["ALL".to_owned()];
    }
    let cluster = Cluster::of(request, grant.instance.as_deref())?;
    cluster.put(request)?;
    let what = match on {
        On::Database => format!("the database {}", grant.database),
        On::Schema => format!("the schema {} of {}", grant.schema, grant.database),
        _ if grant.future_of.is_some() => {
            format!("future {} of {}.{}", on.plural(), grant.database, grant.schema)
        }
        _ => format!("{} of {}.{}", on.plural(), grant.database, grant.schema),
    };
    let (verb, to) = words(&grant);
    let privileges = grant.privileges.join(", ");
    let action = format!("{verb} {privileges} on {what} {to} {}", grant.role);
    cluster.sql(request, (action, &grant.database), &run(&grant), &holds(&grant))
}

fn words(grant: &Grant) -> (&'static str, &'static str) {
    if grant.action == Existence::Create { ("grant", "to") } else { ("revoke", "from") }
}

fn run(grant: &Grant) -> String {
    let (verb, to) = words(grant);
    let schema = name(&grant.schema);
    let privileges = grant.privileges.join(", ");
    let plural = grant.on.plural();
    let role = if grant.role == "PUBLIC" { "public".to_owned() } else { name(&grant.role) };
    if let Some(owner) = &grant.future_of {
        return format!(
            "alter default privileges for role {} in schema {schema} {verb} {privileges} on \
             {plural} {to} {role};",
            name(owner)
        );
    }
    let on = match grant.on {
        On::Database => format!("database {}", name(&grant.database)),
        On::Schema => format!("schema {schema}"),
        _ if grant.objects.is_empty() => format!("all {plural} in schema {schema}"),
        _ => {
            let objects: Vec<_> = grant
                .objects
                .iter()
                .map(|object| format!("{schema}.{}", names([object.as_str()])))
                .collect();
            let word = if grant.on == On::Tables { "table" } else { "sequence" };
            format!("{word} {}", objects.join(", "))
        }
    };
    format!("{verb} {privileges} on {on} {to} {role};")
}

/// A query that is true if the role itself has all of the privileges on all of the objects; for
/// `delete`, if it has none of them on any.
fn holds(grant: &Grant) -> String {
    let letter = grant.on.letter();
    let has = if grant.action == Existence::Create { "not exists" } else { "exists" };
    let role = if grant.role == "PUBLIC" {
        "0::oid".to_owned()
    } else {
        format!("(select oid from pg_roles where rolname = {})", text(&grant.role))
    };
    let wanted = if grant.privileges == ["ALL"] {
        // what an owner has: newer versions have more
        format!(
            "(select privilege_type from aclexplode(acldefault('{letter}', 10)) where grantee = 10)"
        )
    } else {
        format!("(select unnest(array[{}]))", texts(grant.privileges.iter().map(String::as_str)))
    };
    let namespace =
        format!("(select oid from pg_namespace where nspname = {})", text(&grant.schema));
    if let Some(owner) = &grant.future_of {
        let kind = if letter == 's' { 'S' } else { letter };
        return format!(
            "select not exists (select from {wanted} w (privilege) where {has} (select from \
             pg_default_acl d, aclexplode(d.defaclacl) a where d.defaclobjtype = '{kind}' and \
             d.defaclnamespace = {namespace} and d.defaclrole = (select oid from pg_roles where \
             rolname = {}) and a.grantee = {role} and a.privilege_type = w.privilege));",
            text(owner)
        );
    }
    let mut objects = match grant.on {
        On::Database => format!(
            "select datacl, datdba from pg_database where datname = {}",
            text(&grant.database)
        ),
        On::Schema => format!("select nspacl, nspowner from pg_namespace where oid = {namespace}"),
        On::Tables => format!(
            "select relacl, relowner from pg_class where relnamespace = {namespace} and relkind \
             in ('r', 'p', 'v', 'm', 'f')"
        ),
        On::Sequences => format!(
            "select relacl, relowner from pg_class where relnamespace = {namespace} and relkind \
             = 'S'"
        ),
        On::Functions => format!(
            "select proacl, proowner from pg_proc where pronamespace = {namespace} and prokind \
             <> 'p'"
        ),
    };
    let mut least = usize::from(matches!(grant.on, On::Database | On::Schema));
    if !grant.objects.is_empty() {
        let listed = texts(grant.objects.iter().map(String::as_str));
        objects += &format!(" and relname in ({listed})");
        least = grant.objects.len();
    }
    // what does not exist has no privileges
    let there = match grant.action {
        Existence::Create => {
            format!("(select count(*) from o) >= {least} and {role} is not null and ")
        }
        Existence::Delete => String::new(),
    };
    format!(
        "with o (acl, owner) as ({objects}) select {there}not exists (select from o, {wanted} w \
         (privilege) where {has} (select from aclexplode(coalesce(o.acl, acldefault('{letter}', \
         o.owner))) a where a.grantee = {role} and a.privilege_type = w.privilege));"
    )
}

#[cfg(test)]
mod tests {
    use super::super::Postgresql;
    use super::*;

    fn of(arguments: Value) -> Grant {
        Grant::deserialize(arguments).unwrap()
    }

    #[test]
    fn statements_name_what_they_are_on() {
        for (more, said) in [
            (json!({"on": "database"}), "grant ALL on database \"a\"\"b\" to \"r\";"),
            (json!({"on": "schema"}), "grant ALL on schema \"public\" to \"r\";"),
            (json!({"on": "tables"}), "grant ALL on all tables in schema \"public\" to \"r\";"),
            (
                json!({"on": "tables", "objects": ["x", "y\"z"], "schema": "s"}),
                "grant ALL on table \"s\".\"x\", \"s\".\"y\"\"z\" to \"r\";",
            ),
            (
                json!({"on": "sequences", "future_of": "o"}),
                "alter default privileges for role \"o\" in schema \"public\" grant ALL on \
                 sequences to \"r\";",
            ),
        ] {
            let mut arguments = json!({"role": "r", "privileges": ["ALL"], "database": "a\"b"});
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            assert_eq!(run(&of(arguments)), said);
        }
    }

    #[test]
    fn a_privilege_is_revoked() {
        let grant = of(json!({"role": "PUBLIC", "privileges": ["CONNECT"], "database": "a",
            "action": "delete"}));
        assert_eq!(run(&grant), "revoke CONNECT on database \"a\" from public;");
        assert!(holds(&grant).contains("where exists (select from aclexplode"));
        assert!(!holds(&grant).contains("count(*)"));
    }

    #[test]
    fn what_is_no_grant_is_refused() {
        for (more, said) in [
            (json!({"privileges": []}), "no privilege"),
            (json!({"privileges": ["SELECT"]}), "no privilege on databases"),
            (json!({"privileges": ["CONNECT to x; --"]}), "no privilege on"),
            (json!({"objects": ["x"]}), "omit them"),
            (json!({"future_of": "x"}), "future_of is for"),
            (json!({"on": "functions", "objects": ["f"]}), "omit them"),
            (json!({"role": "a\nb"}), "cannot name a role"),
        ] {
            let mut arguments = json!({"role": "r", "privileges": ["ALL"], "database": "a"});
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let error = Recorder::<Postgresql>::on("debian 12")
                .call("grant", arguments.clone())
                .unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
