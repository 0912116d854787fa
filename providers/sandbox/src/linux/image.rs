//! Images: directories with a root file system, such as the machine's own root.

use std::fs;
use std::path::{Path, PathBuf};

use pallet_core::model::PackageManager;
use pallet_core::prelude::*;

use crate::linux::machine;
use crate::options::{Init, Options};

/// The id of the machine's own root as an image.
pub(crate) const MACHINE: &str = "machine";

/// Where systemd is in an image.
const SYSTEMD: [&str; 2] = ["usr/lib/systemd/systemd", "lib/systemd/systemd"];

/// A directory that can be the root of nodes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Root {
    pub(crate) id: String,
    pub(crate) directory: PathBuf,
    pub(crate) os: Option<Os>,
}

impl Root {
    fn at(id: &str, directory: PathBuf, init: Init) -> Root {
        let os = os_of(&directory, init);
        Root { id: id.to_owned(), directory, os }
    }

    pub(crate) fn is_machine(&self) -> bool {
        self.id == MACHINE
    }

    /// Why it is not a root file system, or not one for this first process, if so.
    fn lack(&self, init: Init) -> Option<String> {
        if !self.directory.is_dir() {
            return Some(format!("{} is not a directory", self.directory.display()));
        }
        // an absolute link may be valid only after this has become the root
        let has = |path: &str| fs::symlink_metadata(self.directory.join(path)).is_ok();
        if !has("bin/sh") {
            let shell = self.directory.join("bin/sh");
            return Some(format!("it is not a root file system: {} is missing", shell.display()));
        }
        (init == Init::Systemd && !SYSTEMD.iter().any(|path| has(path))).then(|| {
            let systemd = self.directory.join(SYSTEMD[0]);
            format!("it has no systemd, which `init` asks for: {} is missing", systemd.display())
        })
    }
}

/// Returns an error for the first option that is not a valid image.
pub(crate) fn check(options: &Options, project: &Path) -> Result<(), PluginError> {
    let refuse = |option: &str, why: String| {
        PluginError::invalid_input(format!("option `{option}`: {why}")).with_help(
            "name a directory that holds a whole root file system, relative to the project",
        )
    };
    if options.images.contains_key(MACHINE) {
        let why = format!("`{MACHINE}` is the name of the machine's own root");
        return Err(refuse("images", why).with_help("give the image another name"));
    }
    if options.init == Init::Systemd && options.image.is_none() && options.images.is_empty() {
        let why = "systemd would start the services of this machine in every node".to_owned();
        let help = "name an image that has systemd in the option `image` or `images`";
        return Err(refuse("init", why).with_help(help));
    }
    let named =
        options.images.iter().map(|(name, directory)| (format!("images.{name}"), directory));
    for (option, directory) in
        options.image.iter().map(|directory| ("image".to_owned(), directory)).chain(named)
    {
        if let Some(lack) =
            Root::at(&option, project.join(directory), options.init).lack(options.init)
        {
            return Err(refuse(&option, lack));
        }
    }
    Ok(())
}

/// The images of a service, the default one first.
pub(crate) fn all(options: &Options, project: &Path) -> Vec<Root> {
    let mut roots = Vec::new();
    if let Some(directory) = &options.image {
        let directory = project.join(directory);
        roots.push(Root::at(&directory.to_string_lossy(), directory.clone(), options.init));
    }
    if options.init != Init::Systemd {
        roots.push(Root::at(MACHINE, PathBuf::from("/"), options.init));
    }
    roots.extend(
        options
            .images
            .iter()
            .map(|(name, directory)| Root::at(name, project.join(directory), options.init)),
    );
    roots
}

/// The root of the chosen image; if none was chosen, the default one.
pub(crate) fn find(
    roots: Vec<Root>,
    chosen: Option<&Image>,
    init: Init,
) -> Result<Root, PluginError> {
    let found = roots.into_iter().find(|root| chosen.is_none_or(|image| image.id == root.id));
    let Some(root) = found else {
        let id = chosen.map(|image| image.id.as_str()).unwrap_or_default();
        return Err(PluginError::invalid_input(format!("provider sandbox has no image `{id}`"))
            .with_help("name its directory in the option `images`"));
    };
    // it was valid when the service was opened, but may be gone
    match root.lack(init) {
        Some(lack) => Err(PluginError::invalid_input(format!("image {}: {lack}", root.id))),
        None => Ok(root),
    }
}

/// The system in a directory, from its os-release and its programs, with this first process.
pub(crate) fn os_of(root: &Path, init: Init) -> Option<Os> {
    let text = files::os_release(root)?;
    let os = Os::described(&text, &machine::architecture());
    let has = |path: &str| fs::symlink_metadata(root.join(path)).is_ok();
    let package_manager = match os.family {
        OsFamily::RedHat if !has("usr/bin/dnf") => PackageManager::Yum,
        _ => os.package_manager,
    };
    // service managers must run as the first process; without one, only those count that work so
    let service_manager = if init == Init::Systemd {
        ServiceManager::Systemd
    } else if has("sbin/openrc-run") {
        ServiceManager::Openrc
    } else if has("etc/init.d") {
        ServiceManager::Sysvinit
    } else {
        ServiceManager::Process
    };
    Some(Os { package_manager, service_manager, ..os })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(id: &str, os_release: &str) -> (tempfile::TempDir, Root) {
        let directory = tempfile::tempdir().unwrap();
        for path in ["etc/init.d", "bin"] {
            fs::create_dir_all(directory.path().join(path)).unwrap();
        }
        fs::write(directory.path().join("etc/os-release"), os_release).unwrap();
        fs::write(directory.path().join("bin/sh"), "").unwrap();
        let root = Root::at(id, directory.path().to_owned(), Init::Minimal);
        (directory, root)
    }

    #[test]
    fn the_image_that_was_chosen_is_found() {
        let (_a, debian) = image("machine", "ID=debian\nVERSION_ID=\"12\"\n");
        let (_b, rocky) = image(
            "rocky",
            "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n\
            VERSION_ID=\"9.4\"\n",
        );
        assert_eq!(rocky.os.as_ref().unwrap().package_manager, PackageManager::Yum);
        assert_eq!(debian.os.as_ref().unwrap().service_manager, ServiceManager::Sysvinit);
        let roots = vec![debian, rocky];
        let chosen = |id: &str| Image {
            id: id.to_owned(),
            name: String::new(),
            os: None,
            login_user: None,
            min_disk: None,
        };
        let find = |id: Option<&str>, init| find(roots.clone(), id.map(chosen).as_ref(), init);
        assert_eq!(find(None, Init::Minimal).unwrap().id, "machine");
        assert_eq!(find(Some("rocky"), Init::Minimal).unwrap().id, "rocky");
        let error = find(Some("ubuntu"), Init::Minimal).unwrap_err();
        assert!(error.message.contains("no image `ubuntu`"), "{error}");
        let error = find(Some("rocky"), Init::Systemd).unwrap_err();
        assert!(error.message.contains("image rocky: it has no systemd"), "{error}");
    }

    #[test]
    fn an_empty_directory_is_no_image() {
        let directory = tempfile::tempdir().unwrap();
        let empty = Root::at("empty", directory.path().to_owned(), Init::Minimal);
        let error = find(vec![empty], None, Init::Minimal).unwrap_err();
        assert!(error.message.contains("bin/sh"), "{error}");
    }

    #[test]
    fn an_option_that_names_no_image_is_refused_by_name() {
        let (there, _) = image("image", "ID=debian\n");
        let empty = tempfile::tempdir().unwrap();
        let check = |options: serde_json::Value| {
            let options: Options = serde_json::from_value(options).unwrap();
            check(&options, there.path().parent().unwrap())
        };
        let here = there.path().file_name().unwrap().to_str().unwrap();
        check(json!({ "image": here, "images": { "other": there.path(), "root": "/" } })).unwrap();
        for (options, option, why) in [
            (json!({ "image": "/nope" }), "`image`", "/nope is not a directory"),
            (json!({ "image": there.path().join("bin/sh") }), "`image`", "is not a directory"),
            (
                json!({ "image": here, "images": { "rocky": empty.path() } }),
                "`images.rocky`",
                "bin/sh is missing",
            ),
            (json!({ "init": "systemd" }), "`init`", "the services of this machine"),
            (json!({ "init": "systemd", "image": here }), "`image`", "it has no systemd"),
            (
                json!({ "images": { "machine": there.path() } }),
                "`images`",
                "the machine's own root",
            ),
        ] {
            let error = check(options).unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidInput);
            assert!(
                error.message.contains(&format!("option {option}")) && error.message.contains(why),
                "{error}"
            );
        }
    }

    #[test]
    fn nodes_with_systemd_come_from_images_that_have_it() {
        let (there, _) = image("image", "ID=debian\n");
        fs::create_dir_all(there.path().join("usr/lib/systemd")).unwrap();
        fs::write(there.path().join("usr/lib/systemd/systemd"), "").unwrap();
        let options = json!({ "init": "systemd", "images": { "own": there.path() } });
        let options: Options = serde_json::from_value(options).unwrap();
        check(&options, Path::new("/")).unwrap();
        let roots = all(&options, Path::new("/"));
        // the machine's own root is not one of them
        assert_eq!(roots.iter().map(|root| root.id.as_str()).collect::<Vec<_>>(), ["own"]);
        assert_eq!(roots[0].os.as_ref().unwrap().service_manager, ServiceManager::Systemd);
    }
}
