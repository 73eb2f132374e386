//! `ream init`, and how every command finds its store.

use serde_json::json;

use crate::harness::{Ream, bare, ream};

/// Every file of a store, and the permissions that it must have.
#[track_caller]
fn check_private(ream: &Ream, store: &str) {
    let mut checked = 0;
    let mut left = vec![ream.path(store)];
    while let Some(path) = left.pop() {
        let mode = ream.mode(&path);
        checked += 1;
        if path.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            left.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
        } else {
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
    // The directories are three; marker, database, log, lock, bell and count of changes are files.
    assert!(checked >= 9, "{checked} files and directories are not a whole store");
}

#[test]
fn a_new_store_says_who_it_is() {
    let ream = bare();
    let answer = ream.run(["init"]).value();
    let id = ream.id().unwrap();
    assert_eq!(answer, json!({"store": id, "path": ".ream", "created": true}));
    assert_eq!(id.len(), 13);
    assert!(id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()), "{id}");
}

#[test]
fn init_again_says_so_and_changes_nothing() {
    let ream = ream();
    ream.append("s", "T", "1").ok();
    let answer = ream.run(["init"]).value();
    assert_eq!(answer, json!({"store": ream.id(), "path": ".ream", "created": false}));
    ream.run(["init", "--format", "table"]).stdout("the store [store] is in .ream already\n");
    assert_eq!(ream.positions(&[]), [1]);
}

#[test]
fn two_stores_have_different_ids() {
    assert_ne!(ream().id(), ream().id());
}

#[test]
fn a_readable_line_tells_where_a_store_was_made() {
    bare().run(["init", "--format", "table", "shop"]).stdout_has(["made the store ", " in shop\n"]);
}

#[test]
fn an_empty_directory_becomes_a_store() {
    let ream = bare();
    std::fs::create_dir(ream.path("shop")).unwrap();
    ream.run(["init", "shop"]).ok().run(["read", "--store", "shop"]).stdout("");
    check_private(&ream, "shop");
}

#[test]
fn missing_directories_above_a_store_are_made() {
    bare().run(["init", "a/b/shop"]).ok().run(["status", "--store", "a/b/shop"]).ok();
}

#[test]
fn a_directory_with_something_else_in_it_is_refused() {
    let ream = bare();
    ream.write("shop/notes.txt", "mine");
    ream.run(["init", "shop"]).fails(
        1,
        "error: shop is not empty and not a store\n\
         hint: ream init shop/.ream\n",
    );
    assert_eq!(std::fs::read_dir(ream.path("shop")).unwrap().count(), 1);
    ream.run(["init", "shop/.ream"]).ok();
}

#[test]
fn a_directory_with_somebody_elses_database_is_left_as_it_is() {
    let ream = bare();
    // Names that a store has, too; nothing tells that one was begun here.
    for names in [&["db"][..], &["db", "db-wal", "lock"], &["db", "store.new"]] {
        for name in names {
            ream.write(&format!("shop/{name}"), "SQLite format 3\0");
        }
        ream.sh("chmod 755 shop").ok();
        ream.run(["init", "shop"]).fails(
            1,
            "error: shop is not empty and not a store\n\
             hint: ream init shop/.ream\n",
        );
        assert_eq!(ream.mode("shop"), 0o755);
        assert_eq!(std::fs::read_dir(ream.path("shop")).unwrap().count(), names.len());
        assert_eq!(std::fs::read_to_string(ream.path("shop/db")).unwrap(), "SQLite format 3\0");
        std::fs::remove_dir_all(ream.path("shop")).unwrap();
    }
}

#[test]
fn a_directory_that_others_may_write_to_becomes_a_private_store() {
    let ream = bare();
    ream.sh("mkdir shop && chmod 777 shop").ok();
    ream.run(["init", "shop"]).ok();
    check_private(&ream, "shop");
}

#[test]
fn a_file_where_the_directory_should_be_is_refused() {
    let ream = bare();
    ream.write("shop", "mine");
    for args in [["init", "shop"], ["read", "--store=shop"], ["status", "--store=shop"]] {
        ream.run(args)
            .fails_with(4, ["error: shop is not a directory\n", "hint: a store is a directory\n"]);
    }
    ream.run(["init", "shop/below"]).code(1).stderr_has(["error: ", "shop"]).stdout("");
    assert_eq!(std::fs::read_to_string(ream.path("shop")).unwrap(), "mine");
}

#[test]
fn a_store_is_private_whatever_the_umask() {
    for umask in ["000", "022", "077", "0777"] {
        let ream = bare();
        let script = format!(
            "umask {umask}; \"$REAM\" init && \"$REAM\" append s T 1 && \"$REAM\" stream rm s --yes"
        );
        ream.sh(&script).ok();
        check_private(&ream, ".ream");
    }
}

#[test]
fn the_store_option_goes_before_the_environment_and_both_before_the_directory() {
    let ream = ream();
    ream.append("here", "T", "1").ok();
    for name in ["one", "two"] {
        ream.run(["init", name]).ok();
        ream.run(["append", "--store", name, name, "T"]).ok();
    }
    let stream = |run: crate::harness::Run<'_>| run.value()["stream"].clone();
    assert_eq!(stream(ream.run(["read"])), "here");
    assert_eq!(stream(ream.run(["read"]).env("REAM_STORE", "one")), "one");
    assert_eq!(stream(ream.run(["--store", "two", "read"]).env("REAM_STORE", "one")), "two");
    assert_eq!(stream(ream.run(["read", "--store=two"]).env("REAM_STORE", "one")), "two");
    // An empty variable names nothing.
    assert_eq!(stream(ream.run(["read"]).env("REAM_STORE", "")), "here");
}

#[test]
fn init_makes_the_store_that_the_option_or_the_environment_names() {
    let ream = bare();
    ream.run(["init", "--store", "one"]).ok();
    ream.run(["init"]).env("REAM_STORE", "two").ok();
    for name in ["one", "two"] {
        ream.run(["status", "--store", name]).ok();
    }
    assert!(!ream.path(".ream").exists());
}

#[test]
fn the_nearest_store_above_is_found() {
    let ream = ream();
    ream.write("a/b/c/file", "");
    ream.append("outer", "T", "1").within("a/b/c").ok();
    assert_eq!(ream.run(["read"]).within("a/b").value()["stream"], "outer");
    ream.run(["init"]).within("a/b").ok();
    ream.run(["read"]).within("a/b/c").stdout("");
    assert_eq!(ream.run(["read"]).within("a").value()["stream"], "outer");
}

#[test]
fn a_store_in_the_directory_itself_is_named() {
    let ream = bare();
    ream.run(["init", "."]).ok();
    ream.run(["append", "s", "T"]).fails(
        4,
        "error: no store in [home] or above it\nhint: this directory is a store itself: ream append --store . s T\n",
    );
    ream.run(["append", "s", "T", "--store", "."]).ok();
}

#[test]
fn without_a_store_every_command_names_the_init_to_run() {
    let ream = bare();
    for args in [
        &["append", "s", "T"][..],
        &["append", "--jsonl", "-"],
        &["read"],
        &["tail"],
        &["stream", "list"],
        &["stream", "show", "s"],
        &["stream", "protect", "s"],
        &["stream", "rm", "--yes", "s"],
        &["status"],
    ] {
        ream.run(args).fails(4, "error: no store in [home] or above it\nhint: ream init\n");
        ream.run(args)
            .args(["--store", "my shop"])
            .fails(4, "error: no store at my shop\nhint: ream --store 'my shop' init\n");
        ream.run(args)
            .env("REAM_STORE", "shop")
            .fails(4, "error: no store at shop\nhint: ream init shop\n");
    }
    assert_eq!(ream.home().read_dir().unwrap().count(), 0, "nothing but init makes anything");
}

#[test]
fn a_directory_that_is_no_store_is_none() {
    let ream = bare();
    std::fs::create_dir(ream.path(".ream")).unwrap();
    ream.run(["read"]).fails(4, "error: no store at [home]/.ream\nhint: ream init [home]/.ream\n");
}

#[test]
fn a_store_of_a_newer_format_is_left_alone() {
    let ream = ream();
    ream.append("s", "T", "1").ok();
    let marker = std::fs::read_to_string(ream.path(".ream/store")).unwrap();
    ream.write(".ream/store", marker.replace("format: 1", "format: 2"));
    for args in [&["read"][..], &["append", "s", "T"], &["init"], &["status"], &["tail"]] {
        ream.run(args).code(1).stderr_has(["has format 2", "hint: install"]).stdout("");
    }
    ream.write(".ream/store", marker);
    assert_eq!(ream.positions(&[]), [1]);
}

#[test]
fn a_check_is_switched_off_by_a_1_and_nothing_else() {
    let shop = ream();
    for name in ["REAM_TRUST_OWNER", "REAM_UNSAFE_FS"] {
        for value in ["1", "0", ""] {
            shop.run(["status"]).env(name, value).ok();
        }
        for value in ["false", "true", "no", "01", " 1"] {
            let told = format!("error: {name} is set to `{value}`; it can be 1 or 0\n");
            shop.run(["status"]).env(name, value).fails_with(2, [&*told]);
        }
    }
}
