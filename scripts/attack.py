#!/usr/bin/env python3
"""Attacks a server of its own, on this machine alone, and tells how it bears it: memory, /health, the saves of others.

usage: BIN=target/release/afterword scripts/attack.py [SECONDS] [ATTACKERS] [KIND ...]
"""
import asyncio, json, os, shutil, signal, subprocess, sys, tempfile, time

BIN = os.environ.get("BIN", "target/release/afterword")
ATTACKING = sys.argv[1:2] == ["--attack"]
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 and not ATTACKING else 20.0
ATTACKERS = int(sys.argv[2]) if len(sys.argv) > 2 and not ATTACKING else 64
ONLY = sys.argv[3:]
LARGE = 48 << 20
ZEROS = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_article","arguments":{"slug":[' \
    + b"0," * (1 << 20) + b"0]}}}"


class Site:
    """A server on a database of its own; on what another one left, if there is one."""

    def __init__(self, before=None):
        self.folder = tempfile.TemporaryDirectory()
        place = f"sqlite://{self.folder.name}/attack.db"
        self.env = dict(os.environ, AFTERWORD_DATABASE__URL=place, AFTERWORD_EMBEDDING__PROVIDER="scripted")
        if before:
            shutil.copytree(before.folder.name, self.folder.name, dirs_exist_ok=True)
            self.attacker, self.reader, self.victim = before.attacker, before.reader, before.victim
        else:
            self.attacker = self.command("token", "create", "attacker", "--scope", "write")
            self.reader = self.command("token", "create", "reader", "--scope", "read")
            self.victim = self.command("token", "create", "victim", "--scope", "write")
        self.server = subprocess.Popen(
            [BIN, "serve", "--bind", "127.0.0.1:0"], env=self.env, stderr=subprocess.PIPE, text=True, bufsize=1)
        for line in self.server.stderr:
            if "listening on http://" in line:
                address = line.split("http://")[1].split(" ")[0]
                break
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)
        # Read to the end, or the server would wait for a reader.
        asyncio.get_event_loop().run_in_executor(None, lambda: sum(1 for _ in self.server.stderr))

    def command(self, *arguments):
        done = subprocess.run([BIN, *arguments], env=self.env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def memory(self):
        with open(f"/proc/{self.server.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait()

    def end(self):
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        self.folder.cleanup()

    async def open(self):
        return await asyncio.open_connection(self.host, self.port)

    def head(self, method, path, token, length=None, extra=""):
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json",
                 "Accept: application/json, text/event-stream", f"Authorization: Bearer {token}"]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n" + extra + "\r\n").encode()

    async def ask(self, method, path, token, body=b"", close=True):
        reader, writer = await self.open()
        try:
            writer.write(self.head(method, path, token, len(body), "Connection: close\r\n" if close else "") + body)
            await writer.drain()
            first = await reader.readline()
            await reader.read()
            return int(first.split()[1])
        finally:
            writer.close()


async def silent(site):
    reader, _ = await site.open()
    await reader.read()

async def slow_head(site):
    reader, writer = await site.open()
    writer.write(b"GET /api/articles HTTP/1.1\r\nHost: localhost\r\nX: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(1)

async def slow_body(site):
    reader, writer = await site.open()
    writer.write(site.head("POST", "/mcp", site.attacker, 70 << 20))
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(1)

async def never_reads(site):
    reader, writer = await site.open()
    writer.transport.pause_reading()
    writer.write(site.head("GET", "/api/articles/large", site.reader))
    await asyncio.sleep(3600)

async def zeros(site):
    await site.ask("POST", "/mcp", site.attacker, ZEROS)

async def deep(site):
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "read_article", "arguments": {"slug": "deep", "section": "none"},
        "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                  "io.modelcontextprotocol/clientInfo": {"name": "a", "version": "1"},
                  "io.modelcontextprotocol/clientCapabilities": {}}}}
    body = json.dumps(call).encode()
    reader, writer = await site.open()
    extra = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: read_article\r\nConnection: close\r\n"
    writer.write(site.head("POST", "/mcp", site.reader, len(body), extra) + body)
    await writer.drain()
    await reader.read()
    writer.close()

async def long_names(site):
    await site.ask("GET", "/api/articles/" + "x" * 30_000, site.reader)

async def streams(site):
    reader, writer = await site.open()
    writer.write(site.head("GET", "/api/events", site.reader))
    while await reader.read(1 << 16):
        pass

async def searches(site):
    await site.ask("GET", "/api/search?q=moon+water&mode=keyword&limit=100", site.reader)

async def strangers(site):
    await site.ask("GET", "/api/articles", "aw_1_wrong")

async def large_saves(site):
    reader, writer = await site.open()
    start, end = b'{"title": "Attack", "skip_embedding": true, "body": "', b'"}'
    writer.write(site.head("POST", "/api/articles", site.attacker, len(start) + LARGE + len(end)) + start)
    for _ in range(LARGE >> 16):
        writer.write(b"x" * (1 << 16))
        await writer.drain()
    writer.write(end)
    await reader.read(1 << 16)
    writer.close()

async def pages(site):
    reader, writer = await site.open()
    writer.transport.pause_reading()
    writer.write(b"GET /api/docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
    await asyncio.sleep(3600)

KINDS = [silent, slow_head, slow_body, never_reads, zeros, deep, long_names, streams, searches, strangers, large_saves,
         pages]


async def attack(site, kind):
    while True:
        try:
            await kind(site)
        except (OSError, IndexError, ValueError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.01)


async def watch(ask, times):
    while True:
        began = time.monotonic()
        try:
            status = await asyncio.wait_for(ask(len(times)), 30)
        except (OSError, IndexError, asyncio.TimeoutError):
            status = 0
        times.append((status, time.monotonic() - began))
        await asyncio.sleep(0.05)


async def saves(site, number):
    body = json.dumps({"title": f"Victim {time.monotonic_ns()}", "body": "text"}).encode()
    return await site.ask("POST", "/api/articles", site.victim, body)


async def prepare(site):
    async def save(slug, body, folder=""):
        article = {"title": slug, "slug": slug, "body": body, "folder": folder, "skip_embedding": True}
        assert await site.ask("POST", "/api/articles", site.victim, json.dumps(article).encode()) == 201
    await save("large", "A line of a large article.\n" * (LARGE // 27))
    await save("deep", ">" * LARGE)
    for number in range(100):
        await save(f"sea-{number}", "The moon moves the water of the sea. " * 27_000, "sea")


def summary(times, good):
    served = sorted(took for status, took in times if status in good)
    of_a_hundred = served[len(served) * 99 // 100] if served else 0
    return f"{len(served)} of {len(times)}", f"{of_a_hundred:.2f} s", f"{max(served, default=0):.2f} s"


class Seen(Site):
    """The site as an attacker sees it."""

    def __init__(self, host, port, attacker, reader):
        self.host, self.port, self.attacker, self.reader = host, int(port), attacker, reader


async def attackers():
    kind = next(kind for kind in KINDS if kind.__name__ == sys.argv[2])
    site = Seen(*sys.argv[4:8])
    await asyncio.gather(*(attack(site, kind) for _ in range(int(sys.argv[3]))))


async def main():
    prepared = Site()
    await prepare(prepared)
    prepared.stop()
    print("| attack | most memory | `/health` answered | p99 | slowest | saves of others | p99 | slowest |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in [kind for kind in KINDS if not ONLY or kind.__name__ in ONLY]:
        site = Site(prepared)
        try:
            health, saved, most = [], [], 0.0
            watching = [asyncio.create_task(watch(lambda _: site.ask("GET", "/health", "x"), health)),
                        asyncio.create_task(watch(lambda n: saves(site, n), saved))]
            # In a process of their own, so that those who watch are not held up by them.
            attacking = subprocess.Popen([sys.executable, __file__, "--attack", kind.__name__, str(ATTACKERS), site.host,
                                          str(site.port), site.attacker, site.reader])
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                await asyncio.sleep(0.1)
                most = max(most, site.memory())
            attacking.kill()
            attacking.wait()
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            row = [kind.__name__.replace("_", " "), f"{most:.0f} MiB", *summary(health, (200,)), *summary(saved, (201,))]
            print("| " + " | ".join(row) + " |", flush=True)
        finally:
            site.end()


asyncio.run(attackers() if ATTACKING else main())
