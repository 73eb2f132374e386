//! Decimals: exact whatever is done with them, as keys, as what is unique and by what rows are found.

use crate::harness::{Ream, ream};

/// Accounts by a decimal, without one and with one.
fn accounts() -> Ream {
    let shop = ream();
    shop.run(["project", "create", "accounts", "number:decimal:18:3", "branch:decimal:4:0"])
        .args(["limit_:decimal:18:18:null:unique", "amount:decimal:18:2:null:index"])
        .args(["amount_scaled:integer:null", "--key", "branch,number"])
        .ok();
    set(
        &shop,
        r#"{"number":1.005,"branch":2,"limit_":0.000000000000000001,"amount":9999999999999999.99}"#,
    );
    set(&shop, r#"{"number":-1.005,"branch":2,"amount":-0.05,"amount_scaled":7}"#);
    set(&shop, r#"{"number":999999999999999.999,"branch":-1,"limit_":-0.1,"amount":0}"#);
    set(&shop, r#"{"number":10,"branch":1000}"#);
    shop
}

fn set(shop: &Ream, row: &str) {
    shop.run(["project", "set", "accounts", row]).ok();
}

/// The numbers of the accounts of which a condition is true, by an order.
#[track_caller]
fn numbers(shop: &Ream, condition: &str, order: &str, expected: &[&str]) {
    let text = shop
        .run(["project", "select", "accounts", condition, "--order-by", order])
        .args(["--fields", "number", "--format", "csv"])
        .text();
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), expected, "{condition}");
}

#[test]
fn a_decimal_comes_out_with_all_its_digits() {
    let shop = accounts();
    let row = |number: &str| {
        let (number, with) = (format!("number={number}"), "number = :number");
        shop.run(["project", "select", "accounts", with, "--with", &number]).text()
    };
    assert_eq!(
        row("1.005"),
        "{\"number\":1.005,\"branch\":2,\"limit_\":0.000000000000000001,\
         \"amount\":9999999999999999.99,\"amount_scaled\":null}\n"
    );
    assert_eq!(
        row("-1.005"),
        "{\"number\":-1.005,\"branch\":2,\"limit_\":null,\"amount\":-0.05,\"amount_scaled\":7}\n"
    );
    assert_eq!(
        row("999999999999999.999"),
        "{\"number\":999999999999999.999,\"branch\":-1,\"limit_\":-0.100000000000000000,\
         \"amount\":0.00,\"amount_scaled\":null}\n"
    );
    shop.run(["project", "select", "accounts", "branch = 1000", "--format", "csv"])
        .stdout("number,branch,limit_,amount,amount_scaled\n10.000,1000,,,\n");
}

#[test]
fn rows_are_found_and_ordered_by_value() {
    let shop = accounts();
    let all = ["999999999999999.999", "-1.005", "1.005", "10.000"];
    numbers(&shop, "TRUE", "branch", &all);
    numbers(&shop, "number > 1.0049", "number", &["1.005", "10.000", "999999999999999.999"]);
    numbers(&shop, "amount < 0.001", "-amount", &["999999999999999.999", "-1.005"]);
    numbers(&shop, "amount > 9999999999999999.98", "number", &["1.005"]);
    numbers(&shop, "amount = 9999999999999999.99", "number", &["1.005"]);
    numbers(&shop, "amount IS NULL", "number", &["10.000"]);
    numbers(&shop, "limit_ IN (0.000000000000000001, -0.1)", "limit_", &[all[0], "1.005"]);
    numbers(&shop, "branch = 2 AND number = -1.005", "number", &["-1.005"]);
    numbers(&shop, "number < amount - 0.95", "number", &["-1.005", "1.005"]);
    for (condition, found) in [
        (
            "branch = 2 AND number > 0",
            "SEARCH accounts USING PRIMARY KEY (branch$=? AND number$>?)",
        ),
        ("limit_ = 0.5", "SEARCH accounts USING INDEX accounts(limit_) (limit_$=?)"),
        ("amount >= 10.005", "SEARCH accounts USING INDEX accounts(amount) (amount$>?)"),
    ] {
        shop.run(["project", "select", "accounts", condition, "--explain"]).stdout_has([found]);
    }
}

#[test]
fn keys_and_what_is_unique_are_exact() {
    let shop = accounts();
    // The same number, however it is spelled, is the same row.
    set(&shop, r#"{"number":"1.0050e0","branch":2.0,"amount":1}"#);
    numbers(&shop, "branch = 2", "number", &["-1.005", "1.005"]);
    set(&shop, r#"{"number":1.005,"branch":2,"limit_":0.000000000000000001}"#);
    let row = r#"{"number":1.006,"branch":2,"limit_":0.000000000000000001}"#;
    shop.run(["project", "set", "accounts", row]).fails(
        6,
        "error: the row with branch 2, number 1.006 can't have limit_ 0.000000000000000001 in \
         `accounts`: the row with branch 2, number 1.005 has it\n",
    );
    set(&shop, &row.replace("0.000000000000000001", "0.000000000000000002"));
}

#[test]
fn rows_are_changed_exactly() {
    let shop = accounts();
    let update = |assignments: &str, condition: &str| {
        shop.run(["project", "update", "accounts", "--set", assignments, "--where", condition])
            .args(["--yes", "--format", "table"])
            .text()
    };
    assert_eq!(update("amount = amount - 0.01", "amount > 1"), "accounts: 1 row updated\n");
    assert_eq!(update("amount = number * 3", "number < 0"), "accounts: 1 row updated\n");
    assert_eq!(update("amount = NULL", "amount = 0.00"), "accounts: 1 row updated\n");
    let amounts = || {
        let select =
            ["project", "select", "accounts", "--order-by", "amount", "--fields", "amount"];
        shop.run(select).args(["--format", "csv"]).text()
    };
    assert_eq!(amounts(), "amount\n\n\n-3.02\n9999999999999999.98\n");
    shop.run(["project", "update", "accounts", "--set", "amount = amount + 0.03", "--yes"])
        .fails_with(6, ["error: the row with branch 2, number 1.005 can't be updated"]);
    shop.run(["project", "delete", "accounts", "amount < -3.015", "--yes"])
        .stdout_has([r#""deleted":1"#]);
    assert_eq!(amounts(), "amount\n\n\n9999999999999999.98\n");
}

#[test]
fn what_differs_is_found_exactly() {
    let shop = ream();
    shop.fill("s", 1);
    let set = |amount: &str| {
        format!(r#"echo '{{"set":{{"id":0.1,"amount":{amount}}}}}'; cat >/dev/null"#)
    };
    shop.run(["project", "create", "sums", "id:decimal:3:1:key", "amount:decimal:18:2:null"])
        .args(["--", "sh", "-c", &set("9007199254740993.01")])
        .ok();
    shop.run(["project", "select", "sums", "--fresh"]).ok();
    let rebuild = |amount: &str, told: [&str; 1]| {
        let args = ["project", "rebuild", "sums", "--dry-run", "--", "sh", "-c", &set(amount)];
        shop.run(args).stdout_has(told);
    };
    rebuild("\"9007199254740993.01\"", [r#""changed":0,"gone":0,"new":0"#]);
    rebuild(
        "9007199254740993.02",
        [
            r#""changed":1,"gone":0,"new":0,"first":[{"was":{"id":0.1,"amount":9007199254740993.01},"is":{"id":0.1,"amount":9007199254740993.02}}]"#,
        ],
    );
    rebuild("null", [r#""is":{"id":0.1,"amount":null}"#]);
}
