//! Deploys a release.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::health::{Health, need};
use super::names::{changed, check_app, check_line, check_shared, home};
use super::program::{command, put, script};

parameters! {
    /// Deploys a release of an application, and goes back if it fails its health check.
    ///
    /// The release is unpacked into `/srv/NAME/releases/VERSION`, shared directories are linked
    /// into it, the link `/srv/NAME/current` switches to it atomically, the service restarts, and
    /// the health check must succeed. If it does not, the link switches back, the service restarts
    /// on the release before, and the node fails with what the check printed. The next run tries
    /// the release again.
    ///
    /// Give exactly one of `archive`, `url` and `repository`. Without a health check, the service
    /// must still run 3 s after its start. Call `app_deploy.unit` and `app_deploy.environment`
    /// before: the service restarts once if they changed something.
    ///
    /// Example: `app_deploy.release(request, "hello", "1.2", archive = "build/hello-1.2.tar.gz", health_url = "http://localhost:8080/health")`
    pub(crate) struct Release {
        /// Name of the application: its directory is `/srv/NAME`.
        name: String,
        /// Version: the name of the release's directory. Give each archive a version of its own.
        version: String,
        /// Archive in the project: a tar file, compressed or not, or a zip file.
        #[serde(default)]
        archive: Option<String>,
        /// URL that the node downloads the archive from.
        #[serde(default)]
        url: Option<String>,
        /// SHA-256 digest of the archive at `url`, in hexadecimal. Required with `url`.
        #[serde(default)]
        sha256: Option<String>,
        /// HTTP headers for the request to `url`. May hold secrets.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Number of leading components to strip from each name in a tar file.
        #[serde(default)]
        strip_components: u32,
        /// Git repository: a URL, or a path on the node below `/srv`.
        #[serde(default)]
        repository: Option<String>,
        /// Tag, full commit hash or branch of the repository. Default: `version`.
        #[serde(default)]
        revision: Option<String>,
        /// Let git log in with the keys of this machine's ssh-agent.
        #[serde(default)]
        forward_agent: bool,
        /// Owner of the release's files, who also runs `build`. Default: root, so that the
        /// application cannot change its own code.
        #[serde(default = "root")]
        owner: String,
        /// Group of the release's files. Default: root.
        #[serde(default = "root")]
        group: String,
        /// Directories that all releases share, such as `log`: each is a link into
        /// `/srv/NAME/shared`, and belongs to `user`.
        #[serde(default)]
        shared: Vec<String>,
        /// Files that all releases share, such as `config/app.toml`: links into
        /// `/srv/NAME/shared`, where they must exist.
        #[serde(default)]
        shared_files: Vec<String>,
        /// Command that runs in the release's directory before it serves, such as a migration.
        #[serde(default)]
        build: Option<String>,
        /// Number of releases to keep, with this one.
        #[serde(default = "five")]
        keep: u32,
        /// Service to restart. Default: `name`. `""`: none, as for files that a web server serves.
        #[serde(default)]
        service: Option<String>,
        /// User of the application, who owns shared directories and runs `health_command`.
        /// Default: `name`, or root if there is no service.
        #[serde(default)]
        user: Option<String>,
        /// URL that must answer, as seen from the node.
        #[serde(default)]
        health_url: Option<String>,
        /// Status that `health_url` must answer with.
        #[serde(default = "two_hundred")]
        health_status: u16,
        /// Command that must succeed; what it prints is shown if it fails.
        #[serde(default)]
        health_command: Option<String>,
        /// Maximum time until the health check succeeds, in seconds.
        #[serde(default = "sixty")]
        timeout: u32,
    }
}

fn root() -> String {
    "root".to_owned()
}

fn five() -> u32 {
    5
}

pub(crate) fn sixty() -> u32 {
    60
}

pub(crate) fn two_hundred() -> u16 {
    200
}

/// The service of an application, if it has one, and its user.
pub(crate) fn service_and_user(
    name: &str,
    service: Option<&str>,
    user: Option<&str>,
) -> Result<(Option<String>, String)> {
    let service = Some(service.unwrap_or(name)).filter(|service| !service.is_empty());
    if let Some(service) = service {
        check_file_name("a service", service)?;
    }
    let user = user.unwrap_or(if service.is_some() { name } else { "root" });
    Ok((service.map(str::to_owned), user.to_owned()))
}

pub(crate) fn release(request: &mut Request, release: Release) -> Result<()> {
    let Release { name, version, .. } = &release;
    check(&release)?;
    let (service, user) =
        service_and_user(name, release.service.as_deref(), release.user.as_deref())?;
    let settings = settings(&release, &user, service.as_deref())?;
    put(request)?;
    let home = home(name);
    for path in [home.clone(), format!("{home}/releases"), format!("{home}/shared")] {
        request.add(Directory::at(path).owner("root").group("root").mode(0o755))?;
    }
    request.add(Directory::at(format!("{home}/.deploy")).owner("root").mode(0o700))?;
    for path in &release.shared {
        request.add(Directory::at(format!("{home}/shared/{path}")).owner(&user))?;
    }
    if release.health_url.is_some() {
        need(request, "curl")?;
    }
    fetch(request, &release, &format!("{home}/releases/{version}"))?;
    let look = command(&["is-deployed", name, version]);
    if let Some(service) = &service {
        let restart = script(format!("restart {service}"), &["restart", name], &settings);
        // a release that is yet to come starts the service anyway
        let restart = restart.only_if(look.clone());
        request.add_with(restart, Options::new().if_flag(changed(name)))?;
    }
    let what = format!("deploy release {version} of {name}");
    request.add(script(what, &["deploy", name, version], &settings).unless(look))?;
    match service {
        Some(service) => request.add(Service::start(service).enabled(true)),
        None => Ok(()),
    }
}

/// Brings the content of the release to the node.
fn fetch(request: &mut Request, release: &Release, path: &str) -> Result<()> {
    let Release { name, version, .. } = release;
    let archive = match (&release.archive, &release.url, &release.repository) {
        (Some(file), None, None) => RemoteDirectory::local_file(path, file),
        (None, Some(url), None) => {
            need(request, "curl")?;
            let sha256 = release.sha256.clone().unwrap_or_default();
            let mut archive = RemoteDirectory::url(path, url).sha256(sha256);
            archive.headers = release.headers.clone();
            archive
        }
        (_, _, Some(repository)) => {
            need(request, "git")?;
            let checkout = GitCheckout::new(repository, format!("{}/repository", home(name)));
            let checkout = checkout.revision(release.revision.as_ref().unwrap_or(version)).force();
            let agent = release.forward_agent;
            return request.add(if agent { checkout.forward_agent() } else { checkout });
        }
        _ => bail!("{name}: give exactly one of archive, url and repository"),
    };
    let source = release.archive.as_ref().or(release.url.as_ref());
    if source.is_some_and(|source| source.split(['?', '#']).next().is_some_and(is_zip)) {
        need(request, "unzip")?;
    }
    let archive = archive.strip_components(release.strip_components);
    let flag = format!("app-deploy-{name}-{version}");
    let archive = archive.owner(&release.owner).group(&release.group);
    request.add_with(archive, Options::new().flag_on_change(&flag))?;
    let what = format!("note that release {version} of {name} is new");
    let forget = script(what, &["forget", name, version], &BTreeMap::new());
    request.add_with(forget, Options::new().if_flag(flag))
}

fn is_zip(name: &str) -> bool {
    [".zip", ".jar", ".war"].iter().any(|end| name.to_ascii_lowercase().ends_with(end))
}

fn check(release: &Release) -> Result<()> {
    let Release { name, version, .. } = release;
    check_app(name)?;
    check_file_name("a release", version)?;
    let given = [&release.archive, &release.url, &release.repository];
    ensure!(
        given.iter().filter(|given| given.is_some()).count() == 1,
        "{name}: give exactly one of archive, url and repository"
    );
    let lacks = |given: bool, what: &str, needs: &str| {
        ensure!(!given, "{name}: {what} is for {needs}; omit it, or give {needs}");
        Ok(())
    };
    let (url, repository) = (release.url.is_some(), release.repository.is_some());
    let digest = release.sha256.as_deref().unwrap_or_default();
    ensure!(!url || !digest.is_empty(), "{name}: a url needs its sha256");
    lacks(release.sha256.is_some() && !url, "sha256", "url")?;
    lacks(!release.headers.is_empty() && !url, "headers", "url")?;
    lacks(release.revision.is_some() && !repository, "revision", "repository")?;
    lacks(release.forward_agent && !repository, "forward_agent", "repository")?;
    lacks(release.strip_components > 0 && repository, "strip_components", "archive")?;
    for path in release.shared.iter().chain(&release.shared_files) {
        check_shared(path)?;
    }
    if let Some(build) = &release.build {
        check_line("build", build)?;
    }
    ensure!((1..=100).contains(&release.keep), "{name}: keep must be 1 to 100 releases");
    Ok(())
}

/// What the program is told.
fn settings(
    release: &Release,
    user: &str,
    service: Option<&str>,
) -> Result<BTreeMap<String, String>> {
    let source = if release.repository.is_some() { "repository" } else { "archive" };
    let mut settings: BTreeMap<String, String> = [
        ("APP_SOURCE", source.to_owned()),
        ("APP_OWNER", release.owner.clone()),
        ("APP_GROUP", release.group.clone()),
        ("APP_USER", user.to_owned()),
        ("APP_SHARED", release.shared.join(" ")),
        ("APP_SHARED_FILES", release.shared_files.join(" ")),
        ("APP_BUILD", release.build.clone().unwrap_or_default()),
        ("APP_KEEP", release.keep.to_string()),
        ("APP_SERVICE", service.unwrap_or_default().to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    Health {
        url: release.health_url.as_deref(),
        status: release.health_status,
        command: release.health_command.as_deref(),
        timeout: release.timeout,
    }
    .add_to(&mut settings)?;
    Ok(settings)
}

#[cfg(test)]
mod tests;
