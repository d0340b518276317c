// People and the evidence about them: the list of an alert or incident, the sets that were frozen, single accesses.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api, query } from "../api";
import { useData } from "../live";
import type { Access, AccessList, Frozen, People, Person, Revealed } from "../types";
import { count, howMany, humanise, kGrades, kPersonGrades, number, reachedData, wayName, word } from "../words";
import { Choice, Empty, Explain, Field, Shown, State, When } from "./basic";
import { Ask, toast } from "./dialog";
import { Needs, Pager } from "./shared";

const kEvents = 5; // accesses shown of each person

// Where the record of an access stands.
function place(access: Access): JSX.Element {
  const { event, sealed } = access;
  if (!event) {
    return <span class="quiet" data-testid="sealed">{sealed ? <>older: known to the second, without its line <Explain about="older accesses">
      The index keeps who reached whom, when, how and how sure. The record itself is one of events {number(sealed.first)} to {number(sealed.last)} of the journal, as long as the journal is kept:{" "}
      <code>tocsin journal show --from {sealed.first} --to {sealed.last}</code>, while the engine is stopped.</Explain></> : "older: known to the second, without its line"}</span>;
  }
  const file = event.file.slice(event.file.lastIndexOf("/") + 1);
  return <span class="break" title={[event.source, event.file].filter(Boolean).join(", ")}>{file ? `${file}${event.line ? `, line ${number(event.line)}` : ""}` : `event ${number(event.number ?? 0)}`}</span>;
}

const kNamedBy: Record<string, string> = {
  account: "The account that logged in, as the server that wrote the log knew it.",
  role: "Taken on by SET ROLE: the database checked that the account may.",
  application: "The name that the client gave itself. Whoever writes the program may write anything there.",
  record: "Named in the record, by a field of the log or a comment of the statement: as true as whoever wrote that.",
};

/** How the actor appeared in a record: what the log's server vouches for, and what is the client's own word. */
export function appearance(access: Access): string[] {
  const { actor, account, role, application, client, named_by } = access;
  return [
    account && account !== actor ? `account ${account}` : "",
    named_by === "record" ? "named in the record" : "",
    role && role !== account ? `by SET ROLE ${role}` : "",
    application ? `application “${application}” (its own word)` : "",
    client ? `from ${client}` : "",
  ].filter(Boolean);
}

// The different ways in which an actor appears in the newest records of an alert, and how far each can be believed.
export function SeenAs({ base }: { base: string }): JSX.Element | null {
  const loaded = useData<People>(`${base}/people${query({ limit: 20, events: 10 })}`, ["alert"]);
  const all = (loaded.data?.items ?? []).flatMap((person) => person.accesses?.items ?? []).filter((access) => access.named_by);
  if (!all.length) return null;
  const different = new Map(all.map((access) => [appearance(access).join(", "), access]));
  const shown = [...different].slice(0, 5);
  return (
    <ul class="plain stack tight small" data-testid="seen-as">
      {shown.map(([words, access]) => <li key={words}>{words || `account ${access.account ?? access.actor}`} <Explain left about="who this is">{kNamedBy[access.named_by ?? ""] ?? ""}</Explain></li>)}
      {different.size > shown.length && <li class="quiet">and {count(different.size - shown.length, "other way", "other ways")}, in the evidence of each person</li>}
    </ul>
  );
}

export function AccessRow({ access, actor }: { access: Access; actor?: boolean }): JSX.Element {
  return (
    <span class="access" data-testid="access">
      <When time={access.first} /> · {wayName(access.way)}{actor && <> by <strong>{access.actor || "not known"}</strong></>}{appearance(access).length > 0 && <span class="quiet">, {appearance(access).join(", ")}</span>} · {place(access)}
      {access.whole && <> · <span class="quiet">everyone in {access.dataset}</span></>}
    </span>
  );
}

// The newest accesses, one press away.
export function Accesses({ list, actor }: { list: AccessList; actor?: boolean }): JSX.Element {
  if (!list.total) return <span class="quiet">none kept</span>;
  return (
    <details data-testid="accesses">
      <summary>{count(list.total, "access", "accesses")}</summary>
      <ul class="plain stack tight">{list.items.map((access, index) => <li key={index}><AccessRow access={access} {...(actor && { actor })} /></li>)}</ul>
      {list.items.length < list.total && <p class="small quiet">and {number(list.total - list.items.length)} earlier</p>}
    </details>
  );
}

// Where people live, by country, most first.
export function Countries({ of }: { of: People["by_country"] | undefined }): JSX.Element | null {
  const countries = Array.isArray(of) ? of.map(({ country, count: n }) => [country, n] as [string, number]) : Object.entries(of ?? {});
  if (!countries.length) return null;
  countries.sort((a, b) => b[1] - a[1]);
  return <p class="small quiet" data-testid="countries">Where they live, as far as the register says: {countries.map(([country, n]) => `${country || "not known"} ${number(n)}`).join(" · ")}</p>;
}

// Whom the approved notices are about, and who has come since: shown until a manager takes them in.
function FrozenPeople({ base, frozen, onChanged }: { base: string; frozen: Frozen; onChanged: () => void }): JSX.Element {
  const [taking, setTaking] = useState(false);
  const [first] = frozen.sets;
  return (
    <section class="card" data-testid="frozen" aria-label="Whom the notices are about">
      <h2>Whom the notices are about <Explain about="frozen">With the first approved notice the set of people is frozen, so that what was decided stays what was decided. Its fingerprint is in the ledger, and anybody can work it out again.</Explain></h2>
      <ul class="plain stack tight">{frozen.sets.map((set) => (
        <li key={set.set} data-testid="frozen-set" data-people={set.people}>
          <strong>{count(set.people, "person", "people")}</strong> {set === first ? "frozen" : "added"} on <When time={set.time} /> by {set.by}, fingerprint <code class="break" title={set.hash}>{set.hash.slice(0, 16)}…</code>
          {set.notice && <> (<a href={`#/notices/${encodeURIComponent(set.notice)}`}>notice</a>)</>}
        </li>
      ))}</ul>
      {frozen.added === 0 ? <p class="quiet" data-testid="frozen-added" data-added="0">Nobody has come since.</p> : (
        <div class="note medium" data-testid="frozen-added" data-added={frozen.added}>
          <p><strong>Since then {count(frozen.added, "more person", "more people")} would be affected</strong>, by {count(frozen.events_total, "event", "events")}. Notices do not reach them until they are taken in.</p>
          <ul class="plain stack tight">{frozen.events.map((event, index) => <li key={index}><AccessRow access={event} actor /> · {count(event.people ?? 0, "person", "people")} of them</li>)}</ul>
          {frozen.events.length < frozen.events_total && <p class="small quiet">and {number(frozen.events_total - frozen.events.length)} earlier</p>}
          <div><Needs roles={["manager"]} what="take them in"><button type="button" class="button" data-testid="frozen-take" onClick={() => setTaking(true)}>Take them in…</button></Needs></div>
        </div>
      )}
      {taking && <Ask title={`Take in ${count(frozen.added, "person", "people")}`} action="Take in" reason="Why do they belong to this incident?" testid="frozen-dialog" onClose={() => setTaking(false)} onDo={async (reason) => {
        await api.post(`${base}/frozen`, { people: frozen.added, reason });
        toast("Taken in. Draft a notice for them; everybody else has had theirs.");
        onChanged();
      }}><p>They become a further set of this incident, with its own fingerprint in the ledger. The next approved notice reaches only those who have not had one.</p></Ask>}
    </section>
  );
}

const kPage = 25;
// Who was reached, a page at a time, by pseudonym. Names come only for a reason, and asking is recorded.
export function PeopleTable({ base, about }: { base: string; about: { alert?: string; incident?: string } }): JSX.Element {
  const [set, setSet] = useState("now");
  const [offset, setOffset] = useState(0);
  const [marked, setMarked] = useState<Set<string>>(new Set());
  const [names, setNames] = useState<Map<string, Revealed>>(new Map());
  const [asking, setAsking] = useState<string[] | null>(null);
  const loaded = useData<People>(`${base}/people${query({ offset: String(offset), limit: kPage, events: kEvents, ...(about.incident && { set }) })}`, ["alert", "incident", "notice"]);
  const toggle = (pseudonym: string): void => setMarked((old) => {
    const next = new Set(old);
    if (!next.delete(pseudonym)) next.add(pseudonym);
    return next;
  });
  return (
    <Shown of={loaded} what="the people">
      {(people) => {
        const items = people.items ?? [];
        const total = people.total ?? items.length;
        const chosen = items.filter(({ pseudonym }) => marked.has(pseudonym)).map(({ pseudonym }) => pseudonym);
        const grade = word(kGrades, people.grade);
        return (
          <div class="stack">
            <section class="card" aria-label="How many, and how sure">
              <div class="row spread">
                <div class="row"><h2 data-testid="people-count">{howMany(people)}</h2><State of={kGrades} value={people.grade} testid="grade" /></div>
                {people.dataset && <span class="quiet">from <strong>{people.dataset}</strong></span>}
              </div>
              <p data-testid="grade-explained">{grade.more}</p>
              {people.reasons?.length > 0 && <details><summary>How Tocsin knows</summary><ul>{people.reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul></details>}
              {people.kinds?.length ? <p class="small quiet">Kinds of data: {people.kinds.map(humanise).join(", ")}</p> : null}
              <Countries of={people.by_country} />
            </section>
            {people.frozen && about.incident && <FrozenPeople base={base} frozen={people.frozen} onChanged={() => {
              setOffset(0);
              loaded.reload();
            }} />}
            {people.frozen && <Field label="Show">{(attributes) => <Choice {...attributes} value={set} data-testid="people-set" onChange={(to) => {
              setOffset(0);
              setSet(to);
            }} options={[["now", "Everyone known now"], ["frozen", "Those who were decided on"], ...(people.frozen!.added > 0 ? [["added", "Those who came since"] as [string, string]] : [])]} />}</Field>}
            {!items.length && <Empty title="No list of people">{people.grade === "unknown" ? "The log does not say who was reached." : "No person is known to have been reached."}</Empty>}
            {items.length > 0 && (
              <>
                <div class="row spread">
                  <p class="quiet small">People are shown by pseudonym, a code that stands for one person. <Explain about="pseudonyms">Names are kept in the vault. You can reveal them when you have a reason; the reason is recorded in the ledger with your name.</Explain></p>
                  <Needs roles={["analyst", "manager"]} what="reveal names"><button type="button" class="button small" data-testid="reveal" onClick={() => setAsking(chosen.length ? chosen : items.map(({ pseudonym }) => pseudonym))}>
                    Reveal {chosen.length ? count(chosen.length, "name", "names") : "the names on this page"}…
                  </button></Needs>
                </div>
                <div class="table-wrap" role="region" aria-label="People reached" tabIndex={0}>
                  <table data-testid="people">
                    <thead><tr><th scope="col"><span class="visually-hidden">Choose</span></th><th scope="col">Person</th><th scope="col">How sure</th><th scope="col">Data reached</th><th scope="col">First</th><th scope="col">Last</th><th scope="col">In the register</th><th scope="col">Evidence</th></tr></thead>
                    <tbody>{items.map((person: Person) => {
                      const name = names.get(person.pseudonym);
                      return (
                        <tr key={person.pseudonym} data-testid="person">
                          <td><input type="checkbox" aria-label={`Choose person ${person.pseudonym.slice(0, 8)}`} checked={marked.has(person.pseudonym)} onChange={() => toggle(person.pseudonym)} /></td>
                          <td>{name
                            ? <span class="stack tight"><strong>{name.name ?? "name not in the register"}</strong><span class="small quiet">id {name.id ?? "not known"}</span></span>
                            : <code title={person.pseudonym}>{person.pseudonym.slice(0, 12)}…</code>}</td>
                          <td><State of={kPersonGrades} value={person.grade} /></td>
                          <td>{person.fields?.length ? reachedData(person.fields) : <span class="quiet">not known</span>}</td>
                          <td><When time={person.first} /></td><td><When time={person.last} /></td>
                          <td>{person.in_register === null || person.in_register === undefined ? "not known" : person.in_register ? "yes" : "no"}{person.erased && ", erased"}</td>
                          <td>{person.accesses ? <Accesses list={person.accesses} actor /> : <span class="quiet">frozen with set {person.set}</span>}</td>
                        </tr>
                      );
                    })}</tbody>
                  </table>
                </div>
                <Pager offset={offset} page={kPage} total={total} onChange={setOffset} />
              </>
            )}
            {asking && (
              <Ask title={`Reveal ${count(asking.length, "name", "names")}`} action="Reveal" reason="Why do you need to know who they are?" testid="reveal-dialog" onClose={() => setAsking(null)}
                onDo={async (reason) => {
                  const answer = await api.post<{ items: Revealed[] }>("/v1/people/reveal", { pseudonyms: asking, reason, ...about });
                  setNames((old) => new Map([...old, ...answer.items.map((item) => [item.pseudonym, item] as [string, Revealed])]));
                  toast(`${count(answer.items.length, "name", "names")} revealed; recorded in the ledger.`);
                }}>
                <p>Names are personal data too. Look only at those you need.</p>
              </Ask>
            )}
          </div>
        );
      }}
    </Shown>
  );
}
