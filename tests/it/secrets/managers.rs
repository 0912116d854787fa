//! Password managers that print secrets: pass, with a key of GnuPG.

use std::process::Command;
use std::time::Duration;

use pallet_tests::{Bed, Process};

use super::{on_node, with_secrets};

#[test]
fn pass_prints_secrets() {
    let bed = Bed::of(1);
    let secrets = [
        ("app", "{ command = \"pass show prod/app\" }"),
        ("db", "{ command = \"pass show prod/db | sed -n 2p\" }"),
        ("json", "{ command = \"pass show prod/json\", key = \"password\" }"),
    ];
    let project = with_secrets(&bed, &secrets, "");
    let gnupg = project.home().join(".gnupg");
    std::fs::create_dir(&gnupg).unwrap();
    std::fs::set_permissions(&gnupg, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let shell = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-ec", script]).env_clear().envs(project.variables());
        Process::start(command, Duration::from_secs(60)).wait().exits(0)
    };
    shell(
        "gpg --batch --quiet --passphrase '' --quick-generate-key ops@example.org\n\
         pass init ops@example.org\n\
         echo app-hunter2 | pass insert --echo prod/app\n\
         printf 'user\\ndb-hunter2\\n' | pass insert --multiline prod/db\n\
         echo '{\"password\": \"json-hunter2\"}' | pass insert --multiline prod/json",
    );
    project.run(&["lift"]).exits(0).never_says("hunter2");
    let values = ["app", "db", "json"].map(|name| on_node(&bed, name));
    assert_eq!(values, ["app-hunter2", "db-hunter2", "json-hunter2"]);
    project.edit("pallet.toml", "prod/app", "prod/none");
    let error = "secret app: the command \"pass show prod/none\" that should print a secret failed";
    project.run(&["lift"]).exits(1).says(error);
    shell("gpgconf --kill gpg-agent");
}
