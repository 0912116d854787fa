//! A certificate that is signed with its own key.

use pallet_core::prelude::*;

use super::layout::tell;
use super::program::{self, Declared};
use super::specification::{KeyKind, Readers, Specification, Subject, check_days};

parameters! {
    /// Makes a key and a self-signed certificate on this node, and renews it before it ends.
    ///
    /// The key never leaves the node, and stays the same when the certificate is renewed. Services
    /// that use the certificate are reloaded when it changes.
    ///
    /// Example: `certificates.self_signed(request, "web", names = ["web.example.com"])`
    pub(crate) struct SelfSigned {
        /// Names the certificate, and its directory in `/etc/pallet/certificates`.
        name: String,
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
        /// Number of days that the certificate is valid. Default: 365.
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
    }
}

fn default_days() -> u32 {
    365
}

fn default_renew() -> u32 {
    30
}

pub(crate) fn self_signed(request: &mut Request, wanted: SelfSigned) -> Result<()> {
    let SelfSigned { name, days, renew, .. } = &wanted;
    check_file_name("a certificate", name)?;
    check_days(*days, *renew, 36_500)?;
    let subject = Subject::of(
        &request.target()?,
        &wanted.names,
        wanted.addresses.as_deref(),
        wanted.common_name.as_deref(),
    )?;
    let specification = Specification::default()
        .with("kind", "self_signed")
        .with("common_name", subject.common_name)
        .with("alternatives", subject.alternatives)
        .with("key", wanted.key.word())
        .with("days", days)
        .with("renew", renew);
    let readers = Readers {
        group: wanted.group.as_deref(),
        services: &wanted.services,
        restarts: &wanted.restarts,
    };
    let specification = readers.add(specification)?;
    program::install(request)?;
    tell(request, name, true)?;
    program::put(request, Declared { name, specification, given: Vec::new(), wait: 0 })
}

#[cfg(test)]
mod tests {
    use super::super::Certificates;
    use super::*;

    #[test]
    fn it_is_made_on_the_node_and_renewed() {
        let mut recorder = Recorder::<Certificates>::on("debian 12");
        recorder
            .call(
                "self_signed",
                json!({"name": "web", "names": ["web.example"], "group": "ssl-cert",
                    "services": ["nginx"]}),
            )
            .unwrap();
        assert_eq!(
            recorder.declared(),
            [
                "package openssl",
                "directory /usr/local/lib/pallet",
                "remote_file /usr/local/lib/pallet/certificates",
                "directory /etc/pallet/certificates/web",
                "remote_file /etc/pallet/certificates/web/spec",
                "exec_checked_script make the certificate web",
                "service_script pallet-certificates.service",
                "service_script pallet-certificates.timer",
                "service pallet-certificates.timer",
            ]
        );
        assert_eq!(
            recorder.actions()[4].arguments["content"],
            "kind self_signed\ncommon_name web.example\n\
             alternatives DNS:web.example,IP:192.0.2.1\nkey ec256\ndays 365\nrenew 30\n\
             group ssl-cert\nservices nginx\n"
        );
    }

    #[test]
    fn what_makes_no_certificate_is_refused() {
        for (arguments, said) in [
            (json!({"name": "a/b"}), "cannot name a certificate"),
            (json!({"name": "a", "names": ["a b"]}), "cannot be a name in a certificate"),
            (json!({"name": "a", "addresses": ["a"]}), "is no IP address"),
            (json!({"name": "a", "days": 10, "renew": 10}), "less than days"),
            (json!({"name": "a", "services": ["a; reboot"]}), "cannot be a service"),
            (json!({"name": "a", "group": "a b"}), "cannot be a group"),
            (json!({"name": "a", "key": "dsa"}), "unknown variant"),
        ] {
            let error = Recorder::<Certificates>::on("debian 12")
                .call("self_signed", &arguments)
                .unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }

    #[test]
    fn cron_renews_where_there_is_no_systemd() {
        let mut recorder = Recorder::<Certificates>::on("alpine");
        recorder.call("self_signed", json!({"name": "web"})).unwrap();
        let declared = recorder.declared();
        assert_eq!(declared.last().unwrap(), "cron certificates", "{declared:?}");
    }
}
