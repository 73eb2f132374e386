//! The stories of hints.

use super::{Story, story};

const EVENTS: &str =
    r#"ream append cart-1 Added '{"n":1}'; ream append cart-2 Added '{"n":2}' --id k"#;
/// Names that a shell or a terminal would take for something else.
const NAMES: &str = "ream append 'my cart\u{200b}' Added; ream append -- -x Added";
const ROWS: &str =
    r#"ream project create rows id:integer:key n:integer; ream project set rows '{"id":1,"n":1}'"#;
const FOLLOWED: &str = "ream tail 'cart-*' --as hook --until-caught-up -- sh -c 'cat >/dev/null'";
const MADE: &str = "ream project create rows id:integer:key n:integer:null;
    ream project run rows 'cart-*' --until-caught-up -- sh -c 'cat >/dev/null'";
/// A store that is another one than that in which its program was given.
const COPIED: &str = "cp -r $REAM_STORE copy; rm -r $REAM_STORE; mv copy $REAM_STORE";
/// A database that was restored in its place, from a copy which is older than the rows of a projection.
const RESTORED: &str =
    "ream project create rows id:integer:key --from 'cart-*' -- sh -c 'cat >/dev/null';
    mkdir old; cp $REAM_STORE/db $REAM_STORE/db-wal old
    ream append cart-1 Added; ream project run rows --until-caught-up
    rm $REAM_STORE/db-* $REAM_STORE/bell/bell; cp old/* $REAM_STORE; rm -r old";

/// A store that has lost an event that was acknowledged.
const LOST: &str = "mkdir old; cp $REAM_STORE/db $REAM_STORE/db-wal old; ream append cart-1 Added
    rm $REAM_STORE/db-shm; cp old/* $REAM_STORE; rm -r old";

pub(super) fn stories() -> Vec<Story> {
    [confirmed(), found(), refused_appends(), refused(), places(), followers(), backups(), meant()]
        .into_iter()
        .flatten()
        .collect()
}

/// What needs to be confirmed.
fn confirmed() -> Vec<Story> {
    let yes = |before: &[&'static str], line, hint| story("--yes", before, (line, 2), hint);
    vec![
        yes(
            &[EVENTS],
            "ream --store shop --lock-timeout 5s stream rm cart-1 cart-2 -q",
            "ream --store shop --lock-timeout 5s stream rm --yes cart-1 cart-2 -q",
        ),
        yes(
            &[NAMES],
            "ream stream rm --store=shop -- 'my cart\u{200b}' -x",
            r#"ream stream rm --yes --store=shop -- "$(printf 'my cart\342\200\213')" -x"#,
        ),
        yes(
            &["ream state set cart-1 1"],
            "ream state rm cart-1 --store shop",
            "ream state rm --yes cart-1 --store shop",
        ),
        yes(
            &[ROWS],
            "ream project --store shop drop rows",
            "ream project --store shop drop --yes rows",
        ),
        yes(
            &[ROWS],
            "ream --store shop project update rows --set 'n = n + :n' --where 'id = 1' --with n=1",
            "ream --store shop project update --yes rows --set 'n = n + :n' --where 'id = 1' --with n=1",
        ),
        yes(
            &[ROWS],
            "ream --store shop project delete rows 'id != 2'",
            "ream --store shop project delete --yes rows 'id != 2'",
        ),
        yes(
            &[EVENTS, FOLLOWED],
            "ream --store shop subscription rm hook",
            "ream --store shop subscription rm --yes hook",
        ),
        yes(
            &[EVENTS, MADE],
            "ream --store shop project rebuild rows --diff",
            "ream --store shop project rebuild --yes rows --diff",
        ),
    ]
}

/// What is not there.
fn found() -> Vec<Story> {
    let list = |list, line, hint| story(list, &[EVENTS], (line, 4), hint);
    vec![
        story("init", &[], ("ream --store none read", 4), "ream --store none init"),
        story(
            "DIR .ream",
            &["mkdir -p full; touch full/file"],
            ("ream --store shop init full", 1),
            "ream --store shop init full/.ream",
        ),
        list("", "ream --store shop stream show zebra", "ream --store shop stream list"),
        list("", "ream --store shop state get zebra", "ream --store shop state list"),
        list("", "ream --store shop project show zebra", "ream --store shop project list"),
        list(
            "",
            "ream --store shop subscription show zebra",
            "ream --store shop subscription list",
        ),
        story(
            "see how far it has come",
            &[ROWS],
            ("ream --store shop subscription seek rows end", 4),
            "ream --store shop project show rows",
        ),
        story(
            "a file here is run with its path",
            &[EVENTS, "printf '#!/bin/sh\\necho {}\\n' > plain; chmod +x plain"],
            ("ream --store shop decide cart-1 '{\"a\": 1}' --id 7 -- plain 'two words'", 7),
            "ream --store shop decide cart-1 '{\"a\": 1}' --id 7 -- ./plain 'two words'",
        )
        .ending(7),
    ]
}

/// Appends that the store refuses.
fn refused_appends() -> Vec<Story> {
    vec![
        story(
            "stream show",
            &[],
            ("ream --store shop append cart-9 Added '{}' --expect exists", 3),
            "ream --store shop stream show cart-9",
        )
        .ending(4),
        story(
            "read what came in between, decide again",
            &[EVENTS],
            ("ream --store shop append cart-1 Added '{}' --expect 0", 3),
            "ream --store shop read cart-1",
        ),
        story(
            "read what came in between, decide again",
            &[NAMES],
            ("ream --store shop append --expect 9 -- -x T", 3),
            "ream --store shop read -- -x",
        ),
        story(
            "read what came in between, decide again",
            &["ream append cart-1 Added --tag a", EVENTS],
            ("ream --store shop append cart-9 Added --none 'stream=cart-* type=Added' --none-after 1", 3),
            "ream --store shop read --after 1 --query 'type=Added stream=cart-*'",
        ),
        story(
            "read what is there, decide again",
            &["ream append cart-1 Added --tag a"],
            ("ream --store shop append cart-9 Added --none tag=a", 3),
            "ream --store shop read --query tag=a",
        ),
        story(
            "leave out what is stored, or let stored ids be skipped",
            &[r#"printf '{"stream":"cart-2","type":"Added","data":{"n":2},"id":"%s"}\n' k l > two.jsonl"#, EVENTS],
            ("ream --store shop append --jsonl two.jsonl --atomic", 3),
            "ream --store shop append --jsonl two.jsonl",
        )
        .without(&["--atomic"]),
        story(
            "an id stands for one event for ever; see it",
            &[EVENTS],
            ("ream --store shop append cart-1 Added '{}' --id k", 6),
            "ream --store shop read --from 2 --until 2",
        ),
        story(
            "try again, or wait longer",
            &[],
            ("ream --store shop append cart-1 Added '{}' --id k --lock-timeout 0.01s", 5),
            "ream --store shop append --lock-timeout 5m cart-1 Added '{}' --id k",
        )
        .without(&["0.01s"])
        .locked(),
    ]
}

/// What else it refuses.
fn refused() -> Vec<Story> {
    vec![
        story(
            "see it",
            &[ROWS],
            ("ream --store shop project create rows id:text:key", 1),
            "ream --store shop project show rows",
        ),
        story(
            "stream show",
            &[EVENTS],
            ("ream --store shop state set cart-1 1 --at 7", 6),
            "ream --store shop stream show cart-1",
        ),
        story(
            "state get",
            &["ream append cart-1 T; ream append cart-1 T; ream state set cart-1 1"],
            ("ream --store shop state set cart-1 1 --at 1", 6),
            "ream --store shop state get cart-1",
        ),
        story(
            "stream unprotect",
            &[EVENTS, "ream stream protect cart-1"],
            ("ream --store shop stream rm cart-1 --yes", 1),
            "ream --store shop stream unprotect cart-1",
        ),
    ]
}

/// What is beyond the end, or not yet reached.
fn places() -> Vec<Story> {
    vec![
        story(
            "project show",
            &[ROWS],
            ("ream --store shop project select rows --at-least 99 --wait 0s", 10),
            "ream --store shop project show rows",
        ),
        story(
            "to begin with what comes next",
            &[EVENTS],
            ("ream --store shop read 'cart-*' --after 7 --type Added", 6),
            "ream --store shop read --from 3 'cart-*' --type Added",
        )
        .without(&["--after", "7"]),
        story(
            "to begin with what comes next",
            &[EVENTS],
            ("ream --store shop read cart-1 --from=@7 -n1", 6),
            "ream --store shop read --from @2 cart-1 -n1",
        )
        .without(&["--from=@7"]),
        story(
            "to its end",
            &[EVENTS, FOLLOWED],
            ("ream --store shop subscription seek hook 7", 6),
            "ream --store shop subscription seek hook end",
        )
        .without(&["7"]),
    ]
}

/// What follows the log.
fn followers() -> Vec<Story> {
    vec![
        story(
            "take another name, or go on with what it follows",
            &[EVENTS, FOLLOWED],
            ("ream --store shop tail 'b-*' --as hook --type T --until-caught-up -- sh -c 'cat >/dev/null'", 6),
            "ream --store shop tail --as hook --until-caught-up -- sh -c 'cat >/dev/null'",
        )
        .without(&["'b-*'", "--type", "T"]),
        story(
            "subscription list",
            &[ROWS],
            ("ream --store shop tail 'cart-*' --as rows --until-caught-up -- true", 6),
            "ream --store shop subscription list",
        ),
        story(
            "what came before is stored; see where it fails",
            &[EVENTS],
            ("ream --store shop tail --as hook --retries 0 --per-event -- sh -c 'cat >/dev/null; exit 3'", 7),
            "ream --store shop read --from 1 --until 1",
        ),
        story(
            "project allow",
            &[EVENTS, MADE, COPIED, "ream append cart-1 Added"],
            ("ream --store shop project select rows --fresh", 1),
            "ream --store shop project allow rows",
        ),
        story(
            "--allow",
            &[EVENTS, MADE, "ream project show rows --format json > rows.json"],
            ("ream --store shop project create more --schema rows.json", 1),
            "ream --store shop project create --allow more --schema rows.json",
        ),
        story(
            "go on with that",
            &[EVENTS, MADE],
            ("ream --store shop project run rows 'b-*' --until-caught-up", 6),
            "ream --store shop project run rows --until-caught-up",
        )
        .without(&["'b-*'"]),
        story(
            "make it anew",
            &[EVENTS, MADE],
            ("ream --store shop project run rows 'b-*' --until-caught-up", 6),
            "ream --store shop project rebuild rows 'b-*'",
        ),
        story(
            "make it anew",
            &[RESTORED],
            ("ream --store shop project run rows --until-caught-up", 1),
            "ream --store shop project rebuild rows",
        ),
        story(
            "see where it was, then say with `subscription seek` where it goes on",
            &[EVENTS, FOLLOWED, super::ANOTHER_LINK],
            ("ream --store shop tail --as hook --until-caught-up -- true", 1),
            "ream --store shop subscription show hook",
        ),
    ]
}

/// What is backed up.
fn backups() -> Vec<Story> {
    vec![
        story(
            "name another directory",
            &["mkdir -p made/before"],
            ("ream --store shop backup made --projections", 1),
            "ream --store shop backup made-2 --projections",
        )
        .without(&["made"]),
        story(
            "name a directory beside it",
            &[EVENTS],
            ("ream --store shop backup shop/made --projections", 1),
            "ream --store shop backup [home]/made --projections",
        )
        .without(&["shop/made"]),
        story(
            "to back up what is left of it",
            &[LOST],
            ("ream --store shop backup made", 1),
            "ream --store shop backup --damaged made",
        ),
    ]
}

/// What was likely meant.
fn meant() -> Vec<Story> {
    let quotes = |line, hint| story("a JSON string has quotes", &[], (line, 6), hint);
    let shell = |line, hint| story("the shell took the quotes of the JSON", &[], (line, 6), hint);
    vec![
        quotes(
            r#"ream --store shop append s T 'two words' --expect 0 --id k --meta '{"a": 1}' --state 1 -q"#,
            r#"ream --store shop append s T '"two words"' --expect 0 --id k --meta '{"a": 1}' --state 1 -q"#,
        )
        .without(&["'two", "words'"]),
        quotes(
            "ream append --store=shop s T '{}' --expect 0 --id k --state=word",
            r#"ream append --store=shop s T '{}' --expect 0 --id k --state '"word"'"#,
        )
        .without(&["--state=word"]),
        quotes(
            "ream state set --store shop s word --expect 0",
            r#"ream state set --store shop s '"word"' --expect 0"#,
        ),
        quotes(
            "ream decide --store shop s close --id k -- sh -c 'cat >/dev/null'",
            r#"ream decide --store shop s '"close"' --id k -- sh -c 'cat >/dev/null'"#,
        ),
        shell(
            r#"ream --store shop append s T {"amount":12.50} --expect 0 --id k --time 2026-01-01T00:00:00Z"#,
            r#"ream --store shop append s T '{"amount":12.50}' --expect 0 --id k --time 2026-01-01T00:00:00Z"#,
        ),
        shell(
            r#"ream --store shop append s T 1 --meta {"by":ann}"#,
            r#"ream --store shop append s T 1 --meta '{"by":"ann"}'"#,
        )
        .without(&["{\"by\":ann}"]),
        shell(
            r#"ream --store shop append s T 1 --expect 0 --state [{"n":1}]"#,
            r#"ream --store shop append s T 1 --expect 0 --state '[{"n":1}]'"#,
        ),
        shell(
            r#"ream --store shop decide s {"close":true} --id k -- sh -c 'cat >/dev/null'"#,
            r#"ream --store shop decide s '{"close":true}' --id k -- sh -c 'cat >/dev/null'"#,
        ),
        story(
            "the shell took the quotes of the JSON",
            &[ROWS],
            (r#"ream --store shop project set rows {"id":7,"n":1}"#, 6),
            r#"ream --store shop project set rows '{"id":7,"n":1}'"#,
        ),
        story(
            "send them into a file or a pipe, or see them in base64",
            &["ream state set s AP8= --base64"],
            ("ream --store shop state get s --data", 2),
            "ream --store shop state get --format json s",
        )
        .without(&["--data"])
        .on_terminal(),
    ]
}
