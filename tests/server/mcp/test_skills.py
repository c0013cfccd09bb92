"""The tool on skills."""

from __future__ import annotations

from hybridmem import HybridMemory
from hybridmem.conversation import HEADER
from hybridmem.server.mcp.application import MemoryServer
from tests.server.mcp.calls import call
from tests.skills.sessions import deployed


def test_what_worked_is_told_with_its_record(server: MemoryServer, memory: HybridMemory) -> None:
    assert call(server, "skills", task="Deploy beta").content[0].text == "No earlier session shows how."
    memory.learn_skills(deployed("alpha"))
    told = call(server, "skills", task="Deploy beta")
    assert told.content[0].text.startswith(f'{HEADER}\n- Deploy {{service}}: 1. build(service="beta"); 2. deploy(')
    (skill,) = told.structured_content["skills"]
    assert (skill["worked"], skill["failed"], skill["same_task"]) == (1, 0, True)
    assert skill["steps"] == ['build(service="beta")', 'deploy(service="beta")']
