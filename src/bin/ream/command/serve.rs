//! `ream serve`.

use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use ream::serve::{ServeOptions, Server};
use serde::Serialize;

use crate::args::{Format, Global};
use crate::command::following;
use crate::environment::Environment;
use crate::output::{Output, to_line};
use crate::refused::Refused;
use crate::signals::Signals;
use crate::units;

/// Serve the store to whoever connects, in REAM 1.0 and 1.1
///
/// In the foreground, until SIGTERM or SIGINT: what was taken is answered, then it ends; a second signal ends
/// it at once. Without --unix it listens on `serve.sock` in the store. A line on standard output says that it
/// listens. The commands use the store beside it as ever.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream serve
  ream serve --unix /run/ream/shop.sock
  printf 'EVENT PUBLISH emails 16\\n{\"name\":\"peter\"}\\n' | nc -U -N .ream/serve.sock")]
pub(crate) struct ServeArgs {
    /// Listen on a Unix socket at PATH, for the user who runs this; may be given several times
    #[arg(long, value_name = "PATH")]
    unix: Vec<PathBuf>,
    /// At most N connections at once
    #[arg(long, value_name = "N", default_value = "1024", value_parser = following::at_least_one)]
    max_connections: usize,
    /// Keep at most SIZE of payloads and answers in memory; who sends more waits [default: 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    max_memory: Option<u64>,
    /// Interrupt a request, other than to publish, that takes longer than TIME [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    request_timeout: Option<Duration>,
    /// Ask a client that has been silent for TIME whether it is there [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    keep_alive: Option<Duration>,
    /// End a connection whose client has not answered that within TIME [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    ping_timeout: Option<Duration>,
    /// When it is to end, wait at most TIME for connections to end [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    grace: Option<Duration>,
}

/// That a socket is listened on, as JSON.
#[derive(Serialize)]
struct ListeningJson<'s> {
    listening: &'static str,
    path: &'s str,
}

impl ServeArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let signals = Signals::take_over()?;
        let store = global.open(environment, &global.options(environment))?;
        let path = store.path().to_owned();
        drop(store);
        let own = [path.join("serve.sock")];
        for socket in if self.unix.is_empty() { &own[..] } else { &self.unix[..] } {
            check(socket)?;
        }
        let mut options = ServeOptions::default();
        options.unix.clone_from(&self.unix);
        options.max_connections = self.max_connections;
        options.max_memory = self.max_memory.unwrap_or(options.max_memory);
        options.request_timeout = self.request_timeout.unwrap_or(options.request_timeout);
        options.keep_alive = self.keep_alive.unwrap_or(options.keep_alive);
        options.ping_timeout = self.ping_timeout.unwrap_or(options.ping_timeout);
        options.grace = self.grace.unwrap_or(options.grace);
        // It is the signal that ends it, in its time.
        signals.hold(|| {
            let server = Server::bind(&path, &global.options(environment), &options)?;
            let stop = server.stop();
            signals.on_signal(move || stop.stop())?;
            // One that came before that is not told there.
            signals.check()?;
            let output = Output::new(global);
            for path in server.unix() {
                let path = path.to_string_lossy();
                let line = match output.format {
                    Format::Table if global.quiet => Vec::new(),
                    Format::Table => format!("listening on {path}\n").into_bytes(),
                    _ => {
                        let json = ListeningJson { listening: "unix", path: &path };
                        [to_line(&json)?, b"\n".into()].concat()
                    }
                };
                output.done(&line)?;
            }
            anyhow::Ok(server.run()?)
        })
    }
}

/// That a socket can be called so.
fn check(socket: &Path) -> Result<(), Refused> {
    if SocketAddr::from_pathname(socket).is_ok() {
        return Ok(());
    }
    let (path, bytes) = (socket.display(), socket.as_os_str().len());
    let message =
        format!("{path} has {bytes} bytes, too many for a socket; --unix takes another path");
    Err(Refused::Usage(message))
}
