// The small parts that every page is made of.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Problem, problemFrom, serverNow } from "../api";
import { ago, local, span, utc } from "../time";
import { word, type Tone, type Word } from "../words";

// ------------------------------------------------------------------- bell
export function Bell(): JSX.Element {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <path fill="#e0ab4f" d="M16 4.200a1.900 1.900 0 0 0-1.900 1.900v.6C10.300 7.500 8.100 10.800 8.100 15v3.700c0 .9-.4 1.800-1 2.500l-1 1.100c-.6.7-.1 1.900.9 1.900h18c1 0 1.500-1.200.9-1.900l-1-1.100c-.6-.7-1-1.600-1-2.500V15c0-4.200-2.200-7.500-6-8.300v-.6A1.900 1.900 0 0 0 16 4.200z" />
      <path fill="#e0ab4f" d="M13.200 25.700a2.800 2.800 0 0 0 5.600 0z" />
      <path d="M4.600 12c.4-2.400 1.400-4.500 3-6.300M27.400 12c-.4-2.400-1.400-4.500-3-6.300" stroke="#8fc7b8" stroke-width="1.800" stroke-linecap="round" fill="none" />
    </svg>
  );
}

// A mark that goes with a tone, so that nothing is told by colour alone.
function Mark({ tone }: { tone: Tone }): JSX.Element | null {
  const paths: Partial<Record<Tone, JSX.Element>> = {
    critical: <path d="M6 .5 11.500 10.500H.5z" />,
    high: <path d="M6 1 11 6 6 11 1 6z" />,
    medium: <path d="M1.500 1.500h9v9h-9z" />,
    low: <circle cx="6" cy="6" r="4.500" />,
    calm: <path d="m1.200 6.300 1.500-1.500 2.300 2.300 4.700-4.900 1.500 1.400L5 10z" />,
  };
  const path = paths[tone];
  return path ? <svg viewBox="0 0 12 12" fill="currentColor" aria-hidden="true">{path}</svg> : null;
}

export function Badge({ word: { label, more, tone }, testid }: { word: Word; testid?: string }): JSX.Element {
  return <span class={`badge tone-${tone}`} title={more || undefined} data-testid={testid}><Mark tone={tone} />{label}</span>;
}
export function State({ of, value, testid }: { of: Record<string, Word>; value: string | null | undefined; testid?: string }): JSX.Element {
  return <Badge word={word(of, value)} testid={testid} />;
}

// ------------------------------------------------------------------- times
export function When({ time, relative }: { time: string | null | undefined; relative?: boolean }): JSX.Element {
  const now = useNow(relative ? 15_000 : 60_000);
  if (!time) return <span class="quiet">not known</span>;
  return <time dateTime={time} title={utc(time)}>{relative ? ago(time, now) : local(time, now)}</time>;
}

export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

// A running legal clock: the ring empties from when it started to when it is due.
export function Clock({ due, start, done, big }: { due: string | null; start?: string | null; done?: boolean; big?: boolean }): JSX.Element {
  const now = useNow(1000);
  if (!due) return <span class={big ? "no-hour strong" : "strong"}>{done ? "done" : "as soon as you can"}{!done && <><br /><span class="small quiet">no fixed hour</span></>}</span>;
  const left = new Date(due).getTime() - now;
  const whole = start ? new Date(due).getTime() - new Date(start).getTime() : 72 * 3_600_000;
  const part = done ? 1 : Math.max(0, Math.min(1, left / (whole > 0 ? whole : 1)));
  const mood = done ? "" : left < 0 ? "late" : left < 24 * 3_600_000 || part < 0.25 ? "soon" : "";
  return (
    <span class={`clock ${mood} ${big ? "big" : ""}`} data-testid="clock">
      <svg viewBox="0 0 36 36" aria-hidden="true">
        <circle class="clock-track" cx="18" cy="18" r="15" />
        <circle class="clock-arc" cx="18" cy="18" r="15" pathLength={100} stroke-dasharray={`${left < 0 && !done ? 100 : part * 100} 100`} transform="rotate(-90 18 18)" />
      </svg>
      <span>
        <span class="clock-left">{done ? "done" : left < 0 ? `late by ${span(left)}` : `${span(left)} left`}</span>
        <br /><span class="small quiet">{left < 0 && !done ? "was due" : "until"} <When time={due} /></span>
      </span>
    </span>
  );
}

// ---------------------------------------------------------- states of a page
export function Loading({ what }: { what: string }): JSX.Element {
  return <div class="loading" role="status"><span class="spinner" aria-hidden="true" />Loading {what}…</div>;
}
export function Failure({ error, retry }: { error: Problem; retry?: () => void }): JSX.Element {
  return (
    <div class="note critical" role="alert" data-testid="problem">
      <strong>{error.message}</strong>
      {error.detail && <p>{error.detail}</p>}
      <p class="quiet">{error.remedy}</p>
      {retry && <div><button type="button" class="button small" onClick={retry}>Try again</button></div>}
    </div>
  );
}
export function Empty({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  return <div class="empty" data-testid="empty"><Bell /><strong>{title}</strong>{children && <p>{children}</p>}</div>;
}

// Shows what `useData` gave: loading, failed (with what was there before), or the thing itself.
export function Shown<T>({ of, what, children }: {
  of: { data: T | undefined; error: Problem | undefined; reload: () => void };
  what: string;
  children: (data: T) => ComponentChildren;
}): JSX.Element {
  return (
    <>
      {of.error && <Failure error={of.error} retry={of.reload} />}
      {of.data !== undefined ? children(of.data) : !of.error && <Loading what={what} />}
    </>
  );
}

// A sentence more, one press away: works by mouse, touch and keyboard.
export function Explain({ about, left, children }: { about: string; left?: boolean; children: ComponentChildren }): JSX.Element {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLSpanElement>(null);
  const id = useId();
  useEffect(() => {
    if (!open) return;
    const away = (event: Event): void => {
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !box.current?.contains(event.target as Node)) {
        if (event instanceof KeyboardEvent) event.preventDefault();
        setOpen(false);
      }
    };
    document.addEventListener("pointerdown", away);
    document.addEventListener("keydown", away);
    return () => {
      document.removeEventListener("pointerdown", away);
      document.removeEventListener("keydown", away);
    };
  }, [open]);
  return (
    <span class={`explain ${left ? "left" : ""}`} ref={box}>
      <button type="button" aria-label={`What does this mean: ${about}`} aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>?</button>
      <span id={id} role="status">{open && <span class="explain-text">{children}</span>}</span>
    </span>
  );
}

// ------------------------------------------------------------------- forms
export function Field({ label, hint, error, children, wide }: {
  label: string;
  hint?: ComponentChildren;
  error?: string;
  wide?: boolean;
  children: (attributes: { id: string; "aria-describedby"?: string; "aria-invalid"?: "true" }) => ComponentChildren;
}): JSX.Element {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class={`field ${wide ? "wide" : ""}`}>
      <label for={id}>{label}</label>
      {children({ id, ...(described && { "aria-describedby": described }), ...(error && { "aria-invalid": "true" as const }) })}
      {hint && <span class="hint" id={`${id}-hint`}>{hint}</span>}
      {error && <span class="error-text" id={`${id}-error`}>{error}</span>}
    </div>
  );
}

export function Choice({ value, options, onChange, ...rest }: {
  value: string;
  options: [string, string][];
  onChange: (value: string) => void;
  id?: string;
  "aria-describedby"?: string;
  "aria-invalid"?: "true";
  "data-testid"?: string;
}): JSX.Element {
  return (
    <select class="input" {...rest} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {options.map(([key, label]) => <option key={key} value={key} selected={key === value}>{label}</option>)}
    </select>
  );
}

// Runs one action at a time; keeps its error for show.
export function useAction(): { busy: boolean; error: Problem | undefined; run: (what: () => Promise<void>) => Promise<boolean>; clear: () => void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Problem>();
  const running = useRef(false);
  return {
    busy,
    error,
    clear: () => setError(undefined),
    run: async (what) => {
      if (running.current) return false;
      running.current = true;
      setBusy(true);
      setError(undefined);
      try {
        await what();
        return true;
      } catch (caught) {
        setError(problemFrom(caught));
        return false;
      } finally {
        running.current = false;
        setBusy(false);
      }
    },
  };
}

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }): JSX.Element {
  const [done, setDone] = useState("");
  return (
    <button type="button" class="button small" onClick={() => {
      const said = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"));
      said.then(() => setDone("Copied"), () => setDone("Select and copy by hand"));
      setTimeout(() => setDone(""), 4000);
    }}><span aria-live="polite">{done || label}</span></button>
  );
}

// A bar of parts of a whole; said in words beside it, so the drawing itself is silent.
export function Bar({ parts, whole }: { parts: { value: number; tone: "calm" | "low" | "medium" | "critical" }[]; whole: number }): JSX.Element {
  let x = 0;
  return (
    <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="bar-track" width="100" height="10" />
      {parts.map(({ value, tone }, index) => {
        const width = whole > 0 ? Math.min(100 - x, (value / whole) * 100) : 0;
        const rect = <rect key={index} class={`bar-${tone}`} x={x} width={Math.max(0, width)} height="10" />;
        x += width;
        return rect;
      })}
    </svg>
  );
}

const kHidden = /(\[(?:redacted|hidden|secret)[^\]]*\]|<redacted[^>]*>|‹[^›]*›|«[^»]*»|█+|•{3,}|\*{3,}|…\[[^\]]*\])/gi;
// Log text, always as text; what Tocsin hid in it is marked so that nobody takes it for the log's own words.
export function LogText({ text }: { text: string }): JSX.Element {
  if (!text) return <span class="small quiet">The log gives no text with this line.</span>;
  return (
    <pre>{text.split(kHidden).map((part, index) => index % 2
      ? <mark key={index} class="redacted" title="Hidden by Tocsin: a secret stood here. It is not stored anywhere.">{part}</mark>
      : part)}</pre>
  );
}

// ------------------------------------------------------------------- page
let toldRoute = "";
export function Page({ title, crumbs, actions, badge, children }: {
  title: string;
  crumbs?: [string, string][];
  badge?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
}): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Tocsin`;
  }, [title]);
  useEffect(() => {
    // A new page takes the focus to its heading, as a page load would; not the first one after loading.
    const route = location.hash.split("?")[0] ?? "";
    if (toldRoute && toldRoute !== route) {
      heading.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    toldRoute = route;
  }, []);
  return (
    <div class="page">
      <div class="page-head">
        <div>
          {crumbs && <nav class="crumbs" aria-label="Where you are">{crumbs.map(([href, label], index) => <span key={href}>{index > 0 ? " / " : "← "}<a href={href}>{label}</a></span>)}</nav>}
          <div class="row"><h1 ref={heading} tabIndex={-1}>{title}</h1>{badge}</div>
        </div>
        {actions && <div class="row">{actions}</div>}
      </div>
      {children}
    </div>
  );
}

export function Tabs({ tabs, active, onChange, label }: {
  tabs: { key: string; label: string; n?: number | undefined }[];
  active: string;
  onChange: (key: string) => void;
  label: string;
}): JSX.Element {
  const bar = useRef<HTMLDivElement>(null);
  const keys = (event: KeyboardEvent): void => {
    const at = tabs.findIndex(({ key }) => key === active);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = (to + tabs.length) % tabs.length;
    onChange(tabs[next]!.key);
    (bar.current?.children[next] as HTMLElement | undefined)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} ref={bar} onKeyDown={keys}>
      {tabs.map(({ key, label: text, n }) => (
        <button key={key} type="button" role="tab" id={`tab-${key}`} aria-selected={key === active} aria-controls="tabpanel"
          tabIndex={key === active ? 0 : -1} data-testid={`tab-${key}`} onClick={() => onChange(key)}>
          {text}{n !== undefined && <span class="n">{n}</span>}
        </button>
      ))}
    </div>
  );
}
export function TabPanel({ active, children }: { active: string; children: ComponentChildren }): JSX.Element {
  return <div id="tabpanel" role="tabpanel" aria-labelledby={`tab-${active}`} tabIndex={-1} class="stack">{children}</div>;
}
