// The one way to the server: same-origin fetch with the session cookie, the CSRF token on everything that changes
// something, and errors turned into a Problem that says what to do next.
import type { Session } from "./types";

export class Problem extends Error {
  constructor(readonly status: number, title: string, readonly detail: string, readonly remedy: string) {
    super(title);
  }
}

const kSmallSkewMs = 3000;
let csrf = "";
// How far the server's clock is ahead of this browser's, in milliseconds. Legal clocks run on the server's time.
let skew = 0;
let onSignedOut: () => void = () => {};

export const serverNow = (): number => Date.now() + skew;
// The server's word on the time. It travelled for a while, so a small difference says nothing.
export function hearTime(now: string): void {
  const ahead = Date.parse(now) - Date.now();
  if (!Number.isNaN(ahead)) skew = Math.abs(ahead) > kSmallSkewMs ? ahead : 0;
}
export function keepSession(session: Session): void {
  csrf = session.csrf;
}
export function whenSignedOut(call: () => void): void {
  onSignedOut = call;
}

const kRemedies: Record<number, string> = {
  400: "Check what you entered and try again.",
  401: "Sign in again; you come back to this page.",
  403: "Ask someone with the role that may do this, or an administrator to give it to you.",
  404: "It may have been removed, or the link is incomplete. Go back to the list.",
  409: "Somebody changed this meanwhile. Look at the present state, then decide again.",
  422: "Correct what is named above and try again.",
  429: "Wait a minute, then try again.",
  500: "Nothing was changed. If it happens again, look at the server's log.",
  503: "Nothing was decided or sent. Wait a moment; if it lasts, look at the Ledger page and the server's log.",
};

async function problemOf(response: Response): Promise<Problem> {
  let title = "";
  let detail = "";
  let remedy = "";
  try {
    const body = (await response.json()) as { title?: string; detail?: string; remedy?: string };
    title = body.title ?? "";
    detail = body.detail ?? "";
    remedy = body.remedy ?? "";
  } catch {
    // not problem JSON (a proxy's page, perhaps): the status has to do
  }
  return new Problem(
    response.status,
    title || `The server answered ${response.status}`,
    detail === title ? "" : detail,
    remedy || kRemedies[response.status] || "Try again; if it happens again, look at the server's log.",
  );
}

async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(
      0,
      "The server does not answer",
      method === "GET" ? "" : "It is not known whether your last step was saved.",
      "Check that tocsin is running and that you can reach it, then reload this page.",
    );
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    if (response.status === 401 && !path.startsWith("/v1/session")) onSignedOut();
    throw problem;
  }
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export const api = {
  get: <T>(path: string, signal?: AbortSignal) => call<T>("GET", path, undefined, signal),
  post: <T>(path: string, body: unknown = {}) => call<T>("POST", path, body),
  put: <T>(path: string, body: unknown) => call<T>("PUT", path, body),
  patch: <T>(path: string, body: unknown) => call<T>("PATCH", path, body),
  delete: <T>(path: string) => call<T>("DELETE", path),
};

// "a=1&b=2" from what is set; empty and missing values are left out.
export function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const parts = Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return parts.length ? `?${parts.join("&")}` : "";
}

export function problemFrom(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(-1, "This page met something it did not expect", error instanceof Error ? error.message : "",
    "Reload the page. If it happens again, the server and this page may be of different versions.");
}
