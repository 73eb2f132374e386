//! `ream decide --serve`: commands on stdin, answers on stdout, one program for all.

use crate::harness::{Ream, Run, ream};

/// An aggregator that answers each line with an event, a state, and an ack; a command with `no` in it
/// is rejected, with `die` it fails, with `end` it ends, with `bad` it writes what is no reply.
const ECHO: &str = r#"while read -r line; do
    version=${line#*\"version\":}; version=${version%%,*}
    case $line in
        *no*) echo '{"reject":"no \"way\""}'; continue;;
        *die*) echo 'too bad' >&2; exit 5;;
        *end*) exit 0;;
        *bad*) echo bad; continue;;
        *twice*) echo "{\"ack\":$version}";;
    esac
    echo '{"append":{"type":"Echoed"}}'
    echo "{\"state\":$version}"
    echo "{\"ack\":$version}"
done"#;

fn serve<'r>(bank: &'r Ream, args: &[&str]) -> Run<'r> {
    bank.run([&["decide", "--serve"], args, &["--", "sh", "-c", ECHO]].concat())
        .env("REAM", crate::harness::REAM)
}

fn command(stream: &str, command: &str) -> String {
    format!("{{\"stream\":\"{stream}\",\"command\":{command}}}\n")
}

fn stored(stream: &str, version: u64, position: u64) -> String {
    format!(
        "{{\"stream\":\"{stream}\",\"version\":{version},\"stored\":[{{\"stream\":\"{stream}\",\
         \"version\":{version},\"position\":{position},\"id\":\"[link]/{position}\"}}]}}\n"
    )
}

#[test]
fn each_command_is_answered_in_order() {
    let bank = ream();
    let commands =
        [command("a", "1"), "\n".into(), command("b", "\"no\""), command("a", "{\"x\":[]}")];
    // Without an end of the last line.
    serve(&bank, &[]).stdin(commands.concat().trim_end()).stdout(&format!(
        "{}{{\"stream\":\"b\",\"rejected\":\"no \\\"way\\\"\"}}\n{}",
        stored("a", 1, 1),
        stored("a", 2, 2)
    ));
    bank.run(["state", "get", "a", "--data"]).stdout("1\n");
    serve(&bank, &[]).stdin("").stdout("");
    serve(&bank, &["--json"]).stdin("").stdout("[]\n");
}

#[test]
fn a_client_may_wait_for_each_answer() {
    let bank = ream();
    let mut served = serve(&bank, &["--correlation", "c"]).start();
    for version in 1..=20 {
        served.write(&command("a", "{}"));
        served.hears(stored("a", version, version).trim_end());
    }
    served.hang_up();
    served.ends(0);
    bank.run(["read", "-n", "1"]).stdout_has([r#""metadata":{"correlation_id":"c"}"#]);
}

#[test]
fn a_command_of_any_length_is_answered_while_the_input_stays_open() {
    let bank = ream();
    let mut served = serve(&bank, &[]).start();
    for kib in [8, 62, 126, 250, 254, 506] {
        // In two pieces, the first of which leaves little room in any buffer of whole KiB.
        let line = command("b", &format!("\"no{}\"", "x".repeat((kib + 7) * 1024)));
        let (first, second) = line.split_at(kib * 1024);
        served.write(first).drained().write(second);
        served.hears("{\"stream\":\"b\",\"rejected\":\"no \\\"way\\\"\"}");
    }
    served.ends(0);
}

#[test]
fn an_id_gets_the_first_answer_and_a_reused_one_an_error() {
    let bank = ream();
    let with_id = |n: u32| format!("{{\"stream\":\"a\",\"command\":{n},\"id\":\"pay\"}}\n");
    let place = "{\"stream\":\"a\",\"version\":1,\"position\":1,\"id\":\"[link]/1\"";
    let head = "{\"stream\":\"a\",\"id\":\"pay\"";
    serve(&bank, &[]).stdin([with_id(1), with_id(1), with_id(2)].concat()).stdout(&format!(
        "{head},\"version\":1,\"stored\":[{place}}}]}}\n\
         {head},\"version\":1,\"stored\":[{place},\"duplicate\":true}}],\"duplicate\":true}}\n\
         {head},\"error\":\"id reused: `pay` is a decision on `a`, which took it to version 1, about \
         another command\"}}\n"
    ));
}

#[test]
fn a_conflict_is_an_answer() {
    let bank = ream();
    let overtaken = r#"while read -r line; do
        version=${line#*\"version\":}; version=${version%%,*}
        case $line in *over*) "$REAM" append a Other > other;; esac
        echo '{"append":{"type":"T"}}'; echo "{\"ack\":$version}"
    done"#;
    bank.run(["decide", "--serve", "--attempts", "2", "--", "sh", "-c", overtaken])
        .env("REAM", crate::harness::REAM)
        .stdin([command("a", "\"over\""), command("a", "1")].concat())
        .stdout(&format!(
            "{{\"stream\":\"a\",\"conflict\":\"wrong expected version of the stream `a`: expected 1, \
             actual 2\",\"attempts\":2}}\n{}",
            stored("a", 3, 3)
        ));
}

#[test]
fn what_is_no_command_stops_it() {
    let bank = ream();
    for (line, error) in [
        ("{\"stream\":\"a\"}", "line 3, column 14: no `command`"),
        ("{\"strem\":\"a\"}", "line 3, column 8: unknown key `strem`; did you mean `stream`?"),
        ("hello", "line 3, column 1: expected value"),
        ("{\"stream\":\"$a\",\"command\":1}", "line 3, column 14: the stream name begins with `$`"),
    ] {
        let input = [&*command("a", "1"), "\n", line, "\n", &*command("a", "1")].concat();
        let told = ["stopped at line 3: 1 command is answered\n", error];
        serve(&bank, &[]).stdin(input).code(6).stderr_has(told).stdout_has(["\"stored\":["]);
    }
    assert_eq!(bank.positions(&[]), [1, 2, 3, 4]);
    let endless = "\"$REAM\" decide --serve -- cat < /dev/zero";
    bank.sh(endless).fails_with(
        6,
        ["stopped at line 1: 0 commands are answered", "line 1, longer than 67108864 bytes"],
    );
}

#[test]
fn a_program_that_fails_stops_it() {
    let bank = ream();
    let stop = |word: &str, parts: [&str; 2]| {
        let input = [command("a", "1"), command("a", word), command("a", "1")].concat();
        serve(&bank, &["--timeout", "5"])
            .stdin(input)
            .code(7)
            .stderr_has(["stopped at line 2: 1 command is answered\n", parts[0], parts[1]])
            .stdout_has(["\"stored\":["]);
    };
    stop("\"die\"", ["`sh` failed with exit code 5; nothing is stored in `a`", "too bad"]);
    stop("\"end\"", ["`sh` ended before its input did", "{\"ack\":VERSION} at the end"]);
    stop("\"bad\"", ["`sh` wrote a bad reply, line 4: column 1", "it wrote: bad"]);
    assert_eq!(bank.positions(&[]), [1, 2, 3]);
    // One that does not know --serve reads on when it should answer.
    bank.run([
        "decide",
        "--serve",
        "--timeout",
        "0.2",
        "--",
        "cat",
        "-u",
        "/dev/stdin",
        "/dev/null",
    ])
    .stdin(command("a", "1"))
    .code(7)
    .stderr_has(["unknown reply `stream`"])
    .stdout("");
    bank.run(["decide", "--serve", "--timeout", "0.2", "--", "sleep", "1000"])
        .stdin(command("a", "1"))
        .code(7)
        .stderr_has(["`sleep` did not answer within 0.2 s; nothing is stored in `a`"])
        .stdout("");
}

#[test]
fn an_answer_to_nothing_is_noticed() {
    let bank = ream();
    let input = [command("a", "\"twice\""), command("a", "1")].concat();
    serve(&bank, &[]).stdin(input).code(7).stderr_has(["a bad reply, line "]).stdout_has(["a"]);
    // While no command comes, too.
    let noisy = |script: &str| bank.run(["decide", "--serve", "--", "sh", "-c", script]).start();
    let mut silent = noisy("echo '{\"ack\":0}'; cat");
    let (code, _, stderr) = silent.end_by_itself();
    assert_eq!(code, 7, "{stderr}");
    assert!(stderr.contains("a reply to no command"), "{stderr}");
    let mut gone = noisy("exit 0");
    let (code, _, stderr) = gone.end_by_itself();
    assert_eq!(code, 7, "{stderr}");
    assert!(stderr.contains("`sh` ended before its input did"), "{stderr}");
}

#[test]
fn an_output_that_is_closed_ends_it_quietly() {
    let bank = ream();
    let input: String = (0..200).map(|_| command("a", "1")).collect();
    bank.write("commands", input);
    let script = format!(
        "\"$REAM\" decide --serve -- sh -c '{}' < commands | head -n 1 | wc -l",
        ECHO.replace('\'', r"'\''")
    );
    bank.sh(&script).stdout("1\n");
}
