//! Invariant 2: nobody but SQLite opens SQLite's files; but for the log, which carries no locks and is
//! synced once it is cut.

use crate::support::{Call, Home, Lines, Running, calls, input, traced};

const KINDS: &str = "%file,openat,openat2,open,creat,copy_file_range,sendfile";
const FILES: [&str; 3] = ["db", "db-wal", "db-shm"];

/// That each open of the three files is SQLite's own: it opens the three together, to read and
/// write, and follows no link. Any other would be one more of one of them, or ask for less.
#[track_caller]
fn opened_by_sqlite_alone(calls: &[Call]) {
    let opens = |file: &str| {
        let syncs = |call: &&Call| file == "db-wal" && call.text().contains("O_RDONLY");
        let of = calls.iter().filter(|call| call.name().starts_with("open") && call.on(file));
        of.filter(|call| !syncs(call)).collect::<Vec<_>>()
    };
    let connections = opens("db-wal").len();
    assert!(connections > 0, "{calls:#?}");
    for file in FILES {
        let opens = opens(file);
        // Connections that live together share the index of the log.
        let fewest = if file == "db-shm" { 1 } else { connections };
        assert!((fewest..=connections).contains(&opens.len()), "{file}: {opens:#?}");
        for open in opens {
            let flags = open.text();
            assert!(flags.contains("O_RDWR") && flags.contains("O_NOFOLLOW"), "{open:?}");
            assert!(!flags.contains("O_TRUNC"), "{open:?}");
        }
    }
    for call in calls {
        let harmless = call.name().starts_with("open")
            || call.name().contains("stat")
            || call.is(&[
                "access",
                "faccessat",
                "faccessat2",
                "readlink",
                "readlinkat",
                "chmod",
                "fchmodat",
            ]);
        let touched = FILES.iter().any(|file| call.on(file));
        assert!(harmless || !touched, "{call:?}");
    }
}

#[test]
fn only_sqlite_opens_its_files() {
    let home = Home::with(200);
    let file = home.place().join("input");
    std::fs::write(&file, input("bulk", 3000, 200)).unwrap();
    for args in [
        &["append", "a", "T"][..],
        &["append", "--jsonl", file.to_str().unwrap()],
        &["append", "--atomic", "--jsonl", file.to_str().unwrap()],
        &["read"],
        &["read", "a"],
        &["status"],
        &["stream", "list"],
        &["stream", "show", "a"],
        &["stream", "protect", "a"],
        &["stream", "rm", "s", "--yes"],
        &["stream", "rm", "s", "--dry-run"],
        &["tail", "--limit", "1"],
    ] {
        opened_by_sqlite_alone(&traced(&home, KINDS, args));
    }
}

#[test]
fn a_follower_never_opens_them_again() {
    let home = Home::with(1);
    let strace = ["strace", "-f", "-y", "-e", &format!("trace={KINDS}"), "-e", "signal=none"];
    let mut tail = Running::start(&mut home.wrapped(&strace, &["tail"]));
    let (lines, trace) = (tail.lines(), Lines::of(tail.stderr()));
    for number in 1..=4 {
        lines.next().unwrap();
        if number < 4 {
            home.append("s");
        }
    }
    // It looks for itself, again and again, whether its store is still there.
    let mut looks = 0;
    let trace = trace.through(|line| {
        looks += usize::from(line.contains("stat") && line.contains("/store/db\""));
        looks == 8
    });
    opened_by_sqlite_alone(&calls(&trace));
}
