//! Reads the tables about plugins: requirements, trusted signers, mirrors.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use pallet_core::distribution::lock::Origin;
use pallet_core::distribution::repository::Source;
use pallet_core::distribution::signature::IdentityRule;
use pallet_core::model::PluginKind;
use semver::VersionReq;
use toml::Spanned;
use toml::de::DeValue;

use super::keys::keys;
use super::plugin_tables::{
    MirrorConfig, MirrorTable, PluginRequirement, PluginTable, SignerConfig, SignerTable,
    SigstoreConfig,
};
use super::read::Reader;

impl Reader<'_> {
    pub(super) fn plugins(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> BTreeMap<String, PluginRequirement> {
        let mut plugins = BTreeMap::new();
        for (name, span, value) in self.table(key, value) {
            if let Some(requirement) = self.plugin(name, span, value) {
                plugins.insert(name.to_owned(), requirement);
            }
        }
        plugins
    }

    fn plugin(
        &mut self,
        key: &str,
        span: Range<usize>,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<PluginRequirement> {
        let kind = match key.split_once('/') {
            None => None,
            Some(("crate", _)) => Some(PluginKind::Crate),
            Some(("provider", _)) => Some(PluginKind::Provider),
            Some(_) => {
                let found = self.diagnostic(span, format!("{key:?} is not the name of a plugin"));
                self.found
                    .push(found.suggest("write NAME, crate/NAME or provider/NAME".to_owned()));
                return None;
            }
        };
        let (key, place) = (key.to_owned(), self.place(span));
        if value.get_ref().is_str() {
            return Some(PluginRequirement {
                key,
                kind,
                version: self.version(value)?,
                source: None,
                path: None,
                place,
            });
        }
        let (mut version, mut source, mut path) = (Some(VersionReq::STAR), None, None);
        let whole = value;
        for (inner, span, value) in self.table(&key, value) {
            match inner {
                "version" => version = self.version(value),
                "source" => source = Some(self.origin(inner, value)?),
                "path" => path = self.string(inner, value).map(|path| self.path(&path)),
                _ => self.unknown(span, inner, &format!("plugins.{key}"), &keys::<PluginTable>()),
            }
        }
        if path.is_some() && (source.is_some() || kind == Some(PluginKind::Provider)) {
            let message = format!("plugins.{key}: `path` is the directory of a crate in Starlark");
            let found = self.diagnostic(whole.span(), message);
            self.found.push(found.suggest("remove `source`, or `path`".to_owned()));
            return None;
        }
        Some(PluginRequirement { key, kind, version: version?, source, path, place })
    }

    fn version(&mut self, value: &Spanned<DeValue<'_>>) -> Option<VersionReq> {
        let text = self.string("version", value)?;
        match VersionReq::parse(&text) {
            Ok(version) => Some(version),
            Err(error) => {
                let found = self.diagnostic(
                    value.span(),
                    format!("{text:?} is not a version requirement: {error}"),
                );
                self.found.push(found.suggest(
                    "write \"1.2\" for 1.2.0 and every compatible later version".to_owned(),
                ));
                None
            }
        }
    }

    /// Relative paths stay relative to the file: the lock beside it contains them too.
    fn origin(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Origin> {
        let text = self.string(key, value)?;
        text.parse().map_err(|error: String| self.error(value.span(), error)).ok()
    }

    pub(super) fn source(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Source> {
        let text = self.string(key, value)?;
        match text.parse() {
            Ok(Source::Layout { directory, path }) => {
                Some(Source::Layout { directory: self.path(&directory.to_string_lossy()), path })
            }
            Ok(source) => Some(source),
            Err(error) => {
                self.error(value.span(), error.to_string());
                None
            }
        }
    }

    pub(super) fn trust(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> BTreeMap<String, Vec<SignerConfig>> {
        let mut trust = BTreeMap::new();
        for (prefix, _, value) in self.table(key, value) {
            let signers = match value.get_ref().as_array() {
                Some(array) => {
                    array.iter().filter_map(|value| self.signer(prefix, value)).collect()
                }
                None => self.signer(prefix, value).into_iter().collect(),
            };
            trust.insert(prefix.to_owned(), signers);
        }
        trust
    }

    fn signer(&mut self, prefix: &str, value: &Spanned<DeValue<'_>>) -> Option<SignerConfig> {
        if let Some(word) = value.get_ref().as_str() {
            return Some(match word.contains("-----BEGIN") {
                true => SignerConfig::Text(word.to_owned()),
                false => SignerConfig::File(self.path(word)),
            });
        }
        if !value.get_ref().is_table() {
            self.wrong(
                value,
                prefix,
                "a public key file, a table with `identity` and `issuer`, or a list of them",
            );
            return None;
        }
        let (mut identity, mut issuer) = (None, None);
        for (inner, span, value) in self.table(prefix, value) {
            match inner {
                "identity" => identity = Some(self.string(inner, value)?),
                "issuer" => issuer = Some(self.string(inner, value)?),
                _ => self.unknown(span, inner, &format!("trust.{prefix}"), &keys::<SignerTable>()),
            }
        }
        let (Some(identity), Some(issuer)) = (&identity, &issuer) else {
            let found = self.diagnostic(
                value.span(),
                format!("a signer of {prefix} needs `identity` and `issuer`"),
            );
            self.found.push(
                found.suggest(
                    "write \
                    { identity = \"a@acme.example\", issuer = \"https://...\" }"
                        .to_owned(),
                ),
            );
            return None;
        };
        IdentityRule::new(identity, issuer)
            .map(SignerConfig::Identity)
            .map_err(|error| self.error(value.span(), error))
            .ok()
    }

    /// The file with the trusted Sigstore root.
    pub(super) fn sigstore(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<PathBuf> {
        let mut root = None;
        for (inner, span, value) in self.table(key, value) {
            match inner {
                "trusted_root" => root = self.string(inner, value).map(|path| self.path(&path)),
                _ => self.unknown(span, inner, key, &keys::<SigstoreConfig>()),
            }
        }
        root
    }

    pub(super) fn mirrors(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> BTreeMap<String, MirrorConfig> {
        let mut mirrors = BTreeMap::new();
        for (prefix, span, value) in self.table(key, value) {
            let (mut to, mut pull_through) = (None, false);
            if value.get_ref().is_str() {
                to = self.source(prefix, value);
            } else {
                for (inner, span, value) in self.table(prefix, value) {
                    match inner {
                        "source" => to = self.source(inner, value),
                        "pull_through" => match value.get_ref().as_bool() {
                            Some(value) => pull_through = value,
                            None => self.wrong(value, inner, "true or false"),
                        },
                        _ => self.unknown(
                            span,
                            inner,
                            &format!("mirrors.{prefix}"),
                            &keys::<MirrorTable>(),
                        ),
                    }
                }
            }
            match to {
                Some(to @ Source::Registry { .. }) if pull_through => {
                    let found = self.diagnostic(
                        span,
                        format!(
                            "the mirror {to} is a registry, and `pull_through` requires a directory"
                        ),
                    );
                    self.found.push(
                        found.suggest(
                            "write \
                            { source = \"layout:DIR\", pull_through = true }"
                                .to_owned(),
                        ),
                    );
                }
                Some(to) => {
                    drop(mirrors.insert(prefix.to_owned(), MirrorConfig { to, pull_through }))
                }
                None if value
                    .get_ref()
                    .as_table()
                    .is_some_and(|table| !table.contains_key("source")) =>
                {
                    self.error(span, format!("the mirror of {prefix} has no `source`"));
                }
                None => {}
            }
        }
        mirrors
    }
}
