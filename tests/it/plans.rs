//! Declarations in documents are tested on fresh nodes like crates: a dry run changes nothing, its
//! `will` changes are made, with no others but its `may` changes, and a second run has nothing to
//! do. Changes that it leaves open are listed; each was reviewed.

use std::fs;

use expect_test::expect;
use pallet_tests::{root, workspace};

use super::author::{home, tried};
use super::document::{Block, blocks};

/// The first block of Python in a document that has this text.
fn declarations<'a>(document: &'a str, with: &str) -> &'a str {
    let blocks = document
        .split("```python")
        .skip(1)
        .filter_map(|rest| rest.split_once('\n')?.1.split("```").next());
    blocks
        .into_iter()
        .find(|block| block.contains(with))
        .unwrap_or_else(|| panic!("no block has {with:?}"))
}

/// These are exempt: only Debian's package knows whether it has a file with that name, and whether
/// it starts its service, and it is not yet on the node.
#[test]
fn what_documents_declare_keeps_the_laws() {
    let home = home().with_crate_nodes();
    let package = home.directory();
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (groups, conditions) = (read("docs/groups.md"), read("docs/conditions.md"));
    let web = declarations(&groups, "count = 2, phases");
    let anywhere = declarations(&groups, "node_spec = node_spec(");
    let conditions = declarations(&conditions, "plan_when");
    // what the document leaves to the reader
    let around = "def deploy(request):\n    exec_script(request, \"echo $LANG >deployed\", creates \
        = \"/srv/app/deployed\")\n";
    let all = "def all(request):\n    user(request, \"app\")\n    directory(request, \"/srv/app\", \
        owner = \"app\")\n    app(request)\n";
    let group = "group_spec(\"app\", count = 1, phases = {\"configure\": all})\n";
    home.write("tests/groups.star", web);
    home.write(
        "tests/groups-anywhere.star",
        format!("{}\n{anywhere}", web.split("group_spec").next().unwrap()),
    );
    home.write("tests/conditions.star", format!("{around}\n{conditions}\n{all}\n{group}"));
    home.write("tests/app.conf.j2", "password = {{ password }}\n");
    home.write("tests/quickstart.star", read("pallet-cli/quickstart/pallet.star"));
    // a later block is another project's file
    for block in blocks(&read("docs/for-ansible-users.md")).into_iter().rev() {
        match block {
            Block::File { path, text } if path == "pallet.star" => {
                home.write("tests/for-ansible-users.star", text)
            }
            Block::File { path, text } if path == "site.conf.j2" => {
                home.write("tests/site.conf.j2", text)
            }
            _ => {}
        }
    }
    let secrets = "[environment]\ngreeting = \"hello from\"\n\n[secrets]\n\
        database = { command = \"echo hunter2\" }\n";
    home.write("tests/pallet.toml", secrets);
    let nginx = workspace()
        .plugins()
        .find(|plugin| plugin.file.to_string_lossy().contains("crate_nginx"))
        .expect("it was built");
    expect![[r#"
        conditions
          package qemu-guest-agent: install
          remote_file /etc/app.conf: ensure file
        for-ansible-users
          remote_file /etc/nginx/conf.d/site.conf: ensure file
          service nginx: reload
          service nginx: start
        groups, groups-anywhere, quickstart
          directory /etc/nginx/pallet: ensure directory
          directory /usr/local/lib/pallet: ensure directory
          exec_checked_script check nginx's configuration: run
          exec_checked_script wait for nginx's new configuration: run
          file /etc/nginx/pallet/hello.headers: ensure it is absent
          file /etc/nginx/sites-enabled/default: ensure it is absent
          remote_file /etc/nginx/sites-available/hello: ensure file
          remote_file /usr/local/lib/pallet/nginx-servers: ensure file
          service nginx: reload
          service nginx: start
          symbolic_link /etc/nginx/sites-enabled/hello: ensure link
    "#]]
    .assert_eq(&tried(&home, &package, &nginx.file, &["--system", "debian 12"]));
}
