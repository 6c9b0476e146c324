// Asking the server. The token lives in this module's memory, and nowhere else.
let token = "";

export const signIn = (text) => { token = text.trim(); };
export const signOut = () => { token = ""; };

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function ask(path, accept, signal) {
  const answer = await fetch(path, { headers: { Authorization: `Bearer ${token}`, Accept: accept, "Accept-Language": document.documentElement.lang }, cache: "no-cache", signal });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, problem.detail ?? "");
}

export const json = async (path, signal) => (await ask(path, "application/json", signal)).json();

export async function download(path, name) {
  const address = URL.createObjectURL(await (await ask(path, "text/csv")).blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// Calls onNews at each poke of /v1/events, and once a minute where there is no such stream. Ends with the signal.
export async function follow(onNews, signal) {
  while (!signal.aborted) {
    try {
      const reader = (await ask("/v1/events", "text/event-stream", signal)).body.getReader();
      const decoder = new TextDecoder();
      let line = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const lines = (line + decoder.decode(value, { stream: true })).split("\n");
        line = lines.pop();
        if (lines.includes("event: poke")) onNews();
      }
    } catch (error) {
      if (signal.aborted || error.status === 401) return;
      await new Promise((resolve) => setTimeout(resolve, 60_000));
      if (!signal.aborted) onNews();
    }
  }
}
