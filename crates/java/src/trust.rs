//! Certificates that Java trusts.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::program::{check_alias, check_path, run};

parameters! {
    /// Ensures that Java trusts a certificate, such as that of a company's own authority, or that
    /// it does not.
    ///
    /// Does nothing if the truststore has this certificate under the alias. A certificate that
    /// changed replaces the old one. The truststore is replaced atomically.
    ///
    /// Example: `java.trust(request, "company", certificate = "/usr/local/share/ca-certificates/company.crt")`
    pub(crate) struct Trust {
        /// Alias of the entry.
        alias: String,
        /// Absolute path of the certificate on the node, a PEM file. Not needed for `absent`.
        #[serde(default)]
        certificate: Option<String>,
        /// Absolute path of the truststore. Default: that of the system's `java`, which all of its
        /// programs use.
        #[serde(default)]
        truststore: Option<String>,
        /// Password of the truststore.
        #[serde(default = "changeit")]
        password: String,
        /// `present` or `absent`.
        #[serde(default)]
        action: Presence,
        /// Flag to set if it changes.
        #[serde(default)]
        flag: Option<String>,
    }
}

/// Whether a certificate is trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Presence {
    /// It is trusted.
    #[default]
    Present,
    /// It is not.
    Absent,
}

fn changeit() -> String {
    "changeit".to_owned()
}

pub(crate) fn trust(request: &mut Request, trust: Trust) -> Result<()> {
    let Trust { alias, .. } = &trust;
    check_alias(alias)?;
    for (what, path) in [("certificate", &trust.certificate), ("truststore", &trust.truststore)] {
        path.as_ref().map_or(Ok(()), |path| check_path(what, path))?;
    }
    ensure!(trust.password.chars().count() >= 6, "the password of the truststore is too short");
    ensure!(
        trust.action == Presence::Absent || trust.certificate.is_some(),
        "{alias}: give the certificate to trust"
    );
    request.add(Package::install("openssl"))?;
    let settings = BTreeMap::from([
        ("JAVA_ALIAS", alias.clone()),
        ("JAVA_CERTIFICATE", trust.certificate.clone().unwrap_or_default()),
        ("JAVA_STORE", trust.truststore.clone().unwrap_or_default()),
        ("JAVA_PASSWORD", trust.password.clone()),
    ]);
    let (what, jobs) = match trust.action {
        Presence::Present => (format!("trust {alias}"), ("trust", "trusts")),
        Presence::Absent => (format!("do not trust {alias}"), ("distrust", "distrusts")),
    };
    let options = trust.flag.iter().fold(Options::new(), |all, flag| all.flag_on_change(flag));
    run(request, what, jobs, settings, options)
}

#[cfg(test)]
mod tests {
    use super::super::Java;
    use super::*;

    #[test]
    fn a_certificate_is_trusted_or_not() {
        let mut recorder = Recorder::<Java>::on("debian 12");
        recorder.call("trust", json!({"alias": "ca", "certificate": "/etc/ca.pem"})).unwrap();
        let trusted = recorder.actions().pop().unwrap();
        assert_eq!(trusted.arguments["unless"], "sh /usr/local/lib/pallet/java trusts");
        recorder.call("trust", json!({"alias": "ca", "action": "absent"})).unwrap();
        let gone = recorder.actions().pop().unwrap();
        assert_eq!(gone.arguments["script"], "sh /usr/local/lib/pallet/java distrust");
        let error = recorder.call("trust", json!({"alias": "ca"})).unwrap_err().to_string();
        assert!(error.contains("give the certificate"), "{error}");
    }
}
