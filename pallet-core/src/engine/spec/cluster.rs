//! A cluster-spec: groups under a common name, with a common base.

use super::error::SpecError;
use super::server::{GroupSpec, ServerSpec};

/// Groups that belong together.
#[derive(Debug, Clone)]
pub struct ClusterSpec {
    /// Its name; may be empty.
    pub name: String,
    /// The factor that multiplies the counts of its groups; `None`: 1.
    pub count: Option<u32>,
    /// Its groups.
    pub groups: Vec<GroupSpec>,
    /// What all groups extend: their own declarations come after it.
    pub server: ServerSpec,
    /// Refuse to destroy the nodes of all its groups.
    pub protect: bool,
}

impl ClusterSpec {
    /// The groups on their own: named `<cluster>-<group>`, extending the common base, counts
    /// multiplied.
    pub fn flatten(&self) -> Result<Vec<GroupSpec>, SpecError> {
        self.groups
            .iter()
            .map(|group| {
                let name = if self.name.is_empty() {
                    group.name.clone()
                } else {
                    format!("{}-{}", self.name, group.name)
                };
                let count = match (self.count, group.count) {
                    (None, count) => count,
                    (Some(times), count) => Some(times.saturating_mul(count.unwrap_or(1))),
                };
                let server = group.server.clone().extending([&self.server])?;
                let times = self.count.unwrap_or(1);
                let min_count = group.min_count.map(|count| count.saturating_mul(times));
                GroupSpec::new(&name, count, server)?
                    .protected(group.protect || self.protect, min_count)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_take_the_name_and_the_count_of_their_cluster() {
        let group = |name: &str, count| GroupSpec::new(name, count, ServerSpec::new()).unwrap();
        let cluster = ClusterSpec {
            name: "shop".into(),
            count: Some(2),
            groups: vec![group("web", Some(3)), group("db", None)],
            server: ServerSpec::new().role("shop"),
            protect: true,
        };
        let flat = cluster.flatten().unwrap();
        let seen: Vec<_> = flat.iter().map(|group| (group.name.as_str(), group.count)).collect();
        assert_eq!(seen, [("shop-web", Some(6)), ("shop-db", Some(2))]);
        assert!(flat.iter().all(|group| group.server.roles.contains("shop") && group.protect));
    }
}
