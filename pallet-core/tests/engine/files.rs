//! How files get to nodes.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn large_content_travels_apart_and_arrives_whole() {
    let bench = bench();
    let source = bench.path("source");
    std::fs::write(&source, (0..400_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>())
        .unwrap();
    let there = bench.path("there");
    let (from, to) = (source.clone(), there.clone());
    let web = group(
        "web",
        1,
        ServerSpec::new().phase("configure", move |request: &mut Request| {
            request.add(RemoteFile::local_file(to.clone(), from.clone()))
        }),
    );
    let outcome = bench.converge(&web).await;
    assert!(outcome.ok(), "{outcome:?}");
    assert!(std::fs::read(&source).unwrap() == std::fs::read(&there).unwrap());
    let left = std::fs::read_dir("/var/lib/pallet/incoming")
        .map(|entries| entries.count())
        .unwrap_or_default();
    assert_eq!(left, 0, "what has arrived is put in its place");
    assert_eq!(bench.lift(&web, LiftOptions::default()).await.counts(), (0, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn new_files_are_put_in_place_together() {
    let bench = bench();
    let base = bench.path("");
    let bad = Arc::new(Mutex::new(None));
    let wanted = bad.clone();
    let web = group(
        "web",
        1,
        ServerSpec::new().phase("configure", move |request: &mut Request| {
            for number in 0..4 {
                // where nothing can be made, which is found out when it is done
                let place =
                    if *wanted.lock().unwrap() == Some(number) { "/proc/" } else { base.as_str() };
                let file =
                    RemoteFile::content(format!("{place}.it's {number}"), format!("{number}\n"));
                request.add(file.mode(0o600 + number % 2 * 0o40))?;
            }
            Ok(())
        }),
    );
    std::fs::write(bench.path(".it's 1"), "stood there\n").unwrap();
    *bad.lock().unwrap() = Some(3);
    let first = bench.converge(&web).await;
    let NodeResult::Failed { error, changes } = &first.nodes[0].result else { panic!("{first:?}") };
    let failed = (
        error.action.as_deref().unwrap_or_default().ends_with("it's 3"),
        error.detail.contains("/proc/"),
        *changes,
    );
    assert_eq!(
        failed,
        (true, true, 3),
        "what stands before it is done, and it says itself why it is not: {error:?}"
    );
    let mode = |path: &str| {
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions())
            & 0o7777
    };
    let there = |number: u32| {
        (
            std::fs::read_to_string(bench.path(&format!(".it's {number}"))).unwrap(),
            mode(&bench.path(&format!(".it's {number}"))),
        )
    };
    assert_eq!(
        [there(0), there(1), there(2)],
        [("0\n".to_owned(), 0o600), ("1\n".to_owned(), 0o640), ("2\n".to_owned(), 0o600)]
    );
    assert!(
        std::fs::read_dir(bench.path("")).unwrap().all(|entry| !entry
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with(".pallet"))
    );

    *bad.lock().unwrap() = None;
    std::fs::remove_file(bench.path(".it's 0")).unwrap();
    let second = bench.lift(&web, LiftOptions::default()).await;
    assert!(second.ok(), "{second:?}");
    let changed = bench.changed();
    let names: Vec<_> = changed.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(
        (names.as_slice(), there(0).0.as_str()),
        (&[".it's 0", ".it's 3"][..], "0\n"),
        "what is missing"
    );
}
