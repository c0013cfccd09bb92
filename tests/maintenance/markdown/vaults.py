"""An Obsidian vault and a Claude Code memory folder, written by hand in the shapes that their documentation gives."""

from __future__ import annotations

import json
from pathlib import Path

Files = dict[str, str | bytes]
"""By their place in the folder."""

CANVAS = json.dumps(
    {
        "nodes": [
            {"id": "a1", "type": "text", "text": "## Spring\n- [ ] seeds", "x": 0, "y": 0, "width": 250, "height": 60},
            {
                "id": "b2",
                "type": "file",
                "file": "Projects/Greenhouse.md",
                "x": 300,
                "y": 0,
                "width": 400,
                "height": 400,
            },
            {"id": "c3", "type": "link", "url": "https://example.org", "x": 0, "y": 300, "width": 400, "height": 400},
        ],
        "edges": [{"id": "e", "fromNode": "a1", "fromSide": "right", "toNode": "b2", "toSide": "left"}],
    },
    indent="\t",
)

VAULT: Files = {
    ".obsidian/app.json": '{"attachmentFolderPath": "Attachments", "alwaysUpdateLinks": true}',
    ".obsidian/appearance.json": "{}",
    ".obsidian/core-plugins.json": '["file-explorer", "daily-notes", "templates", "canvas"]',
    ".obsidian/daily-notes.json": '{"folder": "Daily", "format": "YYYY-MM-DD", "template": "Templates/Daily"}',
    ".obsidian/workspace.json": '{"main": {"id": "1", "type": "split"}, "lastOpenFiles": ["Home.md"]}',
    ".obsidian/plugins/dataview/main.js": "// - lives in: nowhere\n",
    ".obsidian/plugins/dataview/data.json": '{"memory": "not one"}',
    ".obsidian/snippets/wide.css": ".markdown-preview-view { max-width: none }",
    ".trash/Old.md": "# Old\n\nThe shed burnt down in 1987.\n",
    "Home.md": (
        "---\ncssclasses:\n  - wide\naliases: [Start, Index]\ntags:\n  - home\n  - map/content\n---\n"
        "Welcome. [[Projects/Greenhouse|The greenhouse]], [[People/Ana Brito#^boat]], [[2026-03-04]].\n\n"
        "![[Attachments/map.png|300]]\n![[Projects/Greenhouse#Plan]]\n\n"
        "> [!tip]- Keys\n> The spare key hangs in the shed.\n> > [!warning] Not the blue one\n> > It opens nothing.\n"
    ),
    "People/Ana Brito.md": (
        '---\naliases:\n  - Ana\nborn: 1990-05-02\ntags: [person, friend]\nup: "[[Home]]"\n---\n'
        "# Ana Brito\n\n- lives in: Lisbon ^lives\n- keeps her boat in Cascais ^boat\n"
        "- Where does she work? At the port.\n\n"
        "## Relations\n- sister_of [[Ben Brito]]\n\n%% She does not know about the party. %%\n\n"
        "==Allergic== to nuts[^1].\n\n"
        "[^1]: She said so on [[2026-03-04]].\n"
    ),
    "People/Ben Brito.md": "#person #friend\n\nPlays chess on *Thursdays*, and `tab`s.\n",
    "Projects/Greenhouse.md": (
        "---\nstatus: active\ndue: 2026-04-01\ncost: 1200.5\ndone: false\n---\n# Greenhouse\n\n## Plan\n\n"
        "- [x] pour the floor ✅ 2026-03-01\n- [ ] order glass 📅 2026-03-20\n\t- [ ] measure twice\n\n"
        "| part | from |\n| --- | --- |\n| glass | [[Lisbon\\|the city]] |\n| `door` | a \\| b |\n\n"
        '```dataview\nTABLE due FROM #person WHERE status = "active"\nSORT due\n```\n\n'
        "~~~python\n# - lives in: code\nprint('---')\n~~~\n\n$$\nE = mc^2\n$$\n\n---\n\nThe floor took 3 days. ^floor\n"
    ),
    "Projects/Deep/er/Notes on glass.md": "Glass is cut *wet*.  \nTwo spaces end a line.\n\n<!-- hidden -->\n",
    "Projects/Plan.canvas": CANVAS,
    "Projects/Books.base": 'filters:\n  and:\n    - file.hasTag("book")\nviews:\n  - type: table\n',
    "Projects/Sketch.excalidraw.md": (
        "---\nexcalidraw-plugin: parsed\ntags: [excalidraw]\n---\n# Text Elements\nDoor here ^abc123\n\n"
        "%%\n# Drawing\n```compressed-json\nN4KAkARALgngDgUwgLgAQQQDwMYEMA2A\n```\n%%\n"
    ),
    "Daily/2026/2026-03-04.md": "\ufeff# Wednesday\r\n\r\n- 09:30 user: walked to [[Cascais]]\r\n- 10:00 rain\r\n",
    "Templates/Daily.md": "---\ncreated: {{date}}\n---\n# {{title}}\n\n<% tp.file.cursor() %>\n",
    "Untitled.md": "",
    "Only properties.md": "---\ntags: [empty]\n---\n",
    "Übung – größer.md": "Ein Satz über Äpfel.\n",
    "日記.md": "今日は雨だった。\n",
    "facts/ana.md": "# ana\n\n- lives in: my own words ^mine\n",
    "facts/Greenhouse.canvas": CANVAS,
    "days/2026-03-04.md": "- 09:30 user: mine\n",
    "Attachments/map.png": b"\x89PNG\r\n\x1a\n\x00\xff",
    "Attachments/paper.pdf": b"%PDF-1.7\n\xff\xfe",
    "Attachments/voice.m4a": b"\x00\x00\x00\x18ftypM4A ",
}
"""Files by their place: properties, aliases, links to headings and blocks, embeds, callouts, tasks, tables, comments,
footnotes, mathematics, code of plugins, a canvas, a base, a drawing, daily notes, templates and attachments; and names
where an export would put its own."""

CLAUDE_CODE: Files = {
    "MEMORY.md": (
        "# Memory Index\n\n- [User role](user_role.md) — maintains the shop alone, prefers short answers\n"
        "- [No mocks](feedback_testing.md) — tests run against a real database\n"
        "- [Release freeze](project_release.md)\n"
    ),
    "user_role.md": (
        "---\nname: User role\ndescription: who the user is: a lone maintainer, short on time\ntype: user\n---\n\n"
        "The user maintains the shop alone and prefers short answers.\n"
    ),
    "feedback_testing.md": (
        '---\nname: feedback-testing\ndescription: "Tests run against a real database"\nmetadata:\n  type: feedback\n'
        "  originSessionId: 0d5e1c5e-7d0f-4a53-9c1f-2f1c7e5a9b10\n---\n\n"
        "Do not mock the database in tests.\n\n**Why:** a mocked migration passed and production broke.\n\n"
        "**How to apply:** start `make db` first. See [[user_role]].\n"
    ),
    "project_release.md": (
        "---\nname: Release freeze\ndescription: no merges after 2026-03-05\ntype: project\n---\n\n"
        "Merges stop on 2026-03-05 for the mobile release.\n\n```sh\nmake ship  # - deploys to: production\n```\n"
    ),
    "reference_links.md": (
        "---\nname: Links\ndescription: where things are\ntype: reference\n---\n\n"
        "- bugs: the board SHOP\n- graphs: grafana/shop\n"
    ),
    "team/MEMORY.md": "- [Style](style.md) — tabs\n",
    "team/style.md": "---\nname: Style\ndescription: tabs\ntype: feedback\n---\n\nThe team indents with tabs.\n",
    "debugging.md": "# Debugging\n\n## The queue\nRestart `worker-2`.\n\n## Ports\nThe shop listens on 8042.\n",
}
"""Files by their place: the index that every session loads, and notes with front matter, or without."""


def lay(root: Path, files: Files) -> Path:
    """Write `files` below `root`."""
    for place, content in files.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_bytes(content if isinstance(content, bytes) else content.encode())
    return root
