//! Commands: their input, output, and how they end.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use pallet_core::transport::{Become, Input, InputPart, Stream, put, run_script};

use crate::server::{Server, run, say};

const MIB: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_codes_signals_and_both_streams() {
    let server = Server::start();
    let mut node = server.connect().await;
    for code in [0, 1, 77, 255] {
        let ended = run(&mut *node, &format!("echo out; echo err >&2; exit {code}"), Input::none())
            .await
            .expect("it runs");
        assert_eq!(ended, (code, "out\n".to_owned(), "err\n".to_owned()));
    }
    assert_eq!(run(&mut *node, "kill -KILL $$", Input::none()).await.expect("it runs").0, 137);
    assert_eq!(
        run(&mut *node, "cat", "").await.expect("it runs"),
        (0, String::new(), String::new())
    );
    assert_eq!(node.peer(), format!("127.0.0.1:{}", server.port));
    node.close().await;
    assert!(run(&mut *node, "true", Input::none()).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_and_a_file() {
    let server = Server::start();
    let mut node = server.connect().await;
    let mut said = String::new();
    let script = "cat; echo \"it's $((1 + 1))\"; exit 9";
    let code = run_script(&mut *node, &Become::Login, script, &mut |_, bytes| {
        said.push_str(&String::from_utf8_lossy(bytes))
    })
    .await;
    assert_eq!((code.expect("it runs"), said.as_str()), (9, "it's 2\n"));

    let source = server.path("source");
    let mut file = fs::File::create(&source).expect("created");
    for number in 0..50 {
        file.write_all(&vec![number; MIB]).expect("written");
    }
    let target = server.path("new/target");
    put(&mut *node, &Become::Login, &target.display().to_string(), Input::file(&source))
        .await
        .expect("it is put");
    assert!(
        fs::read(&source).expect("there") == fs::read(&target).expect("there"),
        "the content differs"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_streamed_while_output_is_read() {
    let server = Server::start();
    let source = server.path("source");
    fs::write(&source, vec![b'x'; 50 * MIB]).expect("written");
    let mut node = server.connect().await;
    // Much is written before anything is read, then everything comes back.
    let input = Input(vec![
        InputPart::Bytes(b"head".to_vec()),
        InputPart::File(source.clone()),
        InputPart::Bytes(b"tail".to_vec()),
    ]);
    let (mut count, mut largest, mut last) = (0, 0, Vec::new());
    let started = Instant::now();
    let code = node
        .exec(
            "head -c 20000000 /dev/zero; head -c 20000000 /dev/zero >&2; cat",
            input,
            &mut |stream, bytes| {
                largest = largest.max(bytes.len());
                if stream == Stream::Out {
                    count += bytes.len();
                    last = bytes.to_vec();
                }
            },
        )
        .await;
    assert_eq!((code.expect("it runs"), count), (0, 20_000_000 + 50 * MIB + 8));
    assert!(last.ends_with(b"xtail") || last == b"tail");
    assert!(largest <= MIB, "{largest}");
    println!("110 MB both ways in {:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn input_that_nobody_reads_does_not_hold_it_up() {
    let server = Server::start();
    let mut node = server.connect().await;
    for (command, code) in [
        ("exit 5", 5),
        ("sleep 0.3; exit 6", 6),
        ("exec <&-; sleep 0.3; exit 7", 7),
        ("head -c 100 >/dev/null; exit 8", 8),
    ] {
        let ended = run(&mut *node, command, vec![0; 20 * MIB]).await.expect("it ends");
        assert_eq!(ended.0, code, "{command}");
        assert_eq!(say(&mut *node, "echo still here").await, "still here");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_may_close_its_output_and_read_on() {
    let server = Server::start();
    let mut node = server.connect().await;
    let copy = server.path("copy");
    let command = format!("exec >&- 2>&-; sleep 0.2; cat > {}; exit 3", copy.display());
    assert_eq!(run(&mut *node, &command, vec![1; 10 * MIB]).await.expect("it ends").0, 3);
    assert_eq!(fs::metadata(&copy).expect("there").len(), 10 * MIB as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_is_abandoned_leaves_the_connection_in_order() {
    let server = Server::start();
    let mut node = server.connect().await;
    for command in
        ["sleep 20", "yes", "cat >/dev/null; sleep 20", "while :; do echo x; sleep 0.01; done"]
    {
        let abandoned = tokio::time::timeout(
            Duration::from_millis(300),
            run(&mut *node, command, vec![0; 5 * MIB]),
        )
        .await;
        assert!(abandoned.is_err(), "{command}");
        let started = Instant::now();
        assert_eq!(say(&mut *node, "echo still here").await, "still here", "{command}");
        assert!(started.elapsed() < Duration::from_secs(3), "{command}: {:?}", started.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_read_is_named() {
    let server = Server::start();
    let mut node = server.connect().await;
    let error = run(&mut *node, "cat", Input::file("/no/such/file"))
        .await
        .expect_err("unreadable")
        .to_string();
    assert_eq!(error, "cannot read /no/such/file: No such file or directory (os error 2)");
    assert_eq!(say(&mut *node, "echo still here").await, "still here");
}

#[test]
fn many_sessions_need_few_threads() {
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("many-sessions")
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let settings = server.settings();
        let mut nodes = Vec::new();
        for connecting in (0..40).map(|_| server.connect_with(&settings)).collect::<Vec<_>>() {
            nodes.push(connecting.await.expect("it lets in"));
        }
        for node in &mut nodes {
            assert_eq!(say(&mut **node, "echo in").await, "in");
        }
        let threads = fs::read_dir("/proc/self/task").expect("there").flatten();
        let names =
            threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
        assert!(names.filter(|name| name.starts_with("many-sessions")).count() <= 6);
    });
}
