//! The lease of a service's nodes: a file beside them.

use std::fs;
use std::io::ErrorKind;
use std::time::{SystemTime, UNIX_EPOCH};

use pallet_core::prelude::{Context, Lease, Result};

use crate::store::{Store, make_private_directory, write_atomically};

/// Takes or renews it; another's if that one holds it.
pub(crate) fn take(store: &Store, wanted: &Lease) -> Result<Option<Lease>> {
    let _lock = store.lock()?;
    if let Some(held) = read(store)?.filter(|held| held.token != wanted.token && held.until > now()) {
        return Ok(Some(held));
    }
    make_private_directory(&store.service)?;
    write_atomically(&store.service.join("lease.json"), &serde_json::to_vec(wanted)?)?;
    Ok(None)
}

/// Gives it back, if this token has it.
pub(crate) fn release(store: &Store, token: &str) -> Result<()> {
    let _lock = store.lock()?;
    if read(store)?.is_some_and(|held| held.token == token) {
        let file = store.service.join("lease.json");
        fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    store.remove_empty();
    Ok(())
}

fn read(store: &Store) -> Result<Option<Lease>> {
    let file = store.service.join("lease.json");
    match fs::read(&file) {
        // what is no lease is held by nobody
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// The time, in seconds since 1970-01-01 UTC.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use pallet_core::prelude::ServiceContext;

    use super::*;

    #[test]
    fn it_is_held_until_its_time_or_its_release() {
        let data = tempfile::tempdir().unwrap();
        let directory = data.path().join("qemu");
        let context = ServiceContext { project: "shop".into(), service: "vm".into(), data_directory: directory, ..Default::default() };
        let store = Store::new(&context);
        let lease = |token: &str, until: u64| Lease { token: token.into(), holder: token.into(), until, ..Lease::default() };
        let (one, later) = (lease("one", now() + 60), lease("one", now() + 120));
        assert_eq!(take(&store, &one).unwrap(), None);
        assert_eq!(take(&store, &lease("two", now() + 60)).unwrap(), Some(one));
        assert_eq!(take(&store, &later).unwrap(), None);
        release(&store, "two").unwrap();
        assert_eq!(take(&store, &lease("two", now() + 60)).unwrap(), Some(later));
        release(&store, "one").unwrap();
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0, "nothing is left");
        assert_eq!(take(&store, &lease("two", now() - 1)).unwrap(), None);
        assert_eq!(take(&store, &lease("three", now() + 60)).unwrap(), None);
    }
}
