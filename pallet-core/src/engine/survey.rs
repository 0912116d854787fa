//! Lists the files on nodes with their times, to show that nothing was written.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::{Gathered, Session};
use super::operation::with_groups;
use super::{Engine, EngineError, GroupSpec};

/// The files of one node: attributes by path. Omits kernel interfaces, `/run`, temporary files and
/// logs, which change by themselves, and the lock files of rpm's database, which even queries
/// write.
pub type Files = BTreeMap<String, String>;

/// A line per file: mode, inode, owner, size, mtime, ctime, path. `%z` has fractions of a second if
/// the node's `stat` supports them. For a directory only mode, owner and mtime: the rest changes
/// when an overlay file system copies it up.
const SCRIPT: &str = "find / \\( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path \
    /tmp -o -path /var/tmp -o -path /var/log \
    -o -path /var/run -o -path /var/cache/ldconfig \\) -prune -o ! -name '*\n*' \
    ! -path /var/lib/rpm ! -path /usr/lib/sysimage/rpm ! -name rpmdb.sqlite-shm ! -name \
    rpmdb.sqlite-wal \
    \\( -type d -exec stat -c '%f - %u:%g - %y - %n' {} + -o -exec stat -c '%f %i %u:%g %s %y %z \
    %n' {} + \\) 2>/dev/null\n\
    exit 0";

/// Maximum size of the list, in bytes.
const LISTING: usize = 512 << 20;

impl Engine {
    /// Lists the files of all running nodes of these groups, by node name.
    pub async fn survey(
        &self,
        groups: &[GroupSpec],
    ) -> Result<BTreeMap<String, Files>, EngineError> {
        let nodes = self.ask(|service| service.nodes()).await?;
        let groups: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        let mut found = BTreeMap::new();
        for (node, _) in with_groups(nodes, &groups) {
            let name = node.name.clone();
            let mut session = Session::alone(self, node);
            let refuse = |why: String| EngineError::Refused(format!("node {name}: {why}"));
            let listing = match session.gather(self, SCRIPT, LISTING).await {
                Ok(Gathered::Whole { output, .. }) => output,
                Ok(Gathered::TooMuch) => {
                    let limit = LISTING >> 20;
                    return Err(refuse(format!("the list of its files exceeds {limit} MiB")));
                }
                Err(error) => {
                    return Err(refuse(format!("its files cannot be listed: {error}")));
                }
            };
            session.close().await;
            let listing = String::from_utf8_lossy(&listing);
            found.insert(name, listing.lines().filter_map(entry).collect());
        }
        Ok(found)
    }
}

/// Splits a line into the path and the attributes before it.
fn entry(line: &str) -> Option<(String, String)> {
    let at = line.find(" /")?;
    Some((line[at + 1..].to_owned(), line[..at].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::entry;

    #[test]
    fn a_path_is_the_rest_of_its_line() {
        let line = "81a4 17 0:0 12 2026-01-31 12:00:00.000000001 +0000 2026-01-31 12:00:00.5 +0000 \
            /srv/my file";
        let (path, said) = entry(line).unwrap();
        assert_eq!(path, "/srv/my file");
        assert!(said.starts_with("81a4 17 0:0 12") && said.ends_with("+0000"), "{said}");
    }
}
