//! The frames of a log, as its file has them.
//!
//! Whoever finds no other reads the log's file and keeps an index of its frames in shared memory; from
//! then on SQLite believes the index. After a failed write the file holds them in memory alone, and
//! only as long as the system likes: then they read as they are on the disk, and to move them would put
//! that into the database. The format is from "WAL-mode File Format" of SQLite's documentation.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The magic number, but for its last bit: that tells the order of bytes in sums.
const MAGIC: u32 = 0x377f_0682;

/// Whether the log at `path` has as many frames as `count`, from its start on. The log, unlike the
/// database, carries no locks, so it may be opened and closed.
pub(super) fn has_frames(path: &Path, count: u64) -> io::Result<bool> {
    if count == 0 {
        return Ok(true);
    }
    match check(BufReader::new(File::open(path)?), count) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        checked => checked,
    }
}

fn check(mut log: impl Read, count: u64) -> io::Result<bool> {
    let mut header = [0; HEADER];
    log.read_exact(&mut header)?;
    let magic = number(&header, 0);
    let page = number(&header, 8) as usize;
    if magic & !1 != MAGIC || !(512..=65_536).contains(&page) {
        return Ok(false);
    }
    let mut sum = Sum { big_end: magic & 1 == 1, value: (0, 0) };
    sum.add(&header[..24]);
    if sum.value != pair(&header, 24) {
        return Ok(false);
    }
    let mut frame = vec![0; FRAME_HEADER + page];
    for _ in 0..count {
        log.read_exact(&mut frame)?;
        sum.add(&frame[..8]);
        sum.add(&frame[FRAME_HEADER..]);
        // The salts are those of the header, and the sum is that of all before, too.
        if pair(&frame, 8) != pair(&header, 16) || pair(&frame, 16) != sum.value {
            return Ok(false);
        }
    }
    Ok(true)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn pair(bytes: &[u8], at: usize) -> (u32, u32) {
    (number(bytes, at), number(bytes, at + 4))
}

/// A sum over pairs of numbers.
struct Sum {
    big_end: bool,
    value: (u32, u32),
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let (mut first, mut second) = self.value;
        for pair in bytes.chunks_exact(8) {
            let (one, other) = (number(pair, 0), number(pair, 4));
            let (one, other) =
                if self.big_end { (one, other) } else { (one.swap_bytes(), other.swap_bytes()) };
            first = first.wrapping_add(one).wrapping_add(second);
            second = second.wrapping_add(other).wrapping_add(first);
        }
        self.value = (first, second);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rusqlite::Connection;

    use super::*;

    #[test]
    fn a_log_has_the_frames_that_sqlite_wrote_and_none_that_read_otherwise() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let connection = Connection::open(&path).unwrap();
        let begin = "PRAGMA journal_mode=WAL; CREATE TABLE t (a);
                     INSERT INTO t VALUES (hex(zeroblob(9000)));";
        for sql in begin.split(';') {
            let _ = connection.query_row(sql, [], |_| Ok(()));
        }
        let count: u64 =
            connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(1)).unwrap();
        assert!(count > 4, "{count}");
        let log = directory.path().join("db-wal");
        assert!(has_frames(&log, 0).unwrap());
        assert!(has_frames(&log, count).unwrap());
        assert!(!has_frames(&log, count + 1).unwrap());
        let whole = fs::read(&log).unwrap();
        let copy = directory.path().join("copy");
        let page = 4096;
        for frame in 0..usize::try_from(count).unwrap() {
            let at = HEADER + frame * (FRAME_HEADER + page);
            for (from, bytes) in [(at, 8), (at + 8, 8), (at + FRAME_HEADER, page), (at + 100, 1)] {
                let mut lost = whole.clone();
                lost[from..from + bytes].iter_mut().for_each(|byte| *byte ^= 0x55);
                fs::write(&copy, &lost).unwrap();
                assert!(!has_frames(&copy, count).unwrap(), "{frame} {from}");
                assert!(has_frames(&copy, frame as u64).unwrap(), "{frame} {from}");
            }
        }
        fs::write(&copy, &whole[..20]).unwrap();
        assert!(!has_frames(&copy, 1).unwrap());
    }
}
