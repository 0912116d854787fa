//! Verifies a host's key: against the keys from the provider, or else the known_hosts files.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};
use ssh2::Session;

use super::super::{ConnectSettings, TransportError};
use super::destination::Destination;
use super::host_config::UnknownHosts;
use super::known_hosts::{self, KnownKey, Marker};
use crate::script::quote;

/// The known keys of a host.
pub(super) enum HostKeys {
    /// Keys from the provider. They are authoritative, because the provider created the host.
    Given(Vec<Vec<u8>>),
    /// Keys from the known_hosts files.
    Files { name: String, entries: Vec<KnownKey>, first_file: Option<PathBuf> },
}

impl HostKeys {
    /// Looks up the known keys.
    pub(super) fn find(
        to: &Destination,
        settings: &ConnectSettings,
    ) -> Result<Self, TransportError> {
        if !to.given_host_keys.is_empty() {
            let keys = to.given_host_keys.iter().map(|line| {
                let key =
                    line.split_whitespace().nth(1).and_then(|word| STANDARD.decode(word).ok());
                key.ok_or_else(|| {
                    refused(
                        to,
                        format!(
                            "the provider gave `{line}`, which is not a host key, such as \
                             `ssh-ed25519 AAAA...`"
                        ),
                    )
                })
            });
            return Ok(HostKeys::Given(keys.collect::<Result<_, _>>()?));
        }
        let own = to.config.known_hosts.as_ref().unwrap_or(&settings.known_hosts);
        let global = to.config.global_known_hosts.as_ref().unwrap_or(&settings.global_known_hosts);
        let name = match &to.config.host_key_alias {
            Some(alias) => alias.clone(),
            None => known_hosts::name(&to.config.host_name, to.port),
        };
        let entries = known_hosts::entries(
            &name,
            &[own.as_slice(), global].concat(),
            &settings.shared.ssh.known_hosts,
        )?;
        Ok(HostKeys::Files { name, entries, first_file: own.first().cloned() })
    }

    /// The host key algorithms to prefer: a host with several keys should present the one that is
    /// known.
    pub(super) fn algorithms(&self) -> Vec<&str> {
        let types: Vec<&str> = match self {
            HostKeys::Given(keys) => keys.iter().filter_map(|key| key_type(key)).collect(),
            HostKeys::Files { entries, .. } => entries
                .iter()
                .filter(|entry| entry.marker == Marker::Known)
                .map(|entry| entry.key_type.as_str())
                .collect(),
        };
        let mut algorithms = Vec::new();
        for name in types.iter().flat_map(|name| match *name {
            "ssh-rsa" => vec!["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
            name => vec![name],
        }) {
            if !algorithms.contains(&name) {
                algorithms.push(name);
            }
        }
        algorithms
    }

    /// Fails unless the host presents a known key.
    pub(super) fn verify(&self, session: &Session, to: &Destination) -> Result<(), TransportError> {
        let Some((key, _)) = session.host_key() else {
            return Err(refused(to, "it shows no key".to_owned()));
        };
        let kind = key_type(key).unwrap_or("unknown");
        let shown = format!("{kind} {}", fingerprint(key));
        let (name, entries, first_file) = match self {
            HostKeys::Given(keys) if keys.iter().any(|known| known == key) => return Ok(()),
            HostKeys::Given(keys) => return Err(refused(to, unlike_given(keys, &shown))),
            HostKeys::Files { name, entries, first_file } => (name, entries, first_file),
        };
        if let Some(revoked) =
            entries.iter().find(|entry| entry.marker == Marker::Revoked && entry.key == key)
        {
            return Err(refused(
                to,
                format!("it shows {shown}, which is revoked at {}", revoked.place()),
            ));
        }
        let known: Vec<&KnownKey> =
            entries.iter().filter(|entry| entry.marker == Marker::Known).collect();
        if known.iter().any(|entry| entry.key == key) {
            return Ok(());
        }
        if let Some(changed) = known.iter().find(|entry| entry.key_type == kind).or(known.first()) {
            return Err(refused(
                to,
                format!("it shows {shown}, but {}", self.changed(to, changed, name)),
            ));
        }
        match to.config.unknown_hosts {
            UnknownHosts::Accept => Ok(()),
            UnknownHosts::Add => {
                let Some(file) = first_file else { return Ok(()) };
                let added = known_hosts::add(file, name, kind, key);
                added.map_err(|error| {
                    refused(
                        to,
                        format!("it is new, and cannot be added to {}: {error}", file.display()),
                    )
                })
            }
            UnknownHosts::Refuse => Err(refused(to, self.unknown(to, &shown, name, entries))),
        }
    }

    /// The error for a host whose key changed.
    fn changed(&self, to: &Destination, known: &KnownKey, name: &str) -> String {
        let forget = format!(
            "ssh-keygen -R {} -f {}",
            quote(name),
            quote(&known.file.display().to_string())
        );
        format!(
            "{} knows {} {}: it was reinstalled, or somebody intercepts the connection; if you \
             know that it was reinstalled, remove the old key with `{forget}` and accept the new \
             one with `{}`",
            known.place(),
            known.key_type,
            fingerprint(&known.key),
            self.accept(to, name)
        )
    }

    /// The error for a host that is not known.
    fn unknown(&self, to: &Destination, shown: &str, name: &str, entries: &[KnownKey]) -> String {
        let authority = entries.iter().find(|entry| entry.marker == Marker::CertAuthority);
        let authority = authority.map(|authority| {
            format!(
                "; host certificates, as {} (@cert-authority) wants them, cannot be verified here",
                authority.place()
            )
        });
        let authority = authority.unwrap_or_default();
        format!(
            "it is not known and shows {shown}{authority}: if that is right, accept it with `{}`",
            self.accept(to, name)
        )
    }

    /// A command that accepts the key that the host presents now.
    fn accept(&self, to: &Destination, name: &str) -> String {
        let reached = to.config.proxy_jump.is_empty() && to.config.proxy_command.is_none();
        match self {
            HostKeys::Files { first_file: Some(file), .. }
                if reached && name == known_hosts::name(&to.config.host_name, to.port) =>
            {
                format!(
                    "ssh-keyscan -p {} {} >> {}",
                    to.port,
                    to.config.host_name,
                    quote(&file.display().to_string())
                )
            }
            // only OpenSSH's client knows the way to this host; it asks whether to accept the key
            _ => format!("ssh -p {} {}@{}", to.port, to.user, to.config.alias),
        }
    }
}

/// The error for a host that does not present a key from the provider. The provider must supply the
/// new one.
fn unlike_given(keys: &[Vec<u8>], shown: &str) -> String {
    let known = keys
        .iter()
        .map(|key| format!("{} {}", key_type(key).unwrap_or("unknown"), fingerprint(key)));
    format!(
        "it shows {shown}, but the provider knows {}: it was reinstalled, or somebody intercepts \
         the connection; if you know that it was reinstalled, give the \
         provider its new key (`host_keys` of a node-list), or destroy the node and converge",
        known.collect::<Vec<_>>().join(", ")
    )
}

fn refused(to: &Destination, message: String) -> TransportError {
    TransportError::HostKey { host: to.peer.clone(), message }
}

/// The fingerprint, as `ssh-keygen -l` prints it.
fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(key)))
}

/// The type of a public key, from its first field.
pub(super) fn key_type(key: &[u8]) -> Option<&str> {
    let (length, rest) = key.split_first_chunk::<4>()?;
    std::str::from_utf8(rest.get(..u32::from_be_bytes(*length) as usize)?).ok()
}
