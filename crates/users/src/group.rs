//! Groups of users.

use pallet_core::prelude::*;

use super::account::check_name;

parameters! {
    /// Ensures that a group exists, or that it does not.
    ///
    /// Example: `users.group(request, "deploy", gid = 2000)`
    pub(crate) struct GroupArguments {
        /// Name of the group.
        name: String,
        /// Numeric ID.
        #[serde(default)]
        gid: Option<u32>,
        /// Create a new group as a system group.
        #[serde(default)]
        system: bool,
        /// `present` or `absent`.
        #[serde(default)]
        action: Presence,
    }
}

/// Whether something is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Presence {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

pub(crate) fn group(request: &mut Request, arguments: GroupArguments) -> Result<()> {
    let GroupArguments { name, gid, system, action } = arguments;
    check_name("group", &name)?;
    let mut group = Group::new(name);
    if action == Presence::Absent {
        return request.add(group.absent());
    }
    if let Some(gid) = gid {
        group = group.gid(gid);
    }
    request.add(if system { group.system() } else { group })
}
