//! What many requests at once leave in the log of the database.

use crate::support::Home;

/// How many bytes a frame of it has.
const FRAME: u64 = 4096 + 24;

#[test]
fn a_servers_log_becomes_longer_than_that_of_any_other_writer() {
    let home = Home::new();
    let mut client = home.client();
    let asked: Vec<_> = (0..64).map(|number| format!("EVENT PUBLISH s{number} 1\n1\n")).collect();
    let mut frames = 0;
    for version in 1..=300 {
        client.send(asked.concat());
        (0..64).for_each(|number| client.gets(&format!("EVENT PUBLISHED s{number} {version}\n")));
        frames = std::fs::metadata(home.path().join("db-wal")).unwrap().len() / FRAME;
    }
    // Another one has it start over after 1,800.
    assert!((2000..8192).contains(&frames), "{frames} frames");
    home.end();
}
