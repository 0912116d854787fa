//! An authority that the whole system trusts.

use pallet_core::prelude::*;

use super::authority::{allow, find};
use super::issued::{at, default_wait, request_id};
use super::layout::directory;
use super::names::names;
use super::program::{self, Declared};
use super::specification::{Readers, Specification, check_path};

/// The flag that is set when the system's authorities changed.
const CHANGED: &str = "certificates-trusted";

parameters! {
    /// Adds an authority to those that the system trusts, or removes it.
    ///
    /// Give one of `authority`, `certificate`, `local_file` and `file`.
    ///
    /// Example: `certificates.trust(request, "internal", authority = "internal", token = secret("ca-token"))`
    pub(crate) struct Trust {
        /// Names the authority in the system's store.
        name: String,
        /// An authority of the project, as `certificates.settings` names it. The node asks it for
        /// its certificate.
        #[serde(default)]
        authority: Option<String>,
        /// Secret that the node and the authority share, as in `certificates.issued`. Required with
        /// `authority`.
        #[serde(default)]
        token: Option<String>,
        /// The certificate of the authority, in PEM.
        #[serde(default)]
        certificate: Option<String>,
        /// A file of the project with the certificate of the authority.
        #[serde(default)]
        local_file: Option<String>,
        /// A certificate of this node, as `certificates.self_signed` names it.
        #[serde(default)]
        file: Option<String>,
        /// Services to restart when the authority changes, if they run. Most programs read the
        /// system's authorities only when they start.
        #[serde(default)]
        restarts: Vec<String>,
        /// Whether the system trusts the authority.
        #[serde(default)]
        action: TrustAction,
        /// Number of seconds to wait for an authority that is just being set up. Default: 300.
        #[serde(default = "default_wait")]
        wait: u32,
    }
}

/// Whether the system trusts an authority.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum TrustAction {
    /// It does.
    #[default]
    Present,
    /// It does not.
    Absent,
}

pub(crate) fn trust(request: &mut Request, wanted: Trust) -> Result<()> {
    let Trust { name, authority, token, certificate, local_file, file, restarts, action, wait } =
        wanted;
    check_file_name("an authority", &name)?;
    ensure!(wait <= 3600, "wait must be at most 3600 seconds");
    let names = names(request)?;
    let stored = names.stored(&name);
    let update = |request: &mut Request| {
        let script = ExecCheckedScript::new("update the trusted authorities", names.update);
        request.add_with(script, Options::new().if_flag(CHANGED))
    };
    let changed = || Options::new().flag_on_change(CHANGED);
    if action == TrustAction::Absent {
        request.add(Directory::at(trusted(&name)).absent())?;
        request.add_with(File::at(stored).absent(), changed())?;
        return update(request);
    }
    let put = |content: RemoteFile| {
        content.owner("root").group("root").mode(0o644).verify("openssl x509 -noout -in")
    };
    request.add(Package::install("ca-certificates"))?;
    let given = match (authority, certificate, local_file, file) {
        (Some(authority), None, None, None) => {
            let wanted =
                Fetched { name: &name, authority: &authority, token, wait, stored: &stored };
            return fetch(request, wanted, names.update, &restarts);
        }
        (None, Some(text), None, None) => RemoteFile::content(stored, text),
        (None, None, Some(file), None) => RemoteFile::local_file(stored, file),
        (None, None, None, Some(file)) => {
            check_file_name("a certificate", &file)?;
            RemoteFile::copy(stored, format!("{}/certificate.pem", directory(&file)))
        }
        _ => bail!("trust {name}: give exactly one of authority, certificate, local_file and file"),
    };
    ensure!(
        restarts.is_empty(),
        "trust {name}: restarts are only for an authority of the project; restart services of \
         your own by a flag"
    );
    request.add(Package::install("openssl"))?;
    request.add_with(put(given), changed())?;
    update(request)
}

/// An authority of the project whose certificate a node asks for.
struct Fetched<'a> {
    name: &'a str,
    authority: &'a str,
    token: Option<String>,
    wait: u32,
    stored: &'a str,
}

/// The name of the directory of an authority that is asked for, next to those of certificates.
fn entry(name: &str) -> String {
    format!("authority-{name}")
}

fn trusted(name: &str) -> String {
    directory(&entry(name))
}

fn fetch(
    request: &mut Request,
    wanted: Fetched<'_>,
    update: &str,
    restarts: &[String],
) -> Result<()> {
    let Fetched { name, authority, token, wait, stored } = wanted;
    let token = token.filter(|token| !token.trim().is_empty()).with_context(|| {
        format!("trust {name}: the authority {authority} answers only with a token; give it")
    })?;
    check_file_name("an authority", authority)?;
    check_path("store", stored)?;
    let target = request.target()?;
    let found = find(request, authority)?;
    let (entry, id) = (entry(name), request_id(&target, &entry(name))?);
    let specification = Specification::default()
        .with("kind", "ca")
        .with("authority", authority)
        .with("id", &id)
        .with("store", stored)
        .with("update", update)
        .with("host", &found.host)
        .with("port", found.port)
        .with("renew", 30);
    let readers = Readers { group: None, services: &[], restarts };
    let specification = readers.add(specification)?;
    program::install(request)?;
    request.add(Package::install("socat"))?;
    let mut ca = at(request, &found.node, &target);
    let allowed = Specification::default().with("kind", "ca");
    allow(&mut ca, authority, &id, allowed, token.clone())?;
    let given = vec![("token", token)];
    program::put(request, Declared { name: &entry, specification, given, wait })
}

#[cfg(test)]
mod tests {
    use super::super::Certificates;
    use super::*;

    #[test]
    fn each_system_has_its_own_store() {
        for (system, path, command) in [
            (
                "debian 12",
                "/usr/local/share/ca-certificates/pallet-a.crt",
                "update-ca-certificates",
            ),
            ("rocky 9", "/etc/pki/ca-trust/source/anchors/pallet-a.pem", "update-ca-trust extract"),
            ("opensuse-leap 15.6", "/etc/pki/trust/anchors/pallet-a.pem", "update-ca-certificates"),
            (
                "arch",
                "/etc/ca-certificates/trust-source/anchors/pallet-a.crt",
                "update-ca-trust extract",
            ),
        ] {
            let mut recorder = Recorder::<Certificates>::on(system);
            recorder.call("trust", json!({"name": "a", "certificate": "PEM"})).unwrap();
            let actions = recorder.actions();
            let file = actions.iter().find(|one| one.subject == path).unwrap();
            assert_eq!(file.options.flag_on_change.as_deref(), Some(CHANGED));
            let last = actions.last().unwrap();
            assert_eq!(last.arguments["script"], command, "{system}");
            assert_eq!(last.options.if_flag.as_deref(), Some(CHANGED));
        }
    }

    #[test]
    fn an_authority_of_the_project_is_asked() {
        let mut recorder = Recorder::<Certificates>::on("debian 12");
        recorder.call("settings", json!({})).unwrap();
        let error =
            recorder.call("trust", json!({"name": "a", "authority": "internal"})).unwrap_err();
        assert!(error.to_string().contains("only with a token"), "{error}");
        let wanted = json!({"name": "a", "authority": "internal", "token": "⟦secret:t⟧"});
        recorder.call("trust", wanted).unwrap();
        let spec = "/etc/pallet/certificates/authority-a/spec";
        let file = recorder.actions().into_iter().find(|one| one.subject == spec).unwrap();
        assert_eq!(
            file.arguments["content"],
            "kind ca\nauthority internal\nid node-1.authority-a\n\
             store /usr/local/share/ca-certificates/pallet-a.crt\nupdate update-ca-certificates\n\
             host 192.0.2.1\nport 8540\nrenew 30\n"
        );
    }

    #[test]
    fn one_source_must_be_given() {
        for arguments in
            [json!({"name": "a"}), json!({"name": "a", "certificate": "x", "local_file": "y"})]
        {
            let error =
                Recorder::<Certificates>::on("debian 12").call("trust", &arguments).unwrap_err();
            assert!(error.to_string().contains("exactly one of"), "{arguments}: {error}");
        }
    }
}
