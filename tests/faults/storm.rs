//! A storm: writers, deciders, followers, reactors, a projector, rebuilds, backups, removals, redactions, truncations,
//! prunings and compactions at once, each process of them killed at random; and then all that was promised of each is
//! looked at.
//!
//! `REAM_STORM` says how many seconds it goes on. What is done by chance goes by the seed; what meets what does not.

mod kept;

use std::fs::{self, File};
use std::io::Read as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use self::kept::Kept;
use crate::chance::{Numbers, how_many, seeded};
use crate::support::{Home, position};

const SECONDS: usize = 60;
const WRITERS: usize = 64;
const DECIDERS: usize = 2;
/// What followers follow.
const FOLLOWED: [&[&str]; 4] = [&["w-*"], &["w-1*"], &[], &[]];
/// The names of reactors, and the beginning of the streams that they write.
const REACTORS: [&str; 2] = ["re", "rf"];
/// The streams of which something is erased, each in its way.
const ERASED: [&str; 4] = ["gone", "redacted", "cut", "kept"];
/// The mark of what is erased.
const MARK: &str = "[erase me]";

/// Answers each event with one in a stream of its own.
fn reaction(prefix: &str) -> String {
    format!(
        r#"while read -r line; do
p=${{line#*\"position\":}}; p=${{p%%,*}}
echo "{{\"append\":{{\"stream\":\"{prefix}-$p\",\"type\":\"Reacted\"}}}}"
echo "{{\"ack\":$p}}"
done"#
    )
}

/// Has a row for each event.
const PROJECT: &str = r#"while read -r line; do
p=${line#*\"position\":}; p=${p%%,*}
echo "{\"set\":{\"id\":$p}}"
echo "{\"ack\":$p}"
done"#;

/// Answers each command with an event that names it.
const DECIDE: &str = r#"while read -r line; do
v=${line#*\"version\":}; v=${v%%,*}
c=${line##*\"c\":\"}; c=${c%%\"*}
echo "{\"append\":{\"type\":\"Decided\",\"data\":\"$c\"}}"
echo "{\"state\":{}}"
[ -z "$SERVES" ] || echo "{\"ack\":$v}"
done"#;

/// What came of a process.
struct Came {
    said: String,
    /// How it ended; nothing where it was killed.
    status: Option<ExitStatus>,
}

impl Came {
    fn is_done(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// What it said, but for half a line at its end.
    fn lines(&self) -> impl Iterator<Item = &str> {
        self.said.split_inclusive('\n').filter(|line| line.ends_with('\n'))
    }
}

/// Whether a command goes on until it is killed.
fn follows(command: &str) -> bool {
    command.starts_with("tail") || command.starts_with("project run")
}

/// What goes on, and until when.
struct Storm<'s> {
    home: &'s Home,
    seed: u64,
    end: Instant,
    kept: Kept,
}

impl Storm<'_> {
    fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// Chance of its own for each who does something.
    fn numbers(&self, who: usize) -> Numbers {
        Numbers(self.seed.wrapping_mul(1000) + who as u64)
    }

    /// Runs a command, which is killed after up to `longest` milliseconds, one time in three, and always where it
    /// would not end; and when the storm is over.
    fn run(&self, numbers: &mut Numbers, longest: usize, args: &[&str]) -> Came {
        self.run_with(numbers, longest, args, Stdio::null())
    }

    fn run_with(
        &self,
        numbers: &mut Numbers,
        longest: usize,
        args: &[&str],
        input: impl Into<Stdio>,
    ) -> Came {
        let mut command: Command = self.home.ream(args);
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut output = child.stdout.take().unwrap();
        let (sender, said) = mpsc::channel();
        // Its output ends with it.
        let reading = thread::spawn(move || {
            let mut said = Vec::new();
            output.read_to_end(&mut said).unwrap();
            // Who waits may have given up.
            let _ = sender.send(String::from_utf8_lossy(&said).into_owned());
        });
        let left = self.end.saturating_duration_since(Instant::now());
        let life = Duration::from_millis(numbers.below(longest) as u64);
        let is_killed = numbers.below(3) == 0 || follows(&args.join(" "));
        let life = if is_killed { left.min(life) } else { left };
        let came = match said.recv_timeout(life) {
            Ok(said) => Came { said, status: Some(child.wait().unwrap()) },
            Err(_) => {
                // It may have ended meanwhile.
                let _ = child.kill();
                child.wait().unwrap();
                Came { said: said.recv().unwrap(), status: None }
            }
        };
        reading.join().unwrap();
        self.kept.count(args, &came);
        came
    }

    /// Appends events, one or some at once, each again under its id until it is acknowledged.
    fn write(&self, writer: usize) {
        let mut numbers = self.numbers(writer);
        let (stream, mut number) = (format!("w-{writer}"), 0);
        let file = self.home.place().join(format!("events-{writer}"));
        while !self.is_over() {
            let count = [1, 1, 1, 20][numbers.below(4)];
            let ids: Vec<String> =
                (number..number + count).map(|number| format!("{writer}/{number}")).collect();
            number += count;
            let line = |id: &String| {
                format!("{{\"stream\":\"{stream}\",\"type\":\"Written\",\"id\":\"{id}\"}}\n")
            };
            fs::write(&file, ids.iter().map(line).collect::<String>()).unwrap();
            let append = if count == 1 {
                ["append", &stream, "Written", "--id", &ids[0]]
            } else {
                ["append", "--jsonl", file.to_str().unwrap(), "--lock-timeout", "60s"]
            };
            while !self.is_over() {
                let came = self.run(&mut numbers, 2000, &append);
                came.lines().for_each(|line| self.kept.acknowledge(line));
                if came.is_done() {
                    break;
                }
            }
        }
    }

    /// Decides one command after another on one stream, each again under its id until that is acknowledged.
    fn decide(&self, decider: usize) {
        let mut numbers = self.numbers(100 + decider);
        for number in 0.. {
            let id = format!("command-{decider}-{number}");
            let command = format!("{{\"c\":\"{id}\"}}");
            let decide = ["decide", "decided", &command, "--id", &id, "--", "sh", "-c", DECIDE];
            while !self.is_over() {
                if self.run(&mut numbers, 1500, &decide).is_done() {
                    self.kept.decided(id);
                    break;
                }
            }
            if self.is_over() {
                return;
            }
        }
    }

    /// Decides many commands by one program, and those again that were not answered.
    fn decide_many(&self) {
        let mut numbers = self.numbers(150);
        let file = self.home.place().join("commands");
        let (mut number, mut left) = (0, Vec::new());
        let program = format!("SERVES=1\n{DECIDE}");
        let serve = ["decide", "--serve", "--", "sh", "-c", &program];
        while !self.is_over() {
            while left.len() < 20 {
                left.push(format!("served-{number}"));
                number += 1;
            }
            let line = |id: &String| {
                format!(
                    "{{\"stream\":\"decided\",\"command\":{{\"c\":\"{id}\"}},\"id\":\"{id}\"}}\n"
                )
            };
            fs::write(&file, left.iter().map(line).collect::<String>()).unwrap();
            let input = File::open(&file).unwrap();
            let came = self.run_with(&mut numbers, 3000, &serve, input);
            // They are answered in their order.
            let answers = came.lines().filter(|line| line.contains("\"version\":")).count();
            left.drain(..answers).for_each(|id| self.kept.decided(id));
        }
    }

    /// Follows from where it was.
    fn follow(&self, follower: usize) {
        let mut numbers = self.numbers(200 + follower);
        let mut last = 0;
        while !self.is_over() {
            let after = last.to_string();
            let tail = [&["tail"], FOLLOWED[follower], &["--after", &after]].concat();
            let came = self.run(&mut numbers, 3000, &tail);
            last = came.lines().last().map_or(last, position);
            self.kept.followed(follower, came.lines());
        }
    }

    /// Does the same again and again.
    fn repeat(&self, who: usize, longest: usize, args: &[&str]) {
        let mut numbers = self.numbers(who);
        while !self.is_over() {
            self.run(&mut numbers, longest, args);
        }
    }

    /// Backs up, again and again, each time in the place of the last.
    fn back_up(&self) {
        let mut numbers = self.numbers(300);
        let place = self.home.place();
        while !self.is_over() {
            let new = place.join("new-backup");
            let _ = fs::remove_dir_all(&new);
            if self.run(&mut numbers, 3000, &["backup", new.to_str().unwrap()]).is_done() {
                self.kept.backed_up(&new);
                let _ = fs::remove_dir_all(place.join("backup"));
                fs::rename(new, place.join("backup")).unwrap();
            }
        }
    }

    /// Writes what is erased, and erases it in one of these ways, again and again.
    fn erase(&self, way: usize) {
        let mut numbers = self.numbers(400 + way);
        let stream = ERASED[way];
        let file = self.home.place().join(stream);
        let line = format!("{{\"stream\":\"{stream}\",\"type\":\"T\",\"data\":\"{MARK}\"}}\n");
        fs::write(&file, line.repeat(5)).unwrap();
        let append = ["append", "--jsonl", file.to_str().unwrap()];
        while !self.is_over() {
            let came = self.run(&mut numbers, 2000, &append);
            let Some(last) = came.lines().last().map(|line| position(line).to_string()) else {
                continue;
            };
            let erase: &[&str] = match stream {
                "gone" => &["stream", "rm", "gone", "--yes", "--lock-timeout", "1s"],
                "redacted" => &["redact", &last, "--reason", "storm", "--yes"],
                "cut" => &["stream", "truncate", "cut", "--before", &last, "--yes"],
                _ => &["prune", "--yes"],
            };
            self.run(&mut numbers, 2000, erase);
        }
    }

    /// Verifies, and finds nothing.
    fn verify(&self) {
        let mut numbers = self.numbers(900);
        while !self.is_over() {
            let verify = [&["verify"][..], &["verify", "--quick"]][numbers.below(2)];
            let came = self.run(&mut numbers, 3000, verify);
            // Who is killed may leave half a record of what was acknowledged.
            let is_other = |line: &str| {
                line.starts_with("{\"finding\"") && !line.starts_with("{\"finding\":\"record\"")
            };
            let is_well = came.lines().next().is_some() && !came.lines().any(is_other);
            assert!(came.status.is_none() || is_well, "{}", came.said);
        }
    }
}

/// The command of a reactor, with this for its end.
fn react(name: &str, end: &[&str]) -> Vec<String> {
    let words = [&["tail", "w-*", "--as", name], end, &["--", "sh", "-c"]].concat();
    words.into_iter().map(str::to_owned).chain([reaction(name)]).collect()
}

#[test]
fn in_a_storm_each_gets_what_was_promised() {
    let home = Home::new();
    let create =
        ["project", "create", "rows", "id:integer:key", "--from", "w-*", "--", "sh", "-c", PROJECT];
    home.run(&create).done();
    home.run(&["stream", "set", "kept", "--max-count", "3"]).done();
    let (seed, _) = seeded();
    let seconds = how_many("REAM_STORM", SECONDS) as u64;
    let end = Instant::now() + Duration::from_secs(seconds);
    let storm = Storm { home: &home, seed, end, kept: Kept::default() };
    thread::scope(|scope| {
        let storm = &storm;
        (0..WRITERS).for_each(|writer| drop(scope.spawn(move || storm.write(writer))));
        (0..DECIDERS).for_each(|decider| drop(scope.spawn(move || storm.decide(decider))));
        (0..FOLLOWED.len()).for_each(|one| drop(scope.spawn(move || storm.follow(one))));
        for (number, name) in REACTORS.into_iter().enumerate() {
            scope.spawn(move || {
                let react = react(name, &[]);
                let react: Vec<&str> = react.iter().map(String::as_str).collect();
                storm.repeat(500 + number, 3000, &react);
            });
        }
        scope.spawn(|| storm.decide_many());
        scope.spawn(|| storm.repeat(600, 3000, &["project", "run", "rows"]));
        scope.spawn(|| storm.repeat(700, 5000, &["project", "rebuild", "rows"]));
        scope.spawn(|| storm.repeat(800, 2000, &["compact"]));
        scope.spawn(|| storm.back_up());
        (0..ERASED.len()).for_each(|way| drop(scope.spawn(move || storm.erase(way))));
        scope.spawn(|| storm.verify());
    });
    kept::check(&home, seed, storm.kept);
}
