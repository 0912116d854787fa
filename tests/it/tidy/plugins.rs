//! Every plugin's folder: its name, its manifest, its page.

use std::fs;
use std::path::PathBuf;

use pallet_tests::root;
use toml::Table;

use super::sources::none;

/// The folder, its kind (`crate` or `provider`), and its manifest.
fn plugins() -> Vec<(PathBuf, &'static str, Table)> {
    let mut found = Vec::new();
    for (folder, kind) in [("crates", "crate"), ("providers", "provider")] {
        for entry in fs::read_dir(root().join(folder)).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                let manifest = fs::read_to_string(path.join("Cargo.toml"))
                    .unwrap_or_else(|_| panic!("{} has no Cargo.toml", path.display()));
                found.push((path, kind, manifest.parse().unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "there are no plugins in crates/ and providers/");
    found
}

#[test]
fn every_plugin_has_a_page() {
    let without = plugins().into_iter().filter(|(path, ..)| {
        fs::read_to_string(path.join("README.md")).unwrap_or_default().lines().count() < 3
    });
    none(
        "a plugin's folder has a README.md",
        without.map(|(path, ..)| path.display().to_string()).collect(),
    );
}

#[test]
fn a_package_is_named_after_its_folder() {
    let misnamed = plugins().into_iter().filter_map(|(path, kind, manifest)| {
        let wanted = format!("pallet-{kind}-{}", path.file_name().unwrap().to_string_lossy());
        let name = manifest["package"]["name"].as_str().unwrap();
        (name != wanted)
            .then(|| format!("{}: the package is named {name}, not {wanted}", path.display()))
    });
    none("a plugin's package is pallet-KIND-FOLDER", misnamed.collect());
}

#[test]
fn a_plugin_is_a_cdylib_and_nothing_else() {
    let other = plugins().into_iter().filter(|(path, _, manifest)| {
        let kinds = manifest.get("lib").and_then(|lib| lib.get("crate-type"));
        let only_cdylib = kinds == Some(&toml::Value::Array(vec!["cdylib".into()]));
        !only_cdylib || manifest.contains_key("bin") || path.join("src/main.rs").exists()
    });
    none(
        "two plugins linked into one program clash, so a plugin is a cdylib only",
        other.map(|(path, ..)| path.display().to_string()).collect(),
    );
}

#[test]
fn a_plugin_never_sees_the_host() {
    let mut offences = Vec::new();
    for (path, _, manifest) in plugins() {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let dependency = manifest.get(section).and_then(|section| section.get("pallet-core"));
            if dependency.and_then(|dependency| dependency.get("features")).is_some()
                && section != "dev-dependencies"
            {
                offences.push(format!("{}: {section}: pallet-core with features", path.display()));
            }
        }
        if manifest
            .get("dependencies")
            .and_then(|all| all.get("pallet-core"))
            .and_then(|core| core.get("workspace"))
            .is_none()
        {
            offences.push(format!("{}: pallet-core is not the workspace's", path.display()));
        }
    }
    let workspace: Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    if workspace["workspace"]["dependencies"]["pallet-core"].get("features").is_some() {
        offences.push(
            "Cargo.toml: the workspace's pallet-core has features, and plugins inherit them".into(),
        );
    }
    none("a plugin depends on pallet-core without features", offences);
}

#[test]
fn every_package_keeps_the_workspaces_lints() {
    let mut manifests: Vec<_> =
        plugins().into_iter().map(|(path, _, manifest)| (path, manifest)).collect();
    for folder in ["pallet-core", "pallet-cli", "tests"] {
        let path = root().join(folder);
        let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap();
        manifests.push((path, manifest.parse().unwrap()));
    }
    let without = manifests.into_iter().filter(|(_, manifest)| {
        manifest.get("lints").and_then(|lints| lints.get("workspace")) != Some(&true.into())
    });
    none(
        "a package says `[lints] workspace = true`",
        without.map(|(path, _)| path.display().to_string()).collect(),
    );
}

#[test]
fn every_plugin_forbids_unsafe_code() {
    let without = plugins().into_iter().filter(|(path, ..)| {
        !fs::read_to_string(path.join("src/lib.rs"))
            .unwrap_or_default()
            .contains("#![forbid(unsafe_code)]")
    });
    none(
        "a plugin's src/lib.rs says #![forbid(unsafe_code)]",
        without.map(|(path, ..)| path.display().to_string()).collect(),
    );
}
