//! Actions on entries of tables that the system reads.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::own::{HOSTS, table};
use super::{Target, plain};

/// Lines that a file of known hosts may contain; the hashed name is `git`.
const KNOWN: [&str; 4] = [
    "git ssh-rsa AAAAold\n",
    "|1|QUJDREVGR0hJSktMTU5PUFFSU1Q=|afJeVVR2J0lUxTCjDiVSGHSpCTY= ssh-rsa AAAAold\r\n\
     x,git ssh-rsa AAAA",
    "# git ssh-rsa AAAAold\n@revoked git ssh-rsa AAAAold\n\tGIT  ssh-rsa AAAAnew x\n",
    "git ssh-dss AAAA\ngit ssh-rsa AAAAold\n*,git ssh-rsa AAAAnew",
];

/// Actions that have entries in such a table.
pub(super) fn entries() -> impl Strategy<Value = Target> {
    let names =
        select(vec![vec!["node"], vec!["localhost", "here"], vec!["old", "OLDER"], Vec::new()]);
    let addresses = select(vec!["127.0.0.1", "127.0.1.1", "::1", "0::0:1", "10.0.0.5"]);
    let hosts_entry = plain(
        "hosts_entry",
        (addresses, names, any::<bool>(), any::<bool>()).prop_map(
            |(address, names, absent, exclusive)| {
                let action = if absent { "absent" } else { "present" };
                json!({
                    "address": address, "names": names, "action": action,
                    "exclusive": exclusive && !absent,
                })
            },
        ),
    );
    let keys = select(vec![
        vec!["ssh-rsa AAAAnew"],
        vec!["ssh-rsa AAAAnew it's", "ssh-dss AAAA"],
        Vec::new(),
    ]);
    let known_host = plain(
        "known_host",
        (select(vec!["git", "x"]), keys, any::<bool>(), any::<bool>()).prop_map(
            |(name, key, absent, exclusive)| {
                let action = if absent { "absent" } else { "present" };
                json!({
                    "name": name, "key": key, "action": action, "exclusive": exclusive && !absent,
                })
            },
        ),
    );
    prop_oneof![
        (table(&HOSTS), hosts_entry).prop_map(|(standing, wish)| Target::Own {
            path: "/etc/hosts",
            standing,
            wish
        }),
        (table(&KNOWN), known_host).prop_map(|(standing, wish)| Target::Own {
            path: "/etc/ssh/ssh_known_hosts",
            standing,
            wish
        }),
    ]
}
