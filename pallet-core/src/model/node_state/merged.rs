//! Two states of one node made one.

use super::NodeState;
use crate::model::Known;

impl NodeState {
    /// Keeps only what `other` knows just the same: after a change that may or may not be made.
    pub fn keep_what_agrees(&mut self, other: &NodeState) {
        self.files.retain(|key, value| other.files.get(key) == Some(value));
        self.packages.retain(|key, value| other.packages.get(key) == Some(value));
        self.services.retain(|key, value| other.services.get(key) == Some(value));
        self.users.retain(|key, value| other.users.get(key) == Some(value));
        self.groups.retain(|key, value| other.groups.get(key) == Some(value));
        self.commands.retain(|key, value| other.commands.get(key) == Some(value));
        self.readings.retain(|key, value| other.readings.get(key) == Some(value));
        self.coming.retain(|key, value| other.coming.get(key) == Some(value));
        self.leaving.retain(|key, value| other.leaving.get(key) == Some(value));
        self.unlisted.retain(|key, value| other.unlisted.get(key) == Some(value));
        if self.package_lists_age != other.package_lists_age {
            self.package_lists_age = Known::Unknown;
        }
    }

    /// Lays what `newer` knows over this.
    pub fn learn(&mut self, newer: NodeState) {
        self.os = newer.os;
        self.user = newer.user;
        self.files.extend(newer.files);
        self.packages.extend(newer.packages);
        if newer.package_lists_age != Known::Unknown {
            self.package_lists_age = newer.package_lists_age;
        }
        self.services.extend(newer.services);
        self.users.extend(newer.users);
        self.groups.extend(newer.groups);
        self.commands.extend(newer.commands);
        self.readings.extend(newer.readings);
        self.written.extend(newer.written);
        self.applied.extend(newer.applied);
        self.bytes.extend(newer.bytes);
        self.coming.extend(newer.coming);
        self.leaving.extend(newer.leaving);
        self.unlisted.extend(newer.unlisted);
        self.secrets.learn(newer.secrets);
    }
}
