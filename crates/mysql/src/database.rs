//! Databases.

use pallet_core::prelude::*;

use super::server;
use super::sql::{check_name, name, text};

parameters! {
    /// Ensures that a database exists, with this character set and collation for new tables, or
    /// that it does not exist.
    ///
    /// Example: `mysql.database(request, "app")`
    pub(crate) struct Database {
        /// The name of the database.
        name: String,
        /// Character set.
        #[serde(default = "default_set")]
        character_set: String,
        /// Collation. Default: unchanged; that of the character set for a new database.
        #[serde(default)]
        collation: Option<String>,
        /// `create`, or `delete` the database with all that is in it.
        #[serde(default)]
        action: Existence,
    }
}

fn default_set() -> String {
    "utf8mb4".to_owned()
}

pub(crate) fn database(request: &mut Request, database: Database) -> Result<()> {
    let Database { name: own, character_set, collation, action } = database;
    check_name("a database", &own, 64)?;
    for (what, word) in [("character set", Some(&character_set)), ("collation", collation.as_ref())]
    {
        let Some(word) = word else { continue };
        ensure!(
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
            "{word:?} is no {what}: use letters, digits and _"
        );
    }
    server::put(request)?;
    if action == Existence::Delete {
        let kept = ["mysql", "sys", "information_schema", "performance_schema"];
        ensure!(
            !kept.contains(&own.as_str()),
            "the database {own} belongs to MariaDB; it cannot be deleted"
        );
        let run = format!("drop database if exists {};", name(&own));
        let holds = format!(
            "select count(*) = 0 from information_schema.schemata where schema_name = {};",
            text(&own)
        );
        return server::sql(request, format!("delete the database {own}"), &run, &holds);
    }
    let mut options = format!("character set {character_set}");
    let mut holds = format!(
        "select count(*) from information_schema.schemata where schema_name = {} and \
         default_character_set_name = {}",
        text(&own),
        text(&character_set)
    );
    if let Some(collation) = &collation {
        options += &format!(" collate {collation}");
        holds += &format!(" and default_collation_name = {}", text(collation));
    }
    let quoted = name(&own);
    let run = format!(
        "create database if not exists {quoted} {options};\nalter database {quoted} {options};"
    );
    server::sql(request, format!("database {own}"), &run, &format!("{holds};"))
}

#[cfg(test)]
mod tests {
    use super::super::Mysql;
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        let mut recorder = Recorder::<Mysql>::on("debian 12");
        recorder.call("database", json!({"name": "a`; drop database b; -- x"})).unwrap();
        let action = recorder.actions().pop().unwrap();
        let script = action.arguments["script"].as_str().unwrap();
        assert!(script.contains("exists `a``; drop database b; -- x` character set utf8mb4;"));
    }

    #[test]
    fn odd_words_are_refused() {
        for (arguments, said) in [
            (json!({"name": "a", "character_set": "utf8; drop"}), "no character set"),
            (json!({"name": "a", "collation": "x y"}), "no collation"),
            (json!({"name": ""}), "cannot name a database"),
            (json!({"name": "sys", "action": "delete"}), "cannot be deleted"),
        ] {
            let error =
                Recorder::<Mysql>::on("debian 12").call("database", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
