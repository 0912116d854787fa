//! Files with a format of their own.

use pallet_tests::Init;

use super::{Node, in_a_sandbox};

#[test]
fn fault_05_a_number_sign_in_a_field_of_fstab_is_no_comment() {
    let node = Node::prepared(
        "echo 'sshfs#u@h:/old /mnt/x fuse defaults 0 0' >>/etc/fstab; echo 'sshfs#u@h:/old /mnt/y \
         fuse defaults 0 0' >>/etc/fstab",
    );
    node.lifts(
        r#"mount(request, "/mnt/x", device = "tmpfs", fstype = "tmpfs", action = "present")
mount(request, "/mnt/y", action = "absent")
mount(request, "/mnt/z", device = "sshfs#u@h:/p", fstype = "fuse", action = "present")"#,
    );
    node.finds(
        "grep /mnt/ /etc/fstab",
        "tmpfs /mnt/x tmpfs defaults 0 0\n\
        sshfs#u@h:/p /mnt/z fuse defaults 0 0\n",
    );
}

#[test]
fn fault_07_cron_runs_a_command_as_it_is_written() {
    let declarations = r#"cron(request, "bs", command = "printf '%s\\n' 'a\\\\b' '50%' '\\%' >/tmp/out", special = "@reboot")"#;
    in_a_sandbox("rm -f /run/crond.reboot /tmp/out", declarations, |project| {
        project
            .run(&[
                "run",
                "b",
                "--",
                "cron; for try in 1 2 3 4 5 6 7 8 9 10; do [ -s /tmp/out ] && \
                break; sleep 0.5; done; cat /tmp/out",
            ])
            .exits(0);
        let found = project.run(&[
            "run",
            "b",
            "--",
            "test \"$(sed -n 1p /tmp/out)\" = 'a\\\\b' && test \"$(sed -n 2p /tmp/out)\" = '50%'",
        ]);
        found.exits(0);
        project.run(&["run", "b", "--", "test \"$(sed -n 3p /tmp/out)\" = '\\%'"]).exits(0);
    });
}

#[test]
fn fault_11_the_ends_of_lines_stay() {
    let node = Node::prepared(
        "printf 'x=1\\r\\ny=1\\r\\n' >/srv/dos.conf; printf '[s]\\r\\ny=1\\r\\n' >/srv/dos.ini",
    );
    node.lifts(
        r#"line_in_file(request, "/srv/dos.conf", line = "x=1")
line_in_file(request, "/srv/dos.conf", line = "y=2", match = "^y=")
ini_setting(request, "/srv/dos.ini", "s", "y", value = "2", separator = "=")"#,
    );
    node.finds("cat /srv/dos.conf /srv/dos.ini", "x=1\r\ny=2\r\n[s]\r\ny=2\r\n");
}

#[test]
fn fault_14_all_names_and_kinds_of_units_are_services() {
    let node = Node::new(Init::Systemd);
    node.runs(
        "cat >'/etc/systemd/system/mnt-my\\x2ddata.mount' <<END\n[Mount]\nWhat=tmpfs\n\
         Where=/mnt/my-data\nType=tmpfs\nEND\n\
         cat >/etc/systemd/system/srv-auto.mount <<END\n[Mount]\nWhat=tmpfs\nWhere=/srv/auto\n\
         Type=tmpfs\nEND\n\
         cat >/etc/systemd/system/srv-auto.automount <<END\n[Automount]\nWhere=/srv/auto\n\
         [Install]\nWantedBy=multi-user.target\nEND\n\
         cat >/etc/systemd/system/pallet.slice <<END\n[Slice]\nEND\n\
         systemctl daemon-reload",
    );
    // not every container can mount a file system on demand
    node.lifts("service(request, \"mnt-my\\\\x2ddata.mount\")\nservice(request, \"pallet.slice\")");
    node.finds("systemctl is-active 'mnt-my\\x2ddata.mount' pallet.slice", "active\nactive\n");
    let dry = node
        .project("service(request, \"srv-auto.automount\", enabled = True)")
        .run(&["lift", "--dry-run"]);
    dry.exits(0).says("srv-auto.automount");
}

#[test]
fn fault_15_a_kernel_setting_survives_a_restart() {
    let node = Node::new(Init::Systemd);
    node.runs(
        "echo net.ipv4.ip_forward=0 >>/etc/sysctl.conf; mkdir -p /etc/sysctl.d; ln -sf \
        ../sysctl.conf /etc/sysctl.d/99-sysctl.conf",
    );
    node.lifts("sysctl(request, \"net.ipv4.ip_forward\", \"1\")");
    node.finds("cat /proc/sys/net/ipv4/ip_forward", "1\n");
    node.finds(
        "echo 0 >/proc/sys/net/ipv4/ip_forward; /usr/lib/systemd/systemd-sysctl 2>/dev/null; cat \
         /proc/sys/net/ipv4/ip_forward",
        "1\n",
    );
}

#[test]
fn fault_21_indent_keeps_the_last_line() {
    let node = Node::prepared("true");
    let project = node.project(
        "remote_file(request, \"/srv/indent\", template = \"o.j2\", values \
        = {\"text\": \"a\\nb\\n\"})",
    );
    project.write("o.j2", "{{ text|indent(2) }}c");
    super::lifts_twice(&project);
    node.finds("cat /srv/indent", "a\n  b\nc");
}

#[test]
fn fault_22_ini_files_are_read_as_their_readers_do() {
    let node = Node::prepared(
        "printf '[ s ]\\nk=1\\n' >/srv/sp.ini; printf '[s]\\nkey = a\\n    b\\n    c\\n' \
         >/srv/cont.ini; printf '\\357\\273\\277[s]\\nk=1\\n' >/srv/bom.ini",
    );
    node.lifts(
        r#"ini_setting(request, "/srv/sp.ini", "s", "k", value = "2", separator = "=")
ini_setting(request, "/srv/cont.ini", "s", "key", value = "n")
ini_setting(request, "/srv/bom.ini", "s", "k", value = "2", separator = "=")"#,
    );
    node.finds(
        "cat /srv/sp.ini /srv/cont.ini /srv/bom.ini",
        "[ s ]\nk=2\n[s]\nkey = n\n\
        \u{feff}[s]\nk=2\n",
    );
}
