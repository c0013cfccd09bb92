// A client of `hybridmem serve`, whose types are generated from the server's own OpenAPI document: `npm run generate`.
import createClient, { type Client } from "openapi-fetch";

import type { components, paths } from "./schema.js";

export type Memory = Client<paths>;
export type Hit = components["schemas"]["Hit"];

/** The memory of a namespace (as in users/ana; without one, the token's own) at `url`. */
export function connect(url: string, token: string, namespace?: string): Memory {
  const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
  if (namespace !== undefined) headers["X-Hybridmem-Namespace"] = encodeURIComponent(namespace);
  return createClient<paths>({ baseUrl: url, headers });
}

/** What a call gave; a refusal, which is a problem of RFC 9457 or OpenAI's error object, becomes an Error. */
export async function given<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw new Error(`${response.status}: ${reason(error)}`);
  return data as T;
}

function reason(error: unknown): string {
  const problem = error as { detail?: string; error?: { message?: string } } | undefined;
  return problem?.detail ?? problem?.error?.message ?? "the server did not say why";
}
