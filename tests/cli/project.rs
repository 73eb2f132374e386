//! `ream project`: a projection that is made, filled, searched, changed and dropped by hand.

mod change;
mod create;
mod decimals;
mod select;
mod set;
mod words;
mod wrong;

use crate::harness::{Ream, ream};

/// The fields of `users`.
const FIELDS: [&str; 7] = [
    "id:integer:key",
    "name:text:8",
    "email:text:unique",
    "city:text:index",
    "salary:decimal:6:2",
    "born:timestamp:null",
    "extra:json:null",
];

/// The rows of `users`.
const ROWS: &str = concat!(
    r#"{"id":1,"name":"Ann","email":"ann@mail.com","city":"London","salary":5200.50,"#,
    r#""born":null,"extra":null}"#,
    "\n",
    r#"{"id":2,"name":"Bo","email":"bo@mail.com","city":"Madrid","salary":3100.00,"#,
    r#""born":"1990-05-17T10:00:00.000000Z","extra":{"tags":["a","b"]}}"#,
    "\n",
);

/// A store with the projection `users`, which has two rows.
fn users() -> Ream {
    let shop = ream();
    shop.run(["project", "create", "users"]).args(FIELDS).ok();
    shop.run(["project", "set", "users", "--jsonl", "-"]).stdin(ROWS).ok();
    shop
}

/// The rows of `users` are as they were at first, and there is no other projection.
#[track_caller]
fn as_it_was(shop: &Ream) {
    shop.run(["project", "select", "users", "--order-by", "id"]).stdout(ROWS);
    let listed = shop.run(["project", "list"]).value();
    assert_eq!(listed["projection"], "users");
}

#[test]
fn rows_come_out_as_they_went_in() {
    as_it_was(&users());
}
