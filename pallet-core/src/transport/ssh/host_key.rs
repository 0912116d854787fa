//! Whether a host is the one that is meant: by what the provider knows of its key, else by the known_hosts files.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};
use ssh2::Session;

use super::super::{ConnectSettings, TransportError};
use super::config::UnknownHosts;
use super::connect::Destination;
use super::known_hosts::{self, Entry, Marker};

/// What is known of a host's keys.
pub(super) enum HostKeys {
    /// What the provider knows is decisive: it made the host.
    Given(Vec<Vec<u8>>),
    /// What the user's files know.
    Files { name: String, entries: Vec<Entry>, first_file: Option<PathBuf> },
}

impl HostKeys {
    /// Looks up what is known.
    pub(super) fn find(to: &Destination, settings: &ConnectSettings) -> Result<Self, TransportError> {
        if !to.given_host_keys.is_empty() {
            let keys = to.given_host_keys.iter().map(|line| {
                let key = line.split_whitespace().nth(1).and_then(|word| STANDARD.decode(word).ok());
                key.ok_or_else(|| refused(to, format!("the provider gave `{line}`, which is no host key such as `ssh-ed25519 AAAA...`")))
            });
            return Ok(HostKeys::Given(keys.collect::<Result<_, _>>()?));
        }
        let own = to.config.known_hosts.as_ref().unwrap_or(&settings.known_hosts);
        let global = to.config.global_known_hosts.as_ref().unwrap_or(&settings.global_known_hosts);
        let name = match &to.config.host_key_alias {
            Some(alias) => alias.clone(),
            None => known_hosts::name(&to.config.host_name, to.port),
        };
        let entries = known_hosts::entries(&name, &[own.as_slice(), global].concat(), &settings.shared.ssh.known_hosts)?;
        Ok(HostKeys::Files { name, entries, first_file: own.first().cloned() })
    }

    /// The algorithms to ask the host for first: a host with several keys should show the one that is known.
    pub(super) fn algorithms(&self) -> Vec<&str> {
        let types: Vec<&str> = match self {
            HostKeys::Given(keys) => keys.iter().filter_map(|key| key_type(key)).collect(),
            HostKeys::Files { entries, .. } => {
                entries.iter().filter(|entry| entry.marker == Marker::Known).map(|entry| entry.key_type.as_str()).collect()
            }
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

    /// Refuses a host that is not the one that is meant.
    pub(super) fn verify(&self, session: &Session, to: &Destination) -> Result<(), TransportError> {
        let Some((key, _)) = session.host_key() else { return Err(refused(to, "it shows none".to_owned())) };
        let kind = key_type(key).unwrap_or("unknown");
        let shown = format!("{kind} {}", fingerprint(key));
        let (name, entries, first_file) = match self {
            HostKeys::Given(keys) if keys.iter().any(|known| known == key) => return Ok(()),
            HostKeys::Given(_) => {
                let message =
                    format!("it shows {shown}, which is not what the provider knows of it: someone may be in between, or it was rebuilt");
                return Err(refused(to, message));
            }
            HostKeys::Files { name, entries, first_file } => (name, entries, first_file),
        };
        if let Some(revoked) = entries.iter().find(|entry| entry.marker == Marker::Revoked && entry.key == key) {
            return Err(refused(to, format!("it shows {shown}, which is revoked at {}", revoked.place())));
        }
        let known: Vec<&Entry> = entries.iter().filter(|entry| entry.marker == Marker::Known).collect();
        if known.iter().any(|entry| entry.key == key) {
            return Ok(());
        }
        if let Some(changed) = known.iter().find(|entry| entry.key_type == kind).or(known.first()) {
            return Err(refused(
                to,
                format!(
                    "it shows {shown}, but {} knows {} {}: someone may be in between, or it was rebuilt; if so, remove that line",
                    changed.place(),
                    changed.key_type,
                    fingerprint(&changed.key)
                ),
            ));
        }
        match to.config.unknown_hosts {
            UnknownHosts::Accept => Ok(()),
            UnknownHosts::Add => {
                let Some(file) = first_file else { return Ok(()) };
                let added = known_hosts::add(file, name, kind, key);
                added.map_err(|error| refused(to, format!("it is new, and cannot be added to {}: {error}", file.display())))
            }
            UnknownHosts::Refuse => Err(refused(to, self.unknown(to, &shown))),
        }
    }

    fn unknown(&self, to: &Destination, shown: &str) -> String {
        let mut message = format!("it is not known and shows {shown}");
        if let HostKeys::Files { name, entries, first_file } = self {
            if let Some(authority) = entries.iter().find(|entry| entry.marker == Marker::CertAuthority) {
                message.push_str(&format!("; host certificates, as {} wants them, are not supported", authority.place()));
            }
            let alias =
                if *name == known_hosts::name(&to.config.host_name, to.port) { String::new() } else { format!("-o HostKeyAlias={name} ") };
            message.push_str(&match (first_file, alias.is_empty()) {
                (Some(file), true) => {
                    let scan = format!("ssh-keyscan -p {} {} >> {}", to.port, to.config.host_name, file.display());
                    format!(": if that is right, accept it with `{scan}`")
                }
                _ => format!(": if that is right, accept it with `ssh {alias}-p {} {}@{}`", to.port, to.user, to.config.host_name),
            });
        }
        message
    }
}

fn refused(to: &Destination, message: String) -> TransportError {
    TransportError::HostKey { host: to.peer.clone(), message }
}

/// As `ssh-keygen -l` shows it.
fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(key)))
}

/// The type that a public key begins with.
pub(super) fn key_type(key: &[u8]) -> Option<&str> {
    let (length, rest) = key.split_first_chunk::<4>()?;
    std::str::from_utf8(rest.get(..u32::from_be_bytes(*length) as usize)?).ok()
}
