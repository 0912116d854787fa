//! Installs Node.js, from one of three places.

use pallet_core::action::package_source::{AptSource, DnfSource};
use pallet_core::prelude::*;

use super::system::{NAMES, Names};

parameters! {
    /// Installs Node.js and npm.
    ///
    /// `distribution` installs the packages of the system. `nodesource` adds the repository of
    /// NodeSource, which has each major version for Debian and Red Hat. `official` unpacks an
    /// archive of nodejs.org, with the digest that you give, into `/usr/local/lib/nodejs`, and
    /// links its programs in `/usr/local/bin`.
    ///
    /// Example: `nodejs.install(request)`
    ///
    /// Example: `nodejs.install(request, source = "nodesource", version = "22")`
    pub(crate) struct Install {
        /// Where it comes from: `distribution`, `nodesource` or `official`.
        #[serde(default)]
        source: Source,
        /// Major version for `nodesource`, such as `22`; full version for `official`, such as
        /// `22.11.0`.
        #[serde(default)]
        version: Option<String>,
        /// SHA-256 digest of the official archive for the node's architecture: see
        /// `SHASUMS256.txt` of the release.
        #[serde(default)]
        sha256: Option<String>,
        /// URL of a mirror of `https://nodejs.org/dist`, or of
        /// `https://deb.nodesource.com` or `https://rpm.nodesource.com`.
        #[serde(default)]
        mirror: Option<String>,
        /// Install npm too, where it is a package of its own. Debian's has several hundred
        /// dependencies.
        #[serde(default = "yes")]
        npm: bool,
    }
}

/// Where Node.js comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Source {
    /// The packages of the system.
    #[default]
    Distribution,
    /// The repository of NodeSource.
    Nodesource,
    /// An archive of nodejs.org.
    Official,
}

fn yes() -> bool {
    true
}

/// Where official releases are unpacked.
const RELEASES: &str = "/usr/local/lib/nodejs";

pub(crate) fn install(request: &mut Request, install: Install) -> Result<()> {
    let os = request.target()?.os;
    let names = NAMES.row(&os)?;
    if let Some(mirror) = &install.mirror {
        let good = mirror.starts_with("https://") || mirror.starts_with("http://");
        ensure!(
            good && !mirror.contains(char::is_whitespace) && !mirror.ends_with('/'),
            "the mirror {mirror:?} must be a URL without a / at its end"
        );
    }
    ensure!(
        install.sha256.is_none() || install.source == Source::Official,
        "sha256 is for the source official; omit it"
    );
    match install.source {
        Source::Distribution => distribution(request, &install, names),
        Source::Nodesource => nodesource(request, &install, &os, names),
        Source::Official => official(request, &install, &os, names),
    }
}

fn distribution(request: &mut Request, install: &Install, names: &Names) -> Result<()> {
    ensure!(
        install.version.is_none() && install.mirror.is_none(),
        "a distribution has one version of Node.js; omit version and mirror, or choose another \
         source"
    );
    request.add(Package::install(names.node))?;
    if install.npm { request.add(Package::install(names.npm)) } else { Ok(()) }
}

fn nodesource(request: &mut Request, install: &Install, os: &Os, names: &Names) -> Result<()> {
    ensure!(names.nodesource, "NodeSource has no packages for {os}; choose another source");
    let major = install.version.as_deref().unwrap_or_default();
    let good = !major.is_empty() && major.len() <= 3 && major.bytes().all(|b| b.is_ascii_digit());
    ensure!(good, "nodesource needs a major version such as \"22\", not {major:?}");
    let mirror = |default: &str| install.mirror.clone().unwrap_or_else(|| default.to_owned());
    let source = if os.family == OsFamily::Debian {
        request.add(Package::install("ca-certificates"))?;
        let url = mirror("https://deb.nodesource.com");
        PackageSource::new("nodesource").apt(AptSource {
            url: format!("{url}/node_{major}.x"),
            release: Some("nodistro".into()),
            key_url: Some(format!("{url}/gpgkey/nodesource-repo.gpg.key")),
            ..AptSource::default()
        })
    } else {
        let url = mirror("https://rpm.nodesource.com");
        PackageSource::new("nodesource").dnf(DnfSource {
            url: Some(format!("{url}/pub_{major}.x/nodistro/nodejs/$basearch")),
            gpgkey: Some(format!("{url}/gpgkey/ns-operations-public.key")),
            priority: Some(9),
            ..DnfSource::default()
        })
    };
    request.add(source)?;
    // its packages have npm
    request.add(Package::install("nodejs").version(format!("{major}.*")))
}

fn official(request: &mut Request, install: &Install, os: &Os, names: &Names) -> Result<()> {
    let Some(xz) = names.xz else {
        bail!("the official archives do not run on {os}; choose another source")
    };
    let version = install.version.as_deref().unwrap_or_default();
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    ensure!(
        version.split('.').count() == 3 && version.split('.').all(number),
        "official needs a full version such as \"22.11.0\", not {version:?}"
    );
    let sha256 = install.sha256.as_deref().unwrap_or_default();
    ensure!(!sha256.is_empty(), "official needs the sha256 of the archive");
    let arch = match os.arch.as_str() {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => bail!("there is no official archive for {other}; choose another source"),
    };
    let mirror = install.mirror.as_deref().unwrap_or("https://nodejs.org/dist");
    let url = format!("{mirror}/v{version}/node-v{version}-linux-{arch}.tar.xz");
    request.add(Package::install(xz))?;
    let path = format!("{RELEASES}/{version}");
    request.add(Directory::at(RELEASES))?;
    request.add(RemoteDirectory::url(&path, url).sha256(sha256).strip_components(1))?;
    for program in ["node", "npm", "npx"] {
        let link = format!("/usr/local/bin/{program}");
        request.add(SymbolicLink::new(link, format!("{path}/bin/{program}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Nodejs;
    use super::*;

    fn recorded(system: &str, arguments: impl Serialize) -> Recorder<Nodejs> {
        let mut recorder = Recorder::<Nodejs>::on(system);
        recorder.call("install", arguments).unwrap();
        recorder
    }

    #[test]
    fn a_distribution_has_its_names() {
        let declared = recorded("debian 12", json!({})).declared();
        assert_eq!(declared, ["package nodejs", "package npm"]);
        let declared = recorded("opensuse-leap 15.6", json!({"npm": false})).declared();
        assert_eq!(declared, ["package nodejs-default"]);
    }

    #[test]
    fn nodesource_is_a_repository() {
        let arguments = json!({"source": "nodesource", "version": "22"});
        let actions = recorded("debian 13", &arguments).actions();
        let source = &actions[1].arguments["apt"];
        assert_eq!(source["url"], "https://deb.nodesource.com/node_22.x");
        assert_eq!(actions[2].arguments["version"], "22.*");
        let actions = recorded("rocky 9.4", &arguments).actions();
        let url = "https://rpm.nodesource.com/pub_22.x/nodistro/nodejs/$basearch";
        assert_eq!(actions[0].arguments["dnf"]["url"], url);
    }

    #[test]
    fn an_official_release_is_unpacked_and_linked() {
        let sha256 = "0".repeat(64);
        let arguments = json!({"source": "official", "version": "22.11.0", "sha256": sha256});
        let recorder = recorded("debian 12", &arguments);
        let actions = recorder.actions();
        let archive = actions.iter().find(|action| action.name == "remote_directory").unwrap();
        assert_eq!(archive.subject, "/usr/local/lib/nodejs/22.11.0");
        assert_eq!(
            archive.arguments["url"],
            "https://nodejs.org/dist/v22.11.0/node-v22.11.0-linux-x64.tar.xz"
        );
        assert!(recorder.declared().contains(&"symbolic_link /usr/local/bin/npx".to_owned()));
    }

    #[test]
    fn bad_arguments_are_refused() {
        for (system, arguments, said) in [
            ("debian 12", json!({"version": "22"}), "one version"),
            ("debian 12", json!({"source": "nodesource"}), "needs a major version"),
            ("debian 12", json!({"source": "nodesource", "version": "22.x"}), "major version"),
            ("arch", json!({"source": "nodesource", "version": "22"}), "has no packages"),
            ("debian 12", json!({"source": "official", "version": "22"}), "full version"),
            ("debian 12", json!({"source": "official", "version": "22.1.0"}), "the sha256"),
            ("alpine 3.20", json!({"source": "official", "version": "22.1.0"}), "do not run"),
            ("debian 12", json!({"sha256": "00"}), "is for the source official"),
            ("debian 12", json!({"mirror": "ftp://x"}), "must be a URL"),
        ] {
            let mut recorder = Recorder::<Nodejs>::on(system);
            let error = recorder.call("install", &arguments).unwrap_err().to_string();
            assert!(error.contains(said), "{arguments}: {error}");
        }
    }
}
