//! Login shells that are not sh, and servers that allow one session at a time.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use pallet_core::transport::{
    Become, Input, InputPart, Secret, Stream, put, run_program, run_script,
};

use crate::server::{Server, say};

/// A server whose login shell is this one, with a `sudo` that wants `password` where it may ask.
fn server(shell: &str) -> Server {
    let server = Server::start_with(&format!(
        "ForceCommand exec {shell} -c \"$SSH_ORIGINAL_COMMAND\"\nSetEnv PATH=DIR:/usr/bin:/bin"
    ));
    let sudo = "#!/bin/sh\nfor word; do shift; case $word in -S) read -r word; [ \"$word\" = \
        \"it's a !\" ] || exit 1;; --) break;; esac; done\nexec \"$@\"\n";
    fs::write(server.path("sudo"), sudo).expect("written");
    fs::set_permissions(server.path("sudo"), fs::Permissions::from_mode(0o755))
        .expect("executable");
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_17_every_login_shell_runs_scripts_and_takes_files() {
    for shell in ["dash", "bash", "busybox sh", "tcsh", "fish"] {
        let server = server(shell);
        let mut node = server.connect().await;
        for as_ in [Become::Login, Become::Root(None), Become::Root(Some(Secret::new("it's a !")))]
        {
            let mut said = String::new();
            let mut hear = |stream: Stream, bytes: &[u8]| {
                if stream == Stream::Out {
                    said.push_str(&String::from_utf8_lossy(bytes));
                }
            };
            let script = "echo \"it's $((1 + 1))!\"\necho '#pallet'; printf '#'\nexit 9";
            let code = run_script(&mut *node, &as_, script, &mut hear)
                .await
                .unwrap_or_else(|error| panic!("{shell}: {error}"));
            assert_eq!((code, said.as_str()), (9, "it's 2!\n#pallet\n#"), "{shell}");

            let target = server.path("it's \"new\" \\ !/a\nb");
            let input = Input(vec![InputPart::Bytes(b"#pallet\ncontent".to_vec())]);
            put(&mut *node, &as_, &target.display().to_string(), input)
                .await
                .unwrap_or_else(|error| panic!("{shell}: {error}"));
            assert_eq!(fs::read(&target).expect("it is put"), b"#pallet\ncontent", "{shell}");
            fs::remove_file(&target).expect("removed");

            said.clear();
            let mut hear = |_: Stream, bytes: &[u8]| said.push_str(&String::from_utf8_lossy(bytes));
            let program = "a='x\\y!'\nif true; then\n  printf '%s\\n' \"$a\"\nfi\ncat";
            let code = run_program(&mut *node, &as_, program, "rest".into(), &mut hear)
                .await
                .expect("it runs");
            assert_eq!((code, said.as_str()), (0, "x\\y!\nrest"), "{shell}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_19_a_server_that_allows_one_session_at_a_time() {
    let server = Server::start_with("MaxSessions 1");
    let mut node = server.connect().await;
    for number in 0..30 {
        assert_eq!(say(&mut *node, &format!("echo {number}")).await, number.to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_script_leaves_running_does_not_hold_it_up() {
    let server = Server::start();
    let mut node = server.connect().await;
    for as_ in [Become::Login, Become::Login] {
        let started = std::time::Instant::now();
        let mut said = String::new();
        let mut hear = |_: Stream, bytes: &[u8]| said.push_str(&String::from_utf8_lossy(bytes));
        let code = run_script(&mut *node, &as_, "sleep 20 & echo started; exit 4", &mut hear)
            .await
            .expect("it runs");
        assert_eq!((code, said.as_str()), (4, "started\n"));
        assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
    }
    assert_eq!(say(&mut *node, "echo still here").await, "still here");
}
