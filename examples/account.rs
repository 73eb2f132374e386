//! A bank account, as an aggregator in Rust: it takes deposits, and refuses to be overdrawn.
//!
//! ```sh
//! ream init bank
//! cargo run --example account -- bank account-1 deposit 10000
//! ```
//!
//! Money is whole cents. Prints where the events stand; exit code 1 is a rejection or a failure.

use std::env;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use ream::{
    Aggregate, Appended, Command, DecideError, Decided, Decision, Json, Options, Store, StreamName,
};
use serde::{Deserialize, Serialize};

/// What a decision needs to know of an account.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Account {
    balance: u64,
}

/// What happens to an account: the events, by type and data.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum Happened {
    Deposited { amount: u64 },
    Withdrawn { amount: u64 },
}

/// What an account is asked to do: the command, `{"deposit":10000}`.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Asked {
    Deposit(u64),
    Withdraw(u64),
}

impl Account {
    /// The account after an event; nothing where no account can be like that.
    fn after(self, event: Happened) -> Option<Self> {
        let balance = match event {
            Happened::Deposited { amount } => self.balance.checked_add(amount),
            Happened::Withdrawn { amount } => self.balance.checked_sub(amount),
        };
        balance.map(|balance| Self { balance })
    }

    /// The event that a command leads to, and the account after it; or why it is rejected.
    fn decide(self, asked: Asked) -> Result<(Happened, Self), String> {
        let event = match asked {
            Asked::Deposit(0) | Asked::Withdraw(0) => {
                return Err("an amount is at least 1".into());
            }
            Asked::Deposit(amount) => Happened::Deposited { amount },
            Asked::Withdraw(amount) => Happened::Withdrawn { amount },
        };
        let balance = self.balance;
        let after = self.after(event).ok_or_else(|| match asked {
            Asked::Deposit(_) => format!("the balance is {balance}, no more fits"),
            Asked::Withdraw(amount) => format!("the balance is {balance}, less than {amount}"),
        })?;
        Ok((event, after))
    }
}

/// The aggregator: from a stream's state and later events to what is stored.
fn decide(aggregate: &Aggregate, asked: Asked) -> Result<Decision, Box<dyn Error>> {
    let mut broken = false;
    let account = aggregate.fold(|account: Account, event| {
        let after = account.after(event);
        broken |= after.is_none();
        after.unwrap_or(account)
    })?;
    if broken {
        return Err(format!("`{}` has a balance that none can have", aggregate.stream).into());
    }
    let (event, account) = account.decide(asked)?;
    Ok(aggregate.accept().event(&event)?.state(&account)?)
}

/// Has the account of `stream` decide what it is asked.
fn run(store: &str, stream: &str, asked: Asked) -> Result<Decided, Box<dyn Error>> {
    let stream: StreamName = stream.parse()?;
    let mut store = Store::open(store.as_ref(), &Options::default())?;
    let command = Command::new(stream, Json::parse(&serde_json::to_string(&asked)?)?);
    match store.decide(&command, |aggregate| decide(aggregate, asked)) {
        Ok(decided) => Ok(decided),
        Err(DecideError::Aggregator(why)) => Err(why),
        Err(DecideError::Overtaken { source, .. }) => Err(source.into()),
        Err(error) => Err(error.into()),
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let asked = match args[..] {
        [_, _, "deposit", amount] => amount.parse().ok().map(Asked::Deposit),
        [_, _, "withdraw", amount] => amount.parse().ok().map(Asked::Withdraw),
        _ => None,
    };
    let Some(asked) = asked else {
        return told(io::stderr(), "usage: account STORE STREAM deposit|withdraw CENTS", 2);
    };
    match run(args[0], args[1], asked) {
        Ok(decided) => {
            let stands =
                |at: Appended| format!("{}@{}, position {}", args[1], at.version, at.position);
            let events: Vec<_> =
                decided.events.iter().map(|event| stands(event.appended)).collect();
            told(io::stdout(), &events.join("\n"), 0)
        }
        Err(error) => told(io::stderr(), &format!("error: {error}"), 1),
    }
}

/// Says it, and gives the exit code.
fn told(mut to: impl Write, what: &str, code: u8) -> ExitCode {
    match writeln!(to, "{what}") {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::FAILURE,
    }
}
