//! A GET over HTTP, as small as it can be.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::{Duration, Instant};

/// Fetches `/` from `host:port`, optionally in another network namespace. Tries for 10 s; returns
/// the body.
pub fn get(address: &str, network: Option<&Path>) -> Result<String, String> {
    let (address, network) = (address.to_owned(), network.map(Path::to_owned));
    // a separate thread, because a thread that has entered another namespace stays there
    std::thread::spawn(move || {
        if let Some(network) = network {
            let namespace = std::fs::File::open(&network)
                .map_err(|error| format!("{}: {error}", network.display()))?;
            rustix::thread::move_into_link_name_space(
                std::os::fd::AsFd::as_fd(&namespace),
                Some(rustix::thread::LinkNameSpaceType::Network),
            )
            .map_err(|error| format!("cannot enter {}: {error}", network.display()))?;
        }
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            match attempt(&address) {
                Ok(body) => return Ok(body),
                Err(error) if Instant::now() > end => {
                    return Err(format!("http://{address}/: {error}"));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    })
    .join()
    .unwrap()
}

fn attempt(address: &str) -> Result<String, String> {
    let text = |error: std::io::Error| error.to_string();
    let socket = address.to_socket_addrs().map_err(text)?.next().ok_or("no address")?;
    let mut stream = TcpStream::connect_timeout(&socket, Duration::from_secs(2)).map_err(text)?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).map_err(text)?;
    write!(stream, "GET / HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n")
        .map_err(text)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(text)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("not an answer of HTTP")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status == "200" { Ok(body.to_owned()) } else { Err(format!("status {status}")) }
}
