//! Files with properties other than name and content.

use super::{Node, in_a_sandbox};

#[test]
fn fault_01_owners_without_a_name_stay() {
    let each = "for file in a b c d; do printf \"[s]\\nx=1\\n\" >/srv/$file.conf; chown 4321:4322 \
         /srv/$file.conf; done; chown root /srv/d.conf";
    let node = Node::prepared(each);
    node.lifts(
        r#"line_in_file(request, "/srv/a.conf", line = "x=2", match = "^x=")
sed(request, "/srv/b.conf", ["s/x=1/x=2/"])
ini_setting(request, "/srv/c.conf", "s", "x", value = "2", separator = "=")
remote_file(request, "/srv/d.conf", content = "[s]\nx=2\n")"#,
    );
    node.finds("cat /srv/?.conf | sort | uniq -c | tr -s ' '", " 4 [s]\n 4 x=2\n");
    node.finds("stat -c %u:%g /srv/?.conf", "4321:4322\n4321:4322\n4321:4322\n0:4322\n");
}

#[test]
fn fault_02_a_file_that_is_a_mount_point_is_written_in_place() {
    let node = Node::prepared(
        "for file in hosts hostname; do cp /etc/$file /run/$file; mount \
        --bind /run/$file /etc/$file; done",
    );
    node.lifts(
        "line_in_file(request, \"/etc/hosts\", line = \"10.0.0.9 db.example.com\")\n\
        remote_file(request, \"/etc/hostname\", content = \"web-1\\n\")",
    );
    node.finds(
        "grep db.example.com /etc/hosts /run/hosts",
        "/etc/hosts:10.0.0.9 db.example.com\n\
        /run/hosts:10.0.0.9 db.example.com\n",
    );
    node.finds("cat /run/hostname", "web-1\n");
    node.finds("grep -c ' /etc/host' /proc/self/mounts; ls -A /etc | grep pallet || :", "2\n");
}

#[test]
fn fault_04_two_archives_in_one_directory_are_unpacked_once() {
    let node = Node::prepared(
        "mkdir -p /srv/a/one /srv/b/two && echo 1 >/srv/a/one/1 && echo 2 >/srv/b/two/2 && tar \
         -czf /srv/a.tar.gz -C /srv/a one && tar -czf /srv/b.tar.gz -C /srv/b two",
    );
    node.lifts(
        "remote_directory(request, \"/opt/tools\", remote_file = \"/srv/a.tar.gz\")\n\
         remote_directory(request, \"/opt/tools\", remote_file = \"/srv/b.tar.gz\")",
    );
    node.finds("cd /opt/tools && cat one/1 two/2", "1\n2\n");
}

#[test]
fn fault_13_lists_of_access_and_attributes_stay() {
    let before = "set -e; printf 'foo\\n' >/srv/acl.conf; chmod 640 /srv/acl.conf; setfacl -m \
        u:daemon:rw /srv/acl.conf; setfattr -n user.x -v y /srv/acl.conf";
    in_a_sandbox(
        before,
        "line_in_file(request, \"/srv/acl.conf\", line = \"bar\", match = \"^foo\")",
        |project| {
            let found = project.run(&[
                "run",
                "b",
                "--",
                "cat /srv/acl.conf; getfacl -cp /srv/acl.conf; getfattr -n user.x --only-values \
             /srv/acl.conf",
            ]);
            found
                .exits(0)
                .says("bar")
                .says("user:daemon:rw-")
                .says("group::r--")
                .says("other::---");
        },
    );
}

#[test]
fn fault_03_a_checkout_of_another_user_is_up_to_date() {
    let before = "set -e; export HOME=/root; git init -q -b main /srv/o; git -C /srv/o -c \
        user.email=a@b -c user.name=a commit -q --allow-empty -m one";
    let declarations = r#"user(request, "app")
git_checkout(request, "/srv/o", "/srv/app")
directory(request, "/srv/app", owner = "app", recursive = True)"#;
    in_a_sandbox(before, declarations, |project| {
        project.run(&["run", "b", "--", "stat -c %U /srv/app/.git/HEAD"]).exits(0).says("app");
    });
}
