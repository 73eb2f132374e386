//! What was ordered, as a projector: the one of orders.py in Rust.
//!
//! ```sh
//! cargo build --example projector
//! ream project create orders order_id:text sku:text name:text quantity:integer \
//!     price:decimal:12:2 discount:decimal:5:2 --key order_id,sku
//! ream project run orders 'order-*' -- target/debug/examples/projector
//! ```
//!
//! `serde_json`'s numbers carry a price of up to 15 digits as it is, a sum of two they may not. So
//! ream calculates; or an amount is read as a `RawValue`, and its text leaves as a string.

use std::error::Error;
use std::io::{self, BufRead as _, Write as _};

use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Event {
    position: u64,
    stream: String,
    id: String,
    #[serde(rename = "type")]
    kind: String,
    /// Null where it is bytes that are no JSON.
    #[serde(default)]
    data: Value,
}

/// What an event changes.
fn changes(event: &Event) -> Result<Vec<Value>, Box<dyn Error>> {
    let (order, data) = (&event.stream, &event.data);
    Ok(match &*event.kind {
        "ItemAdded" => {
            let row = json!({
                "order_id": order, "sku": data["sku"], "name": data["name"],
                "quantity": data["quantity"], "price": data["price"], "discount": 0,
            });
            // Some more of what is in the order already.
            let compute = json!({"quantity": "quantity + :more"});
            let with = json!({"more": data["quantity"]});
            vec![json!({"upsert": {"row": row, "compute": compute, "with": with}})]
        }
        "ItemRemoved" => {
            let row = json!({"order_id": order, "sku": data["sku"]});
            let compute = json!({"quantity": "quantity - :less"});
            let with = json!({"less": data["quantity"]});
            let none = json!({"expr": "order_id = :o AND quantity <= 0", "with": {"o": order}});
            vec![
                json!({"update": {"where": row, "compute": compute, "with": with}}),
                json!({"delete": none}),
            ]
        }
        "DiscountApplied" => {
            let set = json!({"discount": data["percent"]});
            vec![json!({"update": {"where": {"order_id": order}, "set": set}})]
        }
        "RefundIssued" => {
            let amount = data["amount"].as_f64().ok_or("a refund without an amount")?;
            // A row of its own, by the event's id: an order may have several.
            vec![json!({"set": {
                "order_id": order, "sku": event.id, "name": "Refund",
                "quantity": 1, "price": -amount, "discount": 0,
            }})]
        }
        "OrderCancelled" => vec![json!({"delete": {"order_id": order}})],
        _ => vec![],
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    // Rust's output is kept back to the end of a line, and no longer.
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let event: Event = serde_json::from_str(&line?)?;
        for change in changes(&event)? {
            writeln!(output, "{change}")?;
        }
        writeln!(output, "{}", json!({"ack": event.position}))?;
    }
    Ok(())
}
