#!/usr/bin/env python3
"""Reads Weir's public topics as a stranger would, who has only the published schemas and docs/schemas/README.md.

Everything from the beginning to the end of {prefix}decisions and {prefix}standings is read. Each record must validate,
carry the CloudEvents headers, have the value's customer for its key, and lie on the partition that kafka-python's own
partitioner computes for that key; no ce_id may come twice. On success one line of JSON tells how much was read. The
first violation is told on stderr with topic, partition and offset, and the exit code is 1.
"""

import argparse
import json
import sys
import time
from datetime import datetime
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.partitioner import DefaultPartitioner

KINDS = {"decisions": "decision", "standings": "standing"}


class Violation(Exception):
    """A record, or a topic, is not as it is promised."""


class Checker:
    """What is promised of the records of one topic."""

    def __init__(self, kind, schemas, partitions):
        schema = json.loads((schemas / f"{kind}.schema.json").read_text("utf-8"))
        Draft202012Validator.check_schema(schema)
        self.kind = kind
        self.validator = Draft202012Validator(schema)
        self.partitions = partitions
        self.seen = {}

    def check(self, record):
        """The record's customer."""
        value = self.value(record.value)
        self.headers(record)
        customer = value["customer"]
        if record.key != customer.encode():
            raise Violation(f"the key is {record.key!r}, the value's customer is {customer!r}")
        wanted = DefaultPartitioner()(record.key, self.partitions, self.partitions)
        if record.partition != wanted:
            raise Violation(f"the key {record.key!r} belongs on partition {wanted} of {len(self.partitions)}")
        return customer

    def value(self, raw):
        if raw is None:
            raise Violation("there is no value")
        try:
            value = json.loads(raw, parse_constant=no_number)
        except ValueError as error:
            raise Violation(f"the value is no JSON: {error}") from error
        if fault := best_match(self.validator.iter_errors(value)):
            raise Violation(f"{fault.json_path}: {fault.message}")
        return value

    def headers(self, record):
        headers = {}
        for name, raw in record.headers:
            if name in headers:
                raise Violation(f"header {name} stands twice")
            headers[name] = raw
        exact = {"ce_specversion": "1.0", "ce_type": f"weir.{self.kind}", "content-type": "application/json"}
        for name in ["ce_id", "ce_source", "ce_time", *exact]:
            if not headers.get(name):
                raise Violation(f"header {name} is missing or empty")
            headers[name] = headers[name].decode("utf-8", "replace")
        for name, wanted in exact.items():
            if headers[name] != wanted:
                raise Violation(f"header {name} is {headers[name]!r}, not {wanted!r}")
        if not is_moment(headers["ce_time"]):
            raise Violation(f"header ce_time is {headers['ce_time']!r}, no RFC 3339 time in UTC")
        event = (headers["ce_source"], headers["ce_id"])
        if event in self.seen:
            raise Violation(f"{event} came before, at {self.seen[event]}")
        self.seen[event] = f"partition {record.partition} offset {record.offset}"


def no_number(text):
    raise ValueError(f"{text} is no number")


def is_moment(text):
    try:
        datetime.fromisoformat(text.removesuffix("Z").split(".")[0])
    except ValueError:
        return False
    return text.endswith("Z") and "T" in text


def records(consumer, partitions, patience):
    """Every record from the partitions' beginning to where they end now."""
    ends = consumer.end_offsets(partitions)
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    heard = time.monotonic()
    # Positions and not records tell the end: the markers of transactions and what compaction removed have offsets too.
    while behind := [partition for partition in partitions if consumer.position(partition) < ends[partition]]:
        before = [consumer.position(partition) for partition in behind]
        for partition, batch in consumer.poll(timeout_ms=500).items():
            yield from (record for record in batch if record.offset < ends[partition])
        if before != [consumer.position(partition) for partition in behind]:
            heard = time.monotonic()
        elif time.monotonic() - heard > patience:
            where = (f"topic {each.topic} partition {each.partition} offset {at}" for each, at in zip(behind, before))
            raise Violation(f"nothing came for {patience:.0f} s, and the end is not reached: {', '.join(where)}")


def read(consumer, prefix, schemas, patience):
    checkers = {}
    for name, kind in KINDS.items():
        partitions = consumer.partitions_for_topic(prefix + name)
        if not partitions:
            raise Violation(f"topic {prefix + name} is not there")
        checkers[prefix + name] = Checker(kind, schemas, sorted(partitions))
    counts = {topic: len(checker.partitions) for topic, checker in checkers.items()}
    if len(set(counts.values())) > 1:
        raise Violation(f"the topics differ in their number of partitions: {counts}")
    customers, read = set(), dict.fromkeys(checkers, 0)
    everywhere = [TopicPartition(topic, each) for topic, checker in checkers.items() for each in checker.partitions]
    for record in records(consumer, everywhere, patience):
        try:
            customers.add(checkers[record.topic].check(record))
        except Violation as violation:
            place = f"topic {record.topic} partition {record.partition} offset {record.offset}"
            raise Violation(f"{place}: {violation}") from violation
        read[record.topic] += 1
    told = {name: read[prefix + name] for name in KINDS}
    return {**told, "customers": len(customers), "partitions": counts[prefix + "decisions"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brokers", required=True, metavar="HOST:PORT", help="one or more, with commas between")
    parser.add_argument("--prefix", default="weir.", help="what stands before the topics' names (default: weir.)")
    parser.add_argument("--schemas", required=True, type=Path, help="the folder of the *.schema.json files")
    parser.add_argument("--patience", default=30.0, type=float, metavar="SECONDS", help="how long to wait for records")
    args = parser.parse_args()
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=args.brokers.split(","), isolation_level="read_committed", enable_auto_commit=False
        )
        try:
            told = read(consumer, args.prefix, args.schemas, args.patience)
        finally:
            consumer.close()
    except (Violation, KafkaError, OSError) as error:
        print(f"read_topics: {error}", file=sys.stderr)
        return 1
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
