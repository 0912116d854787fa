//! Reads the tables about secrets. Their errors never show a line of the file: it may contain a
//! secret that somebody wrote where its place belongs.

use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::Config;
use super::keys::keys;
use super::read::Reader;
use super::secret_tables::{
    AppRole, AppRoleTable, AwsName, Secret, SecretPlace, SecretTable, VaultConfig,
};
use super::value::items;
use crate::diagnostic::SourceSpan;

/// What a reference to a secret looks like.
const HOW: &str = "write { env = \"NAME\" }, { file = \"path\" }, \
    { command = \"pass show name\" }, { age = \"path\" }, { sops = \"path\", key = \"name\" }, \
    { vault = \"path\", key = \"name\" }, { aws_secret = \"name\" } or { ssm = \"name\" }";

impl Reader<'_> {
    pub(super) fn secrets(&mut self, key: &str, value: &Spanned<DeValue<'_>>, config: &mut Config) {
        for (name, span, value) in self.table(key, value) {
            if !is_secret_name(name) {
                let message =
                    format!("{name:?} cannot name a secret: use letters, digits, _ . and -");
                self.error(span, message);
            } else if let Some(secret) = self.secret(name, value) {
                config.secret_places.insert(name.to_owned(), self.place(span));
                config.secrets.insert(name.to_owned(), secret);
            }
        }
    }

    /// A reference to a secret.
    pub(super) fn secret(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Secret> {
        self.hiding(key, |reader| reader.reference(key, value))
    }

    /// Reads the value of a key. Errors show no line of it.
    pub(super) fn hiding<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.found.0.len();
        let value = read(self);
        for found in self.found.0.iter_mut().skip(before) {
            found.place = found.place.take().map(|place| {
                Box::new(SourceSpan {
                    excerpt: format!("{key} = ..."),
                    column: 1,
                    length: 1,
                    ..*place
                })
            });
        }
        value
    }

    fn reference(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Secret> {
        let Some(table) = value.get_ref().as_table() else {
            return self.no_place(key, value);
        };
        let (mut places, mut part, mut ttl) = (Vec::new(), None, None);
        let (mut region, mut profile) = (None, None);
        let aws = |name| AwsName { name, region: None, profile: None };
        for (name, span, value) in items(table) {
            let text = match keys::<SecretTable>().iter().any(|known| known == name) {
                true => self.string(name, value)?,
                false => {
                    self.unknown(span, name, key, &keys::<SecretTable>());
                    return None;
                }
            };
            match name {
                "env" => places.push(SecretPlace::Env(text)),
                "file" => places.push(SecretPlace::File(self.path(&text))),
                "command" => places.push(SecretPlace::Command(text)),
                "age" => places.push(SecretPlace::Age(self.path(&text))),
                "sops" => places.push(SecretPlace::Sops(self.path(&text))),
                "vault" => places.push(SecretPlace::Vault(text)),
                "aws_secret" => places.push(SecretPlace::AwsSecret(aws(text))),
                "ssm" => places.push(SecretPlace::Ssm(aws(text))),
                "key" => part = Some(text),
                "region" => region = Some(text),
                "profile" => profile = Some(text),
                _ => ttl = Some(self.duration(name, value)?),
            }
        }
        let [place] = &mut places[..] else { return self.no_place(key, value) };
        if !place.is_aws() && (region.is_some() || profile.is_some()) {
            let message = format!("`{key}`: `region` and `profile` are for aws_secret and ssm");
            self.error(value.span(), message);
            return None;
        }
        if let SecretPlace::AwsSecret(name) | SecretPlace::Ssm(name) = place {
            (name.region, name.profile) = (region, profile);
        }
        Some(Secret { place: place.clone(), key: part, ttl })
    }

    fn no_place(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Secret> {
        let found =
            self.diagnostic(value.span(), format!("`{key}` must say where the secret is found"));
        self.found.push(found.suggest(HOW.to_owned()));
        None
    }

    /// A time with its unit.
    pub(super) fn duration(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Duration> {
        let text = self.string(key, value)?;
        let duration = humantime::parse_duration(&text).ok();
        if duration.is_none() {
            let message = format!("`{key}` must be a time such as \"30s\", \"5m\" or \"1h\"");
            self.error(value.span(), message);
        }
        duration
    }

    pub(super) fn vault(&mut self, table: &str, value: &Spanned<DeValue<'_>>) -> VaultConfig {
        let mut vault = VaultConfig::default();
        for (key, span, value) in self.table(table, value) {
            match key {
                "address" => vault.address = self.string(key, value),
                "namespace" => vault.namespace = self.string(key, value),
                "ca_file" => vault.ca_file = self.string(key, value).map(|path| self.path(&path)),
                "token" => {
                    vault.token = self.hiding(key, |reader| reader.secret_elsewhere(key, value))
                }
                "approle" => vault.approle = self.hiding(key, |reader| reader.approle(key, value)),
                _ => self.unknown(span, key, table, &keys::<VaultConfig>()),
            }
        }
        if vault.token.is_some() && vault.approle.is_some() {
            self.error(value.span(), "[vault] has both `token` and `approle`; remove one of them");
        }
        vault
    }

    fn approle(&mut self, table: &str, value: &Spanned<DeValue<'_>>) -> Option<AppRole> {
        let (mut role_id, mut secret_id, mut mount) = (None, None, None);
        for (key, span, value) in self.table(table, value) {
            match key {
                "role_id" => role_id = self.string(key, value),
                "secret_id" => secret_id = self.secret_elsewhere(key, value),
                "mount" => mount = self.string(key, value),
                _ => self.unknown(span, key, table, &keys::<AppRoleTable>()),
            }
        }
        let mount = mount.unwrap_or_else(|| "approle".to_owned());
        if let (Some(role_id), Some(secret_id)) = (role_id, secret_id) {
            return Some(AppRole { role_id, secret_id, mount });
        }
        if value.get_ref().as_table().is_some_and(|table| {
            !["role_id", "secret_id"].iter().all(|key| table.contains_key(*key))
        }) {
            self.error(value.span(), "`approle` needs `role_id` and `secret_id`");
        }
        None
    }

    /// What logs in to the server of secrets; it cannot be found there.
    fn secret_elsewhere(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Secret> {
        let secret = self.secret(key, value)?;
        if matches!(secret.place, SecretPlace::Vault(_)) {
            let message =
                format!("`{key}` of [vault] cannot itself be in vault; name another place");
            self.error(value.span(), message);
            return None;
        }
        Some(secret)
    }
}

fn is_secret_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::config::{ConfigText, read};
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: &Expect) -> Config {
        let (config, found) =
            read(&ConfigText { file: "pallet.toml", text, ..ConfigText::default() });
        expected.assert_eq(&found.render(false));
        config
    }

    #[test]
    fn every_place_is_read() {
        let text = r#"
secret_ttl = "1m"

[vault]
address = "https://vault.example:8200"
namespace = "team"
approle = { role_id = "web", secret_id = { env = "SECRET_ID" } }

[secrets]
a = { sops = "a.yaml", key = "db.password", ttl = "0s" }
b = { vault = "secret/app", key = "password" }
c = { aws_secret = "prod/db", region = "eu-west-1", profile = "prod" }
d = { ssm = "/prod/db" }
"#;
        let config = check(text, &expect![""]);
        assert_eq!(config.secret_ttl, Some(Duration::from_secs(60)));
        let approle = config.vault.approle.as_ref().map(|role| (&*role.role_id, &*role.mount));
        assert_eq!(approle, Some(("web", "approle")));
        let secret = &config.secrets["a"];
        assert_eq!(secret.place, SecretPlace::Sops("a.yaml".into()));
        assert_eq!(
            (secret.key.as_deref(), secret.ttl),
            (Some("db.password"), Some(Duration::ZERO))
        );
        let name = AwsName {
            name: "prod/db".into(),
            region: Some("eu-west-1".into()),
            profile: Some("prod".into()),
        };
        assert_eq!(config.secrets["c"].place, SecretPlace::AwsSecret(name));
        let mut over = VaultConfig { token: Some(secret.clone()), ..VaultConfig::default() };
        over = config.vault.merged(over);
        assert!(over.approle.is_none() && over.token.is_some() && over.address.is_some());
    }

    #[test]
    fn an_error_never_shows_the_line() {
        let text = r#"
[secrets]
a = { value = "hunter2" }
b = { env = "A", file = "hunter2" }
c = { env = "hunter2", region = "eu-west-1" }
d = { command = "hunter2", ttl = "soon" }
"e f" = { env = "E" }

[vault]
token = { vault = "hunter2" }
approle = { secret_id = { file = "hunter2" } }
"#;
        let (_, found) = read(&ConfigText { file: "pallet.toml", text, ..ConfigText::default() });
        let shown = found.render(false);
        for wanted in [
            "unknown key `value` in `a`\n --> pallet.toml:3:1\n  |\n3 | a = ...",
            "`b` must say where the secret is found",
            "`c`: `region` and `profile` are for aws_secret and ssm",
            "`ttl` must be a time such as \"30s\", \"5m\" or \"1h\"",
            "\"e f\" cannot name a secret",
            "`token` of [vault] cannot itself be in vault; name another place",
            "`approle` needs `role_id` and `secret_id`",
        ] {
            assert!(shown.contains(wanted), "{wanted}: {shown}");
        }
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
