//! Mirrors: complete directories, and pull-through directories; and installation without a network.

use pallet_tests::OciRegistry;

use super::*;

fn published(key: &SigningKey) -> (OciRegistry, String) {
    let registry = OciRegistry::start();
    let prefix = registry.source("acme");
    Plugin::new("site", "1.0.0").requires("greet", "^1").publish(&prefix, Some(key));
    Plugin::new("greet", "1.2.0").publish(&prefix, Some(key));
    let source = registry.source("acme/crate/site");
    (registry, source)
}

#[test]
fn a_mirror_is_complete_and_needs_no_network() {
    let key = key();
    let (registry, source) = published(&key);
    let project = project(&[&key]);
    project.run(&["install", &source]).exits(0);
    let mirror = project.home().join("mirror");
    let place = mirror.to_str().unwrap();
    project
        .run(&["mirror", place])
        .exits(0)
        .says("greet 1.2.0 from oci://")
        .says(&format!("\"oci://{}\" = \"layout:{place}\"", registry.host()));
    project.run(&["mirror", place]).exits(0).says("(0 bytes new)");
    let host = registry.host();
    drop(registry);

    // a machine with only the project and the mirror
    std::fs::remove_dir_all(data(&project)).unwrap();
    refuses(
        &project,
        &["install", "--offline"],
        &["greet 1.2.0", "is not in the store", "--offline"],
    );
    project.write(
        "pallet.toml",
        read(&project, "pallet.toml")
            + &format!(
                "[mirrors]\n\
        \"oci://{host}\" = \"layout:{place}\"\n"
            ),
    );
    project.run(&["install", "--offline", "--locked"]).exits(0).says("2 of them now");
    project.run(&["verify"]).exits(0);
    project.run(&["check"]).exits(0);

    // and one with only the mirror: versions are still resolved, and signatures checked
    let fresh = super::project(&[&key]);
    fresh.write(
        "pallet.toml",
        read(&fresh, "pallet.toml")
            + &format!(
                "[mirrors]\n\
        \"oci://{host}/acme\" = \"layout:{place}#acme\"\n"
            ),
    );
    fresh.run(&["install", &source, "--offline"]).exits(0).says("signed by key:");
    assert_eq!(versions(&fresh), ["greet 1.2.0", "site 1.0.0"]);
    assert_eq!(locked(&fresh)[1]["source"], source);
    let distrustful = super::project(&[&super::key()]);
    distrustful.write(
        "pallet.toml",
        read(&distrustful, "pallet.toml")
            + &format!(
                "[mirrors]\n\
        \"oci://{host}\" = \"layout:{place}\"\n"
            ),
    );
    refuses(&distrustful, &["install", &source, "--offline"], &["which is not trusted"]);
    fresh
        .run(&["search", "--in", &format!("oci://{host}/acme"), "--offline"])
        .exits(0)
        .says("greet")
        .says("1.2.0");
}

#[test]
fn a_mirror_that_pulls_through_keeps_what_it_got() {
    let key = key();
    let (registry, source) = published(&key);
    let project = project(&[&key]);
    let mirror = project.home().join("mirror");
    let place = mirror.to_str().unwrap();
    let table = format!(
        "[mirrors]\n\"oci://{}\" = {{ source = \"layout:{place}\", pull_through = true }}\n",
        registry.host()
    );
    project.write("pallet.toml", read(&project, "pallet.toml") + &table);
    refuses(&project, &["install", &source, "--offline"], &["is not in the store", "--offline"]);
    project.run(&["install", &source]).exits(0);
    drop(registry);
    for (home, more) in
        [(super::project(&[&key]), "--offline"), (super::project(&[&key]), "--accept-unsigned")]
    {
        home.write("pallet.toml", read(&home, "pallet.toml") + &table);
        home.run(&["install", &source, more]).exits(0).says("signed by key:");
        assert_eq!(versions(&home), ["greet 1.2.0", "site 1.0.0"]);
        home.run(&["verify"]).exits(0);
    }
}

#[test]
fn what_was_installed_once_is_installed_again_without_a_network() {
    let key = key();
    let (registry, source) = published(&key);
    let project = project(&[&key]);
    project.run(&["install", &source]).exits(0);
    drop(registry);
    let other = project.home().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("pallet.toml"), trust(&[&key])).unwrap();
    project.run_in(&other, &["install", &source, "--offline"]).exits(0).says("signed by key:");
    project.run_in(&other, &["verify", "--offline"]).exits(0).says("site 1.0.0: good");
    std::fs::write(other.join("pallet.toml"), trust(&[&super::key()])).unwrap();
    project.run_in(&other, &["verify", "--offline"]).exits(2).says("which is not trusted");
}
