#!/usr/bin/env node
// What was ordered, as a projector: the one of orders.py in JavaScript, for Node.js without a package.
//
//     ream project create orders order_id:text sku:text name:text quantity:integer \
//         price:decimal:12:2 discount:decimal:5:2 --key order_id,sku
//     ream project run orders 'order-*' -- examples/orders.mjs
//
// JavaScript's numbers carry a price of up to 15 digits as it is; a sum of two they may not. So ream
// calculates, or an amount goes in a string.

import { createInterface } from "node:readline";

// What an event changes.
function* changes({ stream: order_id, type, id, data }) {
  switch (type) {
    case "ItemAdded": {
      const { sku, name, quantity, price } = data;
      const row = { order_id, sku, name, quantity, price, discount: 0 };
      // Some more of what is in the order already.
      yield { upsert: { row, compute: { quantity: "quantity + :more" }, with: { more: quantity } } };
      break;
    }
    case "ItemRemoved": {
      const where = { order_id, sku: data.sku };
      const less = { compute: { quantity: "quantity - :less" }, with: { less: data.quantity } };
      yield { update: { where, ...less } };
      yield { delete: { expr: "order_id = :o AND quantity <= 0", with: { o: order_id } } };
      break;
    }
    case "DiscountApplied":
      yield { update: { where: { order_id }, set: { discount: data.percent } } };
      break;
    case "RefundIssued": {
      // A row of its own, by the event's id: an order may have several.
      const row = { order_id, sku: id, name: "Refund", quantity: 1, price: -data.amount };
      yield { set: { ...row, discount: 0 } };
      break;
    }
    case "OrderCancelled":
      yield { delete: { order_id } };
  }
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const event = JSON.parse(line);
  const replies = [...changes(event), { ack: event.position }];
  process.stdout.write(replies.map((reply) => `${JSON.stringify(reply)}\n`).join(""));
}
