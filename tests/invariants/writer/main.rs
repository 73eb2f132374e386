//! A process that has a store open and appends the event in each line that comes: a writer that stays,
//! whatever fails. Or, with a socket alone, one that connects and prints the first line that it is sent; with two
//! lines behind it, one that sends these and prints all that comes. Tests of faults start it.

#![allow(clippy::print_stdout, reason = "it answers in lines")]

use std::error::Error;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::time::Duration;

use ream::{Options, Store, wire};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    #[cfg(unix)]
    if let [_, socket] = &arguments[..] {
        let mut line = String::new();
        io::BufReader::new(std::os::unix::net::UnixStream::connect(socket)?)
            .read_line(&mut line)?;
        print!("{line}");
        return Ok(());
    }
    #[cfg(unix)]
    if let [_, socket, words, more] = &arguments[..] {
        let mut socket = std::os::unix::net::UnixStream::connect(socket)?;
        socket.write_all(format!("{words}\n{more}\n").as_bytes())?;
        socket.shutdown(std::net::Shutdown::Write)?;
        io::copy(&mut socket, &mut io::stdout())?;
        return Ok(());
    }
    let [_, store, lock_timeout] = &arguments[..] else {
        return Err("writer STORE MILLISECONDS | SOCKET [LINE LINE]".into());
    };
    let mut options = Options::default();
    options.lock_timeout = Duration::from_millis(lock_timeout.parse()?);
    let mut store = Store::open(Path::new(store), &options)?;
    for line in io::stdin().lock().lines() {
        let event = wire::parse_event(line?.as_bytes())?;
        match store.append(&[event]) {
            Ok(appended) => println!("{{\"position\":{}}}", appended[0].position),
            Err(error) => println!("failed: {error}"),
        }
    }
    Ok(())
}
