//! A certificate that the project's own authority signs.

use pallet_core::prelude::*;

use super::authority::{allow, default_name, find};
use super::layout::tell;
use super::program::{self, Declared};
use super::specification::{KeyKind, Readers, Specification, Subject, check_days};

parameters! {
    /// Makes a key on this node, has its certificate signed by an authority of the project, and
    /// renews it before it ends.
    ///
    /// Pallet tells the authority's node what this node may have, and gives both the token. The
    /// node then sends its public key to the authority, also when it renews the certificate by
    /// itself. The private key never leaves the node.
    ///
    /// Example: `certificates.issued(request, "web", token = secret("ca-token"), names = ["web.example.com"])`
    pub(crate) struct Issued {
        /// Names the certificate, and its directory in `/etc/pallet/certificates`.
        name: String,
        /// Secret that the node and the authority share: a long random text. Each node may have its
        /// own.
        token: String,
        /// The authority, as `certificates.settings` names it.
        #[serde(default = "default_name")]
        authority: String,
        /// Host names, such as `web.example.com` and `*.example.com`. Default: the name of the
        /// node.
        #[serde(default)]
        names: Vec<String>,
        /// IP addresses. Default: the address of the node.
        #[serde(default)]
        addresses: Option<Vec<String>>,
        /// Common name. Default: the first of the names.
        #[serde(default)]
        common_name: Option<String>,
        /// Kind of the key. Another kind makes a new key.
        #[serde(default)]
        key: KeyKind,
        /// Number of days that the certificate is valid. Default: 90.
        #[serde(default = "default_days")]
        days: u32,
        /// Number of days before its end when it is renewed. Default: 30.
        #[serde(default = "default_renew")]
        renew: u32,
        /// Group that may read the key. Default: only root may.
        #[serde(default)]
        group: Option<String>,
        /// Services to reload when the certificate changes, if they run.
        #[serde(default)]
        services: Vec<String>,
        /// Services to restart when the certificate changes, if they run.
        #[serde(default)]
        restarts: Vec<String>,
        /// Number of seconds to wait for an authority that is just being set up. Default: 300.
        #[serde(default = "default_wait")]
        wait: u32,
    }
}

fn default_days() -> u32 {
    90
}

fn default_renew() -> u32 {
    30
}

pub(crate) fn default_wait() -> u32 {
    300
}

pub(crate) fn issued(request: &mut Request, wanted: Issued) -> Result<()> {
    let Issued { name, token, authority, days, renew, wait, .. } = &wanted;
    check_file_name("a certificate", name)?;
    check_file_name("an authority", authority)?;
    check_days(*days, *renew, 36_500)?;
    ensure!(*wait <= 3600, "wait must be at most 3600 seconds");
    ensure!(!token.trim().is_empty(), "the token is empty; give a long random secret");
    let target = request.target()?;
    let subject = Subject::of(
        &target,
        &wanted.names,
        wanted.addresses.as_deref(),
        wanted.common_name.as_deref(),
    )?;
    let found = find(request, authority)?;
    let id = request_id(&target, name)?;
    let allowed = Specification::default()
        .with("kind", "issued")
        .with("common_name", &subject.common_name)
        .with("alternatives", &subject.alternatives)
        .with("days", days);
    let specification = allowed
        .clone()
        .with("key", wanted.key.word())
        .with("authority", authority)
        .with("id", &id)
        .with("host", &found.host)
        .with("port", found.port)
        .with("renew", renew);
    let readers = Readers {
        group: wanted.group.as_deref(),
        services: &wanted.services,
        restarts: &wanted.restarts,
    };
    let specification = readers.add(specification)?;
    program::install(request)?;
    request.add(Package::install("socat"))?;
    let mut ca = at(request, &found.node, &target);
    allow(&mut ca, authority, &id, allowed, token.clone())?;
    tell(request, name, true)?;
    let given = vec![("token", token.clone())];
    program::put(request, Declared { name, specification, given, wait: *wait })
}

/// The request for the node of an authority, which may be this one.
pub(crate) fn at(request: &Request, node: &str, target: &Target) -> Request {
    if node == target.id { request.clone() } else { request.on_node(node) }
}

/// Identifies what a node requests from an authority.
pub(crate) fn request_id(target: &Target, name: &str) -> Result<String> {
    let id = format!("{}.{name}", target.name);
    check_file_name("a request of a node", &id)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::super::Certificates;
    use super::*;

    fn recorder() -> Recorder<Certificates> {
        let mut recorder = Recorder::<Certificates>::on("debian 12");
        recorder.call("settings", json!({})).unwrap();
        recorder
    }

    #[test]
    fn the_authority_learns_what_the_node_may_have() {
        let mut recorder = recorder();
        let token = recorder.call("issued", json!({"name": "web", "token": "⟦secret:ca⟧"}));
        token.unwrap();
        let content = |path: &str| {
            let file = recorder.actions().into_iter().find(|one| one.subject == path).unwrap();
            assert_eq!(file.arguments["mode"].as_str().unwrap_or_default(), "0600", "{path}");
            file.arguments["content"].as_str().unwrap().to_owned()
        };
        let requests = "/etc/pallet/authorities/internal/requests/node-1.web";
        assert_eq!(
            content(requests),
            "kind issued\ncommon_name node-1\nalternatives DNS:node-1,IP:192.0.2.1\ndays 90\n"
        );
        assert_eq!(content(&format!("{requests}.token")), "⟦secret:ca⟧");
        assert_eq!(content("/etc/pallet/certificates/web/given/token"), "⟦secret:ca⟧");
        // what is run, and what is listed of it, holds no secret
        for action in recorder.actions() {
            let shown = format!("{}{}", action.arguments["script"], action.arguments["unless"]);
            assert!(!shown.contains("secret"), "{shown}");
        }
    }

    #[test]
    fn a_request_needs_an_authority() {
        let mut recorder = Recorder::<Certificates>::on("debian 12");
        let error = recorder.call("issued", json!({"name": "web", "token": "a"})).unwrap_err();
        assert!(error.to_string().contains("no node is the authority internal"), "{error}");
    }
}
