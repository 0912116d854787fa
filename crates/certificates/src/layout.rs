//! Where the files of a certificate are, which other crates read from the settings.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

/// The facility whose settings map the names of this node's certificates to their files.
const FACILITY: &str = "certificates";

/// The directory of a certificate.
pub(crate) fn directory(name: &str) -> String {
    format!("/etc/pallet/certificates/{name}")
}

/// The files of a certificate, all in PEM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(crate = "pallet_core::serde")]
pub(crate) struct Paths {
    /// The private key.
    pub(crate) key: String,
    /// The certificate alone.
    pub(crate) certificate: String,
    /// The certificates between it and the authority.
    pub(crate) chain: String,
    /// The certificate with its chain.
    pub(crate) fullchain: String,
    /// The key and the certificate with its chain.
    pub(crate) combined: String,
    /// The authority; `None` if that is a public one.
    pub(crate) ca: Option<String>,
}

parameters! {
    /// Returns the files of a certificate of this node: a dict with `key`, `certificate`, `chain`,
    /// `fullchain`, `combined` and `ca`.
    ///
    /// Example: `certificates.paths(request, "web")["fullchain"]`
    pub(crate) struct PathsArguments {
        /// Name of the certificate. The function that makes it must be called before.
        name: String,
    }
}

pub(crate) fn paths(request: &mut Request, wanted: PathsArguments) -> Result<Paths> {
    let PathsArguments { name } = wanted;
    let known: BTreeMap<String, Paths> = request.settings(FACILITY)?.unwrap_or_default();
    known.get(&name).cloned().with_context(|| {
        format!("this node has no certificate {name}; call the function that makes it before")
    })
}

/// Tells other functions where the files of a certificate are.
pub(crate) fn tell(request: &mut Request, name: &str, ca: bool) -> Result<()> {
    let at = |file: &str| format!("{}/{file}.pem", directory(name));
    let paths = Paths {
        key: at("key"),
        certificate: at("certificate"),
        chain: at("chain"),
        fullchain: at("fullchain"),
        combined: at("combined"),
        ca: ca.then(|| at("ca")),
    };
    request.set_settings(FACILITY, BTreeMap::from([(name, paths)]))
}

#[cfg(test)]
mod tests {
    use super::super::Certificates;
    use super::*;

    #[test]
    fn a_certificate_that_was_made_has_paths() {
        let mut recorder = Recorder::<Certificates>::on("debian 12");
        let error = recorder.call("paths", json!({"name": "web"})).unwrap_err();
        assert!(error.to_string().contains("no certificate web"), "{error}");
        recorder.call("self_signed", json!({"name": "web"})).unwrap();
        let paths = recorder.call("paths", json!({"name": "web"})).unwrap();
        assert_eq!(paths["fullchain"], "/etc/pallet/certificates/web/fullchain.pem");
        assert_eq!(paths["ca"], "/etc/pallet/certificates/web/ca.pem");
    }
}
