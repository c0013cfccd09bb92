"""An MCP client: start `hybridmem mcp`, call its tools, read a memory as a resource. Any MCP host does the same."""

import asyncio
import sys
import tempfile

from mcp import Client, StdioServerParameters


async def main(folder: str) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "hybridmem.cli", "mcp", "--memory", f"{folder}/memory", "--namespace", "users/ana"],
    )
    async with Client(server) as client:
        print("tools:", *(tool.name for tool in (await client.list_tools()).tools))
        stored = await client.call_tool("remember", {"text": "The Heron project is led by Zane Kolu."})
        await client.call_tool("remember", {"text": "Ana Brito lives in Porto.", "at": "2026-03-01"})

        found = await client.call_tool("recall", {"query": "Who leads the Heron project?", "limit": 1})
        print(found.content[0].text)
        answer = await client.call_tool("ask", {"question": "Where does Ana Brito live?"})
        print("answer:", answer.structured_content["text"], f"[{answer.structured_content['route']}]")

        resources = (await client.list_resources()).resources
        print("resources:", *(f"{resource.uri}  {resource.title}" for resource in resources), sep="\n  ")
        receipt = await client.call_tool("forget", {"id": stored.structured_content["id"]})
        print("forgotten:", {place: count for place, count in receipt.structured_content["removed"].items() if count})


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(folder))
