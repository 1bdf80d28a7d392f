"""What does a token get? The engine's module in wasmtime: python embed.py ENGINE.wasm MAP.json SCOPE...

The boundary is specified in the header of crates/scopegate-wasm/src/lib.rs.
"""

import json
import sys

from wasmtime import Instance, Module, Store
from wasmtime import Engine as Wasmtime

FAILED = 0xFFFF_FFFF


class Refused(Exception):
    """The engine refused a text: the number of the error, and where in the text."""

    def __init__(self, low):
        self.number, self.position = low >> 24, low & 0xFF_FFFF
        super().__init__(f"error {self.number} at {self.position}")


class Engine:
    def __init__(self, path):
        wasmtime = Wasmtime()
        self.store = Store(wasmtime)
        self.exports = Instance(self.store, Module.from_file(wasmtime, path), []).exports(self.store)
        if self._call("abi_version") != 2:
            raise RuntimeError("another version of the boundary")

    def load(self, name, rules):
        """Compiles the actions of a scope map; gives a handle for `explain`."""
        table = self._bytes("table_compile", *self._write("\n".join(rules)))
        return self._checked("table_load", *self._write(name, table))[1]

    def explain(self, table, scopes):
        """The decision about each scope, with its reasons and what would change it."""
        _, length = self._write(table.to_bytes(4, "little"), " ".join(scopes))
        return json.loads(self._bytes("explain", 1, length, 0))

    def route(self, method, target, settings=0):
        """The canonical path of an HTTP request, and the scopes that it needs."""
        return self._bytes("route", *self._write(method, target), settings).decode().split("\n")

    def admit(self, method, target, headers, access, realm, service, credential=2, settings=0):
        """What becomes of a request, whose headers are pairs: 200 with the target, the Content-Type and the scopes,
        or the status with the challenge and the body. Send on this target and this type (nothing: none), whatever came."""
        lines = "".join(f"{name}: {_line(value)}\n" for name, value in headers)
        lengths = self._write(method, target, lines, "\n".join(access), realm, service)
        status, rest = self._bytes("admit_request", *lengths, credential, settings).decode().split("\n", 1)
        return int(status), *rest.split("\n", 2 if status == "200" else 1)

    def challenge(self, realm, service, scopes, error=0):
        return self._bytes("challenge", *self._write(realm, service, " ".join(scopes)), error).decode()

    def _write(self, *parts):
        parts = [part.encode() if isinstance(part, str) else part for part in parts]
        text = b"".join(parts)
        address = self._call("input", len(text)) & FAILED
        if address == 0:
            raise MemoryError("the engine has no memory left")
        self.exports["memory"].write(self.store, text, address)
        return [len(part) for part in parts]

    def _call(self, name, *arguments):
        return self.exports[f"scopegate_{name}"](self.store, *arguments)

    def _checked(self, name, *arguments):
        result = self._call(name, *arguments) & 0xFFFF_FFFF_FFFF_FFFF
        high, low = result >> 32, result & FAILED
        if high == FAILED:
            raise Refused(low)
        return high, low

    def _bytes(self, name, *arguments):
        address, length = self._checked(name, *arguments)
        return bytes(self.exports["memory"].read(self.store, address, address + length))


def _line(value):
    if "\n" in value:
        raise ValueError("a header of two lines")
    return value


def main(path, map_path, *scopes):
    engine = Engine(path)
    with open(map_path, encoding="utf-8") as file:
        document = json.load(file)
    table = engine.load(document["name"], document["actions"])
    for explanation in engine.explain(table, scopes):
        print(explanation["text"], end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
