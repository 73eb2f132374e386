#!/usr/bin/env python3
"""A bank account, as an aggregator: it takes deposits, and refuses to be overdrawn.

    ream decide account-1 '{"deposit":10000}' -- examples/account.py
    ream decide --serve -- examples/account.py < commands.jsonl

Money is whole cents: Python's integers are exact, its floats are not.
"""

import json
import sys


class Rejected(Exception):
    """Why a command is not accepted."""


def apply(balance, event):
    """The balance after an event."""
    if event["type"] == "Deposited":
        return balance + event["data"]["amount"]
    if event["type"] == "Withdrawn":
        return balance - event["data"]["amount"]
    # Better no decision than one on half of a history.
    sys.exit(f"{event['stream']}@{event['version']}: an account knows no {event['type']}")


def decide(balance, command):
    """The type and the amount of the event that the command leads to."""
    if not isinstance(command, dict) or list(command) not in (["deposit"], ["withdraw"]):
        raise Rejected('a command is {"deposit":CENTS} or {"withdraw":CENTS}')
    [(verb, amount)] = command.items()
    # `true` is an int to isinstance.
    if type(amount) is not int or amount <= 0:
        raise Rejected(f"an amount is whole cents, at least 1: {json.dumps(amount)} is not")
    if verb == "withdraw" and amount > balance:
        raise Rejected(f"the balance is {balance}, less than {amount}")
    return ("Deposited" if verb == "deposit" else "Withdrawn"), amount


def replies(asked):
    """What is answered to a line."""
    balance = 0 if asked["state"] is None else asked["state"]["balance"]
    # Later events than the state reflects; all of them where there is none.
    for event in asked["events"]:
        balance = apply(balance, event)
    try:
        event_type, amount = decide(balance, asked["command"])
    except Rejected as why:
        yield {"reject": str(why)}
        return
    event = {"type": event_type, "data": {"amount": amount}}
    yield {"append": event}
    yield {"state": {"balance": apply(balance, event)}}
    yield {"ack": asked["version"]}


for line in sys.stdin.buffer:
    for reply in replies(json.loads(line)):
        print(json.dumps(reply))
    # With --serve, ream waits for this answer before it asks again.
    sys.stdout.flush()
