// Plays opencode to the plugin whose file is the first argument: version 2 or 1 (the second), in a folder (the third).
// Prints what became of the prompts, one JSON object.
import { pathToFileURL } from "node:url"

const [file, version, directory] = process.argv.slice(2)
const plugin = (await import(pathToFileURL(file))).default
const said = [
  ["ses_1", "Which command ships the shop?", "`make ship`."],
  ["ses_child", "You are a subagent: list the files.", "a.py"],
  ["ses_2", "Which command ships the shop?", "`make ship`."],
]
const tools = [
  ["bash", { command: "make check" }, "no rule to make target check"],
  ["bash", { command: "make ship" }, null],
]
const prompts = []
const parent = { ses_child: "ses_1" }

async function second() {
  const hooks = {}
  const events = []
  let wake = () => {}
  const cleanup = await plugin.setup({
    options: {},
    location: { directory },
    session: {
      hook: async (name, callback) => void (hooks[name] = callback),
      get: async ({ sessionID }) => ({ id: sessionID, parentID: parent[sessionID] }),
    },
    event: {
      async *subscribe({ signal }) {
        while (!signal.aborted) {
          while (events.length) {
            const event = events.shift()
            yield event
            event.done?.()
          }
          await new Promise((resolve) => (wake = resolve))
        }
      },
    },
  })
  const emit = (type, data) =>
    new Promise((done) => {
      events.push({ type, data, done })
      wake()
    })
  for (const [number, [sessionID, text, reply]] of said.entries()) {
    const event = { sessionID, messageID: `msg_${number}`, prompt: { text }, delivery: "steer" }
    await hooks.prompt(event)
    prompts.push(event.prompt.text)
    for (const [at, [name, input, error]] of tools.entries()) {
      const call = { sessionID, id: `call_${number}_${at}` }
      await emit("session.tool.input.started", { ...call, name })
      await emit("session.tool.called", { ...call, input })
      const content = [{ type: "text", text: error ?? "done" }]
      if (error) await emit("session.tool.failed", { ...call, error: { type: "unknown", message: error } })
      else await emit("session.tool.success", { ...call, content, metadata: { exit: 0 } })
    }
    await emit("session.text.ended", { sessionID, assistantMessageID: `msg_a${number}`, ordinal: 0, text: reply })
    await emit("session.execution.succeeded", { sessionID })
    await emit("session.idle", { sessionID })
  }
  cleanup()
  wake()
}

async function first() {
  const messages = {}
  const hooks = await plugin.server({
    directory,
    client: {
      session: {
        get: async ({ path }) => ({ data: { id: path.id, parentID: parent[path.id] } }),
        messages: async ({ path }) => ({ data: messages[path.id] }),
      },
    },
  })
  for (const [number, [sessionID, text, reply]] of said.entries()) {
    const output = { message: { id: `msg_${number}`, role: "user" }, parts: [{ type: "text", text }] }
    await hooks["chat.message"]({ sessionID }, output)
    prompts.push(output.parts.map((part) => part.text).join("\n\n"))
    if (output.parts.some((part) => part.text !== text && !part.synthetic)) throw new Error("not marked as synthetic")
    const done = tools.map(([tool, input, error]) => ({
      type: "tool",
      tool,
      state: error
        ? { status: "error", input, error }
        : { status: "completed", input, output: "done", metadata: { exit: 0 } },
    }))
    messages[sessionID] = [
      { info: output.message, parts: output.parts },
      { info: { id: `msg_a${number}`, role: "assistant" }, parts: [...done, { type: "text", text: reply }] },
    ]
    await hooks.event({ event: { type: "session.idle", properties: { sessionID } } })
  }
}

await (version === "2" ? second() : first())
console.log(JSON.stringify(prompts))
