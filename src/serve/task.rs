//! What a connection's task does: it receives, has things done, and sends.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep_until, timeout};

use super::access::Secret;
use super::answer::{Answer, Line, refusal, wrong};
use super::commit::{Asked, Whom};
use super::connection::Connection;
use super::followed::{self, Followed};
use super::frames::{Begun, Frame, Frames};
use super::guest::Guest;
use super::hub::Hub;
use super::last_word::{LINGERS, pass_over};
use super::memory::Reserved;
use super::message::Request;
use super::pace::Pace;
use super::session;
use super::shared::Limits;
use super::told::{Owed, Told};
use crate::store::Store;

/// How long a client may take to bring a token that is needed.
const ADMITTED: Duration = Duration::from_secs(10);

/// How much is received at once, in bytes.
const RECEIVED: usize = 16 << 10;

/// How much room is kept for what is sent next, in bytes.
const KEPT: usize = 64 << 10;

/// What is asked on a connection.
struct Asking {
    connection: Rc<Connection>,
    hub: Rc<Hub>,
    frames: Frames,
    /// A request that waits until those before it are answered.
    next: Option<(Request, Payloads)>,
    /// The room for the payloads that are to come.
    reserved: Option<Reserved>,
    guest: Guest,
}

/// The payloads of a request, and the room that they take.
struct Payloads {
    each: Vec<Vec<u8>>,
    room: Reserved,
}

impl Asking {
    fn new(hub: &Rc<Hub>, connection: &Rc<Connection>, guest: Guest) -> Self {
        let frames = Frames::new(guest.terms(hub.shared.limits.payload));
        let (connection, hub) = (Rc::clone(connection), Rc::clone(hub));
        Self { connection, hub, frames, next: None, reserved: None, guest }
    }

    /// Takes what has been received, as far as it can be carried out now.
    fn take(&mut self) {
        while self.connection.may_be_asked() && !self.waits_for_room() {
            if self.next.is_some() && !self.connection.is_answered() {
                return;
            }
            if let Some((request, payloads)) = self.next.take() {
                self.carry_out(request, payloads);
                continue;
            }
            let Some(frame) = self.frames.next() else { return };
            let answer = match frame {
                Frame::Wrong { reason, closes } => wrong(&reason, closes),
                Frame::Refused { request, reason, closes } => {
                    self.reserved = None;
                    Answer { bytes: refusal(&request, &reason), closes }
                }
                Frame::Request { request, payloads: each } => match request {
                    Request::Ping => Line::new("PONG").end().into(),
                    Request::Pong => continue,
                    Request::Version { token, .. } => self.version(token.as_ref()),
                    Request::Token(token) => self.guest.admit(None, Some(&token)),
                    request if !self.guest.may(&request) => {
                        self.reserved = None;
                        refusal(&request, "not allowed").into()
                    }
                    request @ Request::Publish(_) => {
                        let payloads = self.payloads(each);
                        match self.publish(request, payloads) {
                            None => continue,
                            Some(refused) => refused,
                        }
                    }
                    request => {
                        self.next = Some((request, self.payloads(each)));
                        continue;
                    }
                },
            };
            self.connection.answer_now(answer);
        }
    }

    /// Payloads with the room that was reserved for them, or that they take up if none had to be.
    fn payloads(&mut self, each: Vec<Vec<u8>>) -> Payloads {
        let bytes = || each.iter().map(Vec::len).sum::<usize>() as u64;
        let reserved = self.reserved.take();
        let room = reserved.unwrap_or_else(|| self.hub.shared.memory.count(bytes()));
        Payloads { each, room }
    }

    /// Whether all is done that was asked, and nothing more will be.
    fn is_done(&self, has_ended: bool) -> bool {
        let has_all = has_ended && self.next.is_none() && !self.waits_for_room();
        (self.connection.is_closing() || has_all) && self.connection.is_answered()
    }

    /// Takes nothing more, since it takes too long.
    fn give_up(&mut self) {
        self.frames.close();
        self.connection.answer_now(wrong("a message takes too long to come", true));
    }

    /// Whether what has been received has to wait, since more is kept than should be.
    fn waits_for_room(&self) -> bool {
        self.reserved.is_none() && self.hub.shared.memory.is_full()
    }

    /// How much room is needed before more is received.
    fn needs(&self) -> Option<u64> {
        match self.frames.begun() {
            _ if self.reserved.is_some() => None,
            Begun::Payloads { kept, .. } if kept > 0 => Some(kept),
            _ => self.waits_for_room().then_some(0),
        }
    }

    fn version(&mut self, token: Option<&Secret>) -> Answer {
        let minor = self.frames.minor();
        self.connection.speak(minor);
        self.guest.admit(Some(minor), token)
    }

    /// Has an event published with what others publish by now; what is told where it is none.
    fn publish(&self, request: Request, payloads: Payloads) -> Option<Answer> {
        let Request::Publish(publish) = request else { return None };
        let Payloads { each, room } = payloads;
        let event = match session::event(&publish, each) {
            Ok(event) => event,
            Err(reason) => return Some(refusal(&Request::Publish(publish), &reason).into()),
        };
        let event = self.hub.shared.sealer.borrow_mut().seal(event);
        let (slot, minor) = (self.connection.slot(), self.frames.minor());
        let whom = Whom::Connection { slot, publish, minor };
        self.hub.shared.ask(Asked { whom, event, _room: room });
        None
    }

    /// Carries out a request beside which no other is.
    fn carry_out(&self, request: Request, payloads: Payloads) {
        match request {
            Request::Unsubscribe { stream } => {
                self.unsubscribe(&stream);
                let line = Line::new("EVENT UNSUBSCRIBED").name(&stream);
                self.connection.answer_now(line.end().into());
            }
            request @ Request::Subscribe { .. } => {
                let standing = self.connection.pass();
                self.run(request, move |store, request, owed| {
                    let subscribed = followed::subscribe(store, request, standing);
                    owed.tell(|slot| Told::Subscribed(slot, subscribed));
                });
            }
            request => {
                let minor = self.frames.minor();
                self.run(request, move |store, request, owed| {
                    owed.answer(session::perform(store, request, &payloads.each, minor));
                });
            }
        }
    }

    /// Has a thread do what a request asks for, or says that they are busy.
    fn run(&self, request: Request, job: impl FnOnce(&mut Store, &Request, Owed) + Send + 'static) {
        let owed = Owed::new(self.connection.slot_alone(), self.hub.shared.told.clone());
        let pool = &self.hub.shared.pool;
        if pool.is_full() {
            return owed.answer(refusal(&request, "busy").into());
        }
        let actor = self.guest.actor();
        pool.queue(move |store| {
            store.act_as(actor);
            job(store, &request, owed);
        });
    }

    fn unsubscribe(&self, stream: &str) {
        let (connection, shared) = (&self.connection, &self.hub.shared);
        if self.frames.minor() == 0 {
            return connection.unfollow(shared, &Followed::Stream { name: stream.into(), next: 1 });
        }
        let Some((mut patterns, next)) = connection.pass() else { return };
        patterns.retain(|pattern| pattern.as_str() != stream);
        let (goes_on, rest) = (!patterns.is_empty(), Followed::Pass { patterns, next });
        if goes_on {
            connection.follow(shared, rest);
        } else {
            connection.unfollow(shared, &rest);
        }
    }
}

/// What has been taken to be sent.
struct Sending {
    bytes: Vec<u8>,
    sent: usize,
    /// When the client took something last, where there was something to take.
    moved: Instant,
}

impl Sending {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    fn has_sent(&mut self, length: usize) {
        self.sent += length;
        if !self.rest().is_empty() {
            self.moved = Instant::now();
        }
    }

    /// Takes more, where all of it has been sent.
    fn go_on(&mut self, connection: &Connection) {
        if self.rest().is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
            self.sent = 0;
            connection.take_out(&mut self.bytes);
            if !self.bytes.is_empty() {
                self.moved = Instant::now();
            }
        }
        connection.is_sending(self.rest().len());
    }
}

/// When something came from a client last, and whether it was asked since.
struct Silence {
    heard: Instant,
    is_asked: bool,
    keep_alive: Duration,
    longest: Duration,
    /// When a token that is needed has to be there.
    token_by: Instant,
}

impl Silence {
    fn new(limits: &Limits) -> Self {
        let (keep_alive, longest) = (limits.keep_alive, limits.keep_alive + limits.ping_timeout);
        let heard = Instant::now();
        Self { heard, is_asked: false, keep_alive, longest, token_by: heard + ADMITTED }
    }

    fn broken(&mut self, connection: &Connection) {
        (self.heard, self.is_asked) = (Instant::now(), false);
        connection.hears(self.heard);
    }

    /// When it is to be looked again, whether someone is there.
    fn next(&self, sending: &Sending) -> Instant {
        let next = self.heard + if self.is_asked { self.longest } else { self.keep_alive };
        if sending.rest().is_empty() { next } else { next.min(sending.moved + self.longest) }
    }

    /// Does what is due, and says when to look again; nothing where the connection is over.
    fn ring(&mut self, asking: &Asking, sending: &Sending, receives: bool) -> Option<Instant> {
        let connection = &asking.connection;
        if asking.guest.is_awaited() && !connection.is_closing() {
            if Instant::now() < self.token_by {
                return Some(self.token_by);
            }
            connection.end(&Guest::turned_away());
        } else if !self.look(connection, sending, receives) {
            return None;
        }
        Some(self.next(sending))
    }

    /// Looks whether the client is there: it may have to be asked.
    fn look(&mut self, connection: &Connection, sending: &Sending, receives: bool) -> bool {
        let now = Instant::now();
        if !sending.rest().is_empty() && now >= sending.moved + self.longest {
            // Who takes nothing is not there.
            return false;
        }
        if !receives {
            // What it may have said is not counted as silence.
            self.heard = now;
        } else if now >= self.heard + self.longest && self.is_asked {
            return false;
        } else if now >= self.heard + self.keep_alive && !self.is_asked {
            self.is_asked = true;
            connection.say(&Line::new("PING").end());
        }
        true
    }
}

/// Serves a connection to its end.
pub(super) async fn serve(
    mut reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
    hub: Rc<Hub>,
    connection: Rc<Connection>,
    guest: Guest,
) {
    let limits = hub.shared.limits;
    let mut asking = Asking::new(&hub, &connection, guest);
    connection.say(&Line::new("REAM 1.0").end());
    let mut sending = Sending { bytes: Vec::new(), sent: 0, moved: Instant::now() };
    let (mut silence, mut pace) = (Silence::new(&limits), Pace::new(limits.receive));
    let (mut has_ended, mut received) = (false, vec![0; RECEIVED]);
    // One alarm, which is set anew when it rings: to set one for each message costs more than the rest.
    let first = silence.next(&sending).min(silence.token_by).min(pace.next());
    let mut alarm = pin!(sleep_until(first));
    loop {
        asking.take();
        if hub.shared.is_ending() && connection.is_answered() {
            connection.end(&wrong("the server is ending", true));
        }
        sending.go_on(&connection);
        if asking.is_done(has_ended) && sending.rest().is_empty() || connection.is_given_up() {
            break;
        }
        let needs = asking.needs();
        let takes_more =
            !has_ended && asking.next.is_none() && needs.is_none() && connection.may_send_ahead();
        pace.note(asking.frames.begun(), takes_more);
        tokio::select! {
            biased;
            written = writer.write(sending.rest()), if !sending.rest().is_empty() => match written {
                Ok(0) | Err(_) => break,
                Ok(length) => {
                    sending.has_sent(length);
                    connection.is_sending(sending.rest().len());
                    connection.catch_up(&hub.shared);
                }
            },
            read = reader.read(&mut received), if takes_more => match read {
                Ok(0) | Err(_) => has_ended = true,
                Ok(length) => {
                    asking.frames.feed(&received[..length]);
                    silence.broken(&connection);
                }
            },
            reserved = hub.shared.memory.wait_for(needs.unwrap_or_default()), if needs.is_some() => {
                asking.reserved = needs.filter(|needs| *needs > 0).map(|_| reserved);
            }
            () = connection.changed() => {}
            () = &mut alarm => {
                let Some(next) = silence.ring(&asking, &sending, takes_more) else { break };
                if pace.is_over() && !has_ended {
                    has_ended = true;
                    asking.give_up();
                }
                alarm.as_mut().reset(next.min(pace.next()));
            }
        }
    }
    let rest = if connection.is_given_up() { sending.rest() } else { &[] };
    end(writer, rest).await;
    hub.disconnect(&connection);
    if connection.is_closing() && !has_ended {
        pass_over(reader, received).await;
    }
}

/// Ends a connection from this side, behind the `rest` of what is to be sent.
async fn end(mut writer: impl AsyncWrite + Unpin, rest: &[u8]) {
    let ending = async {
        writer.write_all(rest).await?;
        writer.shutdown().await
    };
    // Who has gone, or takes nothing, does not hear it.
    let _ = timeout(LINGERS, ending).await;
}
