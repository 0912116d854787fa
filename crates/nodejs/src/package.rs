//! Packages of npm for the whole node.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::program::{check_registry, run};

parameters! {
    /// Ensures a package of npm for the whole node, in `/usr/local`, with its programs in
    /// `/usr/local/bin`.
    ///
    /// Does nothing if this version is there.
    ///
    /// Example: `nodejs.package(request, "pm2", "5.4.2")`
    pub(crate) struct GlobalPackage {
        /// Name, such as `pm2` or `@scope/name`.
        name: String,
        /// Full version.
        version: String,
        /// Absolute path of the package on the node, as written by `npm pack`, instead of the
        /// registry.
        #[serde(default)]
        file: Option<String>,
        /// URL of the registry. Default: npm's.
        #[serde(default)]
        registry: Option<String>,
        /// Run the installation scripts of the package and its dependencies, as root.
        #[serde(default)]
        scripts: bool,
    }
}

pub(crate) fn package(request: &mut Request, package: GlobalPackage) -> Result<()> {
    let GlobalPackage { name, version, .. } = &package;
    check_package(name)?;
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    ensure!(
        version.starts_with(|first: char| first.is_ascii_digit()) && version.bytes().all(good),
        "{name}: {version:?} is not a full version such as 5.4.2"
    );
    check_registry(package.registry.as_deref())?;
    if let Some(file) = &package.file {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@/+".contains(&byte);
        ensure!(
            file.starts_with('/') && file.bytes().all(good),
            "{name}: the file {file:?} must be an absolute path without spaces"
        );
    }
    let settings = BTreeMap::from([
        ("NODE_REGISTRY", package.registry.clone().unwrap_or_default()),
        ("NODE_SCRIPTS", if package.scripts { "yes" } else { "" }.to_owned()),
        ("NODE_FILE", package.file.clone().unwrap_or_default()),
    ]);
    let what = format!("install {name} {version}");
    let jobs = ("install-package", "has-package");
    run(request, what, jobs, &[name, version], &settings, Options::new())
}

/// Refuses what is no name of a package; it becomes a part of a path.
fn check_package(name: &str) -> Result<()> {
    let part = |part: &str| {
        let good =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        !part.is_empty() && !part.starts_with(['.', '-', '_']) && part.bytes().all(good)
    };
    let good = match name.strip_prefix('@').map(|rest| rest.split_once('/')) {
        None => part(name),
        Some(scoped) => scoped.is_some_and(|(scope, name)| part(scope) && part(name)),
    };
    ensure!(good && name.len() <= 214, "{name:?} is not a name of a package");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Nodejs;
    use super::*;

    #[test]
    fn a_package_is_installed_unless_it_is_there() {
        let mut recorder = Recorder::<Nodejs>::on("debian 12");
        recorder.call("package", json!({"name": "@a/b", "version": "1.2.3"})).unwrap();
        let last = recorder.actions().pop().unwrap();
        let program = "sh /usr/local/lib/pallet/nodejs";
        assert_eq!(last.arguments["script"], format!("{program} install-package @a/b 1.2.3"));
        assert_eq!(last.arguments["unless"], format!("{program} has-package @a/b 1.2.3"));
    }

    #[test]
    fn what_is_no_package_is_refused() {
        for name in ["", "../x", "a/b", "@a", "@/b", "-g", "A", "a b", "a;b", "@a/../b"] {
            assert!(check_package(name).is_err(), "{name}");
        }
        for arguments in [
            json!({"name": "a", "version": "latest"}),
            json!({"name": "a", "version": "1 --evil"}),
            json!({"name": "a", "version": "1.0.0", "file": "x.tgz"}),
            json!({"name": "a", "version": "1.0.0", "registry": "x"}),
        ] {
            let mut recorder = Recorder::<Nodejs>::on("debian 12");
            assert!(recorder.call("package", &arguments).is_err(), "{arguments}");
        }
    }
}
