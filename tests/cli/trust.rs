//! Which programs a store may run: those that were given or allowed here, and no others.

use std::fs;

use rusqlite::{Connection, params};

use crate::harness::{Ream, Run, ream};

/// Makes a row of each event, and writes into `ran` that it is run.
const MAKER: &str =
    r#"echo $1 >> ran; sed -n 's/{"position":\([0-9]*\),.*/{"set":{"position":\1}}/p'"#;

/// What `seen` remembers, as a shell takes it.
const COMMAND: &str = r"sh maker.sh 'it'\''s'";

/// A store with two events, and the projection `seen`, which was made here with its program.
fn shop() -> Ream {
    let shop = ream();
    shop.fill("s", 2).write("maker.sh", MAKER);
    shop.run(["project", "create", "seen", "position:integer:key", "--from", "s"])
        .args(["--", "sh", "maker.sh", "it's"])
        .ok();
    shop
}

/// The same, with a copy of all that in the directory `clone`.
fn cloned() -> Ream {
    let shop = shop();
    shop.sh("mkdir clone && cp -r .ream maker.sh clone").ok();
    shop
}

/// Each command that runs a remembered program.
const RUNNING: [&[&str]; 4] = [
    &["project", "select", "seen", "--fresh"],
    &["project", "run", "seen", "--until-caught-up"],
    &["project", "rebuild", "seen"],
    &["project", "rebuild", "seen", "--dry-run"],
];

fn within<'r>(shop: &'r Ream, directory: &str, args: &[&str]) -> Run<'r> {
    shop.run(args).within(directory)
}

/// How often the program was run in a directory.
fn runs(shop: &Ream, directory: &str) -> usize {
    fs::read_to_string(shop.path(directory).join("ran")).unwrap_or_default().lines().count()
}

/// That each command runs the program without a word.
#[track_caller]
fn never_asks(shop: &Ream, directory: &str) {
    let before = runs(shop, directory);
    for (times, args) in (1..).zip(RUNNING) {
        // What is there already is not made again.
        within(shop, directory, &["append", "s", "T", "1"]).ok();
        within(shop, directory, args).ok();
        assert_eq!(runs(shop, directory), before + times, "{args:?}");
    }
}

/// That each command refuses to run the program, with the exact command and what allows it.
#[track_caller]
fn refuses(shop: &Ream, directory: &str, command: &str) {
    let place = format!("[home]/{directory}");
    let place = place.trim_end_matches('/');
    let told = format!(
        "error: the program of `seen` was neither given nor allowed here\n  \
           program: {command}\n  \
           directory: {place}\n\
         hint: ream project allow seen\n"
    );
    let before = runs(shop, directory);
    for args in RUNNING {
        within(shop, directory, args).fails(1, &told);
    }
    assert_eq!(runs(shop, directory), before);
}

/// Runs the hint of a command that fails, as it is printed, from another directory.
#[track_caller]
fn follow_the_hint(shop: &Ream, directory: &str, args: &[&str]) {
    let words: Vec<String> = args.iter().map(|word| format!("'{word}'")).collect();
    let told = shop
        .sh(&format!("! \"$REAM\" {} 2>&1 >/dev/null", words.join(" ")))
        .within(directory)
        .bytes();
    let told = String::from_utf8(told).unwrap();
    let hint = told.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap();
    shop.sh(&format!("ream() {{ \"$REAM\" \"$@\"; }}; {hint}")).within(directory).ok();
}

#[test]
fn a_copy_of_a_store_runs_no_program_until_it_is_allowed() {
    let shop = cloned();
    refuses(&shop, "clone", COMMAND);
    // Nobody is asked either: to search is a question.
    let screen = within(&shop, "clone", RUNNING[0]).on_terminal().code(1).text();
    assert!(screen.contains("neither given nor allowed here"), "{screen}");
    follow_the_hint(&shop, "clone", RUNNING[0]);
    never_asks(&shop, "clone");
    never_asks(&shop, "");
    // A copy of the copy is another copy.
    shop.sh("mkdir again && cp -a clone/.ream clone/maker.sh again").ok();
    refuses(&shop, "again", COMMAND);
}

#[test]
fn a_store_of_ones_own_never_asks() {
    let shop = ream();
    shop.sh("rm -r .ream && mkdir shop && cd shop && \"$REAM\" init && \"$REAM\" append s T 1")
        .ok();
    shop.write("shop/maker.sh", MAKER);
    within(&shop, "shop", &["project", "create", "seen", "position:integer:key", "--from", "s"])
        .args(["--", "sh", "maker.sh"])
        .ok();
    never_asks(&shop, "shop");
    // What the program's file says is its author's business.
    shop.write("shop/maker.sh", format!("{MAKER} # another"));
    never_asks(&shop, "shop");
    // The store and what lies beside it are moved together; what lies elsewhere stays there.
    let other = ["project", "create", "other", "position:integer:key", "--store", "shop/.ream"];
    shop.write("maker.sh", MAKER).run(other).args(["--", "sh", "maker.sh"]).ok();
    fs::rename(shop.path("shop"), shop.path("moved")).unwrap();
    never_asks(&shop, "moved");
    within(&shop, "moved", &["project", "select", "other", "--fresh"]).ok();
    assert_eq!(runs(&shop, ""), 1);
    // Who runs it, and where from, is no part of it.
    let before = runs(&shop, "moved");
    shop.sh("cd moved && \"$REAM\" append s T 1 && cd / && env -i \"$REAM\" --store \"$OLDPWD/.ream\" project select seen --fresh")
        .ok();
    assert_eq!(runs(&shop, "moved"), before + 1);
}

#[test]
fn it_is_allowed_for_one_run_or_by_the_environment() {
    let shop = cloned();
    let fresh = || within(&shop, "clone", &["project", "select", "seen", "--fresh", "--count"]);
    for (place, args) in RUNNING.iter().enumerate() {
        within(&shop, "clone", &["append", "s", "T", "1"]).ok();
        within(&shop, "clone", args).args(["--allow"]).ok();
        assert_eq!(runs(&shop, "clone"), place + 1);
        refuses_after(&shop);
    }
    within(&shop, "clone", &["append", "s", "T", "1"]).ok();
    fresh().env("REAM_ALLOW", "0").fails_with(1, ["neither given nor allowed here"]);
    fresh().env("REAM_ALLOW", "1").stdout("{\"count\":11}\n");
    refuses_after(&shop);
    let told = "error: REAM_ALLOW is set to `yes`; it can be 1 or 0\n";
    fresh().env("REAM_ALLOW", "yes").fails_with(2, [told]);
    within(&shop, "clone", &["project", "select", "seen", "--allow"])
        .fails_with(2, ["--allow needs --fresh"]);
}

/// That the program still needs to be allowed in the clone.
#[track_caller]
fn refuses_after(shop: &Ream) {
    within(shop, "clone", &["append", "s", "T", "1"]).ok();
    refuses(shop, "clone", COMMAND);
}

#[test]
fn a_program_that_is_given_is_never_asked_for() {
    // The same words as are remembered, and others.
    for words in [["maker.sh", "it's"], ["other.sh", "x"]] {
        let shop = cloned();
        shop.write("clone/other.sh", MAKER);
        let give = || within(&shop, "clone", &["project", "run", "seen", "--until-caught-up"]);
        give().args(["--", "sh"]).args(words).ok();
        assert_eq!(runs(&shop, "clone"), 1);
        // From then on it is one that was given here.
        never_asks(&shop, "clone");
    }
    let shop = cloned();
    within(&shop, "clone", &["project", "rebuild", "seen", "--", "sh", "maker.sh", "it's"]).ok();
    never_asks(&shop, "clone");
    let shop = cloned();
    within(&shop, "clone", &["project", "create", "seen", "position:integer:key", "--from", "s"])
        .args(["--", "sh", "maker.sh", "it's"])
        .stdout("{\"projection\":\"seen\",\"created\":false}\n");
    never_asks(&shop, "clone");
    // What was made by then stays.
    let shop = shop_that_is_made();
    shop.sh("mkdir clone && cp -r .ream maker.sh clone").ok();
    within(
        &shop,
        "clone",
        &["project", "run", "seen", "--until-caught-up", "--", "sh", "maker.sh", "it's"],
    )
    .ok();
    never_asks(&shop, "clone");
}

fn shop_that_is_made() -> Ream {
    let shop = shop();
    shop.run(RUNNING[0]).ok();
    shop
}

#[test]
fn a_program_that_is_given_runs_where_it_is_given() {
    let shop = ream();
    shop.fill("s", 1).write("far/maker.sh", "touch far_ran; cat").write("near/maker.sh", MAKER);
    // The store remembers a directory elsewhere, as one from elsewhere may.
    within(&shop, "far", &["project", "create", "seen", "position:integer:key", "--from", "s"])
        .args(["--", "sh", "maker.sh"])
        .ok();
    shop.sh("mkdir clone && cp -r .ream clone && rm -r .ream && mv clone/.ream .").ok();
    within(&shop, "near", &["project", "run", "seen", "--until-caught-up", "--", "sh", "maker.sh"])
        .ok();
    assert_eq!(runs(&shop, "near"), 1);
    assert!(!shop.path("far/far_ran").exists());
    assert_eq!(shop.run(["project", "show", "seen"]).value()["directory"], "near");
    // Where it was given already, it is run there from wherever it is given again.
    shop.fill("s", 1);
    within(&shop, "far", &["project", "run", "seen", "--until-caught-up", "--", "sh", "maker.sh"])
        .ok();
    assert_eq!(runs(&shop, "near"), 2);
}

#[test]
fn what_else_is_given_allows_no_program() {
    for args in [
        &["project", "run", "seen", "s", "--until-caught-up"][..],
        &["project", "rebuild", "seen", "*"],
    ] {
        let shop = cloned();
        let before = within(&shop, "clone", &["project", "show", "seen"]).value();
        within(&shop, "clone", args).fails_with(1, [COMMAND, "project allow seen"]);
        within(&shop, "clone", &[args, &["--batch", "2"]].concat())
            .fails_with(1, [COMMAND, "project allow seen"]);
        refuses(&shop, "clone", COMMAND);
        assert_eq!(within(&shop, "clone", &["project", "show", "seen"]).value(), before);
        within(&shop, "clone", &[args, &["--allow"]].concat()).ok();
        within(&shop, "clone", &["append", "s", "T", "1"]).ok();
        refuses(&shop, "clone", COMMAND);
    }
}

#[test]
fn a_program_that_a_file_names_is_allowed_with_the_file() {
    let shop = shop();
    let shown = shop.run(["project", "show", "seen"]).bytes();
    shop.write("their.json", shown).append("s", "T", "1").ok();
    let create = || shop.run(["project", "create", "people", "--schema", "their.json"]);
    create().fails(
        1,
        &format!(
            "error: their.json names a program, which is not taken from a file unless it is allowed\n  \
               program: {COMMAND}\n  \
               directory: [home]\n\
             caused by: the program of `people` was neither given nor allowed here\n\
             hint: ream project create --allow people --schema their.json\n"
        ),
    );
    assert_eq!(shop.run(["project", "list"]).values().len(), 1, "nothing is made");
    follow_the_hint(&shop, "", &["project", "create", "people", "--schema", "their.json"]);
    shop.run(["project", "select", "people", "--fresh", "--count"]).stdout("{\"count\":3}\n");
    // What is there and allowed is no news.
    create().stdout("{\"projection\":\"people\",\"created\":false}\n");
    create().env("REAM_ALLOW", "1").ok();
    shop.run(["project", "create", "x", "id:integer:key", "--allow"])
        .fails_with(2, ["'[FIELD]...' cannot be used with '--allow'"]);
    // Without a program there is nothing to allow.
    shop.run(["project", "create", "plain", "id:integer:key"]).ok();
    shop.sh("\"$REAM\" project show plain | \"$REAM\" project create plainer --schema -").ok();
}

#[test]
fn a_definition_that_another_program_changed_is_refused() {
    let changes: [(&str, [&str; 2], &str); 5] = [
        ("a word of the program", ["it's", "evil"], "sh maker.sh evil"),
        (
            "where a word ends",
            [r#""maker.sh","it's""#, r#""maker.sh it's""#],
            r"sh 'maker.sh it'\''s'",
        ),
        ("one more word", [r#""it's""#, r#""it's","x""#], r"sh maker.sh 'it'\''s' x"),
        ("no word less", [r#","it's""#, ""], "sh maker.sh"),
        (
            "hidden words",
            ["it's", "\\n\u{200b}x"],
            r#"sh maker.sh "$(printf '\012\342\200\213x')""#,
        ),
    ];
    for (what, [from, to], command) in changes {
        let shop = shop();
        let json = definition(&shop);
        assert!(json.contains(from), "{what}: {json}");
        change(&shop, "record", &json.replace(from, to));
        let told = format!("\n  program: {command}\n  directory: [home]\nhint: ");
        for args in RUNNING {
            shop.run(args).fails_with(1, [&*told]);
        }
        assert_eq!(runs(&shop, ""), 0, "{what}");
        // What was meant before is allowed as it was.
        change(&shop, "record", &json);
        never_asks(&shop, "");
    }
    // Another directory.
    let shop = shop();
    let json = definition(&shop);
    change(&shop, "record", &json.replace(r#""directory":".""#, r#""directory":"evil/..""#));
    shop.run(RUNNING[0]).fails_with(1, ["\n  directory: [home]/evil/..\n"]);
    // What is run on which events is not what is run.
    change(&shop, "record", &json.replace(r#""from":["s"]"#, r#""from":["*"]"#));
    never_asks(&shop, "");
}

#[test]
fn a_permit_is_of_one_projection_and_one_store() {
    let shop = shop();
    // Another name for the same program.
    let table = database(&shop);
    let copy = "INSERT INTO names SELECT 'other', kind, generation, record, permit, position, link, \
                failed, failure, sum FROM names";
    table.execute(copy, []).unwrap();
    set_sums(&table);
    drop(table);
    fs::copy(shop.path(".ream/projections/seen.1.db"), shop.path(".ream/projections/other.1.db"))
        .unwrap();
    shop.run(["project", "select", "other", "--fresh"])
        .fails_with(1, ["program of `other` was neither"]);
    never_asks(&shop, "");
    // A permit that is none, or of something else.
    for permit in [&b""[..], b"x", &[0; 32], &[0; 33]] {
        shop.append("s", "T", "1").ok();
        let table = database(&shop);
        table.execute("UPDATE names SET permit = ?1", [permit]).unwrap();
        set_sums(&table);
        refuses(&shop, "", COMMAND);
    }
    // Another store in the place of this one.
    shop.run(["project", "allow", "seen"]).ok();
    never_asks(&shop, "");
    let other = ream();

    fs::copy(other.path(".ream/store"), shop.path(".ream/store")).unwrap();
    shop.run(["project", "rebuild", "seen"]).fails_with(1, ["neither given nor allowed here"]);
}

#[test]
fn whether_a_program_is_allowed_is_told() {
    let shop = cloned();
    let place = |directory: &str| shop.path(directory).to_str().unwrap().to_owned();
    for (directory, allowed, told) in [("", true, "allowed"), ("clone", false, "not allowed here")]
    {
        let line = format!("{COMMAND}, in {}: {told}\n", place(directory).trim_end_matches('/'));
        let shown = within(&shop, directory, &["project", "show", "seen"]).value();
        assert_eq!(shown["allowed"], allowed);
        assert_eq!(shown["command"], COMMAND);
        assert_eq!(shown["runs_in"], place(directory).trim_end_matches('/'));
        assert_eq!(shown["program"], serde_json::json!(["sh", "maker.sh", "it's"]));
        let table =
            within(&shop, directory, &["project", "show", "seen", "--format", "table"]).bytes();
        let table = String::from_utf8(table).unwrap();
        assert!(table.contains(&format!("\nmade by {line}")), "{table}");
        let status = within(&shop, directory, &["status"]).value();
        let program = &status["programs"][0];
        assert_eq!(
            (&program["projection"], &program["allowed"]),
            (&"seen".into(), &allowed.into())
        );
        assert_eq!(
            (&program["command"], &program["runs_in"]),
            (&shown["command"], &shown["runs_in"])
        );
        let table = within(&shop, directory, &["status", "--format", "table"]).bytes();
        let table = String::from_utf8(table).unwrap();
        assert!(table.contains("\nprogram        seen: ") && table.ends_with(&line), "{table}");
        let listed = within(&shop, directory, &["project", "list"]).value();
        assert_eq!(
            (&listed["allowed"], &listed["command"]),
            (&shown["allowed"], &shown["command"])
        );
    }
    let allow = || within(&shop, "clone", &["project", "allow", "seen"]);
    let allowed = allow().value();
    assert_eq!((&allowed["projection"], &allowed["allowed"]), (&"seen".into(), &true.into()));
    assert_eq!(within(&shop, "clone", &["project", "show", "seen"]).value()["allowed"], true);
    allow()
        .args(["--format", "table"])
        .stdout(&format!("seen: {COMMAND}, in [home]/clone: allowed\n"));
    // Where there is no program, nothing is told of one.
    shop.run(["project", "create", "plain", "id:integer:key"]).ok();
    let plain = shop.run(["project", "show", "plain"]).value();
    assert!(plain.get("allowed").is_none() && plain.get("command").is_none(), "{plain}");
    shop.run(["project", "allow", "plain"])
        .fails_with(6, ["`plain` remembers no program that makes it"]);
    shop.run(["project", "allow", "sen"]).fails_with(4, ["no projection `sen`", "`seen`"]);
}

fn database(shop: &Ream) -> Connection {
    Connection::open(shop.path(".ream/db")).unwrap()
}

/// What the store remembers of `seen`, as it is stored.
fn definition(shop: &Ream) -> String {
    let select = "SELECT record FROM names WHERE name = 'seen'";
    database(shop).query_row(select, [], |row| row.get(0)).unwrap()
}

/// Changes a column of `seen`, as a program does that knows nothing of permits.
fn change(shop: &Ream, column: &str, value: &str) {
    let (table, update) =
        (database(shop), format!("UPDATE names SET {column} = ?1 WHERE name = 'seen'"));
    assert_eq!(table.execute(&update, params![value]).unwrap(), 1);
    set_sums(&table);
}

/// A number as LEB128.
fn varint(number: usize) -> Vec<u8> {
    let low = u8::try_from(number % 128).unwrap();
    match number / 128 {
        0 => vec![low],
        rest => [vec![low + 128], varint(rest)].concat(),
    }
}

/// Gives the rows of projections the sums that they would have had: the sum is no secret.
fn set_sums(table: &Connection) {
    let select = "SELECT name, kind, generation, record, permit FROM names";
    let mut select = table.prepare(select).unwrap();
    let mut rows = select.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let text = |at| row.get::<_, String>(at).unwrap().into_bytes();
        let long = |bytes: &[u8]| [&varint(bytes.len())[..], bytes].concat();
        let there = |bytes: &[u8]| [&b"+"[..], &long(bytes)].concat();
        let permit = row.get::<_, Option<Vec<u8>>>(4).unwrap();
        let fields = [
            long(&text(0)),
            there(&text(1)),
            row.get::<_, u64>(2).unwrap().to_be_bytes().to_vec(),
            there(&text(3)),
            permit.map_or(b"-".to_vec(), |permit| there(&permit)),
            // A projection has no checkpoint here, and these have not failed.
            b"----".to_vec(),
        ];
        let sum = xxhash_rust::xxh3::xxh3_64(&fields.concat()).cast_signed();
        let update = "UPDATE names SET sum = ?2 WHERE name = ?1";
        table.execute(update, params![row.get::<_, String>(0).unwrap(), sum]).unwrap();
    }
}
