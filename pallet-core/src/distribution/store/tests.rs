//! Tests that putting is atomic, even with several processes, and that collection removes only what
//! no lock names.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Store, StoreError};
use crate::distribution::artifact::Digest;
use crate::distribution::lock::{Lock, LockedContent, LockedPlugin, LockedTarget};

fn fill(directory: &Path) -> Result<(), StoreError> {
    fs::create_dir(directory.join("docs")).unwrap();
    fs::write(directory.join("docs/a.md"), "a").unwrap();
    fs::write(directory.join("plugin.json"), "{}").unwrap();
    Ok(())
}

fn put(store: &Store, digest: &Digest) {
    store.claim(digest, || ()).unwrap().put(fill).unwrap();
}

fn mode(path: impl AsRef<Path>) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
}

fn lock_of(digest: &Digest) -> Lock {
    let mut lock = Lock::default();
    lock.insert(LockedPlugin {
        kind: crate::model::PluginKind::Crate,
        name: "mine".into(),
        version: "1.0.0".parse().unwrap(),
        source: "file:mine.so".parse().unwrap(),
        requirement: None,
        requires: Default::default(),
        index: None,
        signer: None,
        accepted: None,
        targets: [(
            "any".to_owned(),
            LockedTarget { content: LockedContent::File(*digest), h1: "h1:=".into() },
        )]
        .into(),
    });
    lock
}

#[test]
fn what_is_put_is_read_only_and_durable() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::at(data.path());
    let digest = Digest::of(b"one");
    assert!(!store.has(&digest));
    let claim = store.claim(&digest, || ()).unwrap();
    fs::write(claim.partial().unwrap(), "half").unwrap();
    claim.put(fill).unwrap();
    assert!(store.has(&digest));
    let directory = store.directory(&digest);
    assert_eq!(
        (mode(&directory), mode(directory.join("docs")), mode(directory.join("docs/a.md"))),
        (0o555, 0o555, 0o444)
    );
    assert!(!claim.partial().unwrap().exists(), "the download is not kept twice");
}

#[test]
fn what_fails_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::at(data.path());
    let digest = Digest::of(b"one");
    let claim = store.claim(&digest, || ()).unwrap();
    fs::write(claim.partial().unwrap(), "half").unwrap();
    let error = claim.put(|directory| {
        fill(directory)?;
        Err(StoreError {
            verb: "write",
            path: directory.to_owned(),
            error: std::io::ErrorKind::StorageFull.into(),
        })
    });
    let error = error.unwrap_err().to_string();
    assert!(error.contains("pallet-cli gc") && !error.contains('\n'), "{error}");
    assert!(!store.has(&digest));
    assert_eq!(fs::read_dir(data.path().join("store/sha256")).unwrap().count(), 0);
    assert!(claim.partial().unwrap().exists(), "the download goes on later");
}

#[test]
fn what_is_damaged_is_replaced_under_who_uses_it() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::at(data.path());
    let digest = Digest::of(b"one");
    put(&store, &digest);
    let used = fs::File::open(store.directory(&digest).join("plugin.json")).unwrap();
    put(&store, &digest);
    assert_eq!(std::io::read_to_string(used).unwrap(), "{}");
    assert_eq!(fs::read_dir(data.path().join("store/sha256")).unwrap().count(), 1);
}

#[test]
fn one_at_a_time_puts_a_digest() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::at(data.path());
    let digest = Digest::of(b"one");
    let (waited, puts) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let claim =
                    store.claim(&digest, || _ = waited.fetch_add(1, Ordering::Relaxed)).unwrap();
                if !store.has(&digest) {
                    std::thread::sleep(Duration::from_millis(50));
                    claim.put(fill).unwrap();
                    puts.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(puts.load(Ordering::Relaxed), 1);
    assert!(waited.load(Ordering::Relaxed) > 0);
}

#[test]
fn what_a_known_lock_names_is_kept_and_the_rest_is_removed() {
    let data = tempfile::tempdir().unwrap();
    let project = tempfile::tempdir().unwrap();
    let store = Store::at(data.path());
    let (kept, loose) = (Digest::of(b"kept"), Digest::of(b"loose"));
    put(&store, &kept);
    put(&store, &loose);
    fs::write(store.claim(&loose, || ()).unwrap().partial().unwrap(), "half").unwrap();
    let lock = project.path().join("pallet.lock");
    lock_of(&kept).write(&lock).unwrap();
    store.remember(&lock).unwrap();
    store.remember(&lock).unwrap();

    let told = store.collect(true).unwrap();
    assert_eq!((told.removed.len(), told.kept, told.locks.len()), (2, 1, 1));
    assert!(store.has(&loose), "a dry run removes nothing");
    let done = store.collect(false).unwrap();
    assert_eq!((done.removed, done.bytes), (told.removed, told.bytes));
    assert!(store.has(&kept) && !store.has(&loose));

    fs::write(&lock, "no lock").unwrap();
    let error = store.collect(false).unwrap_err().to_string();
    assert!(error.contains("pallet.lock") && error.ends_with("nothing was removed"), "{error}");
    assert!(store.has(&kept));

    fs::remove_file(&lock).unwrap();
    assert_eq!(store.collect(false).unwrap().forgotten, [lock]);
    assert!(!store.has(&kept));
    assert_eq!(store.collect(false).unwrap().forgotten.len(), 0);
}

#[test]
fn nothing_is_collected_while_something_is_put() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::at(data.path());
    let digest = Digest::of(b"one");
    let held = store.hold().unwrap();
    std::thread::scope(|scope| {
        let collector = scope.spawn(|| store.collect(false).unwrap());
        std::thread::sleep(Duration::from_millis(100));
        assert!(!collector.is_finished());
        put(&store, &digest);
        drop(held);
        assert_eq!(collector.join().unwrap().removed.len(), 1);
    });
}
