//! The network of nodes: reachable from the machine and from each other, with access to the
//! outside.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pallet_core::prelude::*;

use super::bed::{Bed, made, run, sh};

/// Answers each connection with a page. Perl is in every Debian.
const SERVER: &str = r#"use IO::Socket::INET; $| = 1;
my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die; print "ready\n";
while (my $c = $s->accept) { my $l = <$c>; print $c "HTTP/1.0 200 OK\r\n\r\nhello from $ARGV[0]\n"; close $c }"#;

fn fetch(address: &str) -> String {
    let mut stream = TcpStream::connect_timeout(
        &format!("{address}:8080").parse().unwrap(),
        Duration::from_secs(5),
    )
    .unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

#[test]
fn a_page_is_served_to_the_machine_and_to_another_node() {
    let Some(bed) = Bed::new(11) else { return };
    let nodes = bed.run(&["web-1", "web-2"]);
    let Connection::Exec { command } = &nodes[0].connection else { panic!() };
    let mut server = Command::new(&command[0])
        .args(&command[1..])
        .args(["perl", "-e", SERVER, "web-1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = [0; 6];
    server.stdout.take().unwrap().read_exact(&mut ready).unwrap();
    let address = nodes[0].address.as_deref().unwrap();
    assert!(fetch(address).ends_with("hello from web-1\n"));
    let client = format!(
        "perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(\"{address}:8080\") or \
            die; print $s \"GET\\n\"; print <$s>'"
    );
    assert!(sh(&nodes[1], &client).ends_with("hello from web-1"));

    // another node with the same address is reachable at once: no ARP cache has an outdated
    // hardware address
    bed.sandbox.destroy_nodes(&[nodes[0].id.clone()]).unwrap();
    server.wait().unwrap();
    let again = bed.run(&["web-3"]).remove(0);
    assert_eq!(again.address.as_deref(), Some(address));
    let start = Instant::now();
    let refused = TcpStream::connect_timeout(
        &format!("{address}:8080").parse().unwrap(),
        Duration::from_secs(5),
    )
    .unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(start.elapsed() < Duration::from_secs(1));
    bed.down();
}

#[test]
fn addresses_of_projects_and_of_data_directories_do_not_collide() {
    let Some(bed) = Bed::new(12) else { return };
    let first = bed.run(&["web-1"]).remove(0);
    let other = bed.of_project("blog");
    let second = made(run(&other, &["web-1"]).remove(0)).unwrap();
    let apart = bed.context.directory.join("data");
    let apart = ServiceContext { data_directory: apart, ..bed.context.clone() };
    let apart = crate::linux::sandbox::Sandbox::connect(bed.options.clone(), apart).unwrap();
    let third = made(run(&apart, &["web-1"]).remove(0)).unwrap();
    let addresses = [&first, &second, &third].map(|node| node.address.clone().unwrap());
    assert_eq!(addresses, ["10.214.12.2", "10.214.12.3", "10.214.12.4"]);
    assert_eq!(bed.sandbox.nodes().unwrap().len(), 1, "a project sees its own nodes only");
    apart.destroy_nodes(&[third.id]).unwrap();
    apart.clean_up().unwrap();
    other.destroy_nodes(&[second.id]).unwrap();
    other.clean_up().unwrap();
    assert_eq!(bed.links().len(), 2, "the bridge stays for the first project's node");
    bed.down();
}

#[test]
fn packages_are_installed_from_the_outside() {
    let Some(bed) = Bed::new(13) else { return };
    if crate::linux::machine::program("apt-get").is_none() {
        return;
    }
    let node = bed.run(&["web-1"]).remove(0);
    if node.tags.contains_key("network") {
        return;
    }
    sh(&node, "apt-get update -q >&2 && apt-get install -y -q tree >&2");
    assert!(sh(&node, "tree --version").starts_with("tree v"));
    bed.down();
}
