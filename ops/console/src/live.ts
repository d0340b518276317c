// Live updates: one EventSource for the whole console. A message only names what changed; whoever shows such a
// thing reads it again. While the stream is down, open pages read again every half minute and say so.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Problem, api, problemFrom } from "./api";

type Kind = "alert" | "incident" | "notice" | "task" | "source" | "overview";
const kKinds: Kind[] = ["alert", "incident", "notice", "task", "source", "overview"];
const kPollMs = 30_000;
const kGatherMs = 400; // a burst of messages makes one read

const listeners = new Set<(kind: Kind | "all") => void>();
const stateListeners = new Set<(connected: boolean) => void>();
let stream: EventSource | null = null;
let connected = false;
let poll: ReturnType<typeof setInterval> | undefined;

function setConnected(now: boolean): void {
  if (now === connected) return;
  connected = now;
  stateListeners.forEach((listener) => listener(now));
}

export function startLive(): void {
  if (stream) return;
  let wasDown = false;
  stream = new EventSource("/v1/stream");
  stream.onopen = () => {
    setConnected(true);
    if (wasDown) listeners.forEach((listener) => listener("all")); // whatever was missed
    wasDown = false;
  };
  stream.onerror = () => {
    setConnected(false);
    wasDown = true;
    // The browser reconnects by itself unless the server refused; then try again, gently.
    if (stream?.readyState === EventSource.CLOSED) {
      stream.close();
      stream = null;
      setTimeout(() => {
        if (poll) startLive();
      }, 10_000);
    }
  };
  for (const kind of kKinds) {
    stream.addEventListener(kind, () => listeners.forEach((listener) => listener(kind)));
  }
  poll ??= setInterval(() => {
    if (!connected) listeners.forEach((listener) => listener("all"));
  }, kPollMs);
}

export function stopLive(): void {
  stream?.close();
  stream = null;
  clearInterval(poll);
  poll = undefined;
  setConnected(false);
}

export function useConnected(): boolean {
  const [value, setValue] = useState(connected);
  useEffect(() => {
    setValue(connected);
    stateListeners.add(setValue);
    return () => void stateListeners.delete(setValue);
  }, []);
  return value;
}

export interface Loaded<T> {
  data: T | undefined;
  error: Problem | undefined;
  loading: boolean;
  reload: () => void;
}

// Reads `path` (null: nothing yet) and again whenever one of `kinds` changes. Old data stays on show meanwhile.
export function useData<T>(path: string | null, kinds: Kind[] = []): Loaded<T> {
  const [state, setState] = useState<{ path: string | null; data?: T; error?: Problem; loading: boolean }>({ path, loading: true });
  const [turn, setTurn] = useState(0);
  const shown = useRef<string | null>(null);
  useEffect(() => {
    if (!path) return;
    const abort = new AbortController();
    if (shown.current !== path) setState({ path, loading: true });
    api.get<T>(path, abort.signal).then(
      (data) => {
        shown.current = path;
        setState({ path, data, loading: false });
      },
      (error) => {
        if (abort.signal.aborted) return;
        const problem = problemFrom(error);
        setState((old) => ({ path, data: old.path === path ? old.data : undefined, error: problem, loading: false }));
      },
    );
    return () => abort.abort();
  }, [path, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const wanted = kinds.join();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const listener = (kind: Kind | "all"): void => {
      if (kind !== "all" && !wanted.split(",").includes(kind)) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        setTurn((n) => n + 1);
      }, kGatherMs);
    };
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      clearTimeout(timer);
    };
  }, [wanted]);
  const fresh = state.path === path ? state : { data: undefined, error: undefined, loading: true };
  return { data: fresh.data as T | undefined, error: fresh.error, loading: fresh.loading, reload };
}
