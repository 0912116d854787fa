//! A slow network: a proxy for a node of a bed that delays all data, and counts round trips.
//!
//! A real delay (netem) needs a kernel module that few test machines have. This proxy does not
//! emulate TCP's slow start: more than 14 KiB at once takes another round trip.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::Bed;

/// The properties of a network.
#[derive(Debug, Clone, Copy)]
pub struct Slowness {
    /// The delay in each direction.
    pub delay: Duration,
    /// One in this many packets is lost, and arrives later by a retransmission timeout; 0 for none.
    pub loss: u32,
}

/// A port in the network of a bed that leads to a node with a slow network.
#[derive(Debug)]
pub struct SlowNetwork {
    port: u16,
    connections: Arc<Mutex<Vec<Arc<Mutex<Turns>>>>>,
}

/// The depth of the conversation: data is one turn deeper than what its sender has received.
#[derive(Debug, Default)]
struct Turns {
    /// Of what the server has received.
    server: u32,
    /// Of what the client has received: the number of round trips that it has waited for.
    client: u32,
}

impl SlowNetwork {
    /// Puts a slow network between the port and the node's sshd.
    pub fn before(bed: &Bed, node: usize, slowness: Slowness) -> Self {
        let connections = Arc::new(Mutex::new(Vec::new()));
        let (network, server, list) = (
            bed.network(),
            format!("{}:22", bed.address(node)).parse().unwrap(),
            connections.clone(),
        );
        let (bound, port) = channel();
        // threads started by this one are also in that network
        spawn(move || {
            let network = std::fs::File::open(network).unwrap();
            move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            bound.send(listener.local_addr().unwrap().port()).unwrap();
            for client in listener.incoming().flatten() {
                let turns = Arc::new(Mutex::new(Turns::default()));
                list.lock().unwrap().push(turns.clone());
                spawn(move || carry(client, server, slowness, &turns));
            }
        });
        SlowNetwork { port: port.recv().unwrap(), connections }
    }

    /// Where to connect to, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The number of round trips that each connection since the last call has waited for, including
    /// that of TCP.
    pub fn round_trips(&self) -> Vec<u32> {
        std::mem::take(&mut *self.connections.lock().unwrap())
            .iter()
            .map(|turns| turns.lock().unwrap().client + 1)
            .collect()
    }
}

/// A piece in transit: when it arrives, its depth, and its bytes.
type Piece = (Instant, u32, Vec<u8>);

fn carry(client: TcpStream, server: SocketAddr, slowness: Slowness, turns: &Arc<Mutex<Turns>>) {
    // SYN, SYN-ACK, ACK: what the client takes for a connection is one after a round trip, and the
    // server's a half later
    let opened = Instant::now() + slowness.delay * 3;
    let (up, arrivals) = channel();
    let (mut reader, kept) = (client.try_clone().unwrap(), turns.clone());
    spawn(move || read(&mut reader, slowness, opened, &up, || kept.lock().unwrap().client + 1));
    sleep(opened - Instant::now());
    let Ok(server) = TcpStream::connect(server) else { return };
    for socket in [&client, &server] {
        socket.set_nodelay(true).unwrap();
    }
    let (down, answers) = channel();
    let (mut reader, kept) = (server.try_clone().unwrap(), turns.clone());
    spawn(move || read(&mut reader, slowness, opened, &down, || kept.lock().unwrap().server));
    let kept = turns.clone();
    spawn(move || write(server, &arrivals, |depth| kept.lock().unwrap().server = depth));
    write(client, &answers, |depth| turns.lock().unwrap().client = depth);
}

fn read(
    from: &mut TcpStream,
    slowness: Slowness,
    opened: Instant,
    to: &Sender<Piece>,
    depth: impl Fn() -> u32,
) {
    let mut buffer = vec![0; 64 * 1024];
    let mut last = opened;
    let mut pieces = 0;
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        pieces += 1;
        let lost = slowness.loss > 0 && pieces % slowness.loss == 0;
        // a timeout is a bit more than a round trip; data behind a lost piece waits for it
        let late =
            if lost { slowness.delay * 2 + Duration::from_millis(200) } else { Duration::ZERO };
        last = last.max(Instant::now() + slowness.delay + late);
        if to.send((last, depth(), buffer[..count].to_vec())).is_err() {
            return;
        }
    }
}

fn write(mut to: TcpStream, from: &Receiver<Piece>, arrived: impl Fn(u32)) {
    for (due, depth, bytes) in from {
        sleep(due.saturating_duration_since(Instant::now()));
        arrived(depth);
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
