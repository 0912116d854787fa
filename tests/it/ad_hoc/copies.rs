//! `cp`: trees to nodes and back, over ssh and to sandbox nodes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use pallet_tests::{Bed, Project};

use super::APP;
use crate::lift::project;
use crate::quickstart::alone;

/// A tree of unusual but valid names and modes.
fn tree(at: &Path) {
    fs::create_dir_all(at.join("a b/ü")).unwrap();
    for (name, mode) in [
        ("a b/quote'\"$x\\", 0o640),
        ("a b/new\nline", 0o600),
        ("a b/ü/-rf", 0o755),
        ("empty", 0o444),
    ] {
        fs::write(at.join(name), if name == "empty" { "" } else { name }).unwrap();
        fs::set_permissions(at.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::write(
        at.join("large"),
        (0..50_000_000_u32)
            .map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect::<Vec<_>>(),
    )
    .unwrap();
    fs::set_permissions(at.join("a b/ü"), fs::Permissions::from_mode(0o750)).unwrap();
    symlink("empty", at.join("link")).unwrap();
}

/// Each entry below a directory: name, mode and content.
fn listed(at: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![at.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let data = fs::symlink_metadata(&path).unwrap();
            let content = match (data.is_dir(), data.is_symlink()) {
                (true, _) => {
                    open.push(path.clone());
                    Vec::new()
                }
                (_, true) => fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(),
                _ => fs::read(&path).unwrap(),
            };
            found.push((
                path.strip_prefix(at).unwrap().to_str().unwrap().to_owned(),
                data.permissions().mode(),
                content,
            ));
        }
    }
    found.sort();
    found
}

fn copies(project: &Project, name: &str, nodes: &[&str]) {
    let here = project.home().join("tree");
    tree(&here);
    let (source, back) = (here.to_str().unwrap(), project.home().join("back"));
    let large = here.join("large");
    let large = large.to_str().unwrap();
    project.run(&["cp", large, &format!("{name}:/srv/")]).exits(0).says("50.0 MB");
    project
        .run(&["cp", source, &format!("{name}:/srv/")])
        .exits(2)
        .says("is a directory; -r copies it");
    project.run(&["cp", "-r", source, &format!("{name}:/srv/")]).exits(0);
    // copying again replaces the files
    project.run(&["cp", "-r", source, &format!("{name}:/srv/")]).exits(0);
    project
        .run(&[
            "cp",
            "-r",
            &format!("{name}:/srv/tree"),
            &format!("{name}:/srv/large"),
            back.to_str().unwrap(),
        ])
        .exits(0);
    let wanted = listed(&here);
    for node in nodes {
        assert!(
            listed(&back.join(node).join("tree")) == wanted,
            "{node}: what came back is not what was sent"
        );
        assert!(
            fs::read(back.join(node).join("large")).unwrap() == fs::read(large).unwrap(),
            "{node}: another file came back"
        );
    }
    // one file of one node goes where it is asked to
    let one = project.home().join("one");
    project
        .run(&["cp", &format!("{}:/srv/tree/a b/new\nline", nodes[0]), one.to_str().unwrap()])
        .exits(0);
    assert_eq!(fs::read_to_string(&one).unwrap(), "a b/new\nline");
    assert_eq!(fs::metadata(&one).unwrap().permissions().mode() & 0o777, 0o600);
    project.run(&["run", name, "--", "test -z \"$(find /srv -name '.pallet.*')\""]).exits(0);
}

#[test]
fn trees_go_over_ssh_and_back() {
    let bed = Bed::of(2);
    let project = project(&bed, 2, "root", APP);
    copies(&project, "app", &["node1", "node2"]);
    let (home, node) = (project.home().to_owned(), "node1");
    let file = home.join("file");
    fs::write(&file, vec![b'x'; 3_000_000]).unwrap();
    let file = file.to_str().unwrap();
    let there = |path: &str| format!("{node}:{path}");
    project
        .run(&["cp", file, &there("/srv/none/x")])
        .exits(1)
        .says("there is no directory /srv/none");
    project
        .run(&["cp", file, &there("/srv/none/")])
        .exits(1)
        .says("there is no directory /srv/none/");
    project
        .run(&["cp", "-r", home.join("tree").to_str().unwrap(), &there("/srv/large")])
        .exits(1)
        .says("/srv/large exists and is not a directory");
    project
        .run(&["cp", file, home.join("one").to_str().unwrap(), &there("/srv/large")])
        .exits(1)
        .says("several sources need a directory");
    project
        .run(&["cp", &there("/srv/none"), home.to_str().unwrap()])
        .exits(1)
        .says("there is no file or directory /srv/none");
    project
        .run(&["cp", &there("/srv/tree"), home.to_str().unwrap()])
        .exits(1)
        .says("/srv/tree is a directory; -r copies it");
    project
        .run(&["cp", "/no/such", &there("/srv/")])
        .exits(2)
        .says("there is no file or directory /no/such");
    project
        .run(&["cp", file, "node9:/srv/"])
        .exits(2)
        .says("there is no node, group or role node9; did you mean");
    // a full disk leaves nothing behind
    bed.ssh(1, "ls -A /srv/small").exits(0);
    project.run(&["cp", file, &there("/srv/small/x")]).exits(1).says("no space left on the device");
    project
        .run(&["cp", "-r", home.join("tree").to_str().unwrap(), &there("/srv/small/t")])
        .exits(1)
        .says("no space left on the device");
    bed.ssh(1, "test -z \"$(ls -A /srv/small)\"").exits(0);
}

#[test]
fn a_node_cannot_lead_a_download_out_of_its_directory() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", APP);
    let (outside, into) = (project.home().join("outside"), project.home().join("dl"));
    fs::create_dir(&outside).unwrap();
    fs::create_dir(&into).unwrap();
    fs::write(outside.join("file"), "mine\n").unwrap();
    let outside_path = outside.to_str().unwrap();
    let copy =
        |from: &str| project.run(&["cp", "-r", &format!("node1:{from}"), into.to_str().unwrap()]);
    let untouched = || {
        assert_eq!(listed(&outside).len(), 1);
        assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "mine\n");
    };
    // first it brings a link, then a directory of the same name
    bed.ssh(
        1,
        &format!(
            "mkdir -p /srv/out/sub && ln -s {outside_path} /srv/out/a && ln -s \
        {outside_path} /srv/out/sub/b"
        ),
    )
    .exits(0);
    copy("/srv/out").exits(0);
    assert_eq!(fs::read_link(into.join("out/a")).unwrap(), outside);
    for link in ["a", "sub/b"] {
        let make = format!(
            "cd /srv/out && rm {link} && mkdir {link} && echo theirs >{link}/file \
            && echo new >{link}/new"
        );
        bed.ssh(1, &make).exits(0);
        copy("/srv/out")
            .exits(1)
            .says(&format!("out/{link} is a link where a directory should go"));
        untouched();
        fs::remove_file(into.join("out").join(link)).unwrap();
        copy("/srv/out").exits(0);
        untouched();
    }
    // as what is copied itself, as a file, and as the directory of a node
    bed.ssh(
        1,
        &format!(
            "mkdir /srv/tree && ln -s {outside_path} /srv/tree/out && ln -s \
        {outside_path}/file /srv/tree/plain && ln -s {outside_path} /srv/tree/node1"
        ),
    )
    .exits(0);
    let inner = into.join("tree");
    copy("/srv/tree").exits(0);
    let into_inner = |from: &str, name: &str| {
        project.run(&["cp", "-r", &format!("{name}:{from}"), inner.to_str().unwrap()])
    };
    into_inner("/srv/out", "node1").exits(1).says("tree/out is a link where a directory should go");
    bed.ssh(1, "echo theirs >/srv/plain").exits(0);
    into_inner("/srv/plain", "node1").exits(0);
    assert_eq!(fs::read_to_string(inner.join("plain")).unwrap(), "theirs\n");
    into_inner("/srv/plain", "app")
        .exits(2)
        .says("cannot create the directory")
        .says("it is a link, or no directory");
    untouched();
    // nothing is left beside the target
    assert!(listed(&into).iter().all(|(name, ..)| !name.contains(".pallet")));
}

#[test]
fn fault_30_deep_trees_are_copied() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", APP);
    let deep = "d/".repeat(900);
    bed.ssh(1, &format!("mkdir -p /srv/deep/{deep} && echo end >/srv/deep/{deep}file")).exits(0);
    let into = project.home().join("deep");
    for _ in 0..2 {
        project
            .run(&["cp", "-r", "node1:/srv/deep", project.home().to_str().unwrap()])
            .exits(0)
            .says("/srv/deep -> ");
    }
    assert_eq!(fs::read_to_string(into.join(&deep).join("file")).unwrap(), "end\n");
    project.run(&["cp", "-r", into.to_str().unwrap(), "node1:/srv/back"]).exits(0);
    bed.ssh(1, &format!("cat /srv/back/{deep}file")).exits(0).says("end");
}

#[test]
fn sandbox_nodes_too() {
    let _alone = alone();
    let project = Project::quickstart();
    project.edit("pallet.star", "phases = {\"bootstrap\": automated_admin_user},", "");
    project.edit("pallet.star", "phases = {\"configure\": configure},", "");
    project.run(&["ssh", "web"]).exits(2).says("group web has no nodes; converge creates them");
    project
        .run(&["run", "web", "--", "true"])
        .exits(2)
        .says("group web has no nodes; converge creates them");
    project.run(&["converge"]).exits(0);
    project.run(&["run", "web", "--", "hostname"]).exits(0).says(
        "web-1: exit 0\n  web-1\n\
        web-2: exit 0\n  web-2\n",
    );
    copies(&project, "web", &["web-1", "web-2"]);
    project.run(&["ssh", "web-1", "--", "hostname"]).exits(0).says("web-1");
    // a single word is a line of shell, as for `run`
    project.run(&["ssh", "web-1", "--", "exit 3"]).exits(3);
    project.run(&["ssh", "web-1", "--", "printf", "<%s>", "a b"]).exits(0).says("<a b>");
    project
        .run(&["ssh", "web"])
        .exits(2)
        .says("group web has 2 nodes: web-1, web-2; name one of them");
    project.run(&["converge", "web=1"]).exits(2).says("--yes");
    project.run(&["converge", "web=1", "--yes"]).exits(0);
    project.run(&["ssh", "web", "--", "hostname"]).exits(0).says("web-");
    project.run(&["ssh", "wbe-1"]).exits(2).says("did you mean `web-");
}
