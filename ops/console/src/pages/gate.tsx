// Before the door: sign in, and the first sign-in by a one-time link.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import type { Session } from "../types";
import { Bell, Failure, Field, useAction } from "../ui/basic";

export function Gate({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  useEffect(() => {
    document.title = `${title} · Tocsin`;
  }, [title]);
  return (
    <main class="gate">
      <div class="gate-box">
        <div class="gate-brand"><Bell /><strong>Tocsin</strong><span>Hears when people’s data is touched, and sees the matter through until they know.</span></div>
        <div class="card"><h1>{title}</h1>{children}</div>
      </div>
    </main>
  );
}

export function Login({ onEnter }: { onEnter: (session: Session) => void }): JSX.Element {
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const { busy, error, run } = useAction();
  return (
    <Gate title="Sign in">
      <form class="stack" data-testid="login-form" onSubmit={(event) => {
        event.preventDefault();
        void run(async () => onEnter(await api.post<Session>("/v1/session", { login: login.trim(), password })));
      }}>
        <Field label="Login name">{(attributes) => <input class="input" {...attributes} name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required value={login} data-testid="login" onInput={(event) => setLogin(event.currentTarget.value)} />}</Field>
        <Field label="Password">{(attributes) => <input class="input" {...attributes} type="password" name="password" autocomplete="current-password" required value={password} data-testid="password" onInput={(event) => setPassword(event.currentTarget.value)} />}</Field>
        {error && <Failure error={error} />}
        <button class="button primary" disabled={busy} data-testid="login-do">{busy ? "Signing in…" : "Sign in"}</button>
        <p class="small quiet">No login yet? An administrator can send you a one-time link. On the server itself, <code>tocsin user reset NAME</code> makes one.</p>
      </form>
    </Gate>
  );
}

export const kMinPassword = 12;
// A hint, not a gate: length counts most, then variety; what the server refuses it says itself.
export function strength(password: string, names: string[]): { label: string; tone: "critical" | "medium" | "calm"; part: number } {
  const lower = password.toLowerCase();
  if (password.length < kMinPassword) return { label: `Too short: ${kMinPassword} characters or more. A few unrelated words are easy to remember.`, tone: "critical", part: Math.min(0.3, password.length / 40) };
  if (names.some((name) => name.length > 2 && lower.includes(name.toLowerCase()))) return { label: "It contains your name: easy to guess.", tone: "critical", part: 0.3 };
  if (/^(.)\1+$/.test(password) || new Set(lower).size < 6) return { label: "Too few different characters: easy to guess.", tone: "critical", part: 0.3 };
  if (/(password|passwort|letmein|qwert|12345|tocsin)/.test(lower)) return { label: "It contains a very common word or row of keys.", tone: "medium", part: 0.5 };
  if (password.length < 16) return { label: "Fair. Longer is better than stranger.", tone: "medium", part: 0.65 };
  return { label: "Strong.", tone: "calm", part: 1 };
}

export function Claim({ token, onEnter }: { token: string; onEnter: (session: Session) => void }): JSX.Element {
  const [login, setLogin] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useAction();
  const hint = strength(password, [login, name]);
  const differs = again !== "" && again !== password;
  return (
    <Gate title="Welcome: choose your sign-in">
      <form class="stack" noValidate data-testid="claim-form" onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (!name.trim() || password.length < kMinPassword || again !== password) return;
        void run(async () => onEnter(await api.post<Session>("/v1/session/claim", { token, ...(login.trim() && { login: login.trim() }), name: name.trim(), password })));
      }}>
        <p class="quiet">This link works once and is for you alone.</p>
        <Field label="Login name" hint="Leave empty if the administrator already chose one for you.">{(attributes) => <input class="input" {...attributes} name="username" autocomplete="username" autocapitalize="none" spellcheck={false} value={login} data-testid="claim-login" onInput={(event) => setLogin(event.currentTarget.value)} />}</Field>
        <Field label="Your name" hint="As colleagues know you; it stands beside your decisions." {...(tried && !name.trim() && { error: "Please enter your name." })}>{(attributes) => <input class="input" {...attributes} name="name" autocomplete="name" value={name} data-testid="claim-name" onInput={(event) => setName(event.currentTarget.value)} />}</Field>
        <Field label="Password" {...(tried && password.length < kMinPassword && { error: `Use ${kMinPassword} characters or more.` })}>{(attributes) => <input class="input" {...attributes} type="password" name="new-password" autocomplete="new-password" value={password} data-testid="claim-password" onInput={(event) => setPassword(event.currentTarget.value)} />}</Field>
        <div class="meter" aria-live="polite">
          <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="bar-track" width="100" height="10" /><rect class={`bar-${hint.tone}`} width={password ? hint.part * 100 : 0} height="10" /></svg>
          <span class="small quiet">{password ? hint.label : `${kMinPassword} characters or more. A few unrelated words are good.`}</span>
        </div>
        <Field label="Password again" {...((differs && tried) && { error: "The two passwords differ." })}>{(attributes) => <input class="input" {...attributes} type="password" autocomplete="new-password" value={again} data-testid="claim-again" onInput={(event) => setAgain(event.currentTarget.value)} />}</Field>
        {error && <Failure error={error} />}
        <button class="button primary" disabled={busy} data-testid="claim-do">{busy ? "One moment…" : "Begin"}</button>
      </form>
    </Gate>
  );
}
