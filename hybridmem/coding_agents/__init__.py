"""Coding agents that remember: Claude Code, Codex, Cursor, Gemini CLI and opencode.

`installation` writes an agent's hooks and its MCP entry into the agent's own files, and takes them out again. The hooks
run `hook`, which stores what was said and gives back what bears on it. One file an agent says where its files lie, what
its events are called and which answer it takes; everything else is the same for all of them.
"""
