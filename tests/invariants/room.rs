//! Invariant 16: no room left, on a real file system and pretended.

use crate::support::{
    Home, Mounted, ended, ended_with_input, input, needs_root, position, text_of,
};

#[test]
fn a_full_disk_loses_nothing_and_takes_more_when_there_is_room() {
    needs_root("a file system that fills up");
    for bytes in [100, 20_000] {
        let home = Home::new();
        std::fs::remove_dir_all(home.store()).unwrap();
        std::fs::create_dir(home.store()).unwrap();
        let store = home.store();
        let mounted = Mounted::in_memory(&store, "600k");
        home.run(&["init", store.to_str().unwrap()]).done();
        let data = text_of(bytes);
        let mut acknowledged = 0;
        let full = loop {
            let end = home.run(&["append", "s", "T", &data]);
            if end.code != Some(0) {
                break end;
            }
            acknowledged = position(&end.stdout);
            assert!(acknowledged < 20_000, "it never fills up");
        };
        full.failed(1, &["no room left", "hint: make room"]);
        // Again, and it is no worse.
        let more = ended_with_input(&mut home.ream(&["append", "s", "T", "-"]), &text_of(300_000));
        more.failed(1, &["no room left"]);
        assert_eq!(home.positions(), (1..=acknowledged).collect::<Vec<_>>());
        mounted.resize("4m");
        assert_eq!(
            home.run(&["append", "s", "T", &data]).done().lines().map(position).next(),
            Some(acknowledged + 1)
        );
        home.run(&["status"]).done();
    }
}

#[test]
fn a_streamed_append_on_a_full_disk_keeps_what_it_acknowledged() {
    needs_root("a file system that fills up");
    let home = Home::new();
    std::fs::remove_dir_all(home.store()).unwrap();
    std::fs::create_dir(home.store()).unwrap();
    let store = home.store();
    let mounted = Mounted::in_memory(&store, "2m");
    home.run(&["init", store.to_str().unwrap()]).done();
    let mut command = home.ream(&["append", "--jsonl", "-"]);
    let end = ended_with_input(&mut command, &input("s", 5000, 1000));
    let acknowledged: Vec<u64> = end.stdout.lines().map(position).collect();
    end.failed(1, &["no room left", "stopped at line"]);
    assert_eq!(home.positions(), acknowledged);
    mounted.resize("20m");
    assert_eq!(home.append("s"), acknowledged.len() as u64 + 1);
}

#[test]
fn a_write_without_room_is_told_and_undone() {
    for when in 1..=4 {
        let home = Home::with(2);
        let inject = format!("pwrite64:error=ENOSPC:when={when}+");
        let end = ended(&mut home.injected("db-wal", &inject, &["append", "s", "T"]));
        end.failed(1, &["no room left", "hint: make room"]);
        assert_eq!(home.positions(), [1, 2]);
        assert_eq!(home.append("s"), 3);
    }
}

#[test]
fn an_index_without_room_is_told() {
    for (call, file) in [("ftruncate", "db-shm"), ("pwrite64", "db-shm")] {
        let home = Home::with(2);
        let inject = format!("{call}:error=ENOSPC");
        let end = ended(&mut home.injected(file, &inject, &["append", "s", "T"]));
        assert_ne!(end.code, Some(0), "{end:#?}");
        assert!(end.code.is_some_and(|code| code == 1 || code == 9), "{end:#?}");
        assert!(end.stderr.starts_with("error: "), "{end:#?}");
        assert_eq!(home.positions(), [1, 2]);
        assert_eq!(home.append("s"), 3);
    }
}
