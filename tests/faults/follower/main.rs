//! A process that follows a store, and counts how often it looked: `seen WAITS POSITION` behind each look that gave
//! events, and `waits WAITS` for each line that comes. Tests of faults start it.

#![allow(clippy::print_stdout, reason = "it answers in lines")]

use std::error::Error;
use std::io::{self, BufRead as _};
use std::path::Path;
use std::thread;

use ream::{Follower, Options, Query, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("counting-follower STORE")?;
    let store = Store::open(Path::new(&path), &Options::default())?;
    let mut follower = Follower::new(&store, &Query::default())?;
    let waker = follower.waker();
    thread::spawn({
        let waker = waker.clone();
        move || {
            for _ in io::stdin().lock().lines() {
                println!("waits {}", waker.waits());
            }
        }
    });
    let mut seen = 0;
    loop {
        let (waits, before) = (waker.waits(), seen);
        let mut torn = None;
        while !follower
            .next_batch(|event| {
                seen += 1;
                if event.position.0 != seen {
                    torn = Some(event.position);
                }
            })?
            .caught_up
        {}
        if let Some(position) = torn {
            return Err(format!("{position} came where {seen} had to").into());
        }
        if seen > before {
            println!("seen {waits} {seen}");
        }
        // It has something else to do, now for longer, now for less: what is rung for meanwhile may not be missed.
        for _ in 0..seen * 7919 % 5000 {
            thread::yield_now();
        }
        follower.wait()?;
    }
}
