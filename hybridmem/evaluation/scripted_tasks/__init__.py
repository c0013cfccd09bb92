"""Twenty scripted tasks in a small deterministic world of tools, and an agent that goes by a fixed policy: what a skill
or a section of AGENTS.md changes for it, can be counted. No language model takes part."""
