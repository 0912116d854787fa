//! Signers, and decisions to accept plugins.

use pallet_tests::OciRegistry;

use super::*;

#[test]
fn what_nobody_signed_needs_a_decision_that_is_recorded() {
    let registry = OciRegistry::start();
    Plugin::new("greet", "1.0.0").publish(&registry.source("acme"), None);
    let source = registry.source("acme/crate/greet");
    let project = project(&[&key()]);
    refuses(
        &project,
        &["install", &source],
        &["greet 1.0.0 from oci://", "is not signed", "--accept-unsigned"],
    );
    project
        .run(&["install", &source, "--accept-unsigned"])
        .exits(0)
        .says("not signed, accepted explicitly");
    assert!(read(&project, "pallet.lock").contains("accepted = \"unsigned\"\n"));
    project.run(&["verify"]).exits(0);
    // the decision was for that version
    Plugin::new("greet", "1.1.0").publish(&registry.source("acme"), None);
    refuses(&project, &["update"], &["greet 1.1.0", "is not signed"]);
    project.run(&["update", "--accept-unsigned"]).exits(0);
}

#[test]
fn an_unknown_signer_needs_a_decision_that_is_recorded() {
    let registry = OciRegistry::start();
    let (signer, other) = (key(), key());
    Plugin::new("greet", "1.0.0").publish(&registry.source("acme"), Some(&signer));
    let source = registry.source("acme/crate/greet");
    let project = project(&[&other]);
    refuses(
        &project,
        &["install", &source],
        &["greet 1.0.0", &format!("is signed by {}", signer.public()), "which is not trusted"],
    );
    refuses(&project, &["install", &source, "--accept-unsigned"], &["which is not trusted"]);
    refuses(
        &project,
        &["install", &source, "--accept-signer", "gone.pub"],
        &["cannot read the public key gone.pub"],
    );
    refuses(
        &project,
        &["install", &source, "--accept-signer", "MFkwEw=="],
        &["--accept-signer MFkwEw==", "not a public key"],
    );
    project.write("signer.pub", signer.public().to_pem());
    let file = project.directory().join("signer.pub");
    let file = file.to_str().unwrap();
    project
        .run(&["install", &source, "--accept-signer", file])
        .exits(0)
        .says("accepted explicitly");
    assert!(read(&project, "pallet.lock").contains("accepted = \"signer\"\n"));
    // the decision was for that key
    Plugin::new("greet", "1.1.0").publish(&registry.source("acme"), Some(&signer));
    project.run(&["update"]).exits(0).says("greet 1.0.0 -> 1.1.0");
    project.run(&["verify"]).exits(0);
    Plugin::new("greet", "1.2.0").publish(&registry.source("acme"), Some(&other));
    refuses(
        &project,
        &["update"],
        &[
            "greet 1.2.0",
            &format!("1.1.0 was signed by {}", signer.public()),
            &other.public().to_string(),
        ],
    );
    Plugin::new("greet", "1.3.0").publish(&registry.source("acme"), None);
    refuses(
        &project,
        &["update", "--accept-unsigned"],
        &["greet 1.3.0", "is not signed, and 1.1.0 was signed by"],
    );
    assert_eq!(versions(&project), ["greet 1.1.0"]);
}

#[test]
fn keys_are_trusted_by_the_longest_prefix() {
    let (directory, source) = layout();
    let (all, ours) = (key(), key());
    Plugin::new("greet", "1.0.0").publish(&source, Some(&all));
    let project = Project::empty();
    let place = directory.path().join("plugins");
    project.write("keys/all.pub", all.public().to_pem());
    project.write("keys/ours.pub", ours.public().to_pem());
    project.write(
        "pallet.toml",
        format!(
            "[trust]\n\"*\" = \"keys/all.pub\"\n\
        \"layout:{}\" = [\"keys/ours.pub\"]\n",
            place.display()
        ),
    );
    refuses(&project, &["install", &format!("{source}#crate/greet")], &["which is not trusted"]);
    project.write(
        "pallet.toml",
        format!(
            "[trust]\n\"*\" = \"keys/all.pub\"\n\
        \"layout:{}x\" = [\"keys/ours.pub\"]\n",
            place.display()
        ),
    );
    project.run(&["install", &format!("{source}#crate/greet")]).exits(0);
    // a key that is no longer trusted
    project.edit("pallet.toml", "keys/all.pub", "keys/ours.pub");
    project.run(&["verify"]).exits(2).says("which is not trusted");
    project.write("pallet.toml", "[trust]\n\"*\" = \"keys/none.pub\"\n");
    refuses(&project, &["install"], &["keys/none.pub"]);
}

#[test]
fn a_changed_lock_gets_nothing_that_was_not_signed() {
    let (_directory, source) = layout();
    let (good, evil) = (key(), key());
    let first = Plugin::new("greet", "1.0.0").publish(&source, Some(&good));
    let (_other, elsewhere) = layout();
    let second = Plugin::new("greet", "1.0.0")
        .may(json!({"paths": ["/**"]}))
        .publish(&elsewhere, Some(&evil));
    let project = project(&[&good]);
    project.run(&["install", &format!("{source}#crate/greet")]).exits(0);
    std::fs::remove_dir_all(data(&project)).unwrap();
    // the source and the digest in the lock are modified
    let lock = read(&project, "pallet.lock");
    let changed = lock
        .replace(&source, &elsewhere)
        .replace(&first.index.to_string(), &second.index.to_string());
    project.write("pallet.lock", changed);
    project.edit("pallet.toml", &source, &elsewhere);
    let output = project.run(&["install"]).exits(2);
    output.says("and 1.0.0 was signed by").says(&evil.public().to_string());
    assert_eq!(stored(&project).len(), 0);
}
