// Written by `hybridmem install opencode`; `hybridmem uninstall opencode` takes it away.
// It hands what was said to the memory, and puts what bears on it behind the user's words. Whatever goes wrong here
// leaves opencode as it would be without it.
import { spawn } from "node:child_process"

const COMMAND = []
const WAIT = 30_000
const TAIL = 20_000

// What the command prints for an event, as an object; {} where it prints nothing or fails.
function told(event) {
  return new Promise((resolve) => {
    let text = ""
    let timer
    const done = (value) => {
      clearTimeout(timer)
      resolve(value)
    }
    try {
      const child = spawn(COMMAND[0], COMMAND.slice(1), { stdio: ["pipe", "pipe", "ignore"] })
      timer = setTimeout(() => {
        child.kill()
        done({})
      }, WAIT)
      child.on("error", () => done({}))
      child.stdin.on("error", () => {})
      child.stdout.on("data", (part) => (text += part))
      child.on("close", () => {
        try {
          done(JSON.parse(text))
        } catch {
          done({})
        }
      })
      child.stdin.end(JSON.stringify(event))
    } catch {
      done({})
    }
  })
}

// One memory for each session: its beginning is told once, and a subagent's session not at all, for what that one is
// asked is no user's word.
function listener(isSubagent) {
  const begun = new Set()
  const replies = new Map()
  const calls = new Map()
  return {
    async prompt(session, message, prompt, cwd) {
      if (!prompt.trim() || (await isSubagent(session))) return ""
      const parts = []
      if (!begun.has(session)) {
        begun.add(session)
        parts.push((await told({ event: "start", session, cwd })).context)
      }
      parts.push((await told({ event: "prompt", session, message, prompt, cwd })).context)
      return parts.filter(Boolean).join("\n\n")
    },
    async heard(session, message, text) {
      if (!text?.trim()) return
      replies.set(session, [...(replies.get(session) ?? []), { message, text }])
    },
    // One call of a tool with its end: how a procedure went is learned from these.
    called(session, { tool, input, ok, output, exit }) {
      const text = typeof output === "string" ? output.slice(-TAIL) : ""
      calls.set(session, [...(calls.get(session) ?? []), { tool, input, ok, output: text, exit }])
    },
    async ended(session, cwd) {
      const said = replies.get(session) ?? []
      const done = calls.get(session) ?? []
      replies.delete(session)
      calls.delete(session)
      if ((said.length || done.length) && !(await isSubagent(session)))
        await told({ event: "reply", session, replies: said, calls: done, cwd })
    },
  }
}

// opencode 2
async function setup(ctx) {
  const cwd = ctx.location?.directory ?? process.cwd()
  const memory = listener(async (sessionID) => {
    try {
      const found = await ctx.session.get({ sessionID })
      return Boolean((found?.data ?? found)?.parentID)
    } catch {
      return false
    }
  })
  await ctx.session.hook("prompt", async (event) => {
    const context = await memory.prompt(event.sessionID, event.messageID, event.prompt.text ?? "", cwd)
    // Behind the words: what the user mentions is counted from their beginning.
    if (context) event.prompt.text = `${event.prompt.text}\n\n${context}\n`
  })
  const running = new Map()
  const controller = new AbortController()
  ;(async () => {
    try {
      for await (const event of ctx.event.subscribe({ signal: controller.signal })) {
        const data = event.data ?? {}
        if (event.type === "session.text.ended")
          await memory.heard(data.sessionID, `${data.assistantMessageID}/${data.ordinal}`, data.text)
        else if (event.type === "session.tool.input.started") running.set(data.id, { tool: data.name })
        else if (event.type === "session.tool.called")
          running.set(data.id, { tool: data.name, ...running.get(data.id), input: data.input })
        else if (/^session\.tool\.(success|failed)$/.test(event.type)) {
          const { tool, input } = running.get(data.id) ?? {}
          running.delete(data.id)
          const content = (Array.isArray(data.content) ? data.content : []).map((part) => part?.text ?? "").join("\n")
          // What the user stopped says nothing of the call.
          const ok = event.type.endsWith("success") || (data.error?.type === "aborted" ? undefined : false)
          const output = content || data.error?.message
          if (tool) memory.called(data.sessionID, { tool, input, ok, output, exit: data.metadata?.exit })
        } else if (/^session\.(idle|execution\.(succeeded|failed|interrupted))$/.test(event.type))
          await memory.ended(data.sessionID, cwd)
      }
    } catch {
      // The subscription ends with the plugin.
    }
  })()
  return () => controller.abort()
}

// opencode 1
async function server({ client, directory }) {
  const memory = listener(async (id) => {
    try {
      return Boolean((await client.session.get({ path: { id } })).data?.parentID)
    } catch {
      return false
    }
  })
  return {
    "chat.message": async (input, output) => {
      const words = output.parts.filter((part) => part.type === "text" && !part.synthetic).map((part) => part.text)
      const message = output.message.id
      const context = await memory.prompt(input.sessionID, message, words.join("\n"), directory)
      if (!context) return
      const id = `prt_${Date.now().toString(16)}hybridmem`
      output.parts.push({
        id, sessionID: input.sessionID, messageID: message, type: "text", text: context, synthetic: true,
      })
    },
    event: async ({ event }) => {
      if (event.type !== "session.idle") return
      const session = event.properties.sessionID
      try {
        const messages = (await client.session.messages({ path: { id: session } })).data ?? []
        const last = messages.findLastIndex(({ info }) => info.role === "user")
        for (const { info, parts } of messages.slice(last + 1)) {
          const words = parts.filter((part) => part.type === "text" && !part.synthetic).map((part) => part.text)
          await memory.heard(session, info.id, words.join("\n"))
          for (const { tool, state } of parts.filter((part) => part.type === "tool" && part.state)) {
            if (!["completed", "error"].includes(state.status)) continue
            const { input, output, error, metadata } = state
            const ok = state.status === "completed"
            memory.called(session, { tool, input, ok, output: output ?? error, exit: metadata?.exit })
          }
        }
      } catch {
        return
      }
      await memory.ended(session, directory)
    },
  }
}

export default { id: "hybridmem", setup, server }
