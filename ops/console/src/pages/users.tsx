// Who may sign in and do what, and the tokens by which other programs send events.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api";
import { useData } from "../live";
import { useUser } from "../session";
import type { List, Role, Token, User } from "../types";
import { kRoles } from "../words";
import { CopyButton, Empty, Field, Page, Shown, When } from "../ui/basic";
import { Ask, Dialog, toast } from "../ui/dialog";

export function UsersPage(): JSX.Element {
  const me = useUser();
  const users = useData<List<User>>("/v1/users");
  const tokens = useData<List<Token>>("/v1/tokens");
  const [adding, setAdding] = useState(false);
  const [editing, setEditing] = useState<User | null>(null);
  const [resetting, setResetting] = useState<User | null>(null);
  const [addingToken, setAddingToken] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const [secret, setSecret] = useState<{ title: string; text: string; more: string } | null>(null);
  const [login, setLogin] = useState("");
  const [name, setName] = useState("");
  const [roles, setRoles] = useState<Role[]>(["analyst"]);
  const [tokenName, setTokenName] = useState("");
  const showLink = (path: string, who: string): void => {
    const link = new URL(path, location.origin).href;
    setSecret({ title: `One-time link for ${who}`, text: link, more: "Give it to this person alone, by a way you trust. It works once; they choose their password with it. It is not shown again." });
  };
  return (
    <Page title="Users and tokens">
      <section class="card flush" aria-label="Users">
        <div class="card-head"><h2>Users</h2><button type="button" class="button" data-testid="user-add" onClick={() => {
          setLogin("");
          setName("");
          setRoles(["analyst"]);
          setAdding(true);
        }}>Add a user…</button></div>
        <Shown of={users} what="the users">
          {(data) => <ul class="list" data-testid="users">{data.items.map((user) => (
            <li key={user.login}><div class="item" data-testid="user" data-login={user.login}>
              <span class="stack tight"><span class="item-title">{user.name || user.login}{user.login === me.login ? " (you)" : ""}</span><span class="item-meta"><span>{user.login}</span><span>{user.roles.map((role) => kRoles[role]?.label ?? role).join(", ") || "no role"}</span>{user.disabled && <span class="badge tone-medium">Switched off</span>}{user.claimed === false && <span class="badge tone-plain">Has not signed in yet</span>}</span></span>
              <span class="item-side"><span class="row"><button type="button" class="button small" aria-label={`Change ${user.login}`} onClick={() => {
                setName(user.name);
                setRoles(user.roles);
                setEditing(user);
              }}>Change…</button><button type="button" class="button small" aria-label={`New link for ${user.login}`} onClick={() => setResetting(user)}>New link…</button></span></span>
            </div></li>
          ))}</ul>}
        </Shown>
      </section>
      <section class="card flush" aria-label="Tokens">
        <div class="card-head"><h2>Tokens for programs</h2><button type="button" class="button" data-testid="token-add" onClick={() => {
          setTokenName("");
          setAddingToken(true);
        }}>Add a token…</button></div>
        <Shown of={tokens} what="the tokens">
          {(data) => data.items.length ? <ul class="list">{data.items.map((token) => (
            <li key={token.id ?? token.name}><div class="item"><span class="stack tight"><span class="item-title">{token.name}</span><span class="item-meta"><span>may {(token.roles ?? [token.role]).includes("shipper") ? "send events" : (token.roles ?? [token.role]).join(", ")}</span>{token.created && <span>made <When time={token.created} /></span>}{token.last_used && <span>last used <When time={token.last_used} relative /></span>}</span></span><span class="item-side"><button type="button" class="button small" aria-label={`Revoke ${token.name}`} onClick={() => setRevoking(token)}>Revoke…</button></span></div></li>
          ))}</ul> : <Empty title="No tokens">A log shipper needs one to send events to Tocsin.</Empty>}
        </Shown>
      </section>
      {adding && (
        <Ask title="Add a user" action="Add and make a link" testid="user-dialog" ready={login.trim() !== "" && roles.length > 0} onClose={() => setAdding(false)} onDo={async () => {
          const made = await api.post<{ claim_url: string }>("/v1/users", { login: login.trim(), name: name.trim() || login.trim(), roles });
          users.reload();
          showLink(made.claim_url, name.trim() || login.trim());
        }}>
          <Field label="Login name">{(attributes) => <input class="input" {...attributes} autocapitalize="none" spellcheck={false} autocomplete="off" value={login} data-testid="user-login" onInput={(event) => setLogin(event.currentTarget.value)} />}</Field>
          <Field label="Name">{(attributes) => <input class="input" {...attributes} autocomplete="off" value={name} data-testid="user-name" onInput={(event) => setName(event.currentTarget.value)} />}</Field>
          <Roles value={roles} onChange={setRoles} />
        </Ask>
      )}
      {editing && (
        <Ask title={`Change ${editing.login}`} action="Save" ready={roles.length > 0} onClose={() => setEditing(null)} onDo={async () => {
          await api.patch(`/v1/users/${encodeURIComponent(editing.login)}`, { name, roles });
          toast("Saved.");
          users.reload();
        }}>
          <Field label="Name">{(attributes) => <input class="input" {...attributes} value={name} onInput={(event) => setName(event.currentTarget.value)} />}</Field>
          <Roles value={roles} onChange={setRoles} />
          {editing.login !== me.login && <div><button type="button" class="button danger" onClick={() => void api.patch(`/v1/users/${encodeURIComponent(editing.login)}`, { disabled: !editing.disabled }).then(() => {
            toast(editing.disabled ? "Switched on again." : "Switched off: they are signed out now.");
            users.reload();
            setEditing(null);
          }, () => toast("That did not work."))}>{editing.disabled ? "Switch on again" : "Switch off: may no longer sign in"}</button></div>}
        </Ask>
      )}
      {resetting && <Ask title={`New link for ${resetting.name || resetting.login}`} action="Make a link" testid="reset-dialog" onClose={() => setResetting(null)} onDo={async () => {
        const made = await api.post<{ claim_url: string }>(`/v1/users/${encodeURIComponent(resetting.login)}/reset`);
        showLink(made.claim_url, resetting.name || resetting.login);
      }}><p>They choose a new password with it. The old one stops working.</p></Ask>}
      {addingToken && <Ask title="Add a token" action="Make a token" ready={tokenName.trim() !== ""} testid="token-dialog" onClose={() => setAddingToken(false)} onDo={async () => {
        const made = await api.post<{ token: string }>("/v1/tokens", { name: tokenName.trim(), role: "shipper", roles: ["shipper"] });
        tokens.reload();
        setSecret({ title: `Token ${tokenName.trim()}`, text: made.token, more: "Put it into the shipper’s settings as “Authorization: Bearer …”. It is not shown again." });
      }}><p>With it a log shipper may send events, and nothing else.</p><Field label="Name of the program">{(attributes) => <input class="input" {...attributes} value={tokenName} data-testid="token-name" onInput={(event) => setTokenName(event.currentTarget.value)} />}</Field></Ask>}
      {revoking && <Ask title={`Revoke ${revoking.name}`} action="Revoke" danger onClose={() => setRevoking(null)} onDo={async () => {
        await api.delete(`/v1/tokens/${encodeURIComponent(revoking.id ?? revoking.name)}`);
        tokens.reload();
      }}><p>The program that uses it can send nothing from now on.</p></Ask>}
      {secret && (
        <Dialog title={secret.title} onClose={() => setSecret(null)} testid="secret-dialog">
          <p>{secret.more}</p>
          <pre class="block" data-testid="secret">{secret.text}</pre>
          <div class="dialog-foot"><CopyButton text={secret.text} /><button type="button" class="button primary" data-testid="secret-close" onClick={() => setSecret(null)}>I have kept it</button></div>
        </Dialog>
      )}
    </Page>
  );
}

function Roles({ value, onChange }: { value: Role[]; onChange: (roles: Role[]) => void }): JSX.Element {
  return (
    <fieldset class="plain-set stack tight"><legend class="strong">Roles</legend>{(Object.keys(kRoles) as Role[]).map((role) => (
      <label class="check" key={role}><input type="checkbox" checked={value.includes(role)} data-testid={`role-${role}`} onChange={(event) => onChange(event.currentTarget.checked ? [...value, role] : value.filter((one) => one !== role))} /><span><strong>{kRoles[role].label}</strong>: {kRoles[role].more}</span></label>
    ))}</fieldset>
  );
}
