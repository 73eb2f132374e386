//! Connections that publish, and such that follow, as many as there are on one thread.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::retry_on_intr;

use super::DATA;

/// What came of publishing.
pub(super) struct Load {
    /// How many events a second.
    pub(super) rate: f64,
    /// How long each took, where one is asked for at a time.
    pub(super) took: Vec<Duration>,
}

/// A connection that publishes, as far as it is.
pub(super) struct Publisher {
    socket: File,
    request: Vec<u8>,
    /// How many answers are awaited, and since when.
    awaited: usize,
    since: Instant,
}

impl Publisher {
    /// One that asks the same each time. Its socket does not block.
    pub(super) fn new(socket: File, request: String) -> Self {
        Self { socket, request: request.into_bytes(), awaited: 0, since: Instant::now() }
    }

    fn ask(&mut self, requests: usize, asked: &mut usize) {
        if requests == 1 {
            self.socket.write_all(&self.request).unwrap();
        } else {
            self.socket.write_all(&self.request.repeat(requests)).unwrap();
        }
        self.awaited += requests;
        *asked += requests;
    }
}

/// Has so many connections publish events, each with so many requests ahead.
pub(super) fn publish(socket: &Path, connections: usize, count: usize, ahead: usize) -> Load {
    let publishers = (0..connections).map(|number| {
        let socket = connect(socket);
        socket.set_nonblocking(true).unwrap();
        let request = format!("EVENT PUBLISH s{number} {}\n{DATA}\n", DATA.len());
        Publisher::new(File::from(OwnedFd::from(socket)), request)
    });
    publish_by(publishers.collect(), count, ahead, (b"EVENT PUBLISHED ", b"\n"))
}

/// The same by connections of any kind; how answers begin, and what ends each of them.
pub(super) fn publish_by(
    mut publishers: Vec<Publisher>,
    count: usize,
    ahead: usize,
    (beginning, end): (&[u8], &[u8]),
) -> Load {
    let polled = Polled::new(publishers.iter().map(|publisher| &publisher.socket));
    let begun = Instant::now();
    let (mut asked, mut done, mut received) = (0, 0, vec![0; 1 << 16]);
    let (mut took, mut ready) = (Vec::with_capacity(count), Vec::with_capacity(publishers.len()));
    for publisher in &mut publishers {
        publisher.since = Instant::now();
        publisher.ask(ahead.min(count - asked), &mut asked);
    }
    while done < count {
        polled.wait(&mut ready, None);
        for number in &ready {
            let publisher = &mut publishers[*number];
            let length = publisher.socket.read(&mut received).unwrap();
            let received = &received[..length];
            assert!(received.starts_with(beginning), "{}", String::from_utf8_lossy(received));
            let answers = received.windows(end.len()).filter(|bytes| *bytes == end).count();
            let now = Instant::now();
            took.push(now - publisher.since);
            publisher.since = now;
            publisher.awaited -= answers;
            done += answers;
            publisher.ask(answers.min(count - asked), &mut asked);
        }
    }
    let rate = f64::from(u32::try_from(count).unwrap()) / begun.elapsed().as_secs_f64();
    Load { rate, took }
}

/// A connection that has been greeted and speaks 1.1.
fn connect(socket: &Path) -> UnixStream {
    let mut socket = UnixStream::connect(socket).unwrap();
    socket.write_all(b"REAM 1.1\n").unwrap();
    let mut greeting = [0; 18];
    socket.read_exact(&mut greeting).unwrap();
    socket
}

/// A connection that follows a stream, as far as it is.
struct Follower {
    socket: UnixStream,
    stream: String,
    received: Vec<u8>,
    version: usize,
}

impl Follower {
    /// Takes what has come; how many events were not the next one.
    fn take(&mut self) -> usize {
        let mut bytes = [0; 1 << 14];
        let mut wrong = 0;
        match self.socket.read(&mut bytes) {
            Ok(length) => self.received.extend_from_slice(&bytes[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => panic!("{error}"),
        }
        let mut from = 0;
        loop {
            let event = format!("EVENT {} {} 1\n1\n", self.stream, self.version + 1);
            let rest = &self.received[from..];
            if rest.len() < event.len() {
                break;
            }
            wrong += usize::from(!rest.starts_with(event.as_bytes()));
            self.version += 1;
            from += event.len();
        }
        self.received.drain(..from);
        wrong
    }
}

/// Has events be published to so many streams in turn, one each millisecond, and so many connections follow one
/// of them each; how many events did not come, or not in order.
pub(super) fn follow(socket: &Path, followers: usize, streams: usize, each: usize) -> usize {
    let mut publisher = connect(socket);
    let mut followers: Vec<Follower> = (0..followers)
        .map(|number| {
            let mut socket = UnixStream::connect(socket).unwrap();
            let stream = format!("f{}", number % streams);
            socket.write_all(format!("EVENT SUBSCRIBE {stream} 1\n").as_bytes()).unwrap();
            let mut greeting =
                vec![0; format!("REAM 1.0\nEVENT SUBSCRIBED {stream} EMPTY\n").len()];
            socket.read_exact(&mut greeting).unwrap();
            assert!(greeting.ends_with(b" EMPTY\n"));
            socket.set_nonblocking(true).unwrap();
            Follower { socket, stream, received: Vec::new(), version: 0 }
        })
        .collect();
    let polled = Polled::new(followers.iter().map(|follower| &follower.socket));
    let (begun, mut asked, mut wrong) = (Instant::now(), 0, 0);
    let (mut ready, mut answers) = (Vec::with_capacity(followers.len()), vec![0; 1 << 16]);
    publisher.set_nonblocking(true).unwrap();
    let is_over = |follower: &Follower| follower.version == each;
    while !followers.iter().all(is_over) && begun.elapsed() < Duration::from_secs(60) {
        while asked < streams * each && begun.elapsed().as_millis() >= asked as u128 {
            let request = format!("EVENT PUBLISH f{} 1\n1\n", asked % streams);
            match publisher.write(request.as_bytes()) {
                Ok(length) => assert_eq!(length, request.len()),
                // The server is behind.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
            asked += 1;
        }
        // Only so that they are taken.
        let _ = publisher.read(&mut answers);
        polled.wait(&mut ready, Some(Duration::from_millis(1)));
        wrong += ready.iter().map(|number| followers[*number].take()).sum::<usize>();
    }
    wrong + followers.iter().map(|follower| each.abs_diff(follower.version)).sum::<usize>()
}

/// Sockets, of which some may be ready to be read.
struct Polled(OwnedFd);

impl Polled {
    fn new<'s>(sockets: impl Iterator<Item = &'s (impl AsFd + 's)>) -> Self {
        let polled = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        for (number, socket) in sockets.enumerate() {
            let number = epoll::EventData::new_u64(number as u64);
            epoll::add(&polled, socket, number, epoll::EventFlags::IN).unwrap();
        }
        Self(polled)
    }

    /// Waits for one that is, and tells all that are, by their numbers.
    fn wait(&self, ready: &mut Vec<usize>, timeout: Option<Duration>) {
        let timeout = timeout.map(|timeout| Timespec::try_from(timeout).unwrap());
        let mut events = Vec::with_capacity(ready.capacity());
        // A signal that stops the process for a while ends the wait.
        retry_on_intr(|| epoll::wait(&self.0, spare_capacity(&mut events), timeout.as_ref()))
            .unwrap();
        ready.clear();
        ready.extend(events.iter().map(|event| usize::try_from(event.data.u64()).unwrap()));
    }
}
