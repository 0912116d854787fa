//! Secrets in HashiCorp Vault and in OpenBao, over their HTTP API.
//!
//! Address, namespace and token are found like by their own clients. A path is that of `vault kv
//! get`: the server says where the engine is mounted and of which version it is. Engines of other
//! kinds are read at their own paths, and what they lease is used for no longer than that.

use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use pallet_core::transport::Secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::found::{Found, open_file};
use super::source::{SecretFinder, Source};
use crate::http::{Http, one_line};
use crate::process::ProcessEnv;
use crate::project::config::AppRole;

/// The characters that are encoded in a path.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A path in Vault.
pub(super) struct VaultPath<'a> {
    pub(super) finder: &'a SecretFinder,
    pub(super) path: &'a str,
}

impl Source for VaultPath<'_> {
    fn shown(&self) -> String {
        match address(self.finder) {
            Ok(address) => format!("{} in Vault at {address}", self.path),
            Err(_) => format!("{} in Vault", self.path),
        }
    }

    fn identity(&self) -> Option<String> {
        let address = address(self.finder).ok()?;
        let namespace = namespace(self.finder).unwrap_or_default();
        Some(format!("vault {address} {namespace} {}", self.path))
    }

    fn look_up(&self) -> anyhow::Result<Found> {
        let path = self.path.trim_matches('/');
        let odd = |part: &str| part.is_empty() || part == "." || part == "..";
        if path.split('/').any(odd) || !path.contains('/') {
            bail!("{:?} is not a path in Vault; write it as `vault kv get` takes it", self.path);
        }
        let server = Server::of(self.finder)?;
        let mut answer = server.read(path, &server.token()?)?;
        // a token of an AppRole may be revoked before its time
        if answer.status == 403 && server.finder.vault.approle.is_some() {
            server.finder.cache.forget(&server.login_identity());
            answer = server.read(path, &server.token()?)?;
        }
        let here = self.shown();
        match answer.status {
            200 => answer.found().with_context(|| format!("{here} has no value")),
            403 => bail!("cannot read {here}: {}; may this token read it?", answer.why()),
            404 => bail!("there is nothing at {here}; see `vault kv get {}`", self.path),
            _ => bail!("cannot read {here}: {}", answer.why()),
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        let finder = self.finder;
        address(finder)?;
        if let Some(file) = authorities(finder) {
            open_file(&file).with_context(|| {
                format!("cannot read the certificate authorities in {}", file.display())
            })?;
        }
        let logs_in = finder.vault.approle.as_ref().map(|role| &role.secret_id);
        match logs_in.or(finder.vault.token.as_ref()) {
            Some(reference) => finder.check(reference).context("cannot log in to Vault"),
            None => Ok(()),
        }
    }
}

/// The first of these variables that is set.
fn variable(names: [&str; 2]) -> Option<String> {
    names.into_iter().filter_map(ProcessEnv::variable).find(|value| !value.is_empty())
}

fn address(finder: &SecretFinder) -> anyhow::Result<String> {
    let address = finder.vault.address.clone().or_else(|| variable(["BAO_ADDR", "VAULT_ADDR"]));
    let address = address.context(
        "the address of Vault is not known: set `address` of [vault] in pallet.toml, or VAULT_ADDR",
    )?;
    ensure!(
        ["http://", "https://"].iter().any(|scheme| address.starts_with(scheme))
            && !address.contains('@'),
        "the address of Vault must begin with https:// or http://, and have no user in it"
    );
    Ok(address.trim_end_matches('/').to_owned())
}

fn namespace(finder: &SecretFinder) -> Option<String> {
    let set = finder.vault.namespace.clone();
    set.or_else(|| variable(["BAO_NAMESPACE", "VAULT_NAMESPACE"]))
}

fn authorities(finder: &SecretFinder) -> Option<std::path::PathBuf> {
    let set = finder.vault.ca_file.as_ref().map(|file| finder.path(file));
    set.or_else(|| variable(["BAO_CACERT", "VAULT_CACERT"]).map(Into::into))
}

/// The server.
struct Server<'a> {
    finder: &'a SecretFinder,
    address: String,
    namespace: Option<String>,
    http: Http,
}

/// Its answer.
struct Answer {
    status: u16,
    body: Value,
    /// The value is a table within the data, as in version 2 of the key-value engine.
    nested: bool,
}

impl<'a> Server<'a> {
    fn of(finder: &'a SecretFinder) -> anyhow::Result<Self> {
        let http = Http::new(authorities(finder).as_deref())?;
        Ok(Server { finder, address: address(finder)?, namespace: namespace(finder), http })
    }

    /// Reads what is at a path.
    fn read(&self, path: &str, token: &str) -> anyhow::Result<Answer> {
        let mount = self.ask("GET", &format!("sys/internal/ui/mounts/{path}"), token, None)?;
        let data = &mount.body["data"];
        let (first, _) = path.split_once('/').unwrap_or((path, ""));
        // a token may be allowed to read a secret and nothing else
        let (mount, nested) = match (mount.status, data["path"].as_str()) {
            (200, Some(found)) => {
                let kind = (data["type"].as_str(), data["options"]["version"].as_str());
                (found.trim_matches('/').to_owned(), kind == (Some("kv"), Some("2")))
            }
            _ => (first.to_owned(), true),
        };
        let rest = path.strip_prefix(&*mount).unwrap_or_default().trim_start_matches('/');
        let path = match nested {
            // also as the API and policies have it
            true => format!("{mount}/data/{}", rest.strip_prefix("data/").unwrap_or(rest)),
            false => path.to_owned(),
        };
        Ok(Answer { nested, ..self.ask("GET", &path, token, None)? })
    }

    /// The token to ask with.
    fn token(&self) -> anyhow::Result<String> {
        if let Some(role) = &self.finder.vault.approle {
            let (identity, login) = (self.login_identity(), || self.log_in(role));
            return self.finder.cache.get(&identity, Duration::MAX, login)?.value(None);
        }
        if let Some(reference) = &self.finder.vault.token {
            let token = self.finder.find(reference).context("cannot find the token of Vault")?;
            return Ok(token.expose().to_owned());
        }
        let file = self.finder.home.join(".vault-token");
        let token = variable(["BAO_TOKEN", "VAULT_TOKEN"])
            .or_else(|| std::fs::read_to_string(&file).ok())
            .map(|token| token.trim().to_owned())
            .filter(|token| !token.is_empty());
        let token = token.with_context(|| {
            format!(
                "there is no token for Vault at {}: set VAULT_TOKEN, log in with `vault login`, or \
                 set `token` or `approle` of [vault] in pallet.toml",
                self.address
            )
        })?;
        // a server may repeat it in an error
        self.finder.cache.remember(&Secret::new(token.as_str()));
        Ok(token)
    }

    fn login_identity(&self) -> String {
        let role = self.finder.vault.approle.as_ref();
        let role = role.map(|role| format!("{} {}", role.mount, role.role_id)).unwrap_or_default();
        let namespace = self.namespace.as_deref().unwrap_or_default();
        format!("approle {} {namespace} {role}", self.address)
    }

    fn log_in(&self, role: &AppRole) -> anyhow::Result<Found> {
        let secret_id = self.finder.find(&role.secret_id);
        let secret_id = secret_id.context("cannot find the secret ID of the AppRole")?;
        let body = json!({"role_id": role.role_id, "secret_id": secret_id.expose()});
        let path = format!("auth/{}/login", role.mount.trim_matches('/'));
        let answer = self.ask("POST", &path, "", Some(&body))?;
        let auth = &answer.body["auth"];
        let Some(token) = auth["client_token"].as_str().filter(|_| answer.status == 200) else {
            bail!("cannot log in to Vault at {} with the AppRole: {}", self.address, answer.why())
        };
        let seconds = auth["lease_duration"].as_u64().filter(|seconds| *seconds > 0);
        self.finder.cache.remember(&Secret::new(token));
        // a login that is about to end is renewed
        let lasts = seconds.map(|seconds| Duration::from_secs(seconds - seconds.div_ceil(10)));
        Ok(Found::text(token).lasting(lasts))
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let url = format!("{}/v1/{}", self.address, utf8_percent_encode(path, ESCAPED));
        let mut headers = vec![("x-vault-request", "true")];
        if !token.is_empty() {
            headers.push(("x-vault-token", token));
        }
        headers.extend(self.namespace.as_deref().map(|name| ("x-vault-namespace", name)));
        let body = body.map(|body| body.to_string().into_bytes());
        headers.extend(body.is_some().then_some(("content-type", "application/json")));
        let answer = self
            .http
            .send(method, &url, &headers, body.as_deref())
            .map_err(|error| anyhow!("cannot ask Vault at {}: {error}", self.address))?;
        let body = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok(Answer { status: answer.status, body, nested: false })
    }
}

impl Answer {
    /// The value, and for how long it may be used.
    fn found(&self) -> anyhow::Result<Found> {
        let data = &self.body["data"];
        let table = if self.nested { &data["data"] } else { data };
        let table = table.as_object().context("it was deleted, or is not a table")?;
        let lease = self.body["lease_duration"].as_u64().filter(|seconds| *seconds > 0);
        Ok(Found::table(table.clone()).lasting(lease.map(Duration::from_secs)))
    }

    /// Why the server refused.
    fn why(&self) -> String {
        let errors = self.body["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let errors: Vec<&str> = errors.collect();
        match (self.status, errors.is_empty()) {
            (300..400, _) => "it sends us to another server; set `address` to that".to_owned(),
            (503, true) => "it is sealed (status 503)".to_owned(),
            (status, true) => format!("status {status}"),
            (status, false) => format!("{} (status {status})", one_line(&errors.join(", "))),
        }
    }
}
