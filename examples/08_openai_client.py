"""An existing agent on OpenAI's client, given a memory: its base URL, its key and its model's name change, and nothing
else. The server is started here so that the example runs by itself; usually `hybridmem serve` runs already."""

import json
import os
import subprocess
import sys
import tempfile

from openai import OpenAI

TOKEN = "a-token-that-nobody-guesses"


def agent(client: OpenAI, said: str) -> str:
    """What the agent did before: one turn, without any history."""
    reply = client.chat.completions.create(model="hybridmem", messages=[{"role": "user", "content": said}])
    return reply.choices[0].message.content or ""


with tempfile.TemporaryDirectory() as folder:
    server = subprocess.Popen(
        [sys.executable, "-m", "hybridmem.cli", "--memory", f"{folder}/memory", "serve", "--port", "0", "--json"],
        env={**os.environ, "HYBRIDMEM_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = json.loads(server.stdout.readline())["url"]
        with OpenAI(base_url=f"{url}/v1", api_key=TOKEN) as client:
            agent(client, "Ana Brito lives in Porto.")
            print("Where does Ana Brito live?", agent(client, "Where does Ana Brito live?"))
            vector = client.embeddings.create(model="hybridmem", input="Ana Brito lives in Porto.").data[0].embedding
            print("dimensions:", len(vector))
    finally:
        server.terminate()
        server.wait()
