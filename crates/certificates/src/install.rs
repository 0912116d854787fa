//! A certificate and a key that the user has.

use pallet_core::prelude::*;

use super::layout::tell;
use super::program::{self, Declared};
use super::specification::{Readers, Specification};

parameters! {
    /// Puts a certificate and its key in place, which are given, usually as secrets.
    ///
    /// Both are checked on the node first: that they are in PEM, belong together, and have not
    /// expired. If not, what was in place stays. Services that use the certificate are reloaded
    /// when it changes.
    ///
    /// Example: `certificates.install(request, "shop", certificate = secret("shop-certificate"), key = secret("shop-key"))`
    pub(crate) struct Install {
        /// Names the certificate, and its directory in `/etc/pallet/certificates`.
        name: String,
        /// The certificate, in PEM. What follows it is its chain, unless that is given.
        certificate: String,
        /// The private key, in PEM, without a passphrase.
        key: String,
        /// The certificates between it and the authority, in PEM.
        #[serde(default)]
        chain: Option<String>,
        /// Group that may read the key. Default: only root may.
        #[serde(default)]
        group: Option<String>,
        /// Services to reload when the certificate changes, if they run.
        #[serde(default)]
        services: Vec<String>,
        /// Services to restart when the certificate changes, if they run.
        #[serde(default)]
        restarts: Vec<String>,
    }
}

pub(crate) fn install(request: &mut Request, wanted: Install) -> Result<()> {
    let Install { name, certificate, key, chain, group, services, restarts } = wanted;
    check_file_name("a certificate", &name)?;
    let readers = Readers { group: group.as_deref(), services: &services, restarts: &restarts };
    // one that ends cannot be renewed here, so it is never due
    let specification =
        readers.add(Specification::default().with("kind", "given").with("renew", 0))?;
    let line = |text: String| if text.ends_with('\n') { text } else { text + "\n" };
    let mut given = vec![("certificate", line(certificate)), ("key", line(key))];
    given.extend(chain.map(|chain| ("chain", line(chain))));
    program::install(request)?;
    tell(request, &name, false)?;
    program::put(request, Declared { name: &name, specification, given, wait: 0 })
}

#[cfg(test)]
mod tests {
    use super::super::Certificates;
    use super::*;

    #[test]
    fn what_is_given_is_only_for_root() {
        let mut recorder = Recorder::<Certificates>::on("debian 12");
        let given = json!({"name": "shop", "certificate": "⟦secret:c⟧", "key": "⟦secret:k⟧"});
        recorder.call("install", given).unwrap();
        for (file, content) in [("certificate", "⟦secret:c⟧\n"), ("key", "⟦secret:k⟧\n")] {
            let path = format!("/etc/pallet/certificates/shop/given/{file}");
            let found = recorder.actions().into_iter().find(|one| one.subject == path).unwrap();
            assert_eq!(found.arguments["content"], content);
            assert_eq!(found.arguments["mode"], "0600");
        }
    }
}
