//! Registries that require authentication, that use TLS, or that do not exist.

use std::os::unix::fs::PermissionsExt;

use pallet_core::distribution::artifact::{Descriptor, Digest};
use pallet_tests::{OciRegistry, REGISTRY_PASSWORD, REGISTRY_USER, RegistryOptions};
use serde_json::json;

use super::*;

const PASSWORD: RegistryOptions = RegistryOptions { password: true, tls: false };

fn base64(text: &str) -> String {
    let mut command = Command::new("sh");
    command.args(["-c", "printf %s \"$1\" | base64 -w0", "sh", text]);
    Process::start(command, Duration::from_secs(10)).wait().exits(0).stdout.trim().to_owned()
}

#[test]
fn credentials_are_those_of_docker() {
    let registry = OciRegistry::start_with(PASSWORD);
    let author = Author::new();
    let config = author.project.home().join("docker");
    std::fs::create_dir(&config).unwrap();
    let author = author.set("DOCKER_CONFIG", &config);
    let library = author.library("greet.so", "0.1.0");
    let publish = || author.publish(&[&registry.source("acme"), "--dylib", &library]);
    let host = registry.host();
    let error = fails_in_one_line(publish());
    assert!(
        error.contains(&format!(
            "requires credentials, and there are none for {host}; log in: docker login {host}"
        )),
        "{error}"
    );
    let write = |password: &str| {
        let auth = base64(&format!("{REGISTRY_USER}:{password}"));
        std::fs::write(
            config.join("config.json"),
            json!({ "auths": { &host: { "auth": auth } } }).to_string(),
        )
        .unwrap();
    };
    write("wrong horse");
    let error = fails_in_one_line(publish());
    assert!(
        error.contains("does not accept the credentials of") && error.contains("config.json"),
        "{error}"
    );
    assert!(!error.contains("wrong horse"), "{error}");
    assert_eq!(registry.tags("acme/crate/greet"), Vec::<String>::new());
    write(REGISTRY_PASSWORD);
    publish().exits(0);
    assert_eq!(registry.tags("acme/crate/greet"), ["0.1.0"]);
    std::fs::write(config.join("config.json"), "{").unwrap();
    let error = fails_in_one_line(publish());
    assert!(error.contains("cannot read") && error.contains("config.json"), "{error}");
}

#[test]
fn a_credential_helper_is_asked() {
    let registry = OciRegistry::start_with(PASSWORD);
    let author = Author::new();
    let bin = author.project.home().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let asked = author.file("asked");
    let helper = bin.join("docker-credential-vault");
    let script = format!(
        "#!/bin/sh\nhost=$(cat); echo \"$1 $host\" >{}\n\
         printf '{{\"ServerURL\":\"%s\",\"Username\":\"{REGISTRY_USER}\",\
         \"Secret\":\"{REGISTRY_PASSWORD}\"}}' \"$host\"\n",
        asked.display()
    );
    std::fs::write(&helper, script).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir(author.project.home().join(".docker")).unwrap();
    let config = json!({ "credHelpers": { registry.host(): "vault" } });
    std::fs::write(author.project.home().join(".docker/config.json"), config.to_string()).unwrap();
    let library = author.library("greet.so", "0.1.0");
    let source = registry.source("acme");
    let error = fails_in_one_line(author.publish(&[&source, "--dylib", &library]));
    assert!(
        error.contains("docker-credential-vault") && error.contains("not installed"),
        "{error}"
    );
    let cargo = PathBuf::from(std::env::var_os("CARGO").unwrap());
    let path = format!(
        "{}:{}:{}",
        bin.display(),
        cargo.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let author = author.set("PATH", path);
    author.publish(&[&source, "--dylib", &library]).exits(0);
    assert_eq!(std::fs::read_to_string(asked).unwrap().trim(), format!("get {}", registry.host()));
}

#[test]
fn tls_is_trusted_with_its_authority_alone() {
    let registry = OciRegistry::start_with(RegistryOptions { password: false, tls: true });
    let author = Author::new();
    let library = author.library("greet.so", "0.1.0");
    let source = registry.source("acme");
    let error = fails_in_one_line(author.publish(&[&source, "--dylib", &library]));
    assert!(error.contains("certificate is not trusted") && error.contains("--ca-file"), "{error}");
    assert_eq!(registry.tags("acme/crate/greet"), Vec::<String>::new());
    author
        .publish(&[
            &source,
            "--dylib",
            &library,
            "--ca-file",
            registry.authority().to_str().unwrap(),
        ])
        .exits(0);
    assert_eq!(registry.tags("acme/crate/greet"), ["0.1.0"]);
    let error =
        fails_in_one_line(author.publish(&[&source, "--dylib", &library, "--ca-file", &library]));
    assert!(error.contains("cannot read"), "{error}");
}

#[test]
fn a_registry_that_is_not_there_is_said_in_one_line() {
    let mut registry = OciRegistry::start();
    registry.stop();
    let author = Author::new();
    let library = author.library("greet.so", "0.1.0");
    let error = fails_in_one_line(author.publish(&[&registry.source("acme"), "--dylib", &library]));
    assert!(
        error.contains(&format!("{}: cannot be reached: Connection refused", registry.host())),
        "{error}"
    );
    let error =
        fails_in_one_line(author.publish(&["oci://registry.invalid/acme", "--dylib", &library]));
    assert!(error.contains("registry.invalid: cannot be reached"), "{error}");
}

#[test]
fn what_is_no_plugin_is_not_read_as_one() {
    let registry = OciRegistry::start();
    let source = registry.source("acme/image");
    let repository = repository(&source);
    let version: semver::Version = "1.0.0".parse().unwrap();
    let image = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let descriptor = Descriptor::of("application/vnd.oci.image.index.v1+json", image);
    block_on(repository.put_manifest(&descriptor, image, Some(&version))).unwrap();
    let read = |reference| {
        block_on(Plugin::read(repository.as_ref(), &reference)).unwrap_err().to_string()
    };
    assert_eq!(
        read(Reference::Version(version)),
        format!("{source} 1.0.0: is not a Pallet plugin, but an index of images")
    );
    assert_eq!(
        read(Reference::Version("2.0.0".parse().unwrap())),
        format!("{source} has no version 2.0.0")
    );
    let absent = Digest::of(b"absent");
    assert_eq!(read(Reference::Digest(absent)), format!("{source} has no {absent}"));
}

/// The repository of a plugin that was published, and its layer.
fn published(registry: &OciRegistry, author: &Author) -> (Box<dyn Repository>, Descriptor) {
    author
        .publish(&[&registry.source("acme"), "--dylib", &author.library("greet.so", "0.1.0")])
        .exits(0);
    let source = registry.source("acme/crate/greet");
    let repository = repository(&source);
    let layer =
        block_on(plugin(&source, "0.1.0").targets[X86].parts(repository.as_ref())).unwrap().layer;
    (repository, layer)
}

#[test]
fn a_blob_goes_on_where_it_stopped_and_a_changed_one_is_refused() {
    let registry = OciRegistry::start();
    let author = Author::new();
    let (repository, layer) = published(&registry, &author);
    let stored = registry.blob(&layer.digest.to_string());
    let whole = std::fs::read(&stored).unwrap();
    let file = author.file("part");
    std::fs::write(&file, &whole[..whole.len() / 3]).unwrap();
    let first = std::sync::atomic::AtomicU64::new(u64::MAX);
    let progress = |there: u64| {
        first.fetch_min(there, std::sync::atomic::Ordering::Relaxed);
    };
    block_on(repository.blob(&layer, &file, &progress)).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), whole);
    assert_eq!(first.into_inner(), (whole.len() / 3) as u64, "it began anew");
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    std::fs::write(&stored, &changed).unwrap();
    std::fs::remove_file(&file).unwrap();
    let error = block_on(repository.blob(&layer, &file, &|_| ())).unwrap_err().to_string();
    assert!(error.contains("was changed or damaged") && !file.exists(), "{error}");
}

#[test]
fn a_full_disk_is_said_in_one_line() {
    let registry = OciRegistry::start();
    let author = Author::new();
    let (repository, layer) = published(&registry, &author);
    // a file that accepts no data, like one on a full disk
    let error =
        block_on(repository.blob(&layer, Path::new("/dev/full"), &|_| ())).unwrap_err().to_string();
    assert!(error.starts_with("cannot write /dev/full: No space left on device"), "{error}");
}
