//! Secrets get to their place on the node, and nowhere else.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use pallet_tests::{Bed, Project};

use super::project;

/// The values, one for each source of secrets; the node already has old ones.
const SECRETS: [&str; 4] = ["env-it's-5Zr8", "file-k$2-9Qx1", "command-7Hq`3", "age-\"4Wm\"-6Tn"];
const OLD: &str = "old-secret-3Bv7";

const APP: &str = r##"
def configure(request):
    remote_file(request, "/srv/app.conf", content = "password = " + secret("from_env") + "\n", mode = "0600")
    remote_file(request, "/srv/rendered.conf", template = "app.conf.j2", values = {"password": secret("from_file")}, mode = "0600")
    line_in_file(request, "/srv/edited.conf", line = "token = " + secret("from_file"), match = "^token =")
    exec_script(request, "echo \"I have $PASSWORD\"; for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline || true; echo; done > /srv/processes 2>/dev/null; echo \"$PASSWORD\" | sha256sum > /srv/digest",
        environment = {"PASSWORD": secret("from_command")}, unless = "test -n \"$PASSWORD\" && test -e /srv/digest")
    exec_script(request, "printf %s '" + secret("from_age") + "' > /srv/inline; chmod 600 /srv/inline; echo '" + secret("from_age") + "'", creates = "/srv/inline")

group_spec("app", phases = {"configure": configure})
"##;

fn bed_project(bed: &Bed) -> Project {
    let project = project(bed, 1, "root", APP);
    let key = age::x25519::Identity::generate();
    let recipient = key.to_public();
    let encryptor =
        age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
            .expect("there is one");
    let mut encrypted = Vec::new();
    let mut writer = encryptor.wrap_output(&mut encrypted).expect("memory takes it");
    writer.write_all(SECRETS[3].as_bytes()).expect("memory takes it");
    writer.finish().expect("memory takes it");
    project.write("secrets/app.age", encrypted);
    use age::secrecy::ExposeSecret;
    project.write("identity.txt", format!("{}\n", key.to_string().expose_secret()));
    project.write("secrets/file", format!("{}\n", SECRETS[1]));
    project.write("secrets/command", SECRETS[2]);
    project.write("app.conf.j2", "password = {{ password }}\n");
    let secrets = "age_identities = [\"identity.txt\"]\n[secrets]\n\
        from_env = { env = \"APP_PASSWORD\" }\nfrom_file = { file = \"secrets/file\" }\n\
        from_command = { command = \"cat secrets/command\" }\n\
        from_age = { age = \"secrets/app.age\" }\n[admin_user]";
    project.edit("pallet.toml", "[admin_user]", secrets);
    project.set("APP_PASSWORD", SECRETS[0])
}

/// The files below a directory that contain one of the words.
fn holders(directory: &Path, words: &[&str], found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            holders(&path, words, found);
        } else if kind.is_file() {
            let content = fs::read(&path).unwrap_or_default();
            let holds =
                |word: &&&str| content.windows(word.len()).any(|part| part == word.as_bytes());
            if words.iter().any(|word| holds(&word))
                || words.iter().any(|word| {
                    path.as_os_str()
                        .as_bytes()
                        .windows(word.len())
                        .any(|part| part == word.as_bytes())
                })
            {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
}

#[test]
fn secrets_stand_only_where_they_are_meant_to() {
    let bed = Bed::of(1);
    let project = bed_project(&bed);
    bed.ssh(
        1,
        &format!(
            "echo 'password = {OLD}' > /srv/app.conf; echo 'token = {OLD}' > /srv/edited.conf"
        ),
    )
    .exits(0);
    let words: Vec<&str> = SECRETS.into_iter().chain([OLD]).collect();
    let mut printed = String::new();
    for (arguments, code) in [
        (&["lift", "--dry-run", "-v"][..], 0),
        (&["lift", "-vv"], 0),
        (&["lift", "--output", "json"], 0),
        (&["lift", "--drift-only", "-vv"], 0),
        // a failing script would show its output and its own text
        (
            &[
                "lift",
                "-vv",
                "-e",
                "exec_script(request, \"echo the word is $W >&2; echo $W | base64; exit 3\", \
                 environment = {\"W\": secret(\"from_file\")})",
            ],
            1,
        ),
        // an invalid argument
        (
            &[
                "lift",
                "-e",
                "remote_file(request, \"/srv/x\", content = \"\", mode = secret(\"from_env\"))",
            ],
            1,
        ),
        (
            &[
                "lift",
                "--output",
                "json",
                "-e",
                "directory(request, \"/srv/\" + secret(\"from_age\"))",
            ],
            0,
        ),
    ] {
        printed += &format!("{}", project.run(arguments).exits(code));
    }
    for word in &words {
        assert!(!printed.contains(word), "{word}:\n{printed}");
        let base64 = data_encoding(word);
        assert!(!printed.contains(&base64), "{word} as {base64}:\n{printed}");
    }
    assert!(printed.contains("***"), "{printed}");

    // on the node: only in the files that declare it
    let disk = bed.disk(1);
    let mut found = Vec::new();
    holders(&disk, &words, &mut found);
    let mut found: Vec<_> =
        found.iter().map(|path| path.strip_prefix(disk.to_str().unwrap()).unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, ["/srv/app.conf", "/srv/edited.conf", "/srv/inline", "/srv/rendered.conf"]);
    assert_eq!(
        fs::read_to_string(disk.join("srv/app.conf")).unwrap(),
        format!("password = {}\n", SECRETS[0])
    );
    assert_eq!(
        fs::read_to_string(disk.join("srv/rendered.conf")).unwrap(),
        format!("password = {}\n", SECRETS[1])
    );
    let processes = fs::read_to_string(disk.join("srv/processes")).unwrap();
    assert!(processes.contains("sshd") && processes.contains("sh "), "{processes}");

    // here: only where it came from
    let mut found = Vec::new();
    holders(project.home(), &words, &mut found);
    found.sort_unstable();
    let directory = project.directory();
    let own = ["secrets/command", "secrets/file"]
        .map(|file| directory.join(file).to_string_lossy().into_owned());
    assert_eq!(found, own);

    project.run(&["lift"]).exits(0).says("nothing to change on 1 node");
}

fn data_encoding(word: &str) -> String {
    let output = std::process::Command::new("sh")
        .args(["-c", "printf %s \"$0\" | base64", word])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim_end().trim_end_matches('=').to_owned()
}

#[test]
fn a_secret_that_cannot_be_had_is_one_clear_error() {
    let bed = Bed::of(1);
    let project = bed_project(&bed);
    let lift = |code: &str| project.run(&["lift", "-e", code]);
    lift("print(secret(\"from_evn\"))").exits(2).says("did you mean `from_env`?");
    let upper = lift("remote_file(request, \"/srv/x\", content = secret(\"from_env\").upper())");
    upper.exits(1).says("a secret was split or changed in the project");
    project.write("secrets/app.age", "damaged");
    lift("remote_file(request, \"/srv/x\", content = secret(\"from_age\"))")
        .exits(1)
        .says("secrets/app.age is not a file that is encrypted with age");
    project.edit("pallet.toml", "cat secrets/command", "cat secrets/none");
    lift("remote_file(request, \"/srv/x\", content = secret(\"from_command\"))")
        .exits(1)
        .says("\"cat secrets/none\" that should print a secret failed");
    project.edit("pallet.toml", "secrets/file", "secrets/nofile");
    lift("remote_file(request, \"/srv/x\", content = secret(\"from_file\"))")
        .exits(1)
        .says("secrets/nofile");
    project.edit("pallet.toml", "APP_PASSWORD", "NO_PASSWORD");
    let lost = lift("remote_file(request, \"/srv/x\", content = secret(\"from_env\"))").exits(1);
    lost.says(
        "secret from_env: the environment variable NO_PASSWORD that pallet.toml refers to is \
        not set",
    );
}

/// A file that was declared with a secret, and now without one: its old content is neither shown
/// nor kept.
#[test]
fn fault_26_a_file_that_held_a_secret_is_not_shown_later() {
    let bed = Bed::of(1);
    let with = "def configure(request):\n    remote_file(request, \"/srv/app.conf\", content = \
        \"exec app -pw=\" + secret(\"pw\") + \"\\n\")\n    line_in_file(request, \"/srv/list\", \
        line = \"pw=\" + secret(\"pw\"))\n\n\
        group_spec(\"app\", phases = {\"configure\": configure})\n";
    let project = project(&bed, 1, "root", with);
    project.edit(
        "pallet.toml",
        "[admin_user]",
        "[secrets]\npw = { file = \"secrets/pw\" }\n\
        [admin_user]",
    );
    project.write("secrets/pw", SECRETS[0]);
    bed.ssh(1, "printf 'a\\n' > /srv/list").exits(0);
    project.run(&["lift"]).exits(0);
    bed.ssh(1, &format!("grep -qF \"{}\" /srv/app.conf /srv/list", SECRETS[0])).exits(0);

    // the secret is no longer known
    project.edit("pallet.toml", "[secrets]\npw = { file = \"secrets/pw\" }\n", "");
    let without = "def configure(request):\n    remote_file(request, \"/srv/app.conf\", content = \
        \"exec app\\n\")\n    line_in_file(request, \"/srv/list\", line = \"b\")\n\n\
        group_spec(\"app\", phases = {\"configure\": configure})\n";
    project.write("pallet.star", without);
    for arguments in [
        &["lift", "--dry-run", "-v"][..],
        &["explain", "node1", "--script"],
        &["lift", "--output", "json"],
        &["lift", "--drift-only", "-vv"],
    ] {
        let output = project.run(arguments).exits(0);
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(!said.contains(SECRETS[0]) && !said.contains("5Zr8"), "{arguments:?}: {said}");
    }
    bed.ssh(1, "test \"$(cat /srv/app.conf)\" = 'exec app' && grep -qx b /srv/list").exits(0);
    bed.ssh(1, "! grep -rF 5Zr8 /var/lib/pallet").exits(0);
    // its replacement is shown; an edited file still contains the secret
    project.edit("pallet.star", "exec app", "exec the app");
    project.edit("pallet.star", "line = \"b\"", "line = \"c\"");
    let output = project.run(&["lift", "--dry-run"]).exits(0);
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(said.contains("- exec app") || said.contains("-exec app"), "{said}");
    assert!(!said.contains("5Zr8") && said.contains("it holds secrets"), "{said}");
}
