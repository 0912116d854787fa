//! Changes the table `plugins` of pallet.toml or config.toml, and nothing else in the file.

use std::path::Path;

use anyhow::Context as _;
use pallet_core::local::write_atomically;
use toml_edit::{DocumentMut, InlineTable, Item, Table};

/// The text of a TOML file that can be edited.
pub(super) struct ConfigDocument(DocumentMut);

impl ConfigDocument {
    /// Reads the file; a missing file is empty.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            text => text.with_context(|| format!("cannot read {}", path.display()))?,
        };
        Ok(ConfigDocument(text.parse().with_context(|| format!("cannot read {}", path.display()))?))
    }

    /// Requires a plugin. Other keys of an existing entry stay, and so do its comments.
    pub(super) fn require(&mut self, key: &str, version: &str, source: &str) -> anyhow::Result<()> {
        let plugins = self.0.entry("plugins").or_insert_with(|| Item::Table(Table::new()));
        let plugins = plugins.as_table_like_mut().context("`plugins` is not a table")?;
        if let Some(table) = plugins.get_mut(key).and_then(Item::as_table_like_mut) {
            table.insert("version", toml_edit::value(version));
            table.insert("source", toml_edit::value(source));
            return Ok(());
        }
        let mut table = InlineTable::new();
        table.insert("version", version.into());
        table.insert("source", source.into());
        match plugins.get_mut(key).and_then(Item::as_value_mut) {
            // keeps the comment behind the value
            Some(old) => {
                *table.decor_mut() = old.decor().clone();
                *old = table.into();
            }
            None => drop(plugins.insert(key, toml_edit::value(table))),
        }
        Ok(())
    }

    /// Removes the requirement of a plugin.
    pub(super) fn release(&mut self, key: &str) {
        if let Some(plugins) = self.0.get_mut("plugins").and_then(Item::as_table_like_mut) {
            plugins.remove(key);
        }
    }

    /// Replaces the whole file, if anything changed.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = self.0.to_string();
        if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("cannot make {}", directory.display()))?;
        }
        write_atomically(path, text.as_bytes())
            .with_context(|| format!("cannot write {}; the file is unchanged", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::ConfigDocument;
    use expect_test::expect;

    #[test]
    fn everything_else_stays() {
        let text = "# mine\n[plugins]  # all of them\nold = \"1\" # why\n\
            table.version = \"2\" # two\n\n[project]\nname = \"x\" # y\n";
        let mut document = ConfigDocument(text.parse().unwrap());
        document.require("nginx", "1.2.0", "oci://h/crate/nginx").unwrap();
        document.require("crate/docker", "1", "oci://h/crate/docker").unwrap();
        document.require("old", "3", "oci://h/old").unwrap();
        document.require("table", "4", "oci://h/table").unwrap();
        expect![[r#"
            # mine
            [plugins]  # all of them
            old = { version = "3", source = "oci://h/old" } # why
            table.version = "4"
            table.source = "oci://h/table"
            nginx = { version = "1.2.0", source = "oci://h/crate/nginx" }
            "crate/docker" = { version = "1", source = "oci://h/crate/docker" }

            [project]
            name = "x" # y
        "#]]
        .assert_eq(&document.0.to_string());
        ["nginx", "crate/docker", "table", "none"]
            .into_iter()
            .for_each(|key| document.release(key));
        expect![[r#"
            # mine
            [plugins]  # all of them
            old = { version = "3", source = "oci://h/old" } # why

            [project]
            name = "x" # y
        "#]]
        .assert_eq(&document.0.to_string());
    }
}
