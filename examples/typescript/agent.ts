// One turn of an agent with a memory: what is remembered, what bears on a question, and what a refusal looks like.
import { connect, given } from "./client.js";

const memory = connect(
  process.env.HYBRIDMEM_URL ?? "http://127.0.0.1:8377",
  process.env.HYBRIDMEM_TOKEN ?? "",
  process.env.HYBRIDMEM_NAMESPACE,
);

const { memories } = await given(memory.POST("/v1/memories", { body: { text: "Zane Kolu lives in Riga.", session: "ts" } }));
const { hits } = await given(memory.POST("/v1/search", { body: { query: "Where does Zane Kolu live?", limit: 3 } }));
console.log("found:", hits[0]?.text);

const answer = await given(memory.POST("/v1/answer", { body: { question: "Where does Zane Kolu live?" } }));
console.log("answer:", answer.text, `(${answer.route})`);

for (const { id } of memories) {
  const receipt = await given(memory.DELETE("/v1/memories/{id}", { params: { path: { id } } }));
  console.log("erased:", receipt.removed.ledger);
}

try {
  await given(memory.GET("/v1/memories/{id}", { params: { path: { id: memories[0]!.id } } }));
} catch (refusal) {
  console.log("refused:", (refusal as Error).message);
}
