//! Web applications.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::program;
use super::system::Place;

parameters! {
    /// Deploys a web application (a war file), or undeploys it.
    ///
    /// Call `tomcat.service` last, which restarts Tomcat if the war changed: Tomcat then unpacks it
    /// anew.
    ///
    /// Example: `tomcat.application(request, "/shop", war = "build/shop.war")`
    ///
    /// Example: `tomcat.application(request, "/shop", url = "https://example.com/shop-1.2.war", sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")`
    pub(crate) struct Application {
        /// Context path, such as `/shop`; `/` is the root.
        path: String,
        /// War file in the project.
        #[serde(default)]
        war: Option<String>,
        /// Absolute path of a war file on the node, below `/opt` or `/srv`.
        #[serde(default)]
        remote_file: Option<String>,
        /// URL that the node downloads the war file from.
        #[serde(default)]
        url: Option<String>,
        /// SHA-256 digest of the file at `url`, in hexadecimal.
        #[serde(default)]
        sha256: Option<String>,
        /// `deployed` or `undeployed`, which also removes its context.
        #[serde(default)]
        action: Deployment,
        /// Instance. Default: that of the package.
        #[serde(default)]
        instance: Option<String>,
    }
}

/// Whether an application is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Deployment {
    /// It is there.
    #[default]
    Deployed,
    /// It is not.
    Undeployed,
}

/// What Tomcat calls the files of a context path: `/a/b` is `a#b`.
pub(crate) fn file_name(path: &str) -> Result<String> {
    let inner = path.strip_prefix('/').with_context(|| format!("the path {path:?} has no /"))?;
    if inner.is_empty() {
        return Ok("ROOT".to_owned());
    }
    for part in inner.split('/') {
        check_file_name("a part of a path", part)?;
    }
    ensure!(inner != "ROOT", "the path of the root is /");
    Ok(inner.replace('/', "#"))
}

pub(crate) fn application(request: &mut Request, application: Application) -> Result<()> {
    let Application { path, .. } = &application;
    let name = file_name(path)?;
    let place = Place::of(request, application.instance.as_deref())?;
    let (war, directory) =
        (format!("{}/{name}.war", place.webapps()), format!("{}/{name}", place.webapps()));
    let sources = [&application.war, &application.remote_file, &application.url];
    let given = sources.into_iter().flatten().count();
    if application.action == Deployment::Undeployed {
        ensure!(given == 0, "{path}: what is undeployed has no war; omit it");
        request.add_with(File::at(war).absent(), place.changed())?;
        request.add_with(Directory::at(directory).absent(), place.changed())?;
        let part = format!("{}/contexts/{name}", place.parts());
        request.add(File::at(part).absent())?;
        let context = format!("{}/Catalina/localhost/{name}.xml", place.conf());
        return request.add_with(File::at(context).absent(), place.changed());
    }
    ensure!(given == 1, "{path}: give exactly one of war, remote_file and url");
    ensure!(
        application.url.is_some() == application.sha256.is_some(),
        "{path}: a url needs its sha256, and nothing else does"
    );
    let file = match (&application.war, &application.remote_file, &application.url) {
        (Some(file), _, _) => RemoteFile::local_file(&war, file),
        (_, Some(file), _) => RemoteFile::copy(&war, file),
        (_, _, Some(url)) => {
            request.add(Package::install("curl"))?;
            RemoteFile::url(&war, url).sha256(application.sha256.clone().unwrap_or_default())
        }
        _ => bail!("{path}: give exactly one of war, remote_file and url"),
    };
    // Tomcat leaves a directory alone that it did not unpack, such as the package's page
    let tracker = format!("test -e '{directory}/META-INF/war-tracker'");
    request.plan_when_not(&tracker, |request| {
        request.add_with(Directory::at(&directory).absent(), place.changed())
    })?;
    let file = file.owner("root").group("root").mode(0o644).max_versions(1);
    let changed = format!("{} {path}", place.flag());
    request.add_with(file, Options::new().flag_on_change(&changed))?;
    // Tomcat finds what it compiled of the old pages by their times, which may be the same
    program::put(request)?;
    let clean = program::command(&place, "clean", &format!("applications {}", quote(&name)));
    let clean = ExecCheckedScript::new(format!("forget what was compiled of {path}"), clean);
    request.add_with(clean, place.changed().if_flag(changed))
}

#[cfg(test)]
mod tests {
    use super::super::Tomcat;
    use super::*;

    fn declared(arguments: Value) -> Result<Vec<String>, String> {
        let mut recorder = Recorder::<Tomcat>::on("debian 12");
        recorder.call("application", arguments).map_err(|error| error.to_string())?;
        Ok(recorder.declared())
    }

    #[test]
    fn a_path_is_a_file() {
        assert_eq!(file_name("/").unwrap(), "ROOT");
        assert_eq!(file_name("/a/b").unwrap(), "a#b");
        for path in ["", "a", "//", "/a//b", "/../a", "/a b", "/a'", "/ROOT", "/a#b"] {
            assert!(file_name(path).is_err(), "{path}");
        }
    }

    #[test]
    fn an_application_comes_and_goes() {
        let webapps = "/var/lib/tomcat10/webapps";
        assert_eq!(
            declared(json!({"path": "/", "war": "a.war"})).unwrap(),
            [
                format!("directory {webapps}/ROOT"),
                format!("remote_file {webapps}/ROOT.war"),
                "directory /usr/local/lib/pallet".to_owned(),
                "remote_file /usr/local/lib/pallet/tomcat".to_owned(),
                "exec_checked_script forget what was compiled of /".to_owned(),
            ]
        );
        assert_eq!(
            declared(json!({"path": "/a", "action": "undeployed"})).unwrap(),
            [
                format!("file {webapps}/a.war"),
                format!("directory {webapps}/a"),
                "file /etc/tomcat10/pallet/contexts/a".to_owned(),
                "file /etc/tomcat10/Catalina/localhost/a.xml".to_owned(),
            ]
        );
    }

    #[test]
    fn bad_arguments_are_refused() {
        for (arguments, said) in [
            (json!({"path": "/a"}), "exactly one of"),
            (json!({"path": "/a", "war": "a", "remote_file": "/b"}), "exactly one of"),
            (json!({"path": "/a", "url": "https://example.com/a"}), "needs its sha256"),
            (json!({"path": "/a", "war": "a", "action": "undeployed"}), "omit it"),
        ] {
            let error = declared(arguments.clone()).unwrap_err();
            assert!(error.contains(said), "{arguments}: {error}");
        }
    }
}
