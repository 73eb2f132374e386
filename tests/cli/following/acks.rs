//! What an exit with 0 acks: what was read to its end, and nothing else, unless `--per-event` says so.
//!
//! Each runner, each form, and programs that end with 0 at some point of their input. `sh` reads byte by
//! byte, so what its `read` has not taken is in the pipe.

use std::thread;

use super::{SEE, catches_up, checkpoint, has_seen, lines, project, seen};
use crate::harness::{Ream, Run, list, ream};

/// How many events there are.
const EVENTS: u64 = 5;

/// What runs a program.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Runner {
    Project,
    Tail,
    Fresh,
    Rebuild,
}

const RUNNERS: [Runner; 4] = [Runner::Project, Runner::Tail, Runner::Fresh, Runner::Rebuild];

/// How a program is given events.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    Streaming,
    Batch,
    PerEvent,
}

const FORMS: [Form; 3] = [Form::Streaming, Form::Batch, Form::PerEvent];

impl Form {
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Streaming => &[],
            Self::Batch => &["--batch", "3"],
            Self::PerEvent => &["--per-event"],
        }
    }
}

/// Up to where a program reads before it ends with 0.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Reads {
    Nothing,
    ClosesAtOnce,
    One,
    OneAndCloses,
    AllButTheLast,
}

const READS: [Reads; 5] =
    [Reads::Nothing, Reads::ClosesAtOnce, Reads::One, Reads::OneAndCloses, Reads::AllButTheLast];

impl Reads {
    /// The program, which answers each event that it reads, and acks none.
    fn script(self, runner: Runner) -> String {
        let reply = match runner {
            Runner::Tail => {
                r#"{\"append\":{\"stream\":\"out\",\"type\":\"T\",\"data\":$position}}"#
            }
            _ => r#"{\"set\":{\"position\":$position}}"#,
        };
        let take = format!(
            "take() {{ IFS=:, read -r _ position _ && echo $position >> heard && echo \"{reply}\"; }}"
        );
        let reads = match self {
            Self::Nothing => "",
            Self::ClosesAtOnce => "exec <&-",
            Self::One => "take",
            Self::OneAndCloses => "take; exec <&-",
            Self::AllButTheLast => "while take && [ $position != 4 ]; do :; done",
        };
        format!("{take}; {reads}\nexit 0")
    }

    /// How far it comes where it is not started again.
    fn reaches_at_once(self, form: Form) -> u64 {
        match (self, form) {
            (_, Form::PerEvent) => EVENTS,
            // The first three are read, and the end of the input behind them.
            (Self::AllButTheLast, Form::Batch) => 3,
            _ => 0,
        }
    }

    /// How far it comes where it is started again, with one event at a time.
    fn reaches_at_last(self, form: Form) -> u64 {
        match (self, form) {
            (Self::Nothing | Self::ClosesAtOnce, Form::Streaming | Form::Batch) => 0,
            _ => EVENTS,
        }
    }
}

/// A projection or a subscription, and a store with events.
struct Shop {
    ream: Ream,
    runner: Runner,
    form: Form,
    reads: Reads,
}

impl Shop {
    fn new(runner: Runner, form: Form, reads: Reads) -> Self {
        let shop = Self { ream: ream(), runner, form, reads };
        shop.ream.fill("s", list(1..=EVENTS).len());
        let create = shop.ream.run(["project", "create", "seen", "position:integer:key"]);
        match runner {
            Runner::Project | Runner::Rebuild => drop(create.ok()),
            Runner::Tail => {}
            Runner::Fresh => {
                let create = create.args(["--from", "s"]).args(form.options());
                create.args(["--", "sh", "-c", &reads.script(runner)]).ok();
            }
        }
        shop
    }

    fn name(&self) -> &str {
        if self.runner == Runner::Tail { "echo" } else { "seen" }
    }

    fn run(&self, retries: &str) -> Run<'_> {
        let args: &[&str] = match self.runner {
            Runner::Project => &["project", "run", "seen", "s", "--until-caught-up"],
            Runner::Tail => &["tail", "s", "--as", "echo", "--until-caught-up"],
            Runner::Fresh => return self.ream.run(["project", "select", "seen", "--fresh"]),
            Runner::Rebuild => &["project", "rebuild", "seen", "s"],
        };
        let run = self.ream.run(args).args(self.form.options()).args(["--retries", retries]);
        run.args(["--", "sh", "-c", &self.reads.script(self.runner)])
    }

    /// That it has come so far and no further, that its answers up to there are stored once, and how the
    /// program failed is recorded where it did not come to the end at once.
    #[track_caller]
    fn has_reached(&self, position: u64) {
        let Self { ream, runner, form, reads } = self;
        let case = format!("{runner:?} {form:?} {reads:?}");
        assert_eq!(checkpoint(ream, self.name()), position, "{case}");
        let answered: Vec<u64> = if *runner == Runner::Tail {
            let events = ream.run(["read", "out"]).values();
            events.iter().map(|event| event["data"].as_u64().unwrap()).collect()
        } else {
            super::rows(ream)
        };
        let silent = matches!(reads, Reads::Nothing | Reads::ClosesAtOnce);
        assert_eq!(answered, list(1..=if silent { 0 } else { position }), "{case}");
        let heard = lines(ream, "heard");
        assert!(
            silent || answered.iter().all(|event| heard.contains(&event.to_string())),
            "{case}"
        );
        let shown = ream.run(["subscription", "show", self.name()]).value();
        let error = (*form != Form::PerEvent).then_some("`sh` ended before its input did");
        assert_eq!(shown["error"].as_str(), error, "{case}: {shown}");
    }
}

/// Looks at each case of one runner, some of them at the same time: most of it is waiting.
fn each_case(runner: Runner, look: impl Fn(Shop) + Sync) {
    thread::scope(|scope| {
        for form in FORMS {
            let look = &look;
            scope.spawn(move || READS.map(|reads| look(Shop::new(runner, form, reads))));
        }
    });
}

#[test]
fn an_exit_with_0_acks_what_was_read_to_its_end() {
    for runner in [Runner::Project, Runner::Tail, Runner::Rebuild] {
        each_case(runner, |shop| {
            let reached = shop.reads.reaches_at_once(shop.form);
            if reached == EVENTS {
                shop.run("0").ok();
            } else {
                shop.run("0").fails_with(7, ["error: `sh` ended before its input did; it "]);
            }
            shop.has_reached(if runner == Runner::Rebuild && reached < EVENTS {
                0
            } else {
                reached
            });
        });
    }
}

#[test]
fn nor_does_an_exit_with_0_ack_more_where_the_program_is_started_again() {
    for runner in RUNNERS {
        each_case(runner, |shop| {
            let reached = shop.reads.reaches_at_last(shop.form);
            let run = shop.run("2");
            if shop.form == Form::PerEvent {
                run.ok();
            } else if reached == EVENTS {
                run.stderr_has(["warning: `sh` ended before its input did; "]).ok();
            } else {
                run.fails_with(7, ["before its input did; it fails on the event at position 1\n"]);
            }
            shop.has_reached(reached);
        });
    }
}

#[test]
fn a_batch_of_one_is_read_like_any_other() {
    let shop = ream();
    shop.fill("s", 2);
    let run = shop.run(["tail", "s", "--as", "echo", "--until-caught-up", "--batch", "1"]);
    run.args(["--retries", "1", "--", "sh", "-c", "exit 0"])
        .fails_with(7, ["`sh` ended before its input did; it fails on the event at position 1\n"]);
    assert_eq!(checkpoint(&shop, "echo"), 0);
}

#[test]
fn what_was_acked_by_itself_counts_though_the_rest_was_not_read() {
    for form in [&[][..], &["--batch", "3"]] {
        let shop = seen(5);
        let options = [form, &["--until-caught-up", "--retries"]].concat();
        let run = |retries| project(&shop, &[&options[..], &[retries]].concat(), SEE);
        run("0").fails_with(7, ["`sh` ended before its input did; "]);
        has_seen(&shop, 1);
        // Each run does one more, so that none is a second failure.
        run("1").stderr_has(["(1 of 1)\n"]).ok();
        has_seen(&shop, 5);
    }
}

#[test]
fn a_reader_has_read_what_is_in_its_buffer() {
    let shop = seen(5);
    catches_up(&shop, &["--batch", "3"], "head -n 1 >> heard");
    assert_eq!((checkpoint(&shop, "seen"), lines(&shop, "heard").len()), (5, 2));
}
