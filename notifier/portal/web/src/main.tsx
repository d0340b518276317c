// One quiet page: type the code, or arrive with it behind the "#" (which browsers send to nobody); see that the
// notice is genuine, what happened, which data, what to do; acknowledge. It keeps nothing and asks for nothing else.
import { render, type JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { kLanguages, pick, tidy, type Words } from "./words";

interface Answer {
  organisation: { name: string; contact: string | null; phone?: string | null; website?: string | null };
  language?: string;
  sent: string | null;
  subject: string;
  text: string;
  what_happened: string | null;
  fields: string[];
  actions: string[];
  acknowledged_at: string | null;
  proof: { index: number; size: number; root: string; url: string; tlog_proof?: string } | null;
}

type Trouble = "wrong" | "short" | "busy" | "offline";
class Failed extends Error {
  constructor(readonly trouble: Trouble) {
    super(trouble);
  }
}

const kMostActions = 3;

async function ask<T>(path: string, code: string): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ code }),
      credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer",
    });
  } catch {
    throw new Failed("offline");
  }
  if (response.status === 429) throw new Failed("busy");
  if (response.status >= 500) throw new Failed(response.status === 503 ? "busy" : "offline");
  if (!response.ok) throw new Failed("wrong");
  return (await response.json()) as T;
}

function codeInAddress(): string {
  const raw = location.hash.slice(1);
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw;
  }
}

function Bell(): JSX.Element {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" fill="currentColor">
      <path d="M16 4.2a1.900 1.900 0 0 0-1.900 1.900v.6C10.300 7.500 8.100 10.800 8.100 15v3.700c0 .9-.4 1.800-1 2.500l-1 1.100c-.6.7-.1 1.900.9 1.900h18c1 0 1.500-1.200.9-1.900l-1-1.100c-.6-.7-1-1.600-1-2.500V15c0-4.200-2.200-7.500-6-8.300v-.6A1.900 1.900 0 0 0 16 4.200zM13.200 25.700a2.800 2.800 0 0 0 5.600 0z" />
    </svg>
  );
}

function App(): JSX.Element {
  const [lang, setLang] = useState(() => pick(navigator.languages ?? [navigator.language]));
  const [code, setCode] = useState(() => codeInAddress());
  const [trouble, setTrouble] = useState<Trouble>();
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<Answer>();
  const heading = useRef<HTMLHeadingElement>(null);
  const words = kLanguages[lang]!;

  useEffect(() => {
    document.documentElement.lang = lang;
    document.title = words.title;
  }, [lang]);

  const check = async (typed: string): Promise<void> => {
    const tidied = tidy(typed);
    setTrouble(undefined);
    if (!tidied) return setTrouble("short");
    setBusy(true);
    try {
      setAnswer(await ask<Answer>("/portal/v1/check", tidied));
      setCode(tidied);
      // The code leaves the address bar and the history: whoever uses this computer next does not find it.
      history.replaceState(null, "", location.pathname);
      requestAnimationFrame(() => heading.current?.focus());
    } catch (error) {
      setTrouble(error instanceof Failed ? error.trouble : "offline");
    } finally {
      setBusy(false);
    }
  };

  useEffect(() => {
    if (codeInAddress()) void check(codeInAddress());
    const changed = (): void => {
      const now = codeInAddress();
      if (!now) return;
      setAnswer(undefined);
      setCode(now);
      void check(now);
    };
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);

  const restart = (): void => {
    setAnswer(undefined);
    setCode("");
    setTrouble(undefined);
    requestAnimationFrame(() => document.getElementById("code")?.focus());
  };

  return (
    <>
      <header>
        <span class="mark"><Bell />{answer?.organisation.name}</span>
        <span class="no-print row" role="group" aria-label={words.languageLabel}>
          {Object.entries(kLanguages).filter(([key]) => key !== lang).map(([key, other]) => (
            <button key={key} type="button" class="button plain" lang={key} onClick={() => setLang(key)}>{other.languageName}</button>
          ))}
        </span>
      </header>
      {answer
        ? <Notice answer={answer} code={code} words={words} lang={lang} heading={heading} onRestart={restart} onChange={setAnswer} />
        : <Enter words={words} code={code} busy={busy} trouble={trouble} onType={(typed) => {
            setCode(typed);
            setTrouble(undefined);
          }} onCheck={() => void check(code)} />}
      <footer><p>{words.privacy}</p></footer>
    </>
  );
}

function Enter({ words, code, busy, trouble, onType, onCheck }: {
  words: Words; code: string; busy: boolean; trouble: Trouble | undefined; onType: (typed: string) => void; onCheck: () => void;
}): JSX.Element {
  return (
    <main>
      <h1>{words.enterTitle}</h1>
      <p>{words.enterLead}</p>
      <form class="card" noValidate onSubmit={(event) => {
        event.preventDefault();
        onCheck();
      }}>
        <label for="code">{words.codeLabel}</label>
        <input id="code" name="notice-code" value={code} maxLength={40} autocomplete="off" autocapitalize="characters" spellcheck={false} aria-describedby="code-hint" {...(trouble && { "aria-invalid": "true" })} data-testid="code" onInput={(event) => onType(event.currentTarget.value)} />
        <p id="code-hint" class="quiet small">{words.codeHint}</p>
        <button class="button" disabled={busy} data-testid="check">{busy ? words.checking : words.check}</button>
      </form>
      <div role="status">
        {trouble === "short" && <div class="kind" data-testid="kind"><p>{words.shortCode}</p></div>}
        {trouble === "wrong" && <div class="kind" data-testid="kind"><h2>{words.wrongTitle}</h2>{words.wrongText.map((text) => <p key={text}>{text}</p>)}</div>}
        {trouble === "busy" && <div class="kind" data-testid="kind"><h2>{words.busyTitle}</h2><p>{words.busyText}</p></div>}
        {trouble === "offline" && <div class="kind" data-testid="kind"><h2>{words.offlineTitle}</h2><p>{words.offlineText}</p></div>}
      </div>
      <HowToCheck words={words} open />
    </main>
  );
}

function HowToCheck({ words, open }: { words: Words; open?: boolean }): JSX.Element {
  return <details open={open} data-testid="how"><summary>{words.howToCheck}</summary><ul>{words.checks.map((text) => <li key={text}>{text}</li>)}</ul></details>;
}

function Notice({ answer, code, words, lang, heading, onRestart, onChange }: {
  answer: Answer; code: string; words: Words; lang: string; heading: { current: HTMLHeadingElement | null }; onRestart: () => void; onChange: (answer: Answer) => void;
}): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const spoken = answer.language ?? lang; // of what the organisation wrote; the page around it may speak another
  const local = (navigator.languages ?? []).find((tag) => tag.startsWith(lang)) ?? lang;
  const date = (time: string, withClock = false): string => new Date(time).toLocaleString(local, { dateStyle: "long", ...(withClock && { timeStyle: "short" }) });
  const acknowledge = async (): Promise<void> => {
    setBusy(true);
    setFailed(false);
    try {
      const { acknowledged_at } = await ask<{ acknowledged_at: string }>("/portal/v1/acknowledge", code);
      onChange({ ...answer, acknowledged_at });
    } catch {
      setFailed(true);
    } finally {
      setBusy(false);
    }
  };
  const { organisation, proof } = answer;
  const mail = organisation.contact && /^[^\s@,]+@[^\s@,]+$/.test(organisation.contact) ? organisation.contact : null;
  return (
    <main>
      <section class="card genuine" data-testid="genuine">
        <svg viewBox="0 0 36 36" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"><circle cx="18" cy="18" r="15" /><path d="m11 18.500 5 5 9.500-11" /></svg>
        <div><h1 ref={heading} tabIndex={-1}>{words.genuineTitle}</h1><p>{words.genuineText(organisation.name)}</p></div>
      </section>
      <dl>
        <dt>{words.about}</dt><dd lang={spoken} data-testid="subject">{answer.subject}</dd>
        {answer.sent && <><dt>{words.sent}</dt><dd><time dateTime={answer.sent}>{date(answer.sent)}</time></dd></>}
      </dl>
      {answer.what_happened && <section data-testid="what"><h2>{words.whatHappened}</h2><p lang={spoken}>{answer.what_happened}</p></section>}
      <section data-testid="fields"><h2>{words.yourData}</h2>{answer.fields.length ? <ul lang={spoken}>{answer.fields.map((field) => <li key={field}>{field}</li>)}</ul> : <p>{words.yourDataNone}</p>}</section>
      {answer.actions.length > 0 && <section data-testid="actions"><h2>{words.whatToDo}</h2><ol class="do" lang={spoken}>{answer.actions.slice(0, kMostActions).map((action) => <li key={action}><span>{action}</span></li>)}</ol></section>}
      {(organisation.contact || organisation.phone) && <section><h2>{words.contact}</h2><p>{organisation.contact && <>{words.contactText} {mail ? <a href={`mailto:${mail}`}>{mail}</a> : organisation.contact}</>}{organisation.phone && <> {words.phone} <a href={`tel:${organisation.phone.replace(/[^+\d]/g, "")}`}>{organisation.phone}</a></>}</p></section>}
      <section class="card" data-testid="acknowledge-box" aria-live="polite">
        {answer.acknowledged_at ? <p data-testid="acknowledged"><strong>{words.ackDone(date(answer.acknowledged_at, true))}</strong></p> : (
          <div class="no-print"><h2>{words.ackTitle}</h2><p class="small quiet">{words.ackText}</p><p><button type="button" class="button" disabled={busy} data-testid="acknowledge" onClick={() => void acknowledge()}>{busy ? words.ackBusy : words.ack}</button></p>{failed && <p class="kind">{words.ackFailed}</p>}</div>
        )}
      </section>
      <details data-testid="whole"><summary>{words.fullNotice}</summary><p class="letter" lang={spoken}>{answer.text}</p></details>
      <HowToCheck words={words} />
      {proof && (
        <details data-testid="proof"><summary>{words.proof}</summary>
          <p>{words.proofText}</p>
          <dl><dt>{words.proofIndex}</dt><dd>{proof.index}</dd><dt>{words.proofSize}</dt><dd>{proof.size}</dd><dt>{words.proofRoot}</dt><dd><code>{proof.root}</code></dd></dl>
          <p class="row"><a href={sameSite(proof.url)} target="_blank" rel="noopener noreferrer">{words.proofLink}</a>{proof.tlog_proof && <button type="button" class="button plain no-print" onClick={() => save(proof.tlog_proof!, `notice-${proof.index}.tlog-proof`)}>{words.proofSave}</button>}</p>
        </details>
      )}
      <p class="row no-print"><button type="button" class="button plain" onClick={() => print()}>{words.print}</button><button type="button" class="button plain" data-testid="another" onClick={onRestart}>{words.another}</button></p>
    </main>
  );
}

// Only web addresses become links, whatever the answer holds.
function sameSite(url: string): string {
  try {
    const full = new URL(url, location.href);
    return full.protocol === "https:" || full.protocol === "http:" ? full.href : "/ledger/checkpoint";
  } catch {
    return "/ledger/checkpoint";
  }
}

function save(text: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

render(<App />, document.getElementById("page")!);
