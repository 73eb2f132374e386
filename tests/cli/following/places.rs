//! `ream tail --as`: where a subscription begins, what it follows, and what of it is remembered.

use super::reactors::{has_echoed, reactions, reacts, shop};
use super::{ECHO, checkpoint, each, react};

#[test]
fn where_a_new_one_begins() {
    for (place, echoed) in [
        (&[][..], &[1, 2, 3, 4][..]),
        (&["--after", "0"], &[1, 2, 3, 4]),
        (&["--after", "2"], &[3, 4]),
        (&["--from", "2"], &[2, 3, 4]),
        (&["--after", "3"], &[4]),
        (&["--from", "4"], &[4]),
        (&["--new"], &[4]),
    ] {
        let shop = shop(3);
        let begin = react(&shop, &[place, &["s", "--until-caught-up"]].concat(), &each(ECHO));
        let before = &echoed[..echoed.len() - 1];
        begin.stdout("{\"subscription\":\"echo\",\"checkpoint\":3}\n");
        assert_eq!(reactions(&shop), before, "{place:?}");
        // Then it goes on, though the same place is given again.
        shop.append("s", "T", "4").ok();
        reacts(&shop, &[place, &["s"]].concat(), &each(ECHO));
        let new = u64::try_from(before.len()).unwrap() + 5;
        assert_eq!(reactions(&shop), [before, &[new]].concat(), "{place:?}");
    }
}

#[test]
fn a_place_is_for_a_new_one_alone() {
    let shop = shop(2);
    reacts(&shop, &["s", "--new"], &each(ECHO));
    shop.append("s", "T", "3").ok();
    // As a unit file starts it again and again: nothing is lost between two starts.
    let again = || react(&shop, &["--new", "--until-caught-up"], &each(ECHO));
    again().on_terminal().env("NO_COLOR", "1").stdout_has([
        "note: `echo` goes on behind position 2; --new, --after and --from are for a new subscription\n",
    ]);
    assert_eq!(reactions(&shop), [4]);
    again().ok();
    // One that would be beyond the head is not looked at.
    reacts(&shop, &["--after", "99"], &each(ECHO));
}

#[test]
fn what_is_not_given_to_follow_is_remembered() {
    let shop = shop(1);
    reacts(&shop, &["s", "--type", "T"], &each(ECHO));
    for (stream, event_type, data) in [("t", "T", "2"), ("s", "U", "3"), ("s", "T", "4")] {
        shop.append(stream, event_type, data).ok();
    }
    reacts(&shop, &[], &each(ECHO));
    assert_eq!(reactions(&shop), [1, 6]);
    reacts(&shop, &["--type", "T"], &each(ECHO));
    react(&shop, &["--type", "U"], "exit 1").fails_with(6, ["follows s, of type T"]);
    react(&shop, &["s"], "exit 1").fails_with(6, ["follows s, of type T"]);
}

#[test]
fn a_place_beyond_the_head_is_refused() {
    let shop = shop(3);
    for place in [["--after", "4"], ["--from", "5"]] {
        let position = place[1];
        let told = format!(
            "error: position {position} is beyond the head, 3\n\
             hint: to begin with what comes next: ream tail --from 4 --as echo -- sh -c 'exit 1'\n"
        );
        react(&shop, &place, "exit 1").fails(6, &told);
    }
    shop.run(["subscription", "show", "echo"]).code(4).stderr_has(["`echo`"]).stdout("");
}

#[test]
fn what_it_follows_stays() {
    let shop = shop(2);
    reacts(&shop, &["s", "t-*", "--type", "T", "--type", "U"], &each(ECHO));
    for other in [
        &["s"][..],
        &["s", "t-*"],
        &["t-*", "s", "u", "--type", "T", "--type", "U"],
        &["s", "t-*", "--type", "T"],
    ] {
        react(&shop, other, "exit 1").fails_with(
            6,
            [
                "error: the subscription `echo` follows s",
                "\nhint: take another name, or go on with what it follows: ream tail --as echo ",
            ],
        );
    }
    has_echoed(&shop, 2);
    // Another program may go on with it.
    shop.append("t-1", "U", "1").ok();
    shop.append("t-1", "V", "2").ok();
    reacts(&shop, &["s", "t-*", "--type", "T", "--type", "U"], &format!("{ECHO}; exit 0"));
    assert_eq!((checkpoint(&shop, "echo"), reactions(&shop)), (6, vec![1, 2, 6]));
}
