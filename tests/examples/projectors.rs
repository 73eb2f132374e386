//! Runs the examples of projectors and of a reactor, by the commands in their headers.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{Ended, JQ, NODE, PYTHON, Place, REAM, SH, in_rust, needs, root};

/// The projectors that make the same rows.
const PROJECTORS: [&str; 4] = ["orders.py", "orders.sh", "orders.mjs", "projector.rs"];
/// How their headers run the one that has to be built.
const BUILT: &str = "target/debug/examples/projector";

/// A small history: two orders of two products, one that is cancelled, and what is none of theirs.
const HISTORY: &str = r#"
{"stream":"customer-1","type":"CustomerRegistered","data":{"name":"Zoë \"Zo\" Maes","email":"zoe@example.com"}}
{"stream":"order-1","type":"OrderPlaced","time":"2026-03-02T23:59:59.9Z","data":{"customer":"customer-1"}}
{"stream":"order-1","type":"ItemAdded","data":{"sku":"TEA","name":"Tea – „Grün“","quantity":2,"price":6.80}}
{"stream":"order-1","type":"ItemAdded","data":{"sku":"KET","name":"Kettle","quantity":1,"price":9999999999.99}}
{"stream":"order-1","type":"ItemAdded","data":{"sku":"TEA","name":"Tea – „Grün“","quantity":3,"price":6.80}}
{"stream":"order-2","type":"OrderPlaced","time":"2026-03-03T00:00:00Z","data":{"customer":"customer-1"}}
{"stream":"order-2","type":"ItemAdded","data":{"sku":"TEA","name":"Tea – „Grün“","quantity":1,"price":"0.10"}}
{"stream":"order-1","type":"ItemRemoved","data":{"sku":"TEA","quantity":1,"price":6.80}}
{"stream":"order-1","type":"OrderPaid","time":"2026-03-03T08:00:00Z","data":{"amount":0.10}}
{"stream":"order-1","type":"OrderLost","data_base64":"AP8="}
"#;

/// What comes later.
const LATER: &str = r#"
{"stream":"order-3","type":"OrderPlaced","time":"2026-03-03T12:00:00Z","data":{"customer":"customer-2"}}
{"stream":"order-3","type":"ItemAdded","data":{"sku":"KET","name":"Kettle","quantity":1,"price":54}}
{"stream":"order-1","type":"ItemRemoved","data":{"sku":"KET","quantity":1,"price":9999999999.99}}
{"stream":"order-3","type":"DiscountApplied","data":{"code":"SPRING","percent":12.5}}
{"stream":"order-2","type":"OrderCancelled","data":{"reason":"no payment"}}
{"stream":"order-3","type":"OrderPaid","time":"2026-03-03T13:00:00+02:00","data":{"amount":0.20}}
{"stream":"order-1","type":"RefundIssued","id":"refund-1","data":{"amount":54.50}}
{"stream":"order-1","type":"RefundIssued","id":"refund-2","data":{"amount":3}}
"#;

const ROWS: &str = r#"{"order_id":"order-1","sku":"KET","name":"Kettle","quantity":1,"price":9999999999.99,"discount":0.00}
{"order_id":"order-1","sku":"TEA","name":"Tea – „Grün“","quantity":4,"price":6.80,"discount":0.00}
{"order_id":"order-2","sku":"TEA","name":"Tea – „Grün“","quantity":1,"price":0.10,"discount":0.00}
"#;
const LATER_ROWS: &str = r#"{"order_id":"order-1","sku":"TEA","name":"Tea – „Grün“","quantity":4,"price":6.80,"discount":0.00}
{"order_id":"order-1","sku":"refund-1","name":"Refund","quantity":1,"price":-54.50,"discount":0.00}
{"order_id":"order-1","sku":"refund-2","name":"Refund","quantity":1,"price":-3.00,"discount":0.00}
{"order_id":"order-3","sku":"KET","name":"Kettle","quantity":1,"price":54.00,"discount":12.50}
"#;

#[test]
fn each_projector_makes_the_same_rows_also_of_what_comes_later_and_from_the_start() {
    for example in PROJECTORS {
        let shop = Shop::of(example);
        shop.stores(HISTORY);
        shop.runs("--until-caught-up").says(&reached("orders", shop.last()));
        assert_eq!(shop.rows(), ROWS, "{example}");
        shop.runs("--until-caught-up").says(&reached("orders", shop.last()));
        assert_eq!(shop.rows(), ROWS, "{example}");

        shop.stores(LATER);
        shop.runs("--until-caught-up").says(&reached("orders", shop.last()));
        assert_eq!(shop.rows(), LATER_ROWS, "{example}");

        shop.place.ream(&["project", "drop", "--yes", "orders"]).ok();
        shop.creates();
        assert_eq!(shop.rows(), "", "{example}");
        shop.runs("--until-caught-up").says(&reached("orders", shop.last()));
        assert_eq!(shop.rows(), LATER_ROWS, "{example}");

        let rebuilt = shop.place.ream(&["project", "rebuild", "orders", "--diff", "--yes"]).ok();
        let rebuilt: Value = serde_json::from_str(&rebuilt).unwrap();
        for differs in ["changed", "gone", "new"] {
            assert_eq!(rebuilt[differs], 0, "{example}: {rebuilt}");
        }
        assert_eq!(shop.rows(), LATER_ROWS, "{example}");
    }
}

#[test]
fn each_projector_follows_and_keeps_no_ack_back() {
    for example in PROJECTORS {
        let shop = Shop::of(example);
        shop.stores(HISTORY);
        let follower = shop.begins("--grace 30s");
        // The store says when: a row that waits in a buffer would be waited for in vain.
        assert_eq!(shop.rows_at(shop.last()), ROWS, "{example}");
        shop.stores(LATER);
        assert_eq!(shop.rows_at(shop.last()), LATER_ROWS, "{example}");
        ends_interrupted(follower);
        shop.runs("--until-caught-up").says(&reached("orders", shop.last()));
        assert_eq!(shop.rows(), LATER_ROWS, "{example}");
    }
}

#[test]
fn no_projector_steps_over_an_event_that_it_does_not_understand() {
    for example in PROJECTORS.into_iter().chain(["orders_by_day.sh"]) {
        let shop = Shop::of(example);
        shop.stores(HISTORY);
        shop.runs("--until-caught-up").ok();
        let rows = shop.rows();
        shop.place.append("order-4", "OrderShipped", "{}");
        let done = shop.last();
        let broken = if example == "orders_by_day.sh" { "OrderPaid" } else { "ItemAdded" };
        shop.place.append("order-4", broken, "5");
        let fails_at = shop.last();
        shop.stores(LATER);
        let failed = shop.runs("--until-caught-up --retries 1");
        assert_eq!(failed.code, 7, "{example}: {failed:?}");
        let event = format!("it fails on the event at position {fails_at}");
        assert!(failed.err.contains(&event), "{example}: {failed:?}");
        assert_eq!(shop.rows(), rows, "{example}");
        assert_eq!(shop.checkpoint(), done, "{example}");
    }
}

#[test]
fn the_projectors_make_the_same_rows_of_the_shops_history_and_the_sums_are_those_that_were_paid() {
    let mut before: Option<String> = None;
    for example in PROJECTORS {
        let shop = Shop::of(example);
        shop.has_the_whole_history();
        shop.runs("--until-caught-up").ok();
        let rows = shop.rows();
        if let Some(before) = before {
            assert_eq!(rows, before, "{example}");
        }
        before = Some(rows);
    }

    // In hundredths of a cent, for the discounts.
    let mut sums = BTreeMap::new();
    for row in lines(&before.unwrap()).iter().filter(|row| row["name"] != "Refund") {
        let sum = cents(&row["price"]) * row["quantity"].as_i64().unwrap();
        *sums.entry(row["order_id"].to_string()).or_insert(0) +=
            sum * (100 - cents(&row["discount"]) / 100);
    }
    let history = fs::read_to_string(root().join("examples/orders.jsonl")).unwrap();
    let mut paid = 0;
    for event in lines(&history).iter().filter(|event| event["type"] == "OrderPaid") {
        let Some(sum) = sums.get(&event["stream"].to_string()) else { continue };
        assert_eq!((sum + 50) / 100, cents(&event["data"]["amount"]), "{event}");
        paid += 1;
    }
    assert!(paid > 40, "{paid}");
}

#[test]
fn the_projector_of_days_counts_and_sums_however_many_events_it_is_run_for() {
    let rows = "{\"day\":\"2026-03-02\",\"placed\":1,\"paid\":0.00}\n\
                {\"day\":\"2026-03-03\",\"placed\":1,\"paid\":0.10}\n";
    let later_rows = "{\"day\":\"2026-03-02\",\"placed\":1,\"paid\":0.00}\n\
                      {\"day\":\"2026-03-03\",\"placed\":2,\"paid\":0.30}\n";
    let shop = Shop::of("orders_by_day.sh");
    shop.stores(HISTORY);
    for _ in 0..2 {
        shop.runs("--until-caught-up").says(&reached("orders_by_day", shop.last()));
        assert_eq!(shop.rows(), rows);
    }
    shop.stores(LATER);
    shop.runs("--until-caught-up").says(&reached("orders_by_day", shop.last()));
    assert_eq!(shop.rows(), later_rows);
    shop.place.ream(&["project", "drop", "--yes", "orders_by_day"]).ok();
    shop.creates();
    shop.runs("--until-caught-up").says(&reached("orders_by_day", shop.last()));
    assert_eq!(shop.rows(), later_rows);

    // As many at once as its header says.
    let header = fs::read_to_string(root().join("examples/orders_by_day.sh")).unwrap();
    assert!(header.contains(" --batch 1000 in the place of --per-event."));
    let shop = Shop { run: shop.run.replace("--per-event", "--batch 1000"), ..shop };
    shop.place.ream(&["project", "drop", "--yes", "orders_by_day"]).ok();
    shop.creates();
    shop.runs("--until-caught-up").says(&reached("orders_by_day", shop.last()));
    assert_eq!(shop.rows(), later_rows);
    shop.place.append("order-4", "OrderPaid", "5");
    shop.place.append("order-4", "OrderPlaced", "{}");
    let failed = shop.runs("--until-caught-up --retries 0");
    assert_eq!((failed.code, shop.rows()), (7, later_rows.into()), "{failed:?}");
}

#[test]
fn the_projector_of_days_has_the_days_of_the_shops_history() {
    let shop = Shop::of("orders_by_day.sh");
    shop.has_the_whole_history();
    let shop = Shop { run: shop.run.replace("--per-event", "--batch 1000"), ..shop };
    shop.runs("--until-caught-up").ok();

    let mut days: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let history = fs::read_to_string(root().join("examples/orders.jsonl")).unwrap();
    for event in lines(&history) {
        let of_day = || event["time"].as_str().unwrap()[..10].to_owned();
        match event["type"].as_str().unwrap() {
            "OrderPlaced" => days.entry(of_day()).or_default().0 += 1,
            "OrderPaid" => days.entry(of_day()).or_default().1 += cents(&event["data"]["amount"]),
            _ => {}
        }
    }
    let told = |row: Value| {
        let day = row["day"].as_str().unwrap().to_owned();
        (day, (row["placed"].as_i64().unwrap(), cents(&row["paid"])))
    };
    assert!(days.len() > 20, "{days:?}");
    assert_eq!(lines(&shop.rows()).into_iter().map(told).collect::<BTreeMap<_, _>>(), days);

    let best = shop.command("ream project select");
    let best = lines(&shop.sh(&best).ok());
    let most = days.values().map(|(_, paid)| *paid).max().unwrap();
    assert_eq!((best.len(), cents(&best[0]["paid"])), (5, most));
}

#[test]
fn the_welcome_goes_to_each_new_customer_once() {
    let shop = Shop::of("welcome.py");
    shop.stores(HISTORY);
    let welcome = |customer: &str, name: &str, email: &str| {
        let data = json!({"to": email, "name": name});
        (format!("mail-{customer}"), "WelcomeSent".to_owned(), data)
    };
    let mut welcomes = vec![welcome("customer-1", "Zoë \"Zo\" Maes", "zoe@example.com")];
    for _ in 0..2 {
        shop.runs("--until-caught-up").says(&followed(1));
        assert_eq!(shop.mails(), welcomes);
    }
    let mail = lines(&shop.sh(&shop.command("ream read")).ok());
    let cause = lines(&shop.place.ream(&["read", "customer-1"]).ok());
    assert_eq!(mail[0]["metadata"]["causation_id"], cause[0]["id"]);

    for (customer, event, name) in [
        ("customer-2", "CustomerRegistered", "Łukasz"),
        ("customer-1", "EmailChanged", "Zoë"),
        ("customer-3", "CustomerRegistered", "ひなの"),
    ] {
        let data = json!({"name": name, "email": "new@example.com"}).to_string();
        shop.place.append(customer, event, &data);
    }
    welcomes.push(welcome("customer-2", "Łukasz", "new@example.com"));
    welcomes.push(welcome("customer-3", "ひなの", "new@example.com"));
    shop.runs("--until-caught-up").ok();
    assert_eq!(shop.mails(), welcomes);

    // Told of all of it once more, it answers the same.
    shop.place.ream(&["subscription", "seek", "welcome", "start"]).ok();
    shop.runs("--until-caught-up").ok();
    assert_eq!(shop.mails(), welcomes);
}

#[test]
fn the_welcome_goes_out_once_whenever_it_is_interrupted() {
    let shop = Shop::of("welcome.py");
    shop.has_the_whole_history();
    // It ends when it has answered the third and has not acked it, and when it was told of five events.
    for (script, mails) in [
        ("examples/welcome.py 2>&- | head -n 5; exit 1", 2),
        ("head -n 5 | examples/welcome.py; exit 1", 7),
    ] {
        let run = shop.with("--until-caught-up --retries 0");
        let broken = run.replace(" -- examples/welcome.py", &format!(" -- sh -c '{script}'"));
        assert_ne!(broken, run);
        let failed = shop.sh(&broken);
        assert_eq!((failed.code, shop.mails().len()), (7, mails), "{failed:?}");
    }
    // Whatever it does, it is killed; and asked to end.
    let mut follower = shop.begins("");
    shop.waits_for_mails(8);
    follower.kill().unwrap();
    follower.wait().unwrap();
    let follower = shop.begins("--wait 30s");
    shop.waits_for_mails(9);
    ends_interrupted(follower);

    shop.runs("--until-caught-up --wait 30s").ok();
    let history = fs::read_to_string(root().join("examples/orders.jsonl")).unwrap();
    let events = lines(&history).into_iter().filter(|event| event["type"] == "CustomerRegistered");
    let expected: Vec<String> =
        events.map(|event| format!("mail-{}", event["stream"].as_str().unwrap())).collect();
    let mails: Vec<String> = shop.mails().into_iter().map(|(stream, ..)| stream).collect();
    assert!(expected.len() > 20, "{expected:?}");
    assert_eq!(mails, expected);
}

/// A store beside the examples, and an example that is run there as its header says.
struct Shop {
    place: Place,
    /// The commands in the header.
    commands: Vec<String>,
    /// The one of them that runs the example.
    run: String,
}

impl Shop {
    #[track_caller]
    fn of(example: &str) -> Self {
        needs(&[PYTHON, SH, JQ, NODE]);
        let place = Place::bare();
        symlink(root().join("examples"), place.home.path().join("examples")).unwrap();
        let commands = header(example);
        let run = commands.iter().find(|command| command.contains(" -- "));
        let run = run.unwrap_or_else(|| panic!("{example} is not run in its header")).clone();
        let shop = Self { place, commands, run };
        if example != "welcome.py" {
            shop.creates();
        }
        shop
    }

    /// The command of the header that begins like this.
    #[track_caller]
    fn command(&self, begin: &str) -> String {
        let found = self.commands.iter().find(|command| command.starts_with(begin));
        found.unwrap_or_else(|| panic!("no `{begin}` in {:?}", self.commands)).clone()
    }

    fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("sh");
        let bin = Path::new(REAM).parent().unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        command.args(["-euc", script]).env("PATH", path).current_dir(self.place.home.path());
        // Python would flush by itself.
        command.env_remove("REAM_STORE").env_remove("PYTHONUNBUFFERED").stdin(Stdio::null());
        command
    }

    fn sh(&self, script: &str) -> Ended {
        self.place.run(&mut self.shell(script))
    }

    #[track_caller]
    fn creates(&self) {
        self.sh(&self.command("ream project create")).ok();
    }

    #[track_caller]
    fn stores(&self, events: &str) {
        fs::write(self.place.home.path().join("events.jsonl"), events.trim_start()).unwrap();
        self.place.ream(&["append", "--jsonl", "events.jsonl"]).ok();
    }

    #[track_caller]
    fn has_the_whole_history(&self) {
        self.place.ream(&["append", "--jsonl", "examples/orders.jsonl"]).ok();
    }

    /// The header's command, with options.
    #[track_caller]
    fn with(&self, options: &str) -> String {
        self.run.replacen(" -- ", &format!(" {options} -- "), 1)
    }

    /// Runs the example, to its end.
    #[track_caller]
    fn runs(&self, options: &str) -> Ended {
        self.sh(&self.with(options))
    }

    /// Runs the example, which follows then.
    #[track_caller]
    fn begins(&self, options: &str) -> Child {
        let mut command = self.shell(&format!("exec {}", self.with(options)));
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The name of the projection.
    fn projection(&self) -> String {
        self.command("ream project create").split(' ').nth(3).unwrap().to_owned()
    }

    /// The position of the last event that is no record of an act.
    #[track_caller]
    fn last(&self) -> u64 {
        lines(&self.place.ream(&["read", "-n", "1"]).ok())[0]["position"].as_u64().unwrap()
    }

    /// The rows, ordered by their key.
    #[track_caller]
    fn rows(&self) -> String {
        self.select(&[])
    }

    /// The rows, when all up to this position is in them.
    #[track_caller]
    fn rows_at(&self, position: u64) -> String {
        self.select(&["--at-least", &position.to_string(), "--wait", "30s"])
    }

    #[track_caller]
    fn select(&self, options: &[&str]) -> String {
        let name = self.projection();
        let key = if name == "orders" { "order_id,sku" } else { "day" };
        let words = [&["project", "select", &name, "--order-by", key], options].concat();
        self.place.ream(&words).ok()
    }

    #[track_caller]
    fn checkpoint(&self) -> u64 {
        let told = self.place.ream(&["project", "show", &self.projection()]).ok();
        serde_json::from_str::<Value>(&told).unwrap()["checkpoint"].as_u64().unwrap()
    }

    /// The mails: streams, types and data.
    #[track_caller]
    fn mails(&self) -> Vec<(String, String, Value)> {
        let mails = lines(&self.place.ream(&["read", "mail-*"]).ok()).into_iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        mails
            .map(|mail| (text(&mail["stream"]), text(&mail["type"]), mail["data"].clone()))
            .collect()
    }

    #[track_caller]
    fn waits_for_mails(&self, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.mails().len() < count {
            assert!(Instant::now() < deadline, "{count} mails: {:?}", self.mails());
        }
    }
}

/// The commands in an example's header.
#[track_caller]
fn header(example: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("examples").join(example)).unwrap();
    let text = text.replace("\\\n", "");
    let lines = text.lines().map(|line| {
        let line = line.trim_start_matches(['/', '!', '#', ' ']);
        line.split_whitespace().filter(|word| !["#", "//", "//!"].contains(word))
    });
    let lines = lines.map(|words| words.collect::<Vec<_>>().join(" "));
    let built = |line: String| {
        if line.contains(BUILT) {
            line.replace(BUILT, in_rust("projector").to_str().unwrap())
        } else {
            line
        }
    };
    lines.filter(|line| line.starts_with("ream ")).map(built).collect()
}

/// What a run says at its end.
fn reached(projection: &str, position: u64) -> String {
    format!("{{\"projection\":\"{projection}\",\"checkpoint\":{position}}}\n")
}

fn followed(position: u64) -> String {
    format!("{{\"subscription\":\"welcome\",\"checkpoint\":{position}}}\n")
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// An amount, of which a float has more than enough digits.
fn cents(amount: &Value) -> i64 {
    #[allow(clippy::cast_possible_truncation, reason = "amounts are small")]
    let cents = (amount.as_f64().unwrap() * 100.0).round() as i64;
    cents
}

/// It is asked to end, and does; Python tells where it was.
#[track_caller]
fn ends_interrupted(follower: Child) {
    kill_process(Pid::from_child(&follower), Signal::INT).unwrap();
    let ended = Ended::of(&follower.wait_with_output().unwrap());
    // A signal that comes before it has begun ends it by itself.
    if ended.code != -1 {
        assert_eq!(ended.code, 130, "{ended:?}");
        assert!(ended.err.ends_with("error: interrupted\n"), "{ended:?}");
    }
}
