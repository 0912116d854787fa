//! Files that the real sops encrypts, with a key of age.

// there is no package of sops for other processors
#![cfg(target_arch = "x86_64")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pallet_tests::{Bed, Process, Programs, Project};

use super::{on_node, with_secrets};

/// A file of a project, encrypted for a key of age.
fn encrypt(programs: &Programs, project: &Project, recipient: &str, name: &str, text: &str) {
    project.write(name, text);
    let mut command = Command::new("sops");
    command.args(["--encrypt", "--in-place", "--age", recipient, name]);
    command.env("PATH", programs.path()).current_dir(project.directory());
    Process::start(command, Duration::from_secs(60)).wait().exits(0);
    let encrypted = std::fs::read_to_string(project.directory().join(name)).unwrap();
    assert!(!encrypted.contains("hunter2"), "{encrypted}");
}

fn identity(file: &Path) -> String {
    use age::secrecy::ExposeSecret;
    let key = age::x25519::Identity::generate();
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, format!("{}\n", key.to_string().expose_secret())).unwrap();
    key.to_public().to_string()
}

#[test]
fn every_format_is_decrypted() {
    let bed = Bed::of(1);
    let programs = Programs::installed();
    let secrets = [
        ("yaml", "{ sops = \"prod.yaml\", key = \"db.password\" }"),
        ("list", "{ sops = \"prod.yaml\", key = \"db.ports.1\" }"),
        ("json", "{ sops = \"prod.json\", key = \"token\" }"),
        ("dotenv", "{ sops = \"prod.env\", key = \"PASSWORD\" }"),
        ("ini", "{ sops = \"prod.ini\", key = \"db.password\" }"),
        ("binary", "{ sops = \"prod.key\" }"),
    ];
    let project = with_secrets(&bed, &secrets, "").set("PATH", programs.path());
    let recipient = identity(&project.home().join(".config/sops/age/keys.txt"));
    let write = |name, text| encrypt(&programs, &project, &recipient, name, text);
    write("prod.yaml", "db:\n  password: yaml-hunter2\n  ports: [1, 5432]\nflag: true\n");
    write("prod.json", "{\"token\": \"json-hunter2\"}\n");
    write("prod.env", "# note\nPASSWORD=env-hunter2\n");
    write("prod.ini", "[db]\npassword = ini-hunter2\n");
    write("prod.key", "-----BEGIN\nkey-hunter2\n-----END\n");
    project.run(&["check"]).exits(0);
    project.run(&["lift"]).exits(0).never_says("hunter2");
    let values = secrets.map(|(name, _)| on_node(&bed, name));
    assert_eq!(
        values,
        [
            "yaml-hunter2",
            "5432",
            "json-hunter2",
            "env-hunter2",
            "ini-hunter2",
            "-----BEGIN\nkey-hunter2\n-----END"
        ]
    );

    // a value that somebody replaced without the key
    let file = project.directory().join("prod.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("ports:", "doors:")).unwrap();
    project.run(&["lift"]).exits(1).says("secret yaml: sops cannot decrypt the sops file ");
    std::fs::write(&file, text).unwrap();
    project.edit("pallet.toml", "key = \"token\"", "key = \"tokem\"");
    project.run(&["lift"]).exits(1).says("it has no key `tokem`; did you mean `token`?");
}

#[test]
fn what_is_missing_is_said() {
    let bed = Bed::of(1);
    let programs = Programs::installed();
    let secrets = [("app", "{ sops = \"prod.yaml\", key = \"a\" }")];
    let project = with_secrets(&bed, &secrets, "");
    let keys = project.home().join("keys.txt");
    let recipient = identity(&keys);
    encrypt(&programs, &project, &recipient, "prod.yaml", "a: hunter2\n");
    let error = "the program sops decrypts the sops file ";
    let project = project.set("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    project.run(&["lift"]).exits(1).says(error).says("install it from https://getsops.io");
    let project = project.set("PATH", programs.path());
    project.run(&["lift"]).exits(1).says("sops cannot decrypt").says("Failed to get the data key");
    let project = project.set("SOPS_AGE_KEY_FILE", &keys);
    project.run(&["lift"]).exits(0).never_says("hunter2");
    assert_eq!(on_node(&bed, "app"), "hunter2");
}
