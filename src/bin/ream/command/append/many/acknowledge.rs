//! Acknowledges events that have been committed, on a thread of its own: to write a batch's
//! acknowledgements takes a good part of the time in which the next batch is stored.

use std::io;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::JoinHandle;

use ream::{Appended, SealedEvent, platform};

use crate::args::Format;
use crate::output::{Output, is_closed_output};

/// How many batches may wait to be acknowledged.
const WAITING: usize = 1;

/// A batch that has been committed.
struct Committed {
    events: Vec<SealedEvent>,
    appended: Vec<Appended>,
}

/// The thread that acknowledges.
pub(super) struct Acknowledger {
    sender: SyncSender<Committed>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Acknowledger {
    pub(super) fn start(output: Output) -> io::Result<Self> {
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        let thread = platform::spawn(move || write_all(output, &receiver))?;
        Ok(Self { sender, thread })
    }

    /// Acknowledges a batch, soon.
    pub(super) fn send(
        &mut self,
        events: Vec<SealedEvent>,
        appended: Vec<Appended>,
    ) -> anyhow::Result<()> {
        let committed = Committed { events, appended };
        // The thread ends before its time only with an error, which `finish` tells.
        self.sender.send(committed).map_err(|_| anyhow::anyhow!("can't acknowledge"))
    }

    /// Waits until everything is acknowledged.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        drop(self.sender);
        self.thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("can't acknowledge")))
    }
}

/// Writes and sends off each batch's acknowledgements. Where nobody listens any more, the events
/// go on being stored: that is what they were sent for.
fn write_all(mut output: Output, receiver: &Receiver<Committed>) -> anyhow::Result<()> {
    let mut buffer = Vec::new();
    let mut closed = false;
    for Committed { events, appended } in receiver {
        for (event, one) in events.iter().zip(&appended) {
            let (from, event) = (buffer.len(), event.event());
            one.write(&mut buffer, &event.stream, event.id.as_ref());
            if output.format == Format::Json {
                let line = buffer.split_off(from);
                output.record(&mut buffer, &line);
            } else {
                buffer.push(b'\n');
            }
        }
        if !closed {
            closed = send(&output, &buffer)?;
        }
        buffer.clear();
    }
    if !closed {
        send(&output, output.end())?;
    }
    Ok(())
}

/// Writes, and tells whether nobody listens.
fn send(output: &Output, bytes: &[u8]) -> anyhow::Result<bool> {
    match output.write(bytes) {
        Err(error) if is_closed_output(&error) => Ok(true),
        written => written.map(|()| false),
    }
}
