//! Clients that send requests all the time, each on a connection of its own, and count the answers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pallet_tests::Bed;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Running clients.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Answers>>,
}

/// What the clients got.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// How often each body came with status 200.
    pub(crate) good: BTreeMap<String, usize>,
    /// Everything else.
    pub(crate) bad: Vec<String>,
}

impl Load {
    /// Starts clients in the network of the nodes.
    pub(crate) fn start(bed: &Bed, address: &str, clients: usize) -> Self {
        let address: SocketAddr = address.parse().unwrap();
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let clients = (0..clients).map(|_| {
            let (network, stop, sent) = (bed.network(), stop.clone(), sent.clone());
            std::thread::spawn(move || client(network, address, &stop, &sent))
        });
        Load { clients: clients.collect(), stop, sent }
    }

    /// Waits until the clients have sent so many more requests.
    pub(crate) fn goes_on(&self, requests: usize) {
        let begin = self.sent.load(Ordering::Relaxed);
        let end = Instant::now() + Duration::from_secs(60);
        while self.sent.load(Ordering::Relaxed) < begin + requests {
            assert!(Instant::now() < end, "the clients do not get {requests} answers in 60 s");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Lets each client get its last answer, and returns all.
    pub(crate) fn stop(self) -> Answers {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Answers::default();
        for client in self.clients {
            let answers = client.join().unwrap();
            for (body, count) in answers.good {
                *all.good.entry(body).or_default() += count;
            }
            all.bad.extend(answers.bad);
        }
        all
    }
}

fn client(network: PathBuf, address: SocketAddr, stop: &AtomicBool, sent: &AtomicUsize) -> Answers {
    let namespace = File::open(network).unwrap();
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
    let mut answers = Answers::default();
    while !stop.load(Ordering::Relaxed) {
        match request(address) {
            Ok(body) => *answers.good.entry(body).or_default() += 1,
            Err(error) => {
                answers.bad.push(error);
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        sent.fetch_add(1, Ordering::Relaxed);
    }
    answers
}

/// One request that no balancer may send twice: a POST.
fn request(address: SocketAddr) -> Result<String, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).map_err(text)?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).map_err(text)?;
    // HTTP 1.0, so that the body comes as it is, without chunks
    let head = "POST / HTTP/1.0\r\nHost: app\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(head.as_bytes()).map_err(text)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(text)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("an answer without a head")?;
    match head.split(' ').nth(1) {
        // a body without a length ends with the connection, and may have been cut
        Some("200") if body.ends_with(".\n") => Ok(body.trim().to_owned()),
        Some("200") => Err(format!("a part of a body: {body:?}")),
        status => Err(format!("status {}", status.unwrap_or("unknown"))),
    }
}
