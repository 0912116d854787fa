//! A crate in Starlark is published for any system, installed, locked, checked, mirrored.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use pallet_tests::Project;
use serde_json::Value;

use super::{CODE, MANIFEST, Shop, read};

/// Publishes the crate, and returns the source with its signer's key.
fn published(shop: &Shop) -> (String, String) {
    let home = shop.project.home();
    let (layout, key) = (home.join("layout"), home.join("key"));
    let (layout, key) = (layout.to_str().unwrap().to_owned(), key.to_str().unwrap().to_owned());
    shop.project.run(&["generate-key", &key, "--no-passphrase"]).exits(0);
    let package = shop.directory();
    shop.write("README.md", "# web\n");
    shop.write("LICENSE", "Do as you like.\n");
    shop.write("tests/a.star", "not a module\n");
    let source = format!("layout:{layout}");
    shop.project
        .run(&["publish", package.to_str().unwrap(), &source, "--key", &key])
        .exits(0)
        .says("published crate web 0.1.0")
        .says("for any\n");
    (layout, format!("{key}.pub"))
}

#[test]
fn a_published_crate_is_installed_locked_and_used() {
    let shop = Shop::new();
    let (layout, key) = published(&shop);
    let user = Project::empty();
    user.write("pallet.toml", "[services.here]\nprovider = \"localhost\"\ngroup = \"app\"\n");
    user.run(&["install", &layout]).exits(2).says("web 0.1.0");
    user.run(&["install", &layout, "--accept-signer", &key])
        .exits(0)
        .says("+ web 0.1.0")
        .says("may do: everything");
    let lock = read(&user.directory().join("pallet.lock"));
    assert!(lock.contains("[plugin.targets.any]") || lock.contains("any"), "{lock}");
    shop.configures("web.page(request, \"a\")");
    user.write("pallet.star", read(&shop.project.directory().join("pallet.star")));
    user.run(&["lift", "--dry-run"]).exits(0).says("remote_file /srv/page-a");
    user.run(&["list"]).exits(0).says("web").says("yes");
    user.run(&["verify"]).exits(0);
    let mirror = user.home().join("mirror");
    user.run(&["mirror", mirror.to_str().unwrap()]).exits(0).says("web 0.1.0");

    // the store has what is needed and nothing else, and what changed in it is not used
    let store = user.home().join(".local/share/pallet/store/sha256");
    let store = match store.is_dir() {
        true => store,
        false => find(user.home(), "sha256"),
    };
    let installed = fs::read_dir(store).unwrap().next().unwrap().unwrap().path();
    assert!(installed.join("templates/part.j2").is_file());
    assert!(installed.join("docs/README.md").is_file() && installed.join("LICENSE").is_file());
    assert!(!installed.join("tests").exists());
    let module = installed.join("crate.star");
    fs::set_permissions(&module, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&module, CODE.replace("/srv", "/etc")).unwrap();
    user.run(&["lift", "--dry-run"]).exits(2).says("was changed since it was locked");
    user.run(&["install"]).exits(0);
    user.run(&["lift", "--dry-run"]).exits(0).says("remote_file /srv/page-a");
}

fn find(directory: &std::path::Path, name: &str) -> std::path::PathBuf {
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && path.ends_with(format!("store/{name}")) {
                return path;
            }
            if path.is_dir() && !path.is_symlink() {
                open.push(path);
            }
        }
    }
    panic!("there is no store in {}", directory.display());
}

#[test]
fn a_version_is_never_overwritten_and_a_broken_one_never_published() {
    let shop = Shop::new();
    let (layout, _) = published(&shop);
    let package = shop.directory();
    let publish = |more: &[&str]| {
        let source = format!("layout:{layout}");
        let words = [&["publish", package.to_str().unwrap(), source.as_str()], more].concat();
        shop.project.run(&words)
    };
    publish(&[]).exits(2).says("already exists");
    shop.write("crate.star", &CODE.replace("page", "leaf"));
    publish(&[]).exits(2).says("has another build for any already");
    shop.write("crate.toml", &MANIFEST.replace("0.1.0", "0.2.0"));
    publish(&["--dry-run"]).exits(0).says("would publish crate web 0.2.0");
    publish(&["--target", "x86_64-unknown-linux-gnu"]).exits(2).says("runs on every system");
    shop.write("lib/text.star", "def line(:\n");
    publish(&[]).exits(2).says("@web/lib/text.star:1").says("syntax error");
    // its tests are not published
    shop.write("tests/text.star", "def line(name, port):\n    return name\n");
    shop.write("lib/text.star", "load(\"//tests/text.star\", _line = \"line\")\nline = _line\n");
    publish(&[]).exits(2).says("cannot be used as it would be published").says("tests/text.star");
    shop.write("lib/text.star", "def line(name, port):\n    return name\n");
    std::os::unix::fs::symlink("/etc/passwd", package.join("files")).unwrap();
    publish(&[]).exits(2).says("is not a regular file");
}

#[test]
fn a_directory_is_installed_by_its_digest_and_a_broken_one_is_not() {
    let shop = Shop::new();
    let directory = shop.directory();
    let install = || shop.project.run(&["install", directory.to_str().unwrap()]);
    shop.write("lib/text.star", "def line(name, port):\n    return nme\n");
    install().exits(2).says("crate web 0.1.0 is not sound").says("@web/lib/text.star:2");
    assert!(!shop.project.directory().join("pallet.lock").exists());
    shop.write("lib/text.star", "def line(name, port):\n    return name\n");
    install().exits(0).says("+ web 0.1.0").says("local file, by digest");
    shop.configures("web.page(request, \"a\")");
    shop.project.run(&["lift", "--dry-run"]).exits(0).says("remote_file /srv/page-a");
    // what is installed stays as it was
    shop.write("crate.star", &CODE.replace("/srv", "/opt"));
    shop.project.run(&["lift", "--dry-run"]).exits(0).says("remote_file /srv/page-a");
    install().exits(0);
    shop.project.run(&["lift", "--dry-run"]).exits(0).says("remote_file /opt/page-a");
    let listed = shop.project.run(&["crates", "--output", "json"]).exits(0);
    let crates: Value = serde_json::from_str(&listed.stdout).unwrap();
    let web = crates.as_array().unwrap().iter().find(|one| one["name"] == "web").unwrap();
    assert_eq!(web["functions"][0]["name"], "page");
}
