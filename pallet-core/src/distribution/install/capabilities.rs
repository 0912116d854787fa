//! What plugins may do to nodes, according to their declared capabilities.

use super::{InstallError, Session};
use crate::distribution::lock::{LockedPlugin, Origin};
use crate::model::{Capabilities, PluginKind};
use crate::plugins::{plugin_file, summary};

impl Session<'_> {
    /// What a plugin in the store may do to nodes, in words: `path /etc/nginx/**`. If another
    /// version was installed `before`, only what is new.
    pub fn capabilities(
        &self,
        locked: &LockedPlugin,
        before: Option<&LockedPlugin>,
    ) -> Result<Vec<String>, InstallError> {
        // a provider creates nodes, and may do everything that this user may do
        if locked.kind != PluginKind::Crate {
            return Ok(Vec::new());
        }
        let now = self.declared(locked)?;
        match before.map(|before| self.declared(before)) {
            // if the old version is not in the store, its capabilities are unknown
            None | Some(Err(_)) => Ok(match now {
                None => vec!["everything: it declares no capabilities".to_owned()],
                Some(now) => {
                    let words = |(kind, patterns): (&str, &[String])| {
                        format!("{kind} {}", patterns.join(", "))
                    };
                    now.declared().into_iter().map(words).collect()
                }
            }),
            Some(Ok(before)) => Ok(Capabilities::beyond(now.as_ref(), before.as_ref())),
        }
    }

    fn declared(&self, locked: &LockedPlugin) -> Result<Option<Capabilities>, InstallError> {
        let (_, target) = self.build(locked)?;
        let directory = self.installer.store.directory(target.content.digest());
        let wrong = |message: String| InstallError::Wrong {
            origin: Origin::clone(&locked.source),
            message,
        };
        // a file that was changed in the store does not show what was signed
        if !self.in_store(target) {
            return Err(wrong(format!(
                "{locked} is not in the store as it was locked; run `pallet-cli install`"
            )));
        }
        let file = plugin_file(&directory).map_err(wrong)?;
        Ok(summary(&file).map_err(wrong)?.capabilities)
    }
}
