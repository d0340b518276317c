// The frame around every page: who is signed in, where things are, keys that work everywhere.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, hearTime, keepSession, problemFrom, whenSignedOut, type Problem } from "./api";
import { startLive, stopLive, useConnected, useData } from "./live";
import { go, useRoute } from "./router";
import { SessionContext, may } from "./session";
import type { Overview, Session, User } from "./types";
import { kRoles } from "./words";
import { Bell, Failure, Loading, Page } from "./ui/basic";
import { Dialog, Toasts } from "./ui/dialog";
import { Claim, Gate, Login } from "./pages/gate";
import { OverviewPage } from "./pages/overview";
import { AlertPage, AlertsPage } from "./pages/alerts";
import { IncidentPage, IncidentsPage } from "./pages/incidents";
import { NoticePage } from "./pages/notice";
import { TasksPage } from "./pages/tasks";
import { PeoplePage } from "./pages/people";
import { SourcePage, SourcesPage } from "./pages/sources";
import { LedgerPage } from "./pages/ledger";
import { RulesPage, SilencesPage } from "./pages/rules";
import { UsersPage } from "./pages/users";
import { shortcutsOn } from "./keys";

const kNav: { path: string; label: string; key?: string; admin?: boolean }[] = [
  { path: "overview", label: "Overview", key: "o" },
  { path: "alerts", label: "Alerts", key: "a" },
  { path: "incidents", label: "Incidents", key: "i" },
  { path: "tasks", label: "Tasks", key: "t" },
  { path: "people", label: "People", key: "p" },
];
const kNavMore: typeof kNav = [
  { path: "sources", label: "Sources", key: "s" },
  { path: "rules", label: "Rules", key: "r" },
  { path: "silences", label: "Silences" },
  { path: "ledger", label: "Ledger", key: "l" },
  { path: "users", label: "Users and tokens", key: "u", admin: true },
];

function content(parts: string[]): JSX.Element {
  const [area = "overview", id = ""] = parts;
  switch (area) {
    case "overview": return <OverviewPage />;
    case "alerts": return id ? <AlertPage key={id} id={id} /> : <AlertsPage />;
    case "incidents": return id ? <IncidentPage key={id} id={id} /> : <IncidentsPage />;
    case "notices": return <NoticePage key={id} id={id} />;
    case "tasks": return <TasksPage />;
    case "people": return <PeoplePage />;
    case "sources": return id ? <SourcePage key={id} name={id} /> : <SourcesPage />;
    case "rules": return <RulesPage />;
    case "silences": return <SilencesPage />;
    case "ledger": return <LedgerPage />;
    case "users": return <UsersPage />;
    default: return <Page title="There is no such page"><p>The link may be incomplete. <a href="#/overview">Go to the overview</a>.</p></Page>;
  }
}

export function App(): JSX.Element {
  const [user, setUser] = useState<User | null | undefined>(undefined);
  const [error, setError] = useState<Problem>();
  const route = useRoute();
  const enter = (session: Session): void => {
    keepSession(session);
    setUser(session.user);
    startLive();
  };
  const load = (): void => {
    setError(undefined);
    api.get<Session>("/v1/session").then(enter, (caught) => {
      const problem = problemFrom(caught);
      if (problem.status === 401 || problem.status === 404) setUser(null);
      else setError(problem);
    });
  };
  useEffect(() => {
    whenSignedOut(() => {
      stopLive();
      setUser(null);
    });
    load();
  }, []);
  if (route.parts[0] === "claim") {
    return <Claim token={route.parts[1] ?? ""} onEnter={(session) => {
      enter(session);
      go("/overview", true);
    }} />;
  }
  if (error) return <Gate title={error.status === 0 ? "Tocsin cannot be reached" : "Tocsin cannot be opened"}><Failure error={error} retry={load} /></Gate>;
  if (user === undefined) return <main class="gate"><div class="gate-box card"><Loading what="Tocsin" /></div></main>;
  if (user === null) return <Login onEnter={enter} />;
  const leave = async (): Promise<void> => {
    stopLive();
    await api.delete("/v1/session").catch(() => undefined); // the cookie is gone either way, or the server is
    setUser(null);
    location.hash = "";
  };
  return <SessionContext.Provider value={user}><Shell user={user} parts={route.parts} onLeave={leave} /></SessionContext.Provider>;
}

function Shell({ user, parts, onLeave }: { user: User; parts: string[]; onLeave: () => void }): JSX.Element {
  const [help, setHelp] = useState(false);
  const [menu, setMenu] = useState(false);
  const connected = useConnected();
  const overview = useData<Overview>("/v1/overview", ["alert", "incident", "task", "overview"]);
  useEffect(() => {
    if (overview.data) hearTime(overview.data.now);
  }, [overview.data]);
  const area = parts[0] === "notices" ? "incidents" : parts[0] ?? "overview";
  const organisation = overview.data ? (typeof overview.data.organisation === "string" ? overview.data.organisation : overview.data.organisation?.name) : "";
  const counts: Record<string, number> = { alerts: overview.data?.alerts?.by_level ? overview.data.alerts.open : 0, tasks: overview.data?.tasks?.late ?? 0 };
  const countWords: Record<string, string> = { alerts: "open", tasks: "late" };
  const more = kNavMore.filter(({ admin }) => !admin || may(user, "admin"));

  useEffect(() => {
    let pending = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const press = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select, dialog[open], [role=tablist]") || document.querySelector("dialog[open]")) return;
      if (event.key === "?") {
        event.preventDefault();
        setHelp(true);
      } else if (!shortcutsOn()) return;
      else if (pending) {
        pending = false;
        const to = [...kNav, ...more].find(({ key }) => key === event.key);
        if (to) {
          event.preventDefault();
          event.stopImmediatePropagation();
          go(`/${to.path}`);
        }
      } else if (event.key === "g") {
        pending = true;
        clearTimeout(timer);
        timer = setTimeout(() => {
          pending = false;
        }, 1500);
      } else if (event.key === "/") {
        const search = document.querySelector<HTMLInputElement>("main input[type=search]");
        if (search) {
          event.preventDefault();
          search.focus();
        }
      }
    };
    addEventListener("keydown", press, true);
    return () => removeEventListener("keydown", press, true);
  }, [user]);
  useEffect(() => setMenu(false), [parts.join("/")]);

  const link = ({ path, label }: { path: string; label: string }): JSX.Element => (
    <li key={path}><a href={`#/${path}`} aria-current={area === path ? "page" : undefined} data-testid={`nav-${path}`}>
      <span>{label}</span>
      {(counts[path] ?? 0) > 0 && <span class="count">{counts[path]}<span class="visually-hidden"> {countWords[path]}</span></span>}
    </a></li>
  );
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      }}>Skip to the content</a>
      <div class="shell">
        <header class="rail">
          <a class="brand" href="#/overview"><Bell />Tocsin</a>
          <nav aria-label="Main"><ul class="nav">{kNav.map(link)}</ul></nav>
          <nav aria-label="Set-up and record"><div class="nav-title">Set-up and record</div><ul class="nav">{more.map(link)}</ul></nav>
          <div class="rail-foot">
            <Live connected={connected} />
            <ThemeButton class="rail-button" />
            <button type="button" class="rail-button" data-testid="help" onClick={() => setHelp(true)}>Help and keys <kbd aria-hidden="true" class="rail-key">?</kbd></button>
            <button type="button" class="rail-button" data-testid="logout" onClick={onLeave}>Sign out {user.name || user.login}</button>
            {organisation && <span class="rail-org">{organisation}</span>}
          </div>
        </header>
        <main id="main" class="main" tabIndex={-1} data-route={`/${parts.join("/")}`}>{content(parts)}</main>
      </div>
      <nav class="tabbar" aria-label="Main, on a phone">
        {kNav.slice(0, 4).map(({ path, label }) => (
          <a key={path} href={`#/${path}`} aria-current={area === path ? "page" : undefined}>
            <Icon of={path} /><span>{label}</span>{(counts[path] ?? 0) > 0 && <span class="count">{counts[path]}</span>}
          </a>
        ))}
        <button type="button" onClick={() => setMenu(true)} aria-haspopup="dialog" data-testid="menu"><Icon of="more" /><span>More</span></button>
      </nav>
      {menu && (
        <Dialog title="More" onClose={() => setMenu(false)}>
          <div class="sheet-nav">
            {[kNav[4]!, ...more].map(({ path, label }) => <a key={path} href={`#/${path}`}>{label}</a>)}
            <ThemeButton />
            <button type="button" onClick={() => {
              setMenu(false);
              setHelp(true);
            }}>Help</button>
            <button type="button" onClick={onLeave}>Sign out {user.name || user.login}</button>
          </div>
          <div class="quiet"><Live connected={connected} /></div>
          <div class="dialog-foot"><button type="button" class="button" onClick={() => setMenu(false)}>Close</button></div>
        </Dialog>
      )}
      {help && <Help user={user} onClose={() => setHelp(false)} />}
      <Toasts />
    </>
  );
}

function Live({ connected }: { connected: boolean }): JSX.Element {
  return <div class="live" data-testid="live"><span class={`live-dot ${connected ? "" : "off"}`} aria-hidden="true" />{connected ? "Live" : "Reconnecting; reading every 30 s"}</div>;
}

function ThemeButton({ class: name }: { class?: string }): JSX.Element {
  const root = document.documentElement;
  const [theme, setTheme] = useState(root.dataset.theme ?? "");
  const next = theme === "" ? "light" : theme === "light" ? "dark" : "";
  return (
    <button type="button" class={name} data-testid="theme" onClick={() => {
      if (next) root.dataset.theme = next;
      else delete root.dataset.theme;
      try {
        if (next) localStorage.setItem("tocsin.theme", next);
        else localStorage.removeItem("tocsin.theme");
      } catch {
        // storage switched off: the choice lasts until the page is closed
      }
      setTheme(next);
    }}>Colours: {theme === "" ? "as the system" : theme}</button>
  );
}

function Help({ user, onClose }: { user: User; onClose: () => void }): JSX.Element {
  const [on, setOn] = useState(shortcutsOn());
  const keys: [string[], string][] = [
    [["j"], "next alert in the queue"], [["k"], "the one before"], [["Enter"], "open it"],
    [["a"], "acknowledge: you look after it"], [["f"], "false positive, with a reason"], [["i"], "make an incident of it"],
    [["/"], "go to the search field"], [["g", "o"], "go to the overview; likewise g a alerts, g i incidents, g t tasks, g p people"],
    [["?"], "this page"], [["Esc"], "close a dialog"],
  ];
  return (
    <Dialog title="Help and keys" onClose={onClose} wide testid="help-dialog">
      <p>Tocsin reads audit logs, rings when people’s data is touched in a way it should not be, names the people concerned, and stays with the matter until they have been told and the hole is closed.</p>
      <h3>The words</h3>
      <dl class="facts">
        <dt>Alert</dt><dd>Something a rule noticed, with the log lines that show it. You decide: harmless, or an incident.</dd>
        <dt>Incident</dt><dd>A suspected or confirmed personal-data breach, with everything that follows from it.</dd>
        <dt>Duty</dt><dd>What a law asks after an incident: whom to tell, by when, with which content.</dd>
        <dt>Notice</dt><dd>The message to each affected person. One writes it, another approves it, it goes out once.</dd>
        <dt>Ledger</dt><dd>The record of every decision. It can be added to, never rewritten, and anyone can check it.</dd>
      </dl>
      <h3>Keys</h3>
      <dl class="keys">{keys.map(([names, what]) => <><dt>{names.map((name) => <><kbd>{name}</kbd> </>)}</dt><dd>{what}</dd></>)}</dl>
      <label class="check"><input type="checkbox" checked={on} onChange={(event) => {
        setOn(event.currentTarget.checked);
        try {
          localStorage.setItem("tocsin.keys", event.currentTarget.checked ? "on" : "off");
        } catch {
          // not kept: storage is switched off
        }
      }} /><span>Single keys do something. Switch this off if you speak to your computer.</span></label>
      <p class="small quiet">You are {user.name} ({user.login}): {user.roles.map((role) => `${kRoles[role]?.label ?? role}, who ${kRoles[role]?.more ?? ""}`).join("; ")}.</p>
      <div class="dialog-foot"><button type="button" class="button primary" onClick={onClose}>Close</button></div>
    </Dialog>
  );
}

function Icon({ of }: { of: string }): JSX.Element {
  const shapes: Record<string, JSX.Element> = {
    overview: <path d="M4 12 12 5l8 7v7.500a.5.5 0 0 1-.5.5H15v-5H9v5H4.500a.5.5 0 0 1-.5-.5z" />,
    alerts: <path d="M12 4a5.500 5.500 0 0 0-5.500 5.500V14L5 16.500h14L17.500 14V9.500A5.500 5.500 0 0 0 12 4zm-2 14.500a2 2 0 0 0 4 0" />,
    incidents: <path d="M12 4 21 19.500H3zM12 10v4.500m0 2.200v.1" />,
    tasks: <path d="M5 6.500 6.500 8 9 5m-4 7.500L6.500 14 9 11m-4 7.500L6.500 20 9 17M12 7h8m-8 6h8m-8 6h8" />,
    more: <path d="M5 7h14M5 12h14M5 17h14" />,
  };
  return <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.700" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{shapes[of]}</svg>;
}

