//! The content of a published plugin.

use std::collections::BTreeMap;

use pallet_core::distribution::artifact::{tree_digest, unpack};
use pallet_tests::{OciRegistry, root};

use super::*;

/// The files of a target, unpacked.
fn files(source: &str, directory: &Path) -> BTreeMap<String, String> {
    let repository = repository(source);
    let target = plugin(source, "0.1.0").targets[X86].clone();
    let layer = directory.join("layer");
    let parts = block_on(target.parts(repository.as_ref())).unwrap();
    block_on(repository.blob(&parts.layer, &layer, &|_| ())).unwrap();
    let tree = directory.join("tree");
    std::fs::create_dir(&tree).unwrap();
    unpack(&layer, &tree, &target).unwrap();
    assert_eq!(tree_digest(&tree).unwrap(), target.h1);
    let names = ["LICENSE-MIT", "docs/README.md", "docs/usage.md", "plugin.json", "sbom.cdx.json"];
    let mut files: BTreeMap<_, _> = names
        .iter()
        .map(|name| ((*name).to_owned(), std::fs::read_to_string(tree.join(name)).unwrap()))
        .collect();
    let library = std::fs::read(tree.join("libpallet_crate_greet.so")).unwrap();
    files.insert("library".to_owned(), pallet_core::model::digest(&library));
    files
}

#[test]
fn an_artifact_holds_all_that_is_known_of_a_plugin() {
    let registry = OciRegistry::start();
    let author = Author::new();
    let library = author.library("greet.so", "0.1.0");
    author.publish(&[&registry.source("acme"), "--dylib", &library]).exits(0);
    let source = registry.source("acme/crate/greet");
    let directory = tempfile::tempdir().unwrap();
    let files = files(&source, directory.path());
    assert_eq!(files["library"], pallet_core::model::digest(&std::fs::read(&library).unwrap()));
    assert_eq!(files["docs/README.md"], "# greet\n");
    let config: Value = serde_json::from_str(&files["plugin.json"]).unwrap();
    assert_eq!(
        (config["name"].as_str(), config["kind"].as_str(), config["licenses"].as_str()),
        (Some("greet"), Some("crate"), Some("MIT"))
    );
    assert_eq!(config["target"], X86);
    let function = &config["manifest"]["functions"][0];
    assert!(
        function["doc"].as_str().is_some_and(|doc| !doc.is_empty())
            && function["parameters"]["properties"].is_object(),
        "{function}"
    );
    // the minimum glibc is what the linker requires, as read by the system's own tool
    let mut objdump = Command::new("objdump");
    objdump.args(["-T", &library]);
    let symbols = Process::start(objdump, Duration::from_secs(60)).wait().exits(0).stdout;
    let glibc = config["glibc"].as_str().unwrap();
    assert!(symbols.contains(&format!("GLIBC_{glibc}")), "{glibc}");
    let minor = |version: &str| {
        version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok()).unwrap_or(0)
    };
    let needed = symbols
        .match_indices("GLIBC_")
        .map(|(at, _)| symbols[at + 6..].split([')', ' ', '\n']).next().unwrap());
    assert_eq!(needed.map(minor).max(), Some(minor(glibc)));
    let bom: Value = serde_json::from_str(&files["sbom.cdx.json"]).unwrap();
    assert_eq!(bom["metadata"]["component"]["purl"], "pkg:cargo/pallet-crate-greet@0.1.0");
    // the layer's own plugin.json is the artifact's config
    let config =
        block_on(plugin(&source, "0.1.0").targets[X86].parts(repository(&source).as_ref()))
            .unwrap()
            .config;
    assert_eq!(config.digest.hex(), pallet_core::model::digest(files["plugin.json"].as_bytes()));
}

#[test]
fn an_artifact_may_have_the_types_of_images_alone() {
    let author = Author::new();
    let source = format!("layout:{}", author.file("layout").display());
    author
        .publish(&[&source, "--dylib", &author.library("greet.so", "0.1.0"), "--image-types"])
        .exits(0);
    let source = format!("{source}#crate/greet");
    let repository = repository(&source);
    let (_, index) =
        block_on(repository.manifest(&Reference::Version("0.1.0".parse().unwrap()))).unwrap();
    assert!(!String::from_utf8(index).unwrap().contains("artifactType"));
    let target = plugin(&source, "0.1.0").targets[X86].clone();
    let (_, manifest) =
        block_on(repository.manifest(&Reference::Digest(target.manifest.digest))).unwrap();
    assert!(!String::from_utf8(manifest).unwrap().contains("vnd.pallet"));
    assert_eq!(block_on(target.config(repository.as_ref())).unwrap().name, "greet");
}

#[test]
fn the_same_package_is_the_same_artifact() {
    let digests: Vec<_> = (0..2)
        .map(|_| {
            // another home, another time
            let author = Author::new();
            let layout = author.file("layout");
            let layout = format!("layout:{}", layout.display());
            author.publish(&[&layout, "--dylib", &author.library("greet.so", "0.1.0")]).exits(0);
            plugin(&format!("{layout}#crate/greet"), "0.1.0").index
        })
        .collect();
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn a_package_is_built_and_published() {
    let author = Author::new();
    let layout = author.file("layout");
    let cargo_home = std::env::var("CARGO_HOME")
        .unwrap_or_else(|_| format!("{}/.cargo", std::env::var("HOME").unwrap()));
    let author =
        author.set("CARGO_HOME", cargo_home).set("CARGO_TARGET_DIR", root().join("target"));
    // optimization would not change what is tested here
    let author = author.set("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    let author = Author { project: author.project.timeout(Duration::from_secs(900)) };
    let package = root().join("crates/automated-admin-user");
    let source = format!("layout:{}", layout.display());
    author
        .publish(&[package.to_str().unwrap(), &source])
        .exits(0)
        .says("published crate automated-admin-user");
    let version =
        block_on(repository(&format!("{source}#crate/automated-admin-user")).versions()).unwrap();
    let plugin = plugin(&format!("{source}#crate/automated-admin-user"), &version[0].to_string());
    assert_eq!(plugin.licenses, "MIT OR Apache-2.0");
    assert_eq!(plugin.targets.len(), 1);
}

#[test]
fn what_is_no_plugin_is_refused_in_one_line() {
    let author = Author::new();
    let text = author.file("text.so");
    std::fs::write(&text, "no library").unwrap();
    let libc = Path::new("/usr/lib/x86_64-linux-gnu/libc.so.6");
    for (library, expected) in [
        (text.as_path(), "is not a library"),
        (libc, "not a pallet plugin"),
        (Path::new("/absent.so"), "cannot be read"),
    ] {
        if library == libc && !libc.exists() {
            continue;
        }
        let error = fails_in_one_line(author.publish(&[
            "layout:out",
            "--dylib",
            library.to_str().unwrap(),
        ]));
        assert!(error.contains(expected), "{error}");
    }
    for source in ["oci://", "http://h/p", "layout:", "oci://h/UPPER"] {
        let error = fails_in_one_line(author.publish(&[source, "--dylib", "x.so"]));
        assert!(error.contains("is not a source of plugins"), "{error}");
    }
    let error = fails_in_one_line(author.publish(&["/absent", "layout:out"]));
    assert!(error.contains("there is no Cargo.toml and no crate.toml in /absent"), "{error}");
}
