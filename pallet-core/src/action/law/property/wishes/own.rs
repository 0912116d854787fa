//! Actions with files of their own: system tables, and the keys of a user.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::super::tree::{Content, Standing, What};
use super::{Target, content, link, plain, stood, text};

/// Lines that the table of mounts may contain.
const TABLES: [&str; 6] = [
    "# /etc/fstab\n/dev/vda1 / ext4 defaults 0 1\n",
    "sshfs#u@h:/old /mnt/x fuse defaults 0 0\n",
    "tmpfs\t/mnt/x\ttmpfs\tdefaults\t0\t0\n#tmpfs /mnt/x tmpfs ro 0 0\nlast /last none bind",
    "tmpfs /mnt/x tmpfs ro\r\n",
    "  tmpfs /mnt/it\\040is tmpfs defaults\nswap none swap sw 0 0\n",
    "",
];

/// Lines that the table of hosts may contain.
pub(super) const HOSTS: [&str; 4] = [
    "127.0.0.1 localhost\n127.0.1.1 node\n",
    "127.0.0.1\tlocalhost # here\n::1 localhost",
    "127.0.1.1 old\r\n127.0.1.1 older\r\n",
    "",
];

/// The state of a file with one of these texts.
pub(super) fn table(texts: &'static [&'static str]) -> impl Strategy<Value = Standing> {
    let file = select(texts.to_vec()).prop_map(|text| Content::Text(text.to_owned()));
    stood(prop_oneof![
        5 => file.clone().prop_map(What::File), 1 => file.prop_map(What::MountedFile),
        1 => Just(What::Nothing),
    ])
}

/// Actions that have their own files.
pub(super) fn own() -> impl Strategy<Value = Target> {
    let any_text = || {
        stood(prop_oneof![
            2 => Just(What::Nothing), 2 => content().prop_map(What::File),
            1 => content().prop_map(What::MountedFile), 1 => link().prop_map(What::Link),
        ])
    };
    let mount = plain(
        "mount",
        (
            select(vec!["/mnt/x", "/mnt/it is", "/mnt/y", "/mnt/a#b", "/mnt/\u{fc}"]),
            select(vec!["tmpfs", "sshfs#u@h:/p", "UUID=1-2", "a b", "//h/s"]),
            select(vec!["defaults", "ro,uid=1", "x-a=#b"]),
            any::<bool>(),
        )
            .prop_map(|(path, device, options, absent)| {
                if absent {
                    json!({"path": path, "action": "absent"})
                } else {
                    json!({
                        "path": path, "device": device, "fstype": "tmpfs", "options": options,
                        "action": "present",
                    })
                }
            }),
    );
    let cron = plain(
        "cron",
        (
            text(),
            select(vec!["root", "app", "nobody-here"]),
            any::<bool>(),
            prop::option::of(text()),
        )
            .prop_map(|(command, user, delete, variable)| {
                let environment = variable.map_or(json!({}), |value| json!({"A": value}));
                let action = if delete { "delete" } else { "create" };
                json!({
                    "name": "job", "command": command, "user": user, "action": action,
                    "minute": "*/5", "environment": environment,
                })
            }),
    );
    let hostname = plain(
        "hostname",
        select(vec!["node", "web-1", "web-1.example.com"]).prop_map(|name| json!({"name": name})),
    );
    let sysctl = plain(
        "sysctl",
        (select(vec!["60", "10", " 1\t2 "]), any::<bool>()).prop_map(
            |(value, persist)| json!({"key": "vm.swappiness", "value": value, "persist": persist}),
        ),
    );
    let built_in = plain(
        "kernel_module",
        any::<bool>().prop_map(|persist| json!({"name": "law-built", "persist": persist})),
    );
    let not_loaded = plain(
        "kernel_module",
        select(vec!["absent", "blacklisted"])
            .prop_map(|action| json!({"name": "law-none", "action": action})),
    );
    // one zone, since both files have it
    let timezone = || plain("timezone", Just(json!({"name": "Etc/UTC"})));
    prop_oneof![
        (any_text(), built_in).prop_map(|(standing, wish)| Target::Own {
            path: "/etc/modules-load.d/",
            standing,
            wish
        }),
        (any_text(), not_loaded).prop_map(|(standing, wish)| Target::Own {
            path: "/etc/modprobe.d/",
            standing,
            wish
        }),
        (any_text(), timezone()).prop_map(|(standing, wish)| Target::Own {
            path: "/etc/localtime",
            standing,
            wish
        }),
        (any_text(), timezone()).prop_map(|(standing, wish)| Target::Own {
            path: "/etc/timezone",
            standing,
            wish
        }),
        (table(&TABLES), mount).prop_map(|(standing, wish)| Target::Own {
            path: "/etc/fstab",
            standing,
            wish
        }),
        (any_text(), cron).prop_map(|(standing, wish)| Target::Own {
            path: "/etc/cron.d/",
            standing,
            wish
        }),
        (table(&HOSTS), hostname).prop_map(|(standing, wish)| Target::Own {
            path: "/etc/hosts",
            standing,
            wish
        }),
        (any_text(), sysctl).prop_map(|(standing, wish)| Target::Own {
            path: "/etc/sysctl.d/",
            standing,
            wish
        }),
    ]
}

const KEY: &str = "ssh-ed25519 \
    AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

/// A key of the user `app`.
pub(super) fn key() -> impl Strategy<Value = Target> {
    let directory = prop::option::of(stood(prop_oneof![
        4 => Just(What::Directory { filled: false }),
        1 => Just(What::Link("../../root")),
        1 => Just(What::File(Content::Text(String::new()))),
    ]));
    let lines = vec![
        String::new(),
        format!("{KEY}\n"),
        format!("{KEY} old\ncommand=\"/bin/backup\" {KEY}"),
        format!("# mine\r\nno-pty {KEY} x\r\n"),
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAQQ== other\n".to_owned(),
    ];
    let file = stood(prop_oneof![
        4 => select(lines).prop_map(|text| What::File(Content::Text(text))),
        1 => Just(What::Nothing),
        1 => Just(What::Link("/root/victim")),
    ]);
    let wish = plain(
        "authorized_key",
        (
            select(vec![None, Some("no-pty"), Some("command=\"/bin/backup\"")]),
            any::<bool>(),
            any::<bool>(),
        )
            .prop_map(|(options, absent, exclusive)| {
                let action = if absent { "absent" } else { "present" };
                json!({
                    "user": "app", "key": format!("{KEY} new"), "options": options,
                    "action": action, "exclusive": exclusive && !absent,
                })
            }),
    );
    (directory, file, wish).prop_map(|(directory, file, wish)| Target::Key {
        directory,
        file,
        wish,
    })
}
