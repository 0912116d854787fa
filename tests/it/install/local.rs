//! Plugins from files: libraries, directories, archives.

use super::*;

fn tar(directory: &Path, archive: &Path, options: &str) {
    let mut tar = Command::new("tar");
    tar.arg(options).arg(archive).arg("-C").arg(directory).arg(".");
    Process::start(tar, Duration::from_secs(60)).wait().exits(0);
}

#[test]
fn a_library_is_installed_by_its_digest() {
    let project = project(&[]);
    let library = Plugin::new("mine", "0.3.0").library(&project.directory());
    let library = library.to_str().unwrap();
    project
        .run(&["install", library])
        .exits(0)
        .says("+ mine 0.3.0 from file:libpallet_crate_mine.so")
        .says("everything: it declares no capabilities");
    assert!(
        read(&project, "pallet.lock").contains("\"x86_64-unknown-linux-gnu\" = { file = \"sha256:"),
        "{}",
        read(&project, "pallet.lock")
    );
    project.run(&["check"]).exits(0);
    project.run(&["install", "--locked"]).exits(0);
    project.run(&["verify"]).exits(0);
    // it is rebuilt, and differs from the locked one
    Plugin::new("mine", "0.3.0").may(json!({"paths": ["/srv"]})).library(&project.directory());
    project.run(&["verify"]).exits(0);
    std::fs::remove_dir_all(data(&project)).unwrap();
    let output = project.run(&["install"]).exits(2);
    output
        .says("file:libpallet_crate_mine.so: it is not what pallet.lock has")
        .says("`pallet-cli install` it again");
    project.run(&["install", library]).exits(0).says("~ mine 0.3.0");
    project.run(&["verify"]).exits(0);
    std::fs::write(library, "no library").unwrap();
    refuses(&project, &["install", library], &["is not a library"]);
}

#[test]
fn an_archive_of_a_layout_is_installed_with_its_signature() {
    let (directory, source) = layout();
    let key = key();
    Plugin::new("greet", "1.0.0").publish(&source, Some(&key));
    let project = project(&[&key]);
    let archive = project.directory().join("plugins.tar.gz");
    tar(&directory.path().join("plugins"), &archive, "-czf");
    let archive = archive.to_str().unwrap();
    project
        .run(&["install", archive])
        .exits(0)
        .says("+ greet 1.0.0 from archive:plugins.tar.gz#crate/greet; signed by key:");
    project.run(&["check"]).exits(0);
    std::fs::remove_dir_all(data(&project)).unwrap();
    project.run(&["install"]).exits(0);
    project.run(&["verify"]).exits(0);
    let distrustful = super::project(&[]);
    refuses(&distrustful, &["install", archive], &["which is not trusted"]);

    Plugin::new("other", "1.0.0").publish(&source, Some(&key));
    refuses(
        &distrustful,
        &["install", &source],
        &["it contains several plugins", "crate/greet, crate/other"],
    );
    let plain = project.directory().join("both.tar");
    tar(&directory.path().join("plugins"), &plain, "-cf");
    project.run(&["install", &format!("{}#crate/other", plain.display())]).exits(0);
}

#[test]
fn an_archive_of_a_plugin_is_installed_by_its_digest() {
    let files = tempfile::tempdir().unwrap();
    Plugin::new("mine", "0.3.0").library(files.path());
    std::fs::write(files.path().join("README.md"), "mine").unwrap();
    let project = project(&[]);
    let archive = project.directory().join("mine.tar");
    tar(files.path(), &archive, "-cf");
    project
        .run(&["install", archive.to_str().unwrap()])
        .exits(0)
        .says("+ mine 0.3.0 from archive:mine.tar");
    project.run(&["check"]).exits(0);
}

#[test]
fn what_leads_out_of_an_archive_is_refused() {
    let files = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc", files.path().join("etc")).unwrap();
    let project = project(&[]);
    let archive = project.directory().join("bad.tar");
    tar(files.path(), &archive, "-cf");
    refuses(
        &project,
        &["install", archive.to_str().unwrap()],
        &["etc in it is not a regular file", "nothing was unpacked"],
    );
    std::fs::write(&archive, "no archive").unwrap();
    refuses(
        &project,
        &["install", archive.to_str().unwrap()],
        &["bad.tar", "it is not a plugin archive"],
    );
}
