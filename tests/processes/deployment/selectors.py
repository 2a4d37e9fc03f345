"""Reads a list of PromQL expressions; prints what they select: names, and labels that must be there."""

import json
import sys

import promql_parser as promql

found = []


def note(expression):
    if isinstance(expression, promql.VectorSelector):
        wanted = [m for m in expression.matchers.matchers if m.op in (promql.MatchOp.Equal, promql.MatchOp.Re)]
        labels = [{"name": m.name, "value": m.value if m.op == promql.MatchOp.Equal else None} for m in wanted]
        found.append({"name": expression.name, "labels": labels})
    return True


for text in json.load(sys.stdin):
    promql.walk(promql.parse(text), note)
json.dump(found, sys.stdout)
