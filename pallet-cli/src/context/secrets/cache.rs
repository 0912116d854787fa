//! What was looked up, in memory only, for as long as it may be used.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pallet_core::transport::Secret;

use super::found::Found;

/// What was looked up. All operations of a process share it.
#[derive(Clone, Default)]
pub(crate) struct SecretCache(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    found: HashMap<String, (Instant, Arc<Found>)>,
    /// All values so far, so that those from before a rotation are redacted too.
    values: Vec<Secret>,
}

impl SecretCache {
    /// What was found at most `ttl` ago, and for no longer than it says itself; else what `look_up`
    /// finds.
    pub(super) fn get(
        &self,
        identity: &str,
        ttl: Duration,
        look_up: impl FnOnce() -> anyhow::Result<Found>,
    ) -> anyhow::Result<Arc<Found>> {
        if let Some((at, found)) = self.kept().found.get(identity)
            && at.elapsed() < found.lasts.map_or(ttl, |lasts| lasts.min(ttl))
        {
            return Ok(found.clone());
        }
        // without the lock: it may take long
        let at = Instant::now();
        let found = Arc::new(look_up()?);
        self.kept().found.insert(identity.to_owned(), (at, found.clone()));
        Ok(found)
    }

    /// Forgets what is known as `identity`.
    #[cfg(any(feature = "aws", feature = "vault"))]
    pub(super) fn forget(&self, identity: &str) {
        self.kept().found.remove(identity);
    }

    /// Remembers a value.
    pub(super) fn remember(&self, value: &Secret) {
        let mut kept = self.kept();
        if !kept.values.contains(value) {
            kept.values.push(value.clone());
        }
    }

    /// All values so far.
    pub(crate) fn values(&self) -> Vec<Secret> {
        self.kept().values.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SecretCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretCache")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_used_for_its_time() {
        let cache = SecretCache::default();
        let get = |ttl: u64, text: &str, lasts: Option<u64>| {
            let found = Found::text(text).lasting(lasts.map(Duration::from_secs));
            let got = cache.get("a", Duration::from_secs(ttl), || Ok(found)).unwrap();
            got.value(None).unwrap()
        };
        assert_eq!(get(60, "one", None), "one");
        assert_eq!(get(60, "two", None), "one");
        assert_eq!(get(0, "three", Some(0)), "three");
        assert_eq!(get(60, "four", None), "four", "the lease is over");
        assert!(cache.get("b", Duration::MAX, || anyhow::bail!("lost")).is_err());
        #[cfg(any(feature = "aws", feature = "vault"))]
        {
            cache.forget("a");
            assert_eq!(get(60, "five", None), "five");
        }
        cache.remember(&Secret::new("x"));
        cache.remember(&Secret::new("x"));
        assert_eq!(cache.values().len(), 1);
    }
}
