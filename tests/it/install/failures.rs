//! Failures during installation: nothing is installed partially, and the next run continues.

use pallet_core::distribution::artifact::Descriptor;
use pallet_core::distribution::repository::{Reference, Repository};
use pallet_tests::{CutNetwork, Mounted, OciRegistry};

use super::*;

const BULK: usize = 6 << 20;

/// The layer of a plugin's only build.
fn layer(source: &str, version: &str) -> Descriptor {
    let source: Source = source.parse().unwrap();
    block_on(async {
        let repository: Box<dyn Repository> = open(&source, &Access::default()).await.unwrap();
        let reference = Reference::Version(version.parse().unwrap());
        let plugin = pallet_core::distribution::artifact::Plugin::read(&*repository, &reference)
            .await
            .unwrap();
        let target = plugin.targets.values().next().unwrap();
        target.parts(&*repository).await.unwrap().layer
    })
}

fn flip(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn a_tampered_layer_is_refused() {
    let registry = OciRegistry::start();
    let key = key();
    Plugin::new("greet", "1.0.0").publish(&registry.source("acme"), Some(&key));
    let source = registry.source("acme/crate/greet");
    let file = registry.blob(&layer(&source, "1.0.0").digest.to_string());
    let good = std::fs::read(&file).unwrap();
    flip(&file);
    let project = project(&[&key]);
    refuses(&project, &["install", &source], &["was changed or damaged", "nothing of it was used"]);
    std::fs::write(&file, good).unwrap();
    project.run(&["install", &source]).exits(0);
}

#[test]
fn a_tampered_index_is_refused() {
    let registry = OciRegistry::start();
    let key = key();
    let published = Plugin::new("greet", "1.0.0").publish(&registry.source("acme"), Some(&key));
    let source = registry.source("acme/crate/greet");
    let file = registry.blob(&published.index.to_string());
    let index = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, index.replace("\"dev.pallet.abi\":\"1\"", "\"dev.pallet.abi\":\"2\""))
        .unwrap();
    let project = project(&[&key]);
    // either the registry notices it, or the digest differs
    let output = project.run(&["install", &source]).exits(2);
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
    assert!(stored(&project).is_empty() && read(&project, "pallet.lock").is_empty(), "{output}");
    std::fs::write(&file, index).unwrap();
    project.run(&["install", &source]).exits(0);
}

#[test]
fn a_swapped_tag_is_refused() {
    let registry = OciRegistry::start();
    let key = key();
    let prefix = registry.source("acme");
    Plugin::new("greet", "1.0.0").publish(&prefix, Some(&key));
    Plugin::new("greet", "1.1.0").publish(&prefix, Some(&key));
    let source = registry.source("acme/crate/greet");
    let link =
        registry.content().join("repositories/acme/crate/greet/_manifests/tags/1.1.0/current/link");
    let good = std::fs::read(&link).unwrap();
    std::fs::write(&link, registry.tag("acme/crate/greet", "1.0.0")).unwrap();
    let project = project(&[&key]);
    refuses(&project, &["install", &source], &["1.1.0", "1.0.0"]);
    std::fs::write(&link, good).unwrap();
    project.run(&["install", &source]).exits(0);
    assert_eq!(versions(&project), ["greet 1.1.0"]);
    project.run(&["verify"]).exits(0);

    // the same version is published again with other content: it is signed, but not the locked one
    let before = registry.tag("acme/crate/greet", "1.1.0");
    std::fs::remove_dir_all(
        registry.content().join("repositories/acme/crate/greet/_manifests/tags/1.1.0"),
    )
    .unwrap();
    let again =
        Plugin::new("greet", "1.1.0").may(json!({"paths": ["/**"]})).publish(&prefix, Some(&key));
    let words =
        ["greet 1.1.0", "somebody replaced a published version", &before, &again.index.to_string()];
    refuses(&project, &["update"], &words);
    project.run(&["verify"]).exits(2).says("somebody replaced a published version");
    project.run(&["verify", "--offline"]).exits(0);
    // the locked content is installed, whatever the tag says
    std::fs::remove_dir_all(data(&project)).unwrap();
    project.run(&["install"]).exits(0);
    project.run(&["verify", "--offline"]).exits(0);
}

#[test]
fn a_registry_that_dies_in_the_middle_leaves_nothing_and_is_taken_up_again() {
    let registry = OciRegistry::start();
    let key = key();
    Plugin::new("greet", "1.0.0").bulky(BULK).publish(&registry.source("acme"), Some(&key));
    let network = CutNetwork::before(&registry.host());
    let source = format!("oci://{}/acme/crate/greet", network.host());
    let project = project(&[&key]);
    const CUT: u64 = 4 << 20;
    network.die_after(CUT);
    refuses(&project, &["install", &source], &[network.host()]);
    let partial: Vec<_> = std::fs::read_dir(data(&project).join("partial"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    let kept = partial[0].metadata().unwrap().len();
    assert!(partial.len() == 1 && kept > 1 << 20, "{kept} bytes of {CUT} were kept");

    network.revive();
    project.run(&["install", &source]).exits(0);
    let (passed, whole) = (network.passed(), layer(&source, "1.0.0").size);
    const OTHER_ANSWERS: u64 = 64 << 10;
    assert!(
        passed < whole - kept + OTHER_ANSWERS,
        "{passed} bytes came again, though {kept} of {whole} were there"
    );
    assert_eq!(std::fs::read_dir(data(&project).join("partial")).unwrap().count(), 0);
    project.run(&["verify"]).exits(0);
}

#[test]
fn a_full_disk_leaves_nothing() {
    let registry = OciRegistry::start();
    let key = key();
    Plugin::new("greet", "1.0.0").bulky(BULK).publish(&registry.source("acme"), Some(&key));
    let source = registry.source("acme/crate/greet");
    let project = project(&[&key]);
    std::fs::create_dir_all(data(&project)).unwrap();
    let small = Mounted::tmpfs(&data(&project), "4m");
    refuses(&project, &["install", &source], &["cannot write", "No space left on device"]);
    drop(small);
    // enough for the download, but not for the unpacked files
    let small = Mounted::tmpfs(&data(&project), "9m");
    refuses(&project, &["install", &source], &["No space left on device"]);
    let left: Vec<_> = std::fs::read_dir(data(&project).join("store/sha256")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    drop(small);
    project.run(&["install", &source]).exits(0);
}

#[test]
fn several_at_once_install_each_plugin_once() {
    let registry = OciRegistry::start();
    let key = key();
    let prefix = registry.source("acme");
    Plugin::new("greet", "1.0.0").bulky(BULK).publish(&prefix, Some(&key));
    for name in ["one", "two", "three"] {
        Plugin::new(name, "1.0.0").requires("greet", "^1").publish(&prefix, Some(&key));
    }
    let network = CutNetwork::before(&registry.host());
    let source = |name: &str| format!("oci://{}/acme/crate/{name}", network.host());
    // in one project, each with a plugin of its own
    let project = project(&[&key]);
    let running: Vec<_> =
        ["one", "two", "three"].map(|name| project.start(&["install", &source(name)])).into();
    for process in running {
        process.wait().exits(0);
    }
    assert_eq!(versions(&project), ["greet 1.0.0", "one 1.0.0", "three 1.0.0", "two 1.0.0"]);
    project.run(&["verify"]).exits(0);
    let toml = read(&project, "pallet.toml");
    assert!(["one = {", "two = {", "three = {"].iter().all(|line| toml.contains(line)), "{toml}");

    // in several projects of one user, which share a store
    std::fs::remove_dir_all(data(&project)).unwrap();
    network.revive();
    let other = |name: &str| {
        let directory = project.home().join(name);
        std::fs::create_dir(&directory).unwrap();
        for file in ["pallet.toml", "pallet.lock"] {
            std::fs::copy(project.directory().join(file), directory.join(file)).unwrap();
        }
        directory
    };
    let directories = ["a", "b", "c"].map(other);
    std::thread::scope(|scope| {
        for directory in &directories {
            scope.spawn(|| project.run_in(directory, &["install"]).exits(0));
        }
    });
    assert_eq!(stored(&project).len(), 4);
    assert!(
        network.passed() < 2 * BULK as u64,
        "{} bytes came, though one of them is enough",
        network.passed()
    );
}

#[test]
fn a_build_for_other_machines_is_passed_over() {
    let (directory, source) = layout();
    let key = key();
    Plugin::new("greet", "1.0.0").publish(&source, Some(&key));
    let release = {
        let directory = tempfile::tempdir().unwrap();
        let file = Plugin::new("greet", "1.1.0").library(directory.path());
        let mut bytes = std::fs::read(&file).unwrap();
        const AARCH64: u8 = 183;
        bytes[18] = AARCH64;
        std::fs::write(&file, bytes).unwrap();
        let manifest = json!({"name": "greet", "version": "1.1.0", "functions": []});
        Release::new(&[Build::read(&file).unwrap()], &manifest, &Details::default()).unwrap()
    };
    let place: Source = format!("{source}#crate/greet").parse().unwrap();
    block_on(async {
        let repository = open(&place, &Access::default()).await.unwrap();
        Publishing::plan(&*repository, &release, Some(&key))
            .await
            .unwrap()
            .run(&*repository, &|_| ())
            .await
            .unwrap()
    });
    let project = project(&[&key]);
    let whole = format!("{source}#crate/greet");
    project.run(&["install", &whole]).exits(0).says(
        "greet 1.1.0 is skipped: it has no build for x86_64-unknown-linux-gnu, only for aarch64",
    );
    assert_eq!(versions(&project), ["greet 1.0.0"]);
    refuses(
        &project,
        &["install", &format!("{whole}@1.1")],
        &["no version of crate greet is suitable", "1.1.0 has no build for"],
    );

    // a version that gains a build is the same version
    Plugin::new("greet", "1.1.0").publish(&source, Some(&key));
    project.run(&["update"]).exits(0).says("greet 1.0.0 -> 1.1.0");
    drop(directory);
}

/// Every blob of a layout in a directory.
fn blobs(layout: &Path) -> Vec<std::path::PathBuf> {
    let mut blobs: Vec<_> = std::fs::read_dir(layout.join("blobs/sha256"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    blobs.sort();
    blobs
}

#[test]
fn fault_32_whatever_is_changed_of_an_artifact_is_noticed() {
    let key = key();
    let (_directory, source) = layout();
    Plugin::new("greet", "1.0.0").publish(&source, Some(&key));
    let place = Path::new(source.strip_prefix("layout:").unwrap()).to_owned();
    let source = format!("{source}#crate/greet");
    let installed = project(&[&key]);
    installed.run(&["install", &source]).exits(0);
    installed.run(&["verify"]).exits(0).says("greet 1.0.0: good");
    // the index, the manifest, plugin.json and the files; the signature's manifest, its empty
    // configuration, and itself
    let blobs = blobs(&place);
    assert_eq!(blobs.len(), 7);
    for blob in &blobs {
        let good = std::fs::read(blob).unwrap();
        for changed in [0, good.len() / 2, good.len()] {
            let mut bytes = good.clone();
            match bytes.get_mut(changed) {
                Some(byte) => *byte ^= 1,
                None => bytes.push(b' '),
            }
            std::fs::write(blob, bytes).unwrap();
            let fresh = project(&[&key]);
            refuses(&fresh, &["install", &source], &[]);
            let digest = blob.file_name().unwrap().to_str().unwrap();
            installed.run(&["verify"]).exits(2).says("greet 1.0.0: ").says(&digest[..12]);
        }
        std::fs::write(blob, good).unwrap();
    }
    installed.run(&["verify"]).exits(0).says("greet 1.0.0: good");

    // one that is missing is noticed as well
    for blob in &blobs {
        let good = std::fs::read(blob).unwrap();
        std::fs::remove_file(blob).unwrap();
        // other tools leave out the empty configuration of a signature
        let code = if good == b"{}" { 0 } else { 2 };
        installed.run(&["verify"]).exits(code);
        std::fs::write(blob, good).unwrap();
    }
}

#[test]
fn fault_32_a_mirror_is_repaired() {
    let key = key();
    let (_directory, source) = layout();
    Plugin::new("greet", "1.0.0").publish(&source, Some(&key));
    let project = project(&[&key]);
    project.run(&["install", &format!("{source}#crate/greet")]).exits(0);
    let mirror = project.home().join("mirror");
    project.run(&["mirror", mirror.to_str().unwrap()]).exits(0);
    let good: Vec<_> =
        blobs(&mirror).into_iter().map(|blob| (std::fs::read(&blob).unwrap(), blob)).collect();
    assert_eq!(good.len(), 7);
    for (content, blob) in &good {
        std::fs::write(blob, "changed").unwrap();
        project.run(&["mirror", mirror.to_str().unwrap()]).exits(0);
        assert!(std::fs::read(blob).unwrap() == *content, "{} is not as it was", blob.display());
    }
}

#[test]
fn fault_32_what_a_plugin_may_do_is_told_from_what_was_locked() {
    let key = key();
    let (_directory, source) = layout();
    let may = |patterns: &str| json!({"paths": [patterns]});
    Plugin::new("greet", "1.0.0").may(may("/etc/greet/**")).publish(&source, Some(&key));
    let project = project(&[&key]);
    project
        .run(&["install", &format!("{source}#crate/greet")])
        .exits(0)
        .says("may do: paths /etc/greet/**");
    // the record in the store is changed to claim that the old version already had these
    // capabilities
    let library = Plugin::new("greet", "1.0.0").may(may("/**")).library(project.home());
    std::fs::copy(library, stored(&project)[0].join("libpallet_crate_greet.so")).unwrap();
    Plugin::new("greet", "1.1.0").may(may("/etc/**")).publish(&source, Some(&key));
    project.run(&["update"]).exits(0).says("may now do: paths /etc/**");
}

#[test]
fn fault_25_what_a_killed_command_left_is_removed_by_the_next_one() {
    let key = key();
    let (_directory, source) = layout();
    Plugin::new("greet", "1.0.0").publish(&source, Some(&key));
    let project = project(&[&key]);
    let left = [".pallet-0123456789abcdef", ".pallet-fedcba9876543210"];
    for command in
        [&["check"][..], &["verify"], &["install", format!("{source}#crate/greet").as_str()]]
    {
        left.iter().for_each(|name| project.write(name, "half"));
        project.write(".pallet-mine", "mine");
        project.run(command);
        for name in left {
            assert!(!project.directory().join(name).exists(), "{command:?} leaves {name}");
        }
        assert_eq!(read(&project, ".pallet-mine"), "mine");
    }
}
