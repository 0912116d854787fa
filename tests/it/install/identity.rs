//! Signatures by an identity instead of a key.

use pallet_core::distribution::artifact::{Descriptor, media};
use pallet_core::distribution::repository::{Content, Reference};
use pallet_tests::{OciRegistry, Sigstore};

use super::*;

const CI: &str = "https://ci.example";
const RELEASE: &str = "https://git.example/acme/greet/.ci/release.yml@refs/tags";

/// Publishes a plugin and returns the digest of its index, in hexadecimal.
fn published(source: &str, version: &'static str) -> String {
    let index = Plugin::new("greet", version).publish(source, None).index;
    index.to_string().trim_start_matches("sha256:").to_owned()
}

/// Attaches a bundle to an index, as cosign does it.
fn attach(source: &str, index: &str, bundle: &Value) {
    let source: Source = source.parse().unwrap();
    block_on(async {
        let repository = open(
            &source.of_plugin(pallet_core::model::PluginKind::Crate, "greet"),
            &Access::default(),
        )
        .await
        .unwrap();
        let index = format!("sha256:{index}").parse().unwrap();
        let (subject, _) = repository.manifest(&Reference::Digest(index)).await.unwrap();
        let content = bundle.to_string().into_bytes();
        let blob = Descriptor::of(media::BUNDLE, &content);
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media::MANIFEST, "artifactType": media::BUNDLE,
            "config": Descriptor::of(media::EMPTY, b"{}"), "layers": [&blob], "subject": subject,
        })
        .to_string();
        let descriptor = Descriptor {
            artifact_type: Some(media::BUNDLE.to_owned()),
            ..Descriptor::of(media::MANIFEST, manifest.as_bytes())
        };
        repository
            .put_blob(&Descriptor::of(media::EMPTY, b"{}"), Content::Bytes(b"{}"))
            .await
            .unwrap();
        repository.put_blob(&blob, Content::Bytes(&content)).await.unwrap();
        repository.put_referrer(&index, &descriptor, manifest.as_bytes()).await.unwrap();
    });
}

/// A project that believes an instance, and trusts these identities of [`CI`].
fn project(sigstore: &Sigstore, identities: &[&str]) -> Project {
    let project = super::project(&[]);
    project.write("root.json", sigstore.trusted_root());
    let signers: Vec<_> = identities
        .iter()
        .map(|identity| format!("{{ identity = \"{identity}\", issuer = \"{CI}\" }}"))
        .collect();
    project.write(
        "pallet.toml",
        format!(
            "[trust]\n\"*\" = [{}]\n[sigstore]\n\
        trusted_root = \"root.json\"\n",
            signers.join(", ")
        ),
    );
    project
}

#[test]
fn what_a_trusted_identity_signed_is_installed() {
    let registry = OciRegistry::start();
    let sigstore = Sigstore::new();
    let place = registry.source("acme");
    let index = published(&place, "1.0.0");
    attach(&place, &index, &sigstore.sign(&index, &format!("{RELEASE}/v1.0.0"), CI));
    let project = project(&sigstore, &["somebody@acme.example", &format!("{RELEASE}/*")]);
    let words = format!("signed by {RELEASE}/v1.0.0 (issuer {CI})");
    project
        .run(&["install", &registry.source("acme/crate/greet")])
        .exits(0)
        .says(&words)
        .never_says("accepted");
    let line = format!("signer = {{ identity = \"{RELEASE}/v1.0.0\", issuer = \"{CI}\" }}\n");
    assert!(read(&project, "pallet.lock").contains(&line), "{}", read(&project, "pallet.lock"));
    project.run(&["list"]).exits(0).says(&words);
    project.run(&["crates"]).exits(0).says(&words);
    project.run(&["verify"]).exits(0);
    // the same workflow on another tag is the same signer if one rule matches both
    let index = published(&place, "1.1.0");
    attach(&place, &index, &sigstore.sign(&index, &format!("{RELEASE}/v1.1.0"), CI));
    project.run(&["update"]).exits(0).says(&format!(
        "greet 1.0.0 -> 1.1.0 from {}; signed by {RELEASE}/v1.1.0",
        registry.source("acme/crate/greet")
    ));
    // from the lock, in an empty home
    std::fs::remove_dir_all(data(&project)).unwrap();
    project.run(&["install", "--locked"]).exits(0);
    project.run(&["verify"]).exits(0);
}

#[test]
fn another_identity_or_issuer_is_nobody() {
    let (_directory, source) = layout();
    let sigstore = Sigstore::new();
    let index = published(&source, "1.0.0");
    attach(
        &source,
        &index,
        &sigstore.sign(&index, "release@acme.example", "https://elsewhere.example"),
    );
    let plugin = format!("{source}#crate/greet");
    let words = [
        "is signed by release@acme.example (issuer https://elsewhere.example), which is not \
            trusted",
        "--accept-identity",
    ];
    refuses(&project(&sigstore, &["other@acme.example"]), &["install", &plugin], &words);
    refuses(&project(&sigstore, &["release@acme.example"]), &["install", &plugin], &words);
}

#[test]
fn an_unknown_identity_needs_a_decision_that_is_recorded() {
    let (_directory, source) = layout();
    let sigstore = Sigstore::new();
    let sign = |version, identity| {
        let index = published(&source, version);
        attach(&source, &index, &sigstore.sign(&index, identity, CI));
    };
    sign("1.0.0", "release@acme.example");
    let plugin = format!("{source}#crate/greet");
    let project = project(&sigstore, &[]);
    refuses(&project, &["install", &plugin, "--accept-unsigned"], &["which is not trusted"]);
    refuses(
        &project,
        &["install", &plugin, "--accept-identity", "other@acme.example", "--accept-issuer", CI],
        &["is signed by release@acme.example"],
    );
    refuses(
        &project,
        &["install", &plugin, "--accept-identity", "*", "--accept-issuer", CI],
        &["--accept-identity *", "matches everybody"],
    );
    project
        .run(&["install", &plugin, "--accept-identity", "release@acme.example"])
        .exits(2)
        .says("--accept-issuer");
    let accept = ["--accept-identity", "release@acme.example", "--accept-issuer", CI];
    project
        .run(&[&["install", &plugin], &accept[..]].concat())
        .exits(0)
        .says("accepted explicitly");
    assert!(read(&project, "pallet.lock").contains("accepted = \"signer\"\n"));
    // the decision was for that identity
    sign("1.1.0", "release@acme.example");
    project.run(&["update"]).exits(0).says("greet 1.0.0 -> 1.1.0");
    sign("1.2.0", "other@acme.example");
    let changed = [
        "greet 1.2.0",
        "is signed by other@acme.example",
        "and 1.1.0 was signed by release@acme.example",
        "--accept-identity",
    ];
    refuses(&project, &["update"], &changed);
    // and a key is another signer too
    Plugin::new("greet", "1.3.0").publish(&source, Some(&key()));
    refuses(
        &project,
        &["update"],
        &[
            "greet 1.3.0",
            "is signed by key:",
            "and 1.1.0 was signed by release@acme.example",
            "--accept-signer",
        ],
    );
    published(&source, "1.4.0");
    refuses(
        &project,
        &["update", "--accept-unsigned"],
        &["greet 1.4.0", "is not signed, and 1.1.0 was signed by release@acme.example"],
    );
    assert_eq!(versions(&project), ["greet 1.1.0"]);
}

#[test]
fn a_certificate_must_hold_in_every_part() {
    let sigstore = Sigstore::new();
    let identity = "release@acme.example";
    let other = "0".repeat(64);
    let without = |index: &str, part: &str| {
        let mut bundle = sigstore.sign(index, identity, CI);
        let material = bundle["verificationMaterial"].as_object_mut().unwrap();
        match part {
            "tlogEntries" => drop(material.insert(part.to_owned(), json!([]))),
            part => drop(material["tlogEntries"][0].as_object_mut().unwrap().remove(part)),
        }
        bundle
    };
    // a log entry of another signature by the same identity
    let swapped = |index: &str| {
        let mut bundle = sigstore.sign(index, identity, CI);
        let theirs = sigstore.sign(index, identity, CI);
        bundle["verificationMaterial"]["tlogEntries"] =
            theirs["verificationMaterial"]["tlogEntries"].clone();
        bundle
    };
    let backdated = |index: &str| {
        let mut bundle = sigstore.sign_at(index, identity, CI, Sigstore::NOON + 2 * 86_400);
        bundle["verificationMaterial"]["tlogEntries"][0]["integratedTime"] =
            Sigstore::NOON.to_string().into();
        bundle
    };
    type Make<'a> = &'a dyn Fn(&str) -> Value;
    let cases: [(&str, Make<'_>); 8] = [
        (
            "issued its certificate for the time in the log: certificate chain validation \
             failed: InvalidSignature",
            &|index| {
                // its log is trusted, but its authority is not
                let mut bundle = Sigstore::new().sign(index, identity, CI);
                bundle["verificationMaterial"]["tlogEntries"] = sigstore.sign(index, identity, CI)
                    ["verificationMaterial"]["tlogEntries"]
                    .clone();
                bundle
            },
        ),
        ("No log key valid", &|index| Sigstore::new().sign(index, identity, CI)),
        ("for the time in the log: certificate chain validation failed: CertExpired", &|index| {
            sigstore.sign_at(index, identity, CI, Sigstore::NOON + 2 * 86_400)
        }),
        ("inclusion promise", &backdated),
        ("it signs something else", &|_| sigstore.sign(&other, identity, CI)),
        ("it has no entry in a transparency log", &|index| without(index, "tlogEntries")),
        ("inclusion proof", &|index| without(index, "inclusionProof")),
        ("log entry does not match the bundle", &swapped),
    ];
    let (directory, source) = layout();
    let index = published(&source, "1.0.0");
    for (number, (why, make)) in cases.into_iter().enumerate() {
        let copy = directory.path().join(number.to_string());
        let mut cp = Command::new("cp");
        cp.arg("-a").arg(source.trim_start_matches("layout:")).arg(&copy);
        Process::start(cp, Duration::from_secs(60)).wait().exits(0);
        let source = format!("layout:{}", copy.display());
        attach(&source, &index, &make(&index));
        let project = project(&sigstore, &[identity]);
        let install = [
            "install",
            &format!("{source}#crate/greet"),
            "--accept-identity",
            identity,
            "--accept-issuer",
            CI,
            "--accept-unsigned",
        ];
        refuses(
            &project,
            &install,
            &["greet 1.0.0", "is signed by an invalid certificate", why, "[sigstore]"],
        );
    }
}

#[test]
fn a_trusted_root_is_read_when_it_is_named() {
    let (_directory, source) = layout();
    let sigstore = Sigstore::new();
    let index = published(&source, "1.0.0");
    attach(&source, &index, &sigstore.sign(&index, "release@acme.example", CI));
    let project = project(&sigstore, &["release@acme.example"]);
    let plugin = format!("{source}#crate/greet");
    // the public instance does not know this one
    let all = read(&project, "pallet.toml");
    project.write("pallet.toml", all.split("[sigstore]").next().unwrap());
    refuses(&project, &["install", &plugin], &["an invalid certificate"]);
    project.write("pallet.toml", &all);
    project.write("root.json", "{}");
    refuses(&project, &["install", &plugin], &["root.json: ", "trusted root"]);
    std::fs::remove_file(project.directory().join("root.json")).unwrap();
    refuses(&project, &["install", &plugin], &["cannot read the trusted root", "root.json"]);
}

/// Mirrored plugins can be verified without a network.
#[test]
fn signatures_by_identities_are_mirrored() {
    let (_directory, source) = layout();
    let sigstore = Sigstore::new();
    let index = published(&source, "1.0.0");
    attach(&source, &index, &sigstore.sign(&index, "release@acme.example", CI));
    let project = project(&sigstore, &["release@acme.example"]);
    project.run(&["install", &format!("{source}#crate/greet")]).exits(0);
    let mirror = project.directory().join("mirror");
    project.run(&["mirror", mirror.to_str().unwrap()]).exits(0);
    project.write(
        "pallet.toml",
        read(&project, "pallet.toml")
            + &format!(
                "[mirrors]\n\
        \"{source}\" = \"layout:{}\"\n",
                mirror.display()
            ),
    );
    std::fs::remove_dir_all(data(&project)).unwrap();
    std::fs::remove_dir_all(source.trim_start_matches("layout:")).unwrap();
    project.run(&["install", "--locked", "--offline"]).exits(0);
    project.run(&["verify", "--offline"]).exits(0);
}
