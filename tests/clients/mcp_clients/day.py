"""An agent's day through the Python SDK: twenty articles made, a section of a long one changed in one small call, articles
found by tag and date, several read within a budget, links mended after a rename, and what changed today listed.

day.py PROGRAM ARG…
"""

import asyncio
import json

from visit import call, connect

FEW = 2_000  # bytes that a change of one section may take on the wire, both ways


def size(value):
    return len(json.dumps(value, ensure_ascii=False).encode())


async def day(session):
    long = "# Handbook\n\n" + "".join(f"## Part {n}\n\n{'Words of it. ' * 90}\n\n" for n in range(1, 28))
    assert len(long) > 30_000
    await call(session, "create_article", title="Handbook", body=long, properties={"tags": ["manual"]})
    for n in range(1, 20):
        await call(
            session,
            "create_article",
            title=f"Note {n}",
            body=f"About part {n} of the [[handbook]]." if n < 4 else f"About something else, number {n}. #plain",
            properties={"tags": ["note", f"week/{n % 4}"], "status": "draft" if n % 2 else "done"},
        )

    # One section of a long article, in one call.
    asked = {
        "slug": "handbook",
        "expected_revision": 1,
        "edits": [{"action": "replace_section", "section": "Handbook > Part 14", "text": "Shorter now."}],
    }
    edited = await call(session, "edit_article", **asked)
    assert edited["revision"] == 2 and edited["chunks"]["to_embed"] == 1, edited
    # An answer is on the wire twice: as structure, and as text.
    assert size(asked) + 2 * size(edited) < FEW, (size(asked), size(edited))
    part = await call(session, "read_article", slug="handbook", section="Part 14")
    assert part.endswith("## Part 14\n\nShorter now.\n\n"), part

    # Found by tag and date.
    listed = await call(session, "list_articles", filter="tag:week -tag:week/0 status:draft created:today", limit=100)
    assert listed["total"] == len([n for n in range(1, 20) if n % 4 and n % 2]), listed
    assert (await call(session, "list_articles", filter="tag:manual"))["articles"][0]["slug"] == "handbook"
    assert (await call(session, "list_articles", filter="created:<1990"))["total"] == 0

    # Related ones, within a budget.
    context = await call(session, "article_context", slug="handbook")
    assert context.startswith("nearest"), context
    assert "linked from:\n- note-1: Note 1\n- note-2: Note 2\n- note-3: Note 3" in context and len(context) < 8_000, context
    several = await call(session, "read_articles", slugs=["note-*"], limit=200)
    assert several.count("slug: note-") == 19 and len(several) < 8_000, len(several)

    # Renamed, and the links with it.
    renamed = await call(session, "rename_article", slug="handbook", to="manual", update_links=True)
    assert renamed["mended"] == ["note-1", "note-2", "note-3"], renamed
    assert (await call(session, "read_article", slug="note-2")).endswith("About part 2 of the [[manual]].")
    assert "slug: manual" in await call(session, "read_article", slug="handbook", limit=10)

    # What changed today; and what was changed in it.
    today = await call(session, "list_articles", filter="updated:today", limit=100)
    assert today["total"] == 20, today
    history = await call(session, "article_history", slug="manual", since_revision=1)
    assert "+Shorter now." in history["changes"], history
    await call(session, "restore_article", slug="manual", revision=1)
    part = await call(session, "read_article", slug="manual", section="Part 14")
    assert "Words of it." in part, part


async def main():
    async with connect() as (session, _, _):
        await day(session)
    print("a day went by")


asyncio.run(main())
