"""The vectorizer worker of pgai (https://github.com/timescale/pgai), measured as benches/end_to_end measures us.

benches/peers/pgai installs it and runs this beside a PostgreSQL server:
    benches/peers/pgai [ARTICLES CHUNKS LATENCY_MS BATCH CONCURRENCY]
BATCH is the rows a worker takes at once, CONCURRENCY how many it has under way; `-` leaves either at pgai's default
(50 and 1). Without arguments, all of RUNS, each twice.

A run makes a database with a table of the texts of benches/end_to_end/collection.rs, a vectorizer on it, and starts
`pgai vectorizer worker --once`, which embeds with a provider in this process that takes LATENCY_MS for a request. A
line of the table says:
    seconds   from the worker's first request until the last vector is in its table
    start s   before that: from the start of the worker's process, above all imports
    ideal s   requests of 96 texts, 4 at once, and nothing else: ceil(ceil(texts / 96) / 4) * LATENCY_MS
    ratio     seconds / ideal s
    requests  of the worker; `fewest` is how many of 96 texts there would be, `texts` the average in one of the worker's
In favour of pgai: all rows are there before the worker starts, so saves are not timed; its start is not in `seconds`;
no count of tokens (it knows no tokenizer for the model); no parsing; no vector index. A run fails if a row has not as
many vectors as it has chunks.
"""

import asyncio
import base64
import hashlib
import json
import os
import struct
import sys
import time

import psycopg

BATCH = 96
CONCURRENCY = 4
DIMENSION = 32
LOOK = 0.02  # seconds between two looks whether all are embedded, as in benches/end_to_end/run.rs

# Articles, chunks, milliseconds, batch, concurrency: pgai's defaults; then as many texts in a request and requests at
# once as Afterword's defaults allow; then what was fastest of some settings tried.
RUNS = [
    (10_000, 1, 200, None, None),
    (10_000, 1, 200, 96, 4),
    (10_000, 1, 200, 2048, 5),
    (300, 3, 20, None, None),
    (300, 3, 20, 32, 4),
    (300, 3, 20, 50, 6),
]


class Provider:
    """An OpenAI-compatible embedding server that takes a given time for each request, however many texts it carries."""

    def __init__(self, latency):
        self.latency, self.requests, self.texts, self.first = latency, 0, 0, None

    async def start(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = "http://127.0.0.1:%d/v1" % server.sockets[0].getsockname()[1]
        return server

    async def serve(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
                request = json.loads(await reader.readexactly(int(fields[b"content-length"])))
                answer = json.dumps(await self.embed(request))
                head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(answer)
                writer.write((head + answer).encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def embed(self, request):
        self.first = self.first or time.monotonic()
        texts = request["input"] if isinstance(request["input"], list) else [request["input"]]
        self.requests += 1
        self.texts += len(texts)
        await asyncio.sleep(self.latency)
        vectors = [vector(text) for text in texts]
        if request.get("encoding_format") == "base64":
            vectors = [base64.b64encode(struct.pack("<%df" % DIMENSION, *numbers)).decode() for numbers in vectors]
        data = [{"object": "embedding", "index": index, "embedding": each} for index, each in enumerate(vectors)]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return {"object": "list", "model": request["model"], "data": data, "usage": usage}


def vector(text):
    return [byte / 255 for byte in hashlib.sha256(text.encode()).digest()]


def sentence(number, chunk):
    return f"Bee {number} told hive {chunk} of a field of clover beyond the river, and the hive flew out to see. "


def body(number, chunks):
    if chunks == 1:
        return sentence(number, 0)
    return "\n".join(f"# Part {chunk} of {number}\n\n{sentence(number, chunk) * 10}\n" for chunk in range(chunks))


async def program(*arguments, url):
    tool = os.path.join(os.path.dirname(sys.executable), "pgai")
    quiet = {"NO_PROXY": "127.0.0.1", "DD_TRACE_ENABLED": "false", "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false"}
    environment = os.environ | quiet | {"OPENAI_API_KEY": "none"}
    log = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        tool, *arguments, "-d", url, env=environment, stdout=log, stderr=asyncio.subprocess.STDOUT
    )


async def finished(process):
    log, _ = await process.communicate()
    if process.returncode:
        sys.exit(f"pgai: {log.decode()}")


async def prepare(database, provider, articles, chunks, batch, concurrency):
    await database.execute("CREATE TABLE notes (id int PRIMARY KEY, title text NOT NULL, body text NOT NULL)")
    async with database.cursor() as cursor, cursor.copy("COPY notes FROM STDIN") as copy:
        for number in range(articles):
            await copy.write_row((number, f"Note {number}", body(number, chunks)))
    # One chunk a section, as Afterword makes them.
    sections = r"ai.chunking_character_text_splitter(1200, 0, E'\n# ')"
    await database.execute(
        rf"""
        SELECT ai.create_vectorizer(
            'notes'::regclass,
            loading => ai.loading_column('body'),
            parsing => ai.parsing_none(),
            embedding => ai.embedding_openai('bench', {DIMENSION}, base_url => '{provider.url}'),
            chunking => {"ai.chunking_none()" if chunks == 1 else sections},
            formatting => ai.formatting_python_template(E'$title\n\n$chunk'),
            processing => ai.processing_default({batch or "NULL"}, {concurrency or "NULL"}),
            destination => ai.destination_table('vectors')
        )
        """
    )


async def embedded(database):
    return (await (await database.execute("SELECT count(*) FROM vectors_store")).fetchone())[0]


async def measure(articles, chunks, milliseconds, batch, concurrency):
    server, texts = os.environ["TEST_POSTGRES_URL"], articles * chunks
    name = f"pgai_{time.time_ns()}"
    async with await psycopg.AsyncConnection.connect(server, autocommit=True) as connection:
        await connection.execute(f"CREATE DATABASE {name}")
    url = f"{server}/{name}"
    await finished(await program("install", url=url))
    provider = Provider(milliseconds / 1000)
    listening = await provider.start()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as database:
        await prepare(database, provider, articles, chunks, batch, concurrency)
        begun = time.monotonic()
        worker = await program("vectorizer", "worker", "--once", url=url)
        ended = asyncio.create_task(finished(worker))
        while await embedded(database) < texts and not ended.done():
            await asyncio.sleep(LOOK)
        took = time.monotonic() - provider.first if provider.first else 0.0
        await ended
        per_row = "SELECT count(*) FROM (SELECT FROM vectors_store GROUP BY id HAVING count(*) = %s) rows"
        assert (await (await database.execute(per_row, [chunks])).fetchone())[0] == articles, "vectors are missing"
    listening.close()
    fewest = -(-texts // BATCH)
    settings = f"batch {batch or '-'}, concurrency {concurrency or '-'}"
    label = f"{articles} of {chunks} chunk(s), {milliseconds} ms, {settings}"
    start, ideal = provider.first - begun, -(-fewest // CONCURRENCY) * provider.latency
    print(
        f"{label:<60} {took:>8.2f} {start:>8.2f} {ideal:>8.2f} {took / ideal:>6.2f} {provider.requests:>9}"
        f" {fewest:>7} {provider.texts / provider.requests:>7.1f}",
        flush=True,
    )


def main():
    runs = [run for run in RUNS for _ in range(2)]
    if sys.argv[1:]:
        runs = [tuple(None if word == "-" else int(word) for word in sys.argv[1:6])]
    columns = "".join(f" {name:>{width}}" for name, width in [
        ("seconds", 8), ("start s", 8), ("ideal s", 8), ("ratio", 6), ("requests", 9), ("fewest", 7), ("texts", 7),
    ])
    print(" " * 60 + columns, flush=True)
    for run in runs:
        asyncio.run(measure(*run))


main()
