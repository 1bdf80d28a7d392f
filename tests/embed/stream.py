"""Cases through the example for Python: one JSON object a line in, one answer a line out. python stream.py ENGINE.wasm"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples/embed/python"))

from embed import Engine, Refused

engine = Engine(sys.argv[1])


def answer(case):
    try:
        if case["kind"] == "explain":
            table = engine.load("", case["map"])
            return [explanation["text"] for explanation in engine.explain(table, case["scopes"])]
        if case["kind"] == "route":
            return engine.route(case["method"], case["target"], case["settings"])
        names = ("method", "target", "headers", "access", "realm", "service", "credential", "settings")
        return engine.admit(*(case[name] for name in names))
    except Refused as refused:
        return str(refused)


for line in sys.stdin.buffer:
    print(json.dumps(answer(json.loads(line))))
