//! `ream project select --fresh`, and `ream project rebuild`.

use super::seen;
use crate::harness::Ream;

/// A program that makes a row of each event, and writes a line into `ran` each time that it is run.
const MAKER: &str = r#"echo >> ran; sed -n 's/{"position":\([0-9]*\),.*"data":\([0-9]*\)}$/{"set":{"position":\1,"n":\2}}/p'"#;

/// A store with so many events, and the projection `seen`, which remembers the program. It is the second of
/// that name, and so of generation 2.
fn made(events: usize) -> Ream {
    let shop = seen(events);
    shop.run(["project", "drop", "seen", "--yes"]).ok();
    shop.run(["project", "create", "seen", "position:integer:key", "n:integer", "--from", "s"])
        .args(["--", "sh", "-c", MAKER])
        .ok();
    shop
}

fn runs(shop: &Ream) -> usize {
    std::fs::read_to_string(shop.path("ran")).unwrap_or_default().lines().count()
}

#[test]
fn it_catches_up_with_nothing_running() {
    let shop = made(2);
    let fresh = || shop.run(["project", "select", "seen", "--fresh", "--order-by", "position"]);
    fresh().stdout("{\"position\":1,\"n\":1}\n{\"position\":2,\"n\":2}\n");
    assert_eq!(runs(&shop), 1);
    // Where nothing has come, nothing is run.
    fresh().stdout_has(["\"n\":2"]);
    shop.append("other", "T", "1").ok();
    fresh().stdout_has(["\"n\":2"]);
    assert_eq!(runs(&shop), 1);
    shop.append("s", "T", "7").ok();
    fresh().args(["n = 7"]).stdout("{\"position\":7,\"n\":7}\n");
    assert_eq!(runs(&shop), 2);
    // From wherever it is asked.
    shop.append("s", "T", "8").ok();
    std::fs::create_dir(shop.path("below")).unwrap();
    fresh().args(["n = 8"]).within("below").stdout("{\"position\":8,\"n\":8}\n");
    assert_eq!(runs(&shop), 3);
}

#[test]
fn how_a_program_is_run_is_remembered_too() {
    let shop = seen(3);
    shop.run(["project", "create", "each", "position:integer:key", "n:integer", "--per-event"])
        .args(["--from", "s", "--", "sh", "-c", MAKER])
        .ok();
    shop.run(["project", "select", "each", "--fresh", "--count"]).stdout("{\"count\":3}\n");
    assert_eq!(runs(&shop), 3);
    let shown = shop.run(["project", "show", "each"]).value();
    assert_eq!((&shown["batch"], &shown["directory"]), (&1.into(), &".".into()));
    assert_eq!(shown["per_event"], true);
    shop.run(["project", "create", "two", "id:integer:key", "--batch", "2"])
        .fails_with(2, ["PROGRAM"]);
}

#[test]
fn it_waits_for_who_runs_it_already() {
    let shop = made(1);
    let script = r#"while read -r line; do
            position=${line#*:}; position=${position%%,*}
            echo "{\"set\":{\"position\":$position,\"n\":0}}"; echo "{\"ack\":$position}"
        done"#;
    let running = shop.run(["project", "run", "seen", "--", "sh", "-c", script]).start();
    for count in 1..=3 {
        shop.run(["project", "select", "seen", "--fresh", "--count"])
            .stdout(&format!("{{\"count\":{count}}}\n"));
        shop.append("s", "T", "1").ok();
    }
    drop(running);
}

#[test]
fn it_waits_no_longer_than_it_is_told_to() {
    let shop = made(1);
    shop.run(["project", "create", "slow", "id:integer:key", "--", "sleep", "1000"]).ok();
    let select = |name: &str| shop.run(["project", "select", name, "--fresh", "--wait", "100ms"]);
    let told = "the projection `slow` has not reached position 5 in time; it is at 0";
    select("slow").fails_with(10, [told]);
    // Neither for a program, nor for who runs it.
    let running = shop.run(["project", "run", "slow"]).start();
    shop.run(["subscription", "show", "slow"]).ok();
    select("slow").fails_with(10, [told]);
    drop(running);
    shop.run(["project", "select", "slow", "--wait", "1s"]).fails_with(2, ["--wait needs"]);
    shop.run(["project", "select", "slow", "--fresh", "--at-least", "1"])
        .code(2)
        .stderr_has(["cannot be used with"])
        .stdout("");
}

#[test]
fn it_needs_a_program_that_works() {
    let shop = seen(1);
    shop.run(["project", "select", "seen", "--fresh"]).fails(
        6,
        "error: `seen` remembers no program that makes it\n\
         hint: give it a program once, behind --: ream project run --help\n",
    );
    shop.run(["project", "create", "bad", "id:integer:key", "--", "./missing"]).ok();
    shop.run(["project", "select", "bad", "--fresh"]).fails_with(7, ["can't run `./missing`"]);
}

#[test]
fn one_is_made_anew_by_what_is_remembered_or_by_another() {
    let shop = made(2);
    shop.run(["project", "rebuild", "seen"])
        .stdout("{\"projection\":\"seen\",\"rebuilt\":true,\"rows\":2,\"checkpoint\":2}\n");
    shop.run(["project", "set", "seen", r#"{"position":9,"n":9}"#]).ok();
    shop.run(["project", "rebuild", "seen", "--format", "table"])
        .stdout("seen: rebuilt, 2 rows, at position 2\n");
    shop.append("t", "T", "5").ok();
    let rebuild = shop.run(["project", "rebuild", "seen", "t", "--batch", "1", "--"]);
    rebuild.args(["sh", "-c", MAKER]).ok();
    shop.run(["project", "select", "seen"]).stdout("{\"position\":8,\"n\":5}\n");
    shop.run(["project", "show", "seen"]).stdout_has([r#""from":["t"],"#, r#""generation":5"#]);
    shop.append("t", "T", "6").ok();
    shop.run(["project", "select", "seen", "--fresh", "--count"]).stdout("{\"count\":2}\n");
    shop.run(["project", "rebuild", "sen"]).fails_with(4, ["no projection `sen`", "`seen`"]);
}

#[test]
fn what_differs_is_told_before_it_is_asked() {
    let shop = made(2);
    shop.run(["project", "select", "seen", "--fresh"]).ok();
    shop.run(["project", "set", "seen", r#"{"position":9,"n":9}"#]).ok();
    shop.run(["project", "set", "seen", r#"{"position":1,"n":0}"#]).ok();
    let differs = "1 row changed, 1 gone, 0 new\n\
                   - {\"position\":1,\"n\":0}\n+ {\"position\":1,\"n\":1}\n- {\"position\":9,\"n\":9}\n";
    let rebuild = || shop.run(["project", "rebuild", "seen"]);
    let unchanged = || shop.run(["project", "select", "seen", "--count"]).stdout("{\"count\":3}\n");
    rebuild()
        .args(["--dry-run", "--format", "table"])
        .stdout(&format!("{differs}seen: would have 2 rows, at position 2\n"));
    unchanged();
    let asked = rebuild().args(["--diff"]).on_terminal().typed("no\n").code(1).text();
    assert!(asked.contains("+ {\"position\":1,\"n\":1}"), "{asked}");
    unchanged();
    rebuild().args(["--diff", "--yes"]).stdout(concat!(
        r#"{"projection":"seen","rebuilt":true,"rows":2,"checkpoint":2,"changed":1,"gone":1,"new":0,"#,
        r#""first":[{"was":{"position":1,"n":0},"is":{"position":1,"n":1}},"#,
        r#"{"was":{"position":9,"n":9},"is":null}]}"#,
        "\n"
    ));
    rebuild()
        .args(["--diff", "--yes", "--format", "table"])
        .stdout("0 rows changed, 0 gone, 0 new\nseen: rebuilt, 2 rows, at position 2\n");
    rebuild().args(["--yes"]).code(2).stderr_has(["--diff"]).stdout("");
}

#[test]
fn what_can_not_be_asked_is_refused_before_anything_is_made() {
    let shop = made(2);
    let script = "echo run >> told; cat >/dev/null";
    let args = ["project", "rebuild", "seen", "--diff", "--", "sh", "-c", script];
    shop.run(args).fails(
        2,
        "error: putting the new seen in the place of the old one needs to be confirmed\n\
         hint: ream project rebuild --yes seen --diff -- sh -c 'echo run >> told; cat >/dev/null'\n",
    );
    assert!(!shop.path("told").exists());
    let files = std::fs::read_dir(shop.path(".ream/projections")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(!names.into_iter().any(|name| name.starts_with("seen.3")));
    // On a terminal it is made, and asked.
    shop.run(args).on_terminal().typed("no\n").code(1).ok();
    assert_eq!(super::lines(&shop, "told"), ["run"]);
}

#[test]
fn one_that_can_not_be_made_leaves_the_old_one() {
    let shop = made(2);
    shop.run(["project", "select", "seen", "--fresh"]).ok();
    shop.run(["project", "rebuild", "seen", "--retries", "0", "--", "false"])
        .fails_with(7, ["`false` failed with exit code 1"]);
    shop.run(["project", "select", "seen", "--count"]).stdout("{\"count\":2}\n");
    shop.run(["project", "show", "seen"]).stdout_has([r#""generation":2"#, "sh"]);
    // It is told that something is made anew, and of what.
    let told = "env | grep '^REAM_' | sort > told; cat >/dev/null";
    shop.run(["project", "rebuild", "seen", "--", "sh", "-c", told]).ok();
    let told = std::fs::read_to_string(shop.path("told")).unwrap();
    assert!(told.contains("REAM_NAME=seen\nREAM_REBUILD=1\nREAM_STORE=/"), "{told}");
}
