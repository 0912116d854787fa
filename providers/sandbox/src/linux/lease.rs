//! The lease of a service's nodes: a file beside them.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use pallet_core::prelude::*;

use crate::linux::lock::Lock;
use crate::linux::store::{Store, make_private_directory};

/// Takes or renews it; gives the lease of another who has it.
pub(crate) fn take(store: &Store, wanted: &Lease) -> Result<Option<Lease>> {
    let _lock = Lock::take(&store.data)?;
    if let Some(held) = read(store)
        && held.token != wanted.token
        && held.until > now()
    {
        return Ok(Some(held));
    }
    let (file, part) = (file(store), store.service.join("lease.json.part"));
    for directory in [&store.project, &store.service] {
        make_private_directory(directory)?;
    }
    let write = || -> Result<()> {
        fs::write(&part, serde_json::to_vec(wanted)?)?;
        Ok(fs::rename(&part, &file)?)
    };
    write().with_context(|| format!("cannot write {}", file.display()))?;
    Ok(None)
}

/// Gives it back, if this token has it.
pub(crate) fn release(store: &Store, token: &str) -> Result<()> {
    if !store.data.exists() {
        return Ok(());
    }
    let _lock = Lock::take(&store.data)?;
    if read(store).is_some_and(|held| held.token == token) {
        fs::remove_file(file(store)).with_context(|| format!("cannot remove {}", file(store).display()))?;
    }
    store.remove_empty();
    Ok(())
}

fn read(store: &Store) -> Option<Lease> {
    serde_json::from_slice(&fs::read(file(store)).ok()?).ok()
}

fn file(store: &Store) -> PathBuf {
    store.service.join("lease.json")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_until_its_time_is_over() {
        let directory = tempfile::tempdir().unwrap();
        let data_directory = directory.path().join("data");
        let context = ServiceContext { project: "p".into(), service: "s".into(), data_directory, ..ServiceContext::default() };
        let store = Store::new(&context);
        let lease = |token: &str, until: u64| Lease { token: token.into(), holder: token.into(), until, ..Lease::default() };
        assert_eq!(take(&store, &lease("one", now() + 100)).unwrap(), None);
        assert_eq!(take(&store, &lease("two", now() + 100)).unwrap().unwrap().holder, "one");
        assert_eq!(take(&store, &lease("one", now() - 1)).unwrap(), None, "it is renewed");
        assert_eq!(take(&store, &lease("two", now() + 100)).unwrap(), None, "one's time is over");
        release(&store, "one").unwrap();
        assert_eq!(take(&store, &lease("one", now() + 100)).unwrap().unwrap().holder, "two");
        release(&store, "two").unwrap();
        assert!(!store.data.exists(), "nothing is left");
    }
}
