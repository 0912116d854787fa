//! A certificate of a public authority, such as Let's Encrypt, by ACME.

use pallet_core::prelude::*;

use super::layout::tell;
use super::names::names;
use super::program::{self, Declared};
use super::specification::{KeyKind, Readers, Specification, check_domain, check_path};

const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

parameters! {
    /// Gets a certificate by ACME with certbot, and renews it before it ends.
    ///
    /// The key is made on this node and never leaves it. Certbot proves that the names lead to this
    /// node with files that a web server serves (`webroot`), with a server of its own on port 80
    /// (`standalone`), or with records that a program of yours writes (`dns`). Services that use
    /// the certificate are reloaded when it changes. By calling it you agree to the terms of
    /// service of the authority.
    ///
    /// Example: `certificates.acme(request, "shop", names = ["shop.example.com"], email = "ops@example.com", webroot = "/srv/shop")`
    pub(crate) struct Acme {
        /// Names the certificate, and its directory in `/etc/pallet/certificates`.
        name: String,
        /// Host names. The first is the common name.
        names: Vec<String>,
        /// Address that the authority writes to if a certificate ends. Default: none.
        #[serde(default)]
        email: Option<String>,
        /// How certbot proves that the names lead to this node. Default: `dns` if there is a
        /// `dns_hook`, otherwise `webroot`.
        #[serde(default)]
        challenge: Option<Challenge>,
        /// Directory whose files a web server serves at `http://NAME/`. Default: `/var/www/html`.
        #[serde(default = "default_webroot")]
        webroot: String,
        /// Program on the node that writes DNS records. Certbot calls it with the argument `add` or
        /// `remove`, and with the variables `CERTBOT_DOMAIN` and `CERTBOT_VALIDATION`.
        #[serde(default)]
        dns_hook: Option<String>,
        /// URL of the directory of the authority. Default: Let's Encrypt.
        #[serde(default)]
        directory: Option<String>,
        /// Use the staging authority of Let's Encrypt, whose certificates nobody trusts.
        #[serde(default)]
        staging: bool,
        /// File on the node with the authorities that may have signed the directory's own
        /// certificate. Default: those that certbot trusts.
        #[serde(default)]
        ca_file: Option<String>,
        /// Kind of the key.
        #[serde(default)]
        key: KeyKind,
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

/// How a node proves that names lead to it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Challenge {
    /// A web server of the node serves files that certbot writes.
    Webroot,
    /// Certbot listens on port 80 itself, which must be free.
    Standalone,
    /// A program writes records of DNS.
    Dns,
}

fn default_webroot() -> String {
    "/var/www/html".to_owned()
}

fn default_renew() -> u32 {
    30
}

pub(crate) fn acme(request: &mut Request, wanted: Acme) -> Result<()> {
    let name = &wanted.name;
    let readers = Readers {
        group: wanted.group.as_deref(),
        services: &wanted.services,
        restarts: &wanted.restarts,
    };
    let specification = readers.add(specification(&wanted)?)?;
    let system = names(request)?;
    program::install(request)?;
    if let Some(repository) = system.repository {
        request.add(PackageRepository::new(repository))?;
    }
    request.add(Package::install(system.certbot))?;
    request.add(Directory::at("/etc/pallet/acme").owner("root").group("root").mode(0o755))?;
    tell(request, name, false)?;
    program::put(request, Declared { name, specification, given: Vec::new(), wait: 0 })
}

fn specification(wanted: &Acme) -> Result<Specification> {
    let Acme { name, names, webroot, .. } = wanted;
    check_file_name("a certificate", name)?;
    ensure!(!names.is_empty(), "certificate {name} has no name; give the host names in names");
    names.iter().try_for_each(|name| check_domain(name))?;
    check_path("webroot", webroot)?;
    let challenge = wanted.challenge.unwrap_or(match wanted.dns_hook {
        Some(_) => Challenge::Dns,
        None => Challenge::Webroot,
    });
    match (challenge, &wanted.dns_hook) {
        (Challenge::Dns, None) => bail!("certificate {name}: the challenge dns needs a dns_hook"),
        (Challenge::Dns, Some(hook)) => check_path("dns_hook", hook)?,
        (_, Some(_)) => bail!("certificate {name}: a dns_hook is only for the challenge dns"),
        (_, None) => ensure!(
            !names.iter().any(|name| name.starts_with('*')),
            "certificate {name}: a name with * needs the challenge dns"
        ),
    }
    ensure!(
        !(wanted.staging && wanted.directory.is_some()),
        "certificate {name}: give directory or staging, not both"
    );
    let default = if wanted.staging { STAGING } else { LETS_ENCRYPT };
    let directory = wanted.directory.as_deref().unwrap_or(default);
    ensure!(
        directory.starts_with("https://") && directory.bytes().all(|byte| byte.is_ascii_graphic()),
        "certificate {name}: the directory {directory:?} must be a URL with https://"
    );
    if let Some(email) = &wanted.email {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+@".contains(&byte);
        ensure!(
            email.contains('@') && email.bytes().all(good) && !email.starts_with('-'),
            "certificate {name}: {email:?} is no e-mail address"
        );
    }
    if let Some(file) = &wanted.ca_file {
        check_path("ca_file", file)?;
    }
    ensure!((1..=365).contains(&wanted.renew), "renew must be 1 to 365 days");
    let alternatives: Vec<_> = names.iter().map(|name| format!("DNS:{name}")).collect();
    let way = match challenge {
        Challenge::Webroot => "webroot",
        Challenge::Standalone => "standalone",
        Challenge::Dns => "dns",
    };
    Ok(Specification::default()
        .with("kind", "acme")
        .with("alternatives", alternatives.join(","))
        .with("key", wanted.key.word())
        .with("directory", directory)
        .with("email", wanted.email.as_deref().unwrap_or_default())
        .with("challenge", way)
        .with("webroot", if challenge == Challenge::Webroot { webroot } else { "" })
        .with("hook", wanted.dns_hook.as_deref().unwrap_or_default())
        .with("bundle", wanted.ca_file.as_deref().unwrap_or_default())
        .with("renew", wanted.renew))
}

#[cfg(test)]
mod tests {
    use super::super::Certificates;
    use super::*;

    #[test]
    fn certbot_gets_what_is_declared() {
        let mut recorder = Recorder::<Certificates>::on("debian 12");
        recorder
            .call(
                "acme",
                json!({"name": "shop", "names": ["shop.example", "www.shop.example"],
                    "email": "ops@example.com", "webroot": "/srv/shop", "services": ["nginx"]}),
            )
            .unwrap();
        let spec = "/etc/pallet/certificates/shop/spec";
        let file = recorder.actions().into_iter().find(|one| one.subject == spec).unwrap();
        assert_eq!(
            file.arguments["content"],
            format!(
                "kind acme\nalternatives DNS:shop.example,DNS:www.shop.example\nkey ec256\n\
                 directory {LETS_ENCRYPT}\nemail ops@example.com\nchallenge webroot\n\
                 webroot /srv/shop\nrenew 30\nservices nginx\n"
            )
        );
        assert!(recorder.declared().contains(&"package certbot".to_owned()));
    }

    #[test]
    fn certbot_is_of_epel_where_the_system_lacks_it() {
        for (system, epel) in [("rocky 9", true), ("fedora 41", false), ("debian 12", false)] {
            let mut recorder = Recorder::<Certificates>::on(system);
            recorder.call("acme", json!({"name": "shop", "names": ["shop.example"]})).unwrap();
            let declared = recorder.declared();
            let place = |one: &str| declared.iter().position(|other| other == one);
            let repository = place("package_repository epel");
            assert_eq!(repository.is_some(), epel, "{system}");
            assert!(repository < place("package certbot"), "{system}");
        }
    }

    #[test]
    fn what_gets_no_certificate_is_refused() {
        for (arguments, said) in [
            (json!({"name": "a", "names": []}), "has no name"),
            (json!({"name": "a", "names": ["a b"]}), "cannot be a name"),
            (json!({"name": "a", "names": ["*.a.example"]}), "needs the challenge dns"),
            (json!({"name": "a", "names": ["a.example"], "challenge": "dns"}), "needs a dns_hook"),
            (
                json!({"name": "a", "names": ["a.example"], "dns_hook": "/bin/x",
                    "challenge": "webroot"}),
                "only for the challenge dns",
            ),
            (
                json!({"name": "a", "names": ["a.example"], "dns_hook": "/bin/x; reboot"}),
                "must be an absolute path",
            ),
            (json!({"name": "a", "names": ["a.example"], "email": "x"}), "no e-mail address"),
            (
                json!({"name": "a", "names": ["a.example"], "directory": "http://a"}),
                "must be a URL with https",
            ),
            (
                json!({"name": "a", "names": ["a.example"], "directory": "https://a",
                    "staging": true}),
                "not both",
            ),
        ] {
            let error =
                Recorder::<Certificates>::on("debian 12").call("acme", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
