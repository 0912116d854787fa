//! A published version never changes; only targets are added, and nothing is overwritten.

use pallet_tests::OciRegistry;

use super::*;

#[test]
fn a_version_is_published_once() {
    let registry = OciRegistry::start();
    let author = Author::new();
    let source = registry.source("acme");
    let library = author.library("greet.so", "0.1.0");
    author
        .publish(&[&source, "--dylib", &library])
        .exits(0)
        .says("published crate greet 0.1.0")
        .says("not signed");
    let index = registry.tag("acme/crate/greet", "0.1.0");
    let error = fails_in_one_line(author.publish(&[&source, "--dylib", &library]));
    assert!(
        error.ends_with("already exists; raise the version to publish something else"),
        "{error}"
    );
    // another build of the same version
    let other = author.changed_library("other.so", |bytes| bytes.extend(b"other"));
    let error = fails_in_one_line(author.publish(&[&source, "--dylib", &other]));
    assert!(error.contains("a version is never overwritten"), "{error}");
    assert_eq!(registry.tag("acme/crate/greet", "0.1.0"), index);
    // the full path is the same repository
    fails_in_one_line(author.publish(&[&registry.source("acme/crate/greet"), "--dylib", &library]));
    author
        .publish(&[
            &registry.source("acme/crate/greet"),
            "--dylib",
            &author.library("new.so", "0.2.0"),
        ])
        .exits(0);
    assert_eq!(registry.tags("acme/crate/greet"), ["0.1.0", "0.2.0"]);
}

#[test]
fn a_target_is_added_to_a_version() {
    let registry = OciRegistry::start();
    let author = Author::new();
    let source = registry.source("acme/crate/greet");
    author.publish(&[&source, "--dylib", &author.library("x86.so", "0.1.0")]).exits(0);
    let first = plugin(&source, "0.1.0");
    let arm = author.foreign_library("arm.so", "0.1.0");
    author.publish(&[&source, "--dylib", &arm]).exits(0).says(ARM).says(&format!("beside {X86}"));
    let both = plugin(&source, "0.1.0");
    assert_eq!(both.targets.keys().collect::<Vec<_>>(), [ARM, X86]);
    assert_eq!(both.targets[X86], first.targets[X86]);
    assert_eq!(both.targets[ARM].platform.architecture, "arm64");
    // the plugin's own description is available even for the target that cannot be loaded here
    let config = block_on(both.targets[ARM].config(repository(&source).as_ref())).unwrap();
    assert_eq!(config.manifest["functions"][0]["name"], "hello");
    // both at once is the same artifact
    let at_once = Author::new();
    let other = registry.source("other");
    at_once
        .publish(&[
            &other,
            "--dylib",
            &at_once.library("a.so", "0.1.0"),
            "--dylib",
            &at_once.foreign_library("b.so", "0.1.0"),
        ])
        .exits(0);
    assert_eq!(plugin(&registry.source("other/crate/greet"), "0.1.0").index, both.index);
}

#[test]
fn a_target_that_nothing_is_known_of_is_refused() {
    let registry = OciRegistry::start();
    let author = Author::new();
    let error = fails_in_one_line(author.publish(&[
        &registry.source("acme"),
        "--dylib",
        &author.foreign_library("arm.so", "0.1.0"),
    ]));
    assert!(error.contains("publish the build for this machine first"), "{error}");
    assert_eq!(registry.tags("acme/crate/greet"), Vec::<String>::new());
}

#[test]
fn a_version_with_build_metadata_has_a_tag_too() {
    let registry = OciRegistry::start();
    let author = Author::new();
    author
        .publish(&[
            &registry.source("acme"),
            "--dylib",
            &author.library("greet.so", "0.1.0-rc.1+b.7"),
        ])
        .exits(0);
    assert_eq!(registry.tags("acme/crate/greet"), ["0.1.0-rc.1_b.7"]);
    let source = registry.source("acme/crate/greet");
    let versions = block_on(repository(&source).versions()).unwrap();
    assert_eq!(versions.iter().map(ToString::to_string).collect::<Vec<_>>(), ["0.1.0-rc.1+b.7"]);
    assert_eq!(plugin(&source, "0.1.0-rc.1+b.7").version, versions[0]);
}

#[test]
fn a_dry_run_pushes_nothing() {
    let registry = OciRegistry::start();
    let author = Author::new();
    let library = author.library("greet.so", "0.1.0");
    let source = registry.source("acme");
    let key = author.key("key", &["--no-passphrase"]);
    let told = author
        .publish(&[&source, "--dylib", &library, "--key", &key, "--dry-run", "--output", "json"])
        .exits(0);
    assert!(!registry.content().join("repositories").exists(), "something was pushed");
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let pushed = told["pushed"].as_array().unwrap();
    assert_eq!(pushed.len(), 4);
    author
        .publish(&[&source, "--dylib", &library, "--key", &key, "--dry-run"])
        .exits(0)
        .says("would publish")
        .says("files of x86_64");
    author.publish(&[&source, "--dylib", &library, "--key", &key]).exits(0);
    assert_eq!(told["index"], registry.tag("acme/crate/greet", "0.1.0"));
    for piece in pushed {
        let file = registry.blob(piece["digest"].as_str().unwrap());
        assert_eq!(
            std::fs::metadata(&file).unwrap().len(),
            piece["size"].as_u64().unwrap(),
            "{piece}"
        );
    }
}

#[test]
fn a_tag_that_was_moved_is_refused() {
    let registry = OciRegistry::start();
    let author = Author::new();
    let source = registry.source("acme/crate/greet");
    author.publish(&[&source, "--dylib", &author.library("old.so", "0.1.0")]).exits(0);
    author.publish(&[&source, "--dylib", &author.library("new.so", "0.2.0")]).exits(0);
    let repository = repository(&source);
    let read = |version: &str| {
        block_on(Plugin::read(repository.as_ref(), &Reference::Version(version.parse().unwrap())))
    };
    let (index, content) =
        block_on(repository.manifest(&Reference::Version("0.1.0".parse().unwrap()))).unwrap();
    block_on(repository.put_manifest(&index, &content, Some(&"0.2.0".parse().unwrap()))).unwrap();
    assert!(read("0.1.0").is_ok());
    assert_eq!(
        read("0.2.0").unwrap_err().to_string(),
        format!(
            "{source} 0.2.0: the tag of this version points to version 0.1.0; nothing of it \
            was used"
        )
    );
    // and publishing does not repair it silently
    fails_in_one_line(author.publish(&[&source, "--dylib", &author.library("new.so", "0.2.0")]));
    // another crate's artifact under this name
    let other = pallet_core::distribution::repository::Source::Registry {
        host: registry.host(),
        path: "acme/crate/tls".to_owned(),
    };
    let other = super::repository(&other.to_string());
    let target = plugin(&source, "0.1.0").targets[X86].clone();
    let parts = block_on(target.parts(repository.as_ref())).unwrap();
    for blob in [parts.config, parts.layer] {
        let bytes = std::fs::read(registry.blob(&blob.digest.to_string())).unwrap();
        block_on(
            other.put_blob(&blob, pallet_core::distribution::repository::Content::Bytes(&bytes)),
        )
        .unwrap();
    }
    let (_, manifest) =
        block_on(repository.manifest(&Reference::Digest(target.manifest.digest))).unwrap();
    block_on(other.put_manifest(&target.manifest, &manifest, None)).unwrap();
    block_on(other.put_manifest(&index, &content, Some(&"0.1.0".parse().unwrap()))).unwrap();
    let error =
        block_on(Plugin::read(other.as_ref(), &Reference::Version("0.1.0".parse().unwrap())))
            .unwrap_err()
            .to_string();
    assert!(error.contains("holds the crate greet, which does not belong there"), "{error}");
}
