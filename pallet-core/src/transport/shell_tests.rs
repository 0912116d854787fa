//! Tests of scripts and files over real shells on this machine, with a fake `sudo`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use expect_test::expect;

use super::super::{Become, put, run_script};
use super::super::{ConnectSettings, Exec, Input, InputPart, Secret, Stream, TransportError};

/// A transport that finds `sudo` in `directory` first, in a shell that prints noise at login.
fn here(directory: &Path) -> Exec {
    let path = format!("PATH={}:/usr/bin:/bin", directory.display());
    let greet = "echo welcome; echo 'mail!' >&2; exec \"$@\"";
    let prefix = ["env", &path, "sh", "-c", greet, "sh"].map(str::to_owned);
    Exec::new(&prefix, &ConnectSettings::default()).expect("the prefix is not empty")
}

/// Installs a fake `sudo` with the text `script`. It drops its own options.
fn sudo(directory: &Path, script: &str) {
    let skip = "for word; do shift; [ \"$word\" = -- ] && break; done\n";
    let file = directory.join("sudo");
    fs::write(&file, format!("#!/bin/sh\n{script}\n{skip}exec \"$@\"\n")).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("executable");
}

async fn run(
    transport: &mut Exec,
    as_: &Become,
    script: &str,
) -> Result<(i32, String), TransportError> {
    let mut text = String::new();
    let code = run_script(transport, as_, script, &mut |stream, bytes| {
        text.push_str(if stream == Stream::Out { "out: " } else { "err: " });
        text.push_str(&String::from_utf8_lossy(bytes));
    })
    .await?;
    Ok((code, text))
}

fn password() -> Become {
    Become::Root(Some(Secret::new("rm -rf it's \"mine\"")))
}

#[tokio::test]
async fn a_script_sees_no_noise_and_cannot_read_itself() {
    let dir = tempfile::tempdir().expect("a directory");
    let script = "cat\nread line || echo 'no input'\ncat <<'END'\nit's $here\nEND\nexit 7";
    let (code, text) = run(&mut here(dir.path()), &Become::Login, script).await.expect("it runs");
    assert_eq!(code, 7);
    assert_eq!(text.replace("out: ", ""), "no input\nit's $here\n");
    assert_eq!(
        run(&mut here(dir.path()), &Become::Login, "").await.expect("it runs"),
        (0, String::new())
    );
}

#[tokio::test]
async fn half_a_script_runs_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let witness = dir.path().join("witness");
    // Input as a broken connection leaves it: a compound command without its end.
    let half = format!("touch {}\nif true; then", witness.display());
    let (code, _) = run(&mut here(dir.path()), &Become::Login, &half).await.expect("sh runs");
    assert_ne!(code, 0);
    assert!(!witness.exists());
}

#[tokio::test]
async fn the_password_is_read_by_sudo_or_by_nobody() {
    let dir = tempfile::tempdir().expect("a directory");
    for script in ["IFS= read -r given; [ \"$given\" = 'rm -rf it'\\''s \"mine\"' ] || exit 1", ":"]
    {
        sudo(dir.path(), script);
        let (code, text) =
            run(&mut here(dir.path()), &password(), "echo ran").await.expect("it runs");
        assert_eq!((code, text.as_str()), (0, "out: ran\n"));
    }
    sudo(dir.path(), ":");
    let (code, text) =
        run(&mut here(dir.path()), &Become::Root(None), "echo ran").await.expect("it runs");
    assert_eq!((code, text.as_str()), (0, "out: ran\n"));
}

#[tokio::test]
async fn what_keeps_from_becoming_root_is_said() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut text = String::new();
    for said in [
        "sudo: a password is required",
        "sudo: 3 incorrect password attempts",
        "bob is not in the sudoers file.  This incident will be reported.",
        "sudo: sorry, you must have a tty to run sudo",
        "sudo: PAM account management error",
    ] {
        sudo(dir.path(), &format!("echo '{said}' >&2; exit 1"));
        let error =
            run(&mut here(dir.path()), &password(), "echo ran").await.expect_err("sudo refuses");
        assert!(matches!(error, TransportError::Become { .. }));
        text.push_str(&format!("{error}\n"));
    }
    let path = ["env", &format!("PATH={}", dir.path().display())].map(str::to_owned);
    fs::remove_file(dir.path().join("sudo")).expect("removed");
    for tool in ["sh", "env"] {
        let real = ["/bin", "/usr/bin"]
            .map(|bin| Path::new(bin).join(tool))
            .into_iter()
            .find(|path| path.exists())
            .expect("exists");
        std::os::unix::fs::symlink(real, dir.path().join(tool)).expect("linked");
    }
    let mut bare = Exec::new(&path, &ConnectSettings::default()).expect("the prefix is not empty");
    text.push_str(&run(&mut bare, &password(), "echo ran").await.expect_err("no sudo").to_string());
    expect![[r#"
        cannot become root on env: sudo needs a password: set `sudo_password` in [admin_user] of pallet.toml, such as `sudo_password = { env = "SUDO_PASSWORD" }`, or allow NOPASSWD in sudoers
        cannot become root on env: sudo refused the password: give the login user's own
        cannot become root on env: sudoers does not permit the login user: add a rule there, or log in as another user
        cannot become root on env: sudo needs a terminal: remove `requiretty` from sudoers for the login user
        cannot become root on env: sudo: PAM account management error (exit code 1)
        cannot become root on env: there is neither sudo nor doas: log in as root, whose bootstrap installs sudo, or give root's password, for su"#]]
    .assert_eq(&text);
}

#[tokio::test]
async fn a_login_without_a_shell_is_said() {
    let prefix =
        ["sh", "-c", "echo 'This account is currently not available.'; exit 1"].map(str::to_owned);
    let mut nologin =
        Exec::new(&prefix, &ConnectSettings::default()).expect("the prefix is not empty");
    let error = run(&mut nologin, &Become::Login, "echo ran").await.expect_err("no shell");
    expect!["cannot run a command on sh: This account is currently not available. (exit code 1)"]
        .assert_eq(&error.to_string());
}

#[tokio::test]
async fn puts_a_file() {
    let dir = tempfile::tempdir().expect("a directory");
    sudo(dir.path(), ":");
    let source = dir.path().join("source");
    fs::write(&source, vec![b'z'; 3_000_000]).expect("written");
    let target = dir.path().join("new dir/it's here");
    for as_ in [Become::Login, password()] {
        let input =
            Input(vec![InputPart::Bytes(b"#pallet\n".to_vec()), InputPart::File(source.clone())]);
        put(&mut here(dir.path()), &as_, &target.to_string_lossy(), input)
            .await
            .expect("it is put");
        let content = fs::read(&target).expect("it is there");
        assert_eq!((content.len(), &content[..9]), (3_000_008, b"#pallet\nz".as_slice()));
        let mode =
            |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&target), mode(target.parent().expect("has a parent"))), (0o600, 0o700));
        fs::remove_dir_all(target.parent().expect("has a parent")).expect("removed");
    }
}

#[tokio::test]
async fn a_full_disk_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let cat = dir.path().join("cat");
    fs::write(&cat, "#!/bin/sh\nhead -c 3\nexec /bin/cat >/dev/full\n").expect("written");
    fs::set_permissions(&cat, fs::Permissions::from_mode(0o755)).expect("executable");
    let target = dir.path().join("file");
    let error =
        put(&mut here(dir.path()), &Become::Login, &target.to_string_lossy(), "content".into())
            .await
            .expect_err("it is full");
    let text = error.to_string().replace(&dir.path().display().to_string(), "/dir");
    expect!["cannot write /dir/file on env: no space left on the device: 7 bytes are needed"]
        .assert_eq(&text);
    assert!(!target.exists() && !dir.path().join("file.part").exists());
}

#[tokio::test]
async fn content_that_does_not_arrive_whole_is_not_put() {
    let dir = tempfile::tempdir().expect("a directory");
    let cat = dir.path().join("cat");
    fs::write(&cat, "#!/bin/sh\nhead -c 3\n").expect("written");
    fs::set_permissions(&cat, fs::Permissions::from_mode(0o755)).expect("executable");
    let target = dir.path().join("file");
    let error =
        put(&mut here(dir.path()), &Become::Login, &target.to_string_lossy(), "content".into())
            .await
            .expect_err("cut off");
    assert!(error.to_string().ends_with("the content arrived incomplete"), "{error}");
    assert!(!target.exists() && !dir.path().join("file.part").exists());
}
