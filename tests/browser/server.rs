//! A server on a new store, as a command.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::site::PATIENCE;

const REAM: &str = env!("CARGO_BIN_EXE_ream");

/// A server, up to its end.
pub(crate) struct Server {
    process: Child,
    /// What it says of each address that it listens on.
    listening: Vec<Value>,
    home: TempDir,
}

impl Server {
    /// One with these addresses: a word that names one, and then itself.
    pub(crate) fn start(words: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let made = ream(&home, &["init"]).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let mut command = ream(&home, &["--quiet", "serve"]);
        let mut process = command.args(words).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let count = words.iter().filter(|word| word.contains(':')).count();
        let lines = lines.take(count).map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        let listening = lines.collect();
        Self { process, listening, home }
    }

    fn listening(&self, kind: &str) -> &Value {
        self.listening.iter().find(|line| line["listening"] == kind).unwrap()
    }

    fn address(&self, kind: &str) -> &str {
        self.listening(kind)["address"].as_str().unwrap()
    }

    /// Where it speaks REAM.
    pub(crate) fn tcp(&self) -> &str {
        self.address("tcp")
    }

    /// Where it speaks HTTP.
    pub(crate) fn http(&self) -> &str {
        self.address("http")
    }

    /// The token that may do everything.
    pub(crate) fn token(&self) -> String {
        let file = self.listening("tcp")["token_file"].as_str().unwrap();
        fs::read_to_string(file).unwrap().trim().to_owned()
    }

    /// The events of the store, one on each line.
    pub(crate) fn events(&self) -> String {
        let read = ream(&self.home, &["read"]).output().unwrap();
        assert!(read.status.success(), "{read:?}");
        String::from_utf8(read.stdout).unwrap()
    }

    /// How many requests over HTTP it has answered.
    pub(crate) fn requests(&self) -> u64 {
        let mut client = TcpStream::connect(self.http()).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!("Authorization: Bearer {}\r\nConnection: close", self.token());
        let request = format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n");
        client.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        let count = answer
            .lines()
            .find_map(|line| line.strip_prefix("ream_http_request_seconds_count ").map(str::parse));
        count.unwrap_or_else(|| panic!("{answer}")).unwrap()
    }
}

fn ream(home: &TempDir, words: &[&str]) -> Command {
    let mut command = Command::new(REAM);
    command.args(words).current_dir(home.path()).env_remove("REAM_STORE");
    command
}

impl Drop for Server {
    fn drop(&mut self) {
        // Where it has ended already there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
