"""An agent's whole visit through the Python SDK of the protocol, its version 1 (2025-11-25) or 2 (2026-07-28).

visit.py URL            over HTTP
visit.py PROGRAM ARG…   over standard input and output
"""

import asyncio
import contextlib
import os
import sys
from importlib.metadata import version

import anyio

MAJOR = int(version("mcp").split(".")[0])
from mcp import StdioServerParameters

SERVER = sys.argv[1:]
IS_URL = SERVER[0].startswith("http")
PARAMETERS = None if IS_URL else StdioServerParameters(command=SERVER[0], args=SERVER[1:], env=dict(os.environ))


@contextlib.asynccontextmanager
async def connect():
    """A session, the protocol's version it speaks, and who serves it."""
    if MAJOR == 1:
        from mcp import ClientSession
        from mcp.client.stdio import stdio_client
        from mcp.client.streamable_http import streamable_http_client

        transport = streamable_http_client(SERVER[0]) if IS_URL else stdio_client(PARAMETERS)
        has_ended = False
        try:
            async with transport as streams, ClientSession(streams[0], streams[1]) as session:
                begun = await session.initialize()
                yield session, begun.protocolVersion, begun.serverInfo
                has_ended = True
        except* anyio.BrokenResourceError:
            # This client may be handing a last notification to the session, which has ended.
            if not has_ended:
                raise
    else:
        from mcp import Client

        async with Client(SERVER[0] if IS_URL else PARAMETERS) as client:
            yield client, client.protocol_version, client.server_info


async def call(session, tool, refused=False, **arguments):
    """What a tool answers: structure if it has some, else text. The SDK checks it against the tool's schema."""
    result = await session.call_tool(tool, arguments)
    is_error = result.isError if MAJOR == 1 else result.is_error
    structure = result.structuredContent if MAJOR == 1 else result.structured_content
    assert bool(is_error) == refused, result
    return result.content[0].text if structure is None else structure


async def visit(session):
    tools = [tool.name for tool in (await session.list_tools()).tools]
    assert "edit_article" in tools and len(tools) < 20, tools
    title = f"Lanterns {MAJOR}"
    saved = await call(session, "create_article", title=title, body="Paper lanterns float over the river.")
    slug = saved["slug"]
    assert saved["embedding"]["status"] in ("pending", "processing"), saved
    found = await call(session, "search_articles", query="lanterns")
    assert slug in [hit["slug"] for hit in found["hits"]], found
    while (status := await call(session, "get_article_embedding_status", slug=slug))["embedding"]["status"] != "completed":
        assert status["embedding"]["status"] in ("pending", "processing"), status
    found = await call(session, "search_articles", query="paper lanterns over the river", mode="semantic")
    assert found["hits"][0]["slug"] == slug, found
    refusal = await call(session, "update_article", refused=True, slug=slug, body="New.", expected_revision=9)
    assert "revision 1, not 9" in refusal, refusal
    saved = await call(session, "update_article", slug=slug, body="New.", expected_revision=1)
    assert saved["revision"] == 2 and "body" not in saved and saved["characters"] == 4, saved
    assert (await call(session, "read_article", slug=slug)).endswith("New.")
    resource = await session.read_resource(f"article://{slug}")
    assert resource.contents[0].text == "New.", resource
    await call(session, "delete_article", slug=slug)
    assert "no article" in await call(session, "read_article", refused=True, slug=slug)


async def main():
    async with connect() as (session, protocol, server):
        assert protocol == {1: "2025-11-25", 2: "2026-07-28"}[MAJOR], protocol
        assert server.name == "afterword", server
        await visit(session)
    print(f"visited by SDK {version('mcp')}, protocol {protocol}")


if __name__ == "__main__":
    asyncio.run(main())
