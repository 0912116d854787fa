//! The text format of a lock: TOML.

use std::fmt;

use serde::Deserialize;
use toml::Value;

use super::document::{FORMAT, Lock};
use super::entry::{Accepted, LockedContent, LockedPlugin, LockedTarget};
use crate::distribution::signature::Signer;
use crate::plugins::kind_word;

const HEADER: &str = "# Written by pallet-cli: `pallet-cli install` installs exactly this. Keep it \
    with pallet.toml.\n";

#[derive(Deserialize)]
struct Document {
    version: u64,
    #[serde(default)]
    plugin: Vec<LockedPlugin>,
}

impl Lock {
    /// Parses the text of a lock. The error is one line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let again = "restore it, or delete it and run `pallet-cli install`";
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error
                .span()
                .map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let merge = text.lines().any(|line| line.starts_with("<<<<<<<"));
            let what = if merge {
                "holds both sides of a merge; take one of them and run `pallet-cli install`"
                    .to_owned()
            } else {
                format!("cannot be read: {}; {again}", error.message())
            };
            format!("line {line}: {what}")
        })?;
        if let Some(version) = table.get("version").and_then(Value::as_integer)
            && u64::try_from(version).is_ok_and(|version| version > FORMAT)
        {
            return Err(format!(
                "has format {version} and needs a newer pallet; this one reads format {FORMAT}"
            ));
        }
        let document: Document = table.try_into().map_err(|error: toml::de::Error| {
            format!("cannot be read: {}; {again}", error.message())
        })?;
        if document.version != FORMAT {
            return Err(format!("has format {}, which does not exist; {again}", document.version));
        }
        let mut lock = Lock::default();
        for plugin in document.plugin {
            plugin.check().map_err(|message| {
                format!("{} {}: {message}; {again}", kind_word(plugin.kind), plugin.name)
            })?;
            if lock.get(&plugin.package()).is_some() {
                return Err(format!("has {} twice; {again}", plugin.package()));
            }
            lock.insert(plugin);
        }
        Ok(lock)
    }
}

impl LockedPlugin {
    /// Rejects content that Pallet never writes.
    fn check(&self) -> Result<(), String> {
        let published = self
            .targets
            .values()
            .any(|target| matches!(target.content, LockedContent::Manifest(_)));
        match (published, self.index, &self.signer, self.accepted) {
            _ if self.targets.is_empty() => Err("it has no builds".to_owned()),
            (true, None, ..) => Err("it has no `index`".to_owned()),
            (true, _, None, None | Some(Accepted::Signer)) => {
                Err("it has no `signer`, and that was not accepted".to_owned())
            }
            (_, _, Some(_), Some(Accepted::Unsigned)) => Err("it is signed, and accepted as \
                unsigned"
                .to_owned()),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}version = {FORMAT}")?;
        self.plugins().try_for_each(|plugin| write_plugin(f, plugin))
    }
}

fn write_plugin(f: &mut fmt::Formatter<'_>, plugin: &LockedPlugin) -> fmt::Result {
    writeln!(f, "\n[[plugin]]")?;
    let mut line = |key: &str, value: Option<String>| {
        value.map_or(Ok(()), |value| writeln!(f, "{key} = {value}"))
    };
    line("kind", Some(quoted(kind_word(plugin.kind))))?;
    line("name", Some(quoted(&plugin.name)))?;
    line("version", Some(quoted(&plugin.version.to_string())))?;
    line("source", Some(quoted(&plugin.source.to_string())))?;
    line(
        "requirement",
        plugin.requirement.as_ref().map(|requirement| quoted(&requirement.to_string())),
    )?;
    line("index", plugin.index.map(|digest| quoted(&digest.to_string())))?;
    line("signer", plugin.signer.as_ref().map(signer))?;
    line("accepted", plugin.accepted.map(|accepted| quoted(accepted.word())))?;
    if !plugin.requires.is_empty() {
        let pairs: Vec<_> = plugin
            .requires
            .iter()
            .map(|(name, version)| format!("{} = {}", quoted(name), quoted(&version.to_string())))
            .collect();
        writeln!(f, "requires = {{ {} }}", pairs.join(", "))?;
    }
    writeln!(f, "[plugin.targets]")?;
    for (name, LockedTarget { content, h1 }) in &plugin.targets {
        let key = match content {
            LockedContent::Manifest(_) => "manifest",
            LockedContent::File(_) => "file",
        };
        writeln!(
            f,
            "{} = {{ {key} = {}, h1 = {} }}",
            quoted(name),
            quoted(&content.digest().to_string()),
            quoted(h1)
        )?;
    }
    Ok(())
}

fn signer(signer: &Signer) -> String {
    match signer {
        Signer::Key(key) => quoted(&key.to_line()),
        Signer::Identity(identity) => {
            format!(
                "{{ identity = {}, issuer = {} }}",
                quoted(&identity.identity),
                quoted(&identity.issuer)
            )
        }
    }
}

impl Accepted {
    fn word(self) -> &'static str {
        match self {
            Accepted::Unsigned => "unsigned",
            Accepted::Signer => "signer",
        }
    }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}
