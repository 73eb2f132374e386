#!/usr/bin/env python3
"""Reads a store of format 1 as docs/format.md describes it, with Python's standard library alone.

    read.py STORE

Prints each event as `ream read` does, and checks links, the bell, `changes`, and where each stream's events are;
ends with 1 and says what is wrong where something is. Sums are left out. Nothing is changed:
`db` is opened with mode=ro, which SQLite 3.40 can do beside its log.
"""

import base64
import hashlib
import json
import os
import sqlite3
import struct
import sys
from datetime import datetime, timedelta
from urllib.parse import quote

BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"


def check(holds, what):
    if not holds:
        sys.exit(f"error: {what}")


def number(value):
    return struct.pack(">Q", value)


def time(value):
    return struct.pack(">q", value)


def varint(value):
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + varint(value >> 7)


def sized(value):
    return varint(len(value)) + value


def text(value):
    return sized(value.encode())


def data(value):
    return b"j" + text(value) if isinstance(value, str) else b"b" + sized(value)


def optional(value, write=text):
    return b"-" if value is None else b"+" + write(value)


def sha256(*fields):
    return hashlib.sha256(b"".join(fields)).digest()


def checksum(lines):
    return hashlib.sha256(lines).hexdigest()[:16].encode()


def read_file(store, name):
    try:
        with open(os.path.join(store, name), "rb") as file:
            return file.read(4096)
    except FileNotFoundError:
        return b""


def read_marker(store):
    """The store's id."""
    lines = read_file(store, "store").splitlines(keepends=True)
    check(lines[:1] == [b"ream store\n"], "this is not a store")
    check(lines[1:2] == [b"engine: sqlite\n"], "the store has another engine")
    check(lines[2:3] == [b"format: 1\n"], "the store has another format")
    keys = [line.split(b": ")[0] for line in lines[3:]]
    check(keys == [b"id", b"max-data-bytes", b"checksum"], "the marker has other lines")
    check(lines[5] == b"checksum: " + checksum(b"".join(lines[:5])) + b"\n", "the marker's checksum is wrong")
    return lines[3][4:-1].decode()


def read_record(store, name):
    """The fields of a record; none where it is missing or torn."""
    fields, _, found = read_file(store, name).rstrip(b"\n").rpartition(b" ")
    return fields.decode().split(" ") if found and found == checksum(fields) else None


def unpack(page):
    """The positions in a page."""
    positions, position, distance, shift = [], 0, 0, 0
    for byte in page:
        distance |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            position += distance
            positions.append(position)
            distance, shift = 0, 0
    return positions


def event_id(event):
    if event["id"] is not None:
        return event["id"]
    first = int.from_bytes(event["link"][:8], "big")
    return "".join(BASE32[first >> shift & 31] for shift in range(60, -5, -5)) + f"/{event['position']}"


def to_line(event):
    """An event as `ream read` prints it."""
    string = lambda value: json.dumps(value, ensure_ascii=False)
    shown = lambda at: string((datetime(1970, 1, 1) + timedelta(microseconds=at)).isoformat("T", "microseconds") + "Z")
    time = event["recorded"] if event["time"] is None else event["time"]
    line = f'{{"position":{event["position"]},"stream":{string(event["stream"])},"version":{event["version"]}'
    line += f',"id":{string(event_id(event))},"type":{string(event["type"])},"time":{shown(time)}'
    if time != event["recorded"]:
        line += f',"recorded":{shown(event["recorded"])}'
    if event["tags"] is not None:
        line += f',"tags":[{",".join(map(string, event["tags"].split(" ")))}]'
    if event["data"] is None:
        line += ',"redacted":true'
    elif isinstance(event["data"], str):
        line += f',"data":{event["data"]}'
    else:
        line += f',"data_base64":"{base64.b64encode(event["data"]).decode()}"'
    if event["metadata"] is not None:
        line += f',"metadata":{event["metadata"]}'
    return line + "}\n"


def unpack_header(event):
    """What the header of an event packs, but for the sum."""
    header = event["header"]
    check(len(header) in (40, 48), f"the header at position {event['position']} is none")
    version, recorded, link, _sum, *time = struct.unpack(">Qq16sq" + "q" * (len(header) == 48), header)
    return {"version": version, "recorded": recorded, "link": link, "time": time[0] if time else None}


def payload_hash(event):
    """The payload hash."""
    columns = {key for key in ("type", "data", "salt", "payload_hash") if event[key] is not None}
    if columns == {"type", "data", "salt"}:
        payload = [event["salt"], text(event["type"]), optional(event["time"], time), data(event["data"])]
        return sha256(b"p", *payload, optional(event["metadata"]), optional(event["tags"]))[:16]
    erased = columns - {"type"} == {"payload_hash"} and event["metadata"] is None
    check(erased, f"the event at position {event['position']} is neither whole nor erased")
    return event["payload_hash"]


def read_events(database, store_id):
    """Prints the events, and gives the links, and where each stream's events are."""
    link, links, streams, removed, tags = sha256(b"ream genesis 1", text(store_id))[:16], {}, {}, {}, []
    for event in database.execute("SELECT * FROM events ORDER BY position"):
        event = dict(event) | unpack_header(event)
        position, stream, version = event["position"], event["stream"], event["version"]
        check(position == len(links) + 1, f"the event at position {len(links) + 1} is missing")
        payload = payload_hash(event)
        names = text(stream) + optional(event["id"])
        link = sha256(b"l", link, time(event["recorded"]), varint(version), names, payload)[:16]
        check(link == event["link"], f"the link at position {position} is wrong")
        links[position] = link
        streams.setdefault(stream, []).append(position)
        check(version == len(streams[stream]), f"the version at position {position} is wrong")
        if event["type"] is None:
            check(removed.get(stream, 0) == version - 1, f"the event at position {position} is removed alone")
            removed[stream] = version
        tags += [(tag, position) for tag in (event["tags"] or "").split()]
        if event["type"] is not None and not stream.startswith("$"):
            sys.stdout.write(to_line(event))
    found = [tuple(row) for row in database.execute("SELECT tag, position FROM tags ORDER BY tag, position")]
    check(sorted(tags, key=lambda row: (row[0].encode(), row[1])) == found, "the tags are not those of the events")
    return links, streams, removed


def check_streams(database, streams, removed):
    found = {row["name"]: row for row in database.execute("SELECT * FROM streams")}
    check(found.keys() == streams.keys(), "the streams are not those of the events")
    for name, row in found.items():
        pages = database.execute("SELECT page, positions FROM stream_pages WHERE stream = ? ORDER BY page", [name])
        pages = [(page, unpack(positions)) for page, positions in pages] + [(row["version"] // 64, unpack(row["tail"]))]
        listed = [position for _, positions in pages for position in positions]
        full = all(len(positions) == 64 for _, positions in pages[:-1])
        check(full and [page for page, _ in pages] == list(range(len(pages))), f"a page of the stream {name} is missing")
        check(listed == streams[name], f"the positions of the stream {name} are wrong")
        check((row["version"], row["removed"]) == (len(listed), removed.get(name, 0)), f"the stream {name} is wrong")


def main(store):
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    store_id, bell, changes = read_marker(store), read_record(store, "bell/bell"), read_record(store, "changes")
    database = sqlite3.connect(f"file:{quote(os.path.abspath(store))}/db?mode=ro", uri=True, isolation_level=None)
    database.row_factory = sqlite3.Row
    database.execute("BEGIN")
    check(database.execute("PRAGMA application_id").fetchone()[0] == 0x5245414D, "the database is not ream's")
    links, streams, removed = read_events(database, store_id)
    check_streams(database, streams, removed)
    if bell and int(bell[0]) > 0:
        check(links.get(int(bell[0]), b"").hex() == bell[1], f"the store lost events: the bell says {int(bell[0])}")
    user_version = database.execute("PRAGMA user_version").fetchone()[0]
    missing = (int(changes[0]) - user_version) % 2**32 if changes else 0
    check(missing == 0 or missing >= 2**31, f"the store lost changes: {missing}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: read.py STORE")
    main(sys.argv[1])
