//! The checkpoint moves over what is none of a follower's: so that it is not read anew at each start, and by
//! who asks how far it has come.

use std::fs;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use super::{catches_up, checkpoint, each, ends_interrupted, lines, seen, wait_until};
use crate::harness::{Ream, Run, line, ream};

/// As many events as are worth to be passed over, and a few.
const MANY: usize = 1005;

/// Follows the type `Rare`.
fn rare<'r>(shop: &'r Ream, options: &[&str]) -> Run<'r> {
    let take =
        r#"IFS=:, read -r _ position _ && echo "$position" >> told && echo "{\"ack\":$position}""#;
    let script = each(take);
    let args = [&["tail", "--type", "Rare", "--as", "echo"], options, &["--", "sh", "-c", &script]];
    shop.run(args.concat())
}

/// When something was last written into a file.
fn written(shop: &Ream, name: &str) -> SystemTime {
    fs::metadata(shop.path(name)).unwrap().modified().unwrap()
}

#[test]
fn a_subscription_passes_over_what_it_does_not_follow() {
    for how in [&[][..], &["--per-event"], &["--batch", "2"]] {
        let shop = ream();
        let run = || rare(&shop, &[how, &["--until-caught-up"]].concat());
        // That it is made is an event, and wakes who follows.
        run().ok();
        shop.append("s", "Rare", "1").ok();
        shop.fill("s", MANY);
        shop.sh("touch -d 2001-01-01 .ream/bell/bell").ok();
        let at = MANY + 2;
        run().stdout(&format!("{{\"subscription\":\"echo\",\"checkpoint\":{at}}}\n"));
        let shown = shop.run(["subscription", "show", "echo"]).value();
        assert_eq!((&shown["checkpoint"], &shown["lag"]), (&at.into(), &0.into()));
        // No one is woken by that, and it is done once.
        let of_old = SystemTime::now() - Duration::from_secs(3600);
        assert!(written(&shop, ".ream/bell/bell") < of_old);
        shop.sh("touch -d 2001-01-01 .ream/db .ream/db-wal").ok();
        run().ok();
        assert!(written(&shop, ".ream/db") < of_old && written(&shop, ".ream/db-wal") < of_old);
        // What comes is told, once; where it is done only a few are left behind.
        shop.fill("s", 5).append("s", "Rare", "2").ok().fill("s", 5);
        run().ok();
        run().ok();
        assert_eq!(checkpoint(&shop, "echo"), at as u64 + 6);
        assert_eq!(lines(&shop, "told"), ["2", &*(at + 6).to_string()]);
    }
}

#[test]
fn one_that_has_no_event_of_its_own_passes_over_all() {
    let shop = ream();
    shop.fill("s", MANY);
    rare(&shop, &["--until-caught-up"]).ok();
    assert_eq!((checkpoint(&shop, "echo"), lines(&shop, "told").len()), (MANY as u64, 0));
    // Up to where it is asked to go, no further.
    shop.fill("s", 2 * MANY);
    let until = (2 * MANY).to_string();
    rare(&shop, &["--until", &until, "--until-caught-up"]).ok();
    assert_eq!(checkpoint(&shop, "echo"), 2 * MANY as u64);
}

#[test]
fn one_that_runs_passes_over_what_comes() {
    for how in [&[][..], &["--per-event"]] {
        let shop = ream();
        let running = rare(&shop, how).start();
        wait_until("the subscription", || shop.run(["subscription", "list"]).values().len() == 1);
        for round in 1..=3 {
            shop.append("s", "Rare", "1").ok().fill("s", MANY);
            let at = round * (MANY as u64 + 1);
            wait_until("the checkpoint", || checkpoint(&shop, "echo") > at - 1000);
        }
        assert_eq!(lines(&shop, "told").len(), 3);
        ends_interrupted(running, Signal::INT, 130);
    }
}

#[test]
fn what_is_told_and_not_acked_is_not_passed_over() {
    let shop = ream();
    shop.append("s", "Rare", "1").ok();
    shop.append("s", "Rare", "2").ok();
    shop.fill("s", MANY);
    let script = "IFS= read -r one; echo '{\"ack\":1}'; IFS= read -r two; exit 1";
    let args = ["tail", "--type", "Rare", "--as", "echo", "--retries", "0"];
    shop.run(args)
        .args(["--until-caught-up", "--", "sh", "-c", script])
        .fails_with(7, ["it fails on the event at position 2"]);
    assert_eq!(checkpoint(&shop, "echo"), 1);
    rare(&shop, &["--until-caught-up"]).ok();
    assert_eq!((checkpoint(&shop, "echo"), lines(&shop, "told").len()), (MANY as u64 + 2, 1));
}

#[test]
fn a_projection_passes_over_what_it_is_not_made_from() {
    let shop = seen(0);
    shop.append_lines(&line("mine-1", "T", "1")).ok();
    shop.fill("s", MANY);
    shop.run(["project", "run", "seen", "mine-*", "--until-caught-up", "--"])
        .args(["sh", "-c", "cat >/dev/null"])
        .stdout(&format!("{{\"projection\":\"seen\",\"checkpoint\":{}}}\n", MANY + 3));
    catches_up(&shop, &[], "cat >/dev/null");
    shop.run(["project", "select", "seen", "--fresh", "--count"]).stdout("{\"count\":0}\n");
}
