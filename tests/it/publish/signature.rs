//! Signatures: attached where cosign looks for them, and verified with independent tools.

use pallet_core::distribution::repository::Repository;
use pallet_core::distribution::signature::{
    PublicKey, Signed, Signer, SignerRule, TrustedRoot, UntrustedSigner, verify,
};
use pallet_tests::OciRegistry;

use super::*;

fn public(key: &str) -> PublicKey {
    std::fs::read_to_string(format!("{key}.pub")).unwrap().parse().unwrap()
}

/// The signer of an index, if these keys are trusted.
pub(super) fn signed(repository: &dyn Repository, index: &str, keys: &[PublicKey]) -> Signed {
    let rules: Vec<SignerRule> = keys.iter().cloned().map(SignerRule::from).collect();
    block_on(verify(repository, &index.parse().unwrap(), &rules, &TrustedRoot::default())).unwrap()
}

fn by(key: &str) -> Signed {
    Signed::By(Signer::Key(public(key)))
}

/// The referrers of an index, from the fallback tag.
fn referrers(registry: &OciRegistry, index: &str) -> Vec<Value> {
    let list = registry.tag("acme/crate/greet", &index.replace(':', "-"));
    let list: Value =
        serde_json::from_slice(&std::fs::read(registry.blob(&list)).unwrap()).unwrap();
    list["manifests"].as_array().unwrap().clone()
}

#[test]
fn an_artifact_is_signed_and_verified() {
    let registry = OciRegistry::start();
    let author = Author::new();
    let key = author.key("key", &["--no-passphrase"]);
    let stranger = public(&author.key("stranger", &["--no-passphrase", "--algorithm", "ed25519"]));
    let library = author.library("greet.so", "0.1.0");
    let signer = public(&key).to_string();
    author
        .publish(&[&registry.source("acme"), "--dylib", &library, "--key", &key])
        .exits(0)
        .says(&signer)
        .never_says("warning");
    let source = registry.source("acme/crate/greet");
    let repository = repository(&source);
    let index = plugin(&source, "0.1.0").index;
    let found = |keys: &[PublicKey]| signed(repository.as_ref(), &index.to_string(), keys);
    assert_eq!(found(&[stranger.clone(), public(&key)]), by(&key));
    assert_eq!(found(&[stranger]), Signed::ByOthers(vec![UntrustedSigner::Key(signer)]));
    // this registry has no referrers API, so the fallback tag lists what cosign looks for
    let listed = referrers(&registry, &index.to_string());
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["artifactType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
    assert_eq!(listed[0]["annotations"]["dev.sigstore.bundle.content"], "dsse-envelope");
}

#[test]
fn a_signature_is_added_to_those_that_are_there() {
    let registry = OciRegistry::start();
    let author = Author::new();
    let (first, second) = (
        author.key("first", &["--no-passphrase"]),
        author.key("second", &["--no-passphrase", "--algorithm", "ed25519"]),
    );
    let library = author.library("greet.so", "0.1.0");
    let source = registry.source("acme");
    author.publish(&[&source, "--dylib", &library]).exits(0);
    let index = registry.tag("acme/crate/greet", "0.1.0");
    for key in [&first, &second] {
        author.publish(&[&source, "--dylib", &library, "--key", key]).exits(0);
        let error =
            fails_in_one_line(author.publish(&[&source, "--dylib", &library, "--key", key]));
        assert!(error.contains("already exists"), "{error}");
    }
    assert_eq!(registry.tag("acme/crate/greet", "0.1.0"), index);
    assert_eq!(referrers(&registry, &index).len(), 2);
    let repository = repository(&registry.source("acme/crate/greet"));
    for key in [first, second] {
        assert_eq!(signed(repository.as_ref(), &index, &[public(&key)]), by(&key));
    }
}

#[test]
fn a_target_of_a_signed_version_is_signed_too() {
    let registry = OciRegistry::start();
    let author = Author::new();
    let key = author.key("key", &["--no-passphrase"]);
    let source = registry.source("acme/crate/greet");
    author
        .publish(&[&source, "--dylib", &author.library("x86.so", "0.1.0"), "--key", &key])
        .exits(0);
    let arm = author.foreign_library("arm.so", "0.1.0");
    let error = fails_in_one_line(author.publish(&[&source, "--dylib", &arm]));
    assert!(error.contains("sign that too, with --key"), "{error}");
    author.publish(&[&source, "--dylib", &arm, "--key", &key]).exits(0);
    let index = plugin(&source, "0.1.0").index.to_string();
    assert_eq!(signed(repository(&source).as_ref(), &index, &[public(&key)]), by(&key));
}

#[test]
fn a_key_has_a_passphrase_unless_told_otherwise() {
    let author = Author::new();
    let error = fails_in_one_line(
        author.project.run(&["generate-key", author.file("a").to_str().unwrap()]),
    );
    assert!(
        error.contains("PALLET_KEY_PASSPHRASE") && error.contains("--no-passphrase"),
        "{error}"
    );
    let author = author.set("PALLET_KEY_PASSPHRASE", "three words here");
    let key = author.key("key", &[]);
    assert!(
        std::fs::read_to_string(&key).unwrap().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    );
    let library = author.library("greet.so", "0.1.0");
    let source = format!("layout:{}", author.file("layout").display());
    author.publish(&[&source, "--dylib", &library, "--key", &key]).exits(0);
    let author = author.set("PALLET_KEY_PASSPHRASE", "other words");
    let error = fails_in_one_line(author.publish(&[&source, "--dylib", &library, "--key", &key]));
    assert!(error.contains("the passphrase is wrong") && !error.contains("other words"), "{error}");
    let error = fails_in_one_line(author.project.run(&["generate-key", &key]));
    assert!(error.contains("keys are never overwritten"), "{error}");
}

/// OpenSSL reads the keys, and verifies the envelope's signature, without any code of Pallet.
#[test]
fn openssl_verifies_a_signature() {
    for algorithm in ["ecdsa-p256", "ed25519"] {
        let author = Author::new();
        let key = author.key("key", &["--no-passphrase", "--algorithm", algorithm]);
        let layout = author.file("layout");
        author
            .publish(&[
                &format!("layout:{}", layout.display()),
                "--dylib",
                &author.library("a.so", "0.1.0"),
                "--key",
                &key,
            ])
            .exits(0);
        let index: Value =
            serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
        let blob = |digest: &Value| -> Value {
            let hex = digest.as_str().unwrap().trim_start_matches("sha256:");
            serde_json::from_slice(&std::fs::read(layout.join("blobs/sha256").join(hex)).unwrap())
                .unwrap()
        };
        let entries = index["manifests"].as_array().unwrap();
        let signature = entries
            .iter()
            .find(|entry| entry["artifactType"] == "application/vnd.dev.sigstore.bundle.v0.3+json")
            .unwrap();
        let bundle = blob(&blob(&signature["digest"])["layers"][0]["digest"]);
        std::fs::write(
            author.file("payload.b64"),
            bundle["dsseEnvelope"]["payload"].as_str().unwrap(),
        )
        .unwrap();
        std::fs::write(
            author.file("sig.b64"),
            bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap(),
        )
        .unwrap();
        let mut shell = Command::new("sh");
        shell.current_dir(author.project.directory()).args(["-ec", VERIFY, "sh", algorithm]);
        Process::start(shell, Duration::from_secs(60)).wait().exits(0).says("Verified");
        let statement: Value =
            serde_json::from_slice(&std::fs::read(author.file("payload")).unwrap()).unwrap();
        let named = entries
            .iter()
            .find(|entry| {
                entry["annotations"]["org.opencontainers.image.ref.name"] == "crate/greet:0.1.0"
            })
            .unwrap();
        assert_eq!(
            format!("sha256:{}", statement["subject"][0]["digest"]["sha256"].as_str().unwrap()),
            named["digest"]
        );
    }
}

const VERIFY: &str = r#"
base64 -d payload.b64 >payload
base64 -d sig.b64 >sig
type=application/vnd.in-toto+json
{ printf 'DSSEv1 %s %s %s ' ${#type} $type "$(wc -c <payload)"; cat payload; } >message
case $1 in
ed25519) openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in message -sigfile sig && echo Verified ;;
*) openssl dgst -sha256 -verify key.pub -signature sig message ;;
esac
"#;
