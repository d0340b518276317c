// Parts that more than one page shows: history, tasks, exposure in words, paging.
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api";
import { may, useUser } from "../session";
import type { ExposureSummary, History, Role, Task, TaskState } from "../types";
import { fieldName, howMany, kGrades, kTaskStates, number, readable, valueName, whoMay, word } from "../words";
import { fromInput, toInput } from "../time";
import { Choice, Clock, Empty, Explain, Field, State, When } from "./basic";
import { Ask, toast } from "./dialog";

// One value of a change: a state by its name, a time as a time, a fingerprint cut short.
function Value({ text }: { text: string }): JSX.Element {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text)) return <When time={text} />;
  if (/^[0-9a-f]{64}$/.test(text)) return <code title={text}>{text.slice(0, 8)}…</code>;
  return <>{valueName(text)}</>;
}

export function HistoryList({ items }: { items: History[] }): JSX.Element {
  if (!items.length) return <p class="quiet">Nothing has been changed yet.</p>;
  return (
    <ol class="history" data-testid="history">
      {[...items].sort((a, b) => b.time.localeCompare(a.time)).map((row, index) => (
        <li key={index}>
          <span>
            {row.about && row.subject !== "incident" ? <>{row.about} · </> : null}<strong>{fieldName(row.field)}</strong>
            {row.from ? <>: <Value text={row.from} /> → <Value text={row.to ?? "nothing"} /></> : row.to ? <>: <Value text={row.to} /></> : null}
          </span>
          {row.reason && <span>“{readable(row.reason)}”</span>}
          <span class="small quiet">{!row.by || row.by === "tocsin" ? "Tocsin" : row.by} · <When time={row.time} /></span>
        </li>
      ))}
    </ol>
  );
}

export function Exposure({ of, long }: { of: ExposureSummary | null | undefined; long?: boolean }): JSX.Element | null {
  if (!of) return null;
  const grade = word(kGrades, of.grade);
  return (
    <span class="row" data-testid="exposure">
      <span class="strong">{howMany(of)}</span>
      <State of={kGrades} value={of.grade} testid="grade" />
      {!long && <Explain about={`the grade “${grade.label}”`}>{grade.more}</Explain>}
      {long && <span class="quiet" data-testid="grade-explained">{grade.more}</span>}
    </span>
  );
}

// What only some roles may do: for the others a word on whom to ask, in place of a button that would refuse.
export function Needs({ roles, what, quiet, children }: { roles: Role[]; what: string; quiet?: boolean; children: ComponentChildren }): JSX.Element | null {
  const user = useUser();
  if (may(user, ...roles)) return <>{children}</>;
  return quiet ? null : <span class="small quiet" data-testid="needs-role">Only {whoMay(roles)} can {what}.</span>;
}

export function Pager({ offset, page, total, onChange }: { offset: number; page: number; total: number; onChange: (offset: number) => void }): JSX.Element | null {
  if (total <= page) return <p class="small quiet">{number(total)} in all</p>;
  return (
    <nav class="row" aria-label="Pages of the list">
      <button type="button" class="button small" disabled={offset === 0} onClick={() => onChange(Math.max(0, offset - page))}>Earlier</button>
      <span class="small quiet" role="status">{number(offset + 1)}–{number(Math.min(total, offset + page))} of {number(total)}</span>
      <button type="button" class="button small" disabled={offset + page >= total} onClick={() => onChange(offset + page)}>Next</button>
    </nav>
  );
}

// ------------------------------------------------------------------- tasks
export function TaskList({ tasks, showIncident, logins, onChanged }: { tasks: Task[]; showIncident?: boolean; logins: string[]; onChanged: () => void }): JSX.Element {
  const [open, setOpen] = useState<Task | null>(null);
  if (!tasks.length) return <Empty title="No tasks here" />;
  return (
    <>
      <ul class="list" data-testid="tasks">
        {tasks.map((task) => (
          <li key={task.id}>
            <div class="item" data-testid="task" data-id={task.id} data-state={task.state}>
              <div class="stack tight">
                <span class="item-title">{task.title}</span>
                {task.detail && <p class="quiet">{task.detail}</p>}
                <span class="item-meta">
                  {showIncident && <a href={`#/incidents/${encodeURIComponent(task.incident)}`}>{task.number}</a>}
                  <span>{task.owner ? <>Owner: <strong>{task.owner}</strong></> : task.owner_role ? `No owner yet: a task for ${whoMay([task.owner_role as Role])}` : "No owner yet"}</span>
                  {task.proof && <span>Proof: {task.proof}</span>}
                  {task.done_at && <span>done <When time={task.done_at} />{task.done_by ? ` by ${task.done_by}` : ""}</span>}
                </span>
              </div>
              <div class="item-side">
                <span class="row"><State of={kTaskStates} value={task.state} testid="task-state" />{task.late && task.state !== "done" && <span class="badge tone-critical">Late</span>}</span>
                {(task.state === "open" || task.state === "doing") && task.due && <Clock due={task.due} />}
                <button type="button" class="button small" data-testid="task-edit" aria-label={`Change task: ${task.title}`} onClick={() => setOpen(task)}>Change…</button>
              </div>
            </div>
          </li>
        ))}
      </ul>
      {open && <TaskDialog task={open} logins={logins} onClose={() => setOpen(null)} onChanged={onChanged} />}
    </>
  );
}

function TaskDialog({ task, logins, onClose, onChanged }: { task: Task; logins: string[]; onClose: () => void; onChanged: () => void }): JSX.Element {
  const [state, setState] = useState<TaskState>(task.state);
  const [owner, setOwner] = useState(task.owner ?? "");
  const [due, setDue] = useState(toInput(task.due));
  const [proof, setProof] = useState(task.proof ?? "");
  const changed = state !== task.state;
  return (
    <Ask title={task.title} action="Save" testid="task-dialog" reason={state === "dropped" && changed ? "Why is it dropped?" : state === "done" && changed && !proof.trim() ? "Why is it closed without proof?" : undefined} onClose={onClose}
      onDo={async (reason) => {
        await api.patch(`/v1/tasks/${encodeURIComponent(task.id)}`, {
          ...(changed && { state }),
          ...(owner !== (task.owner ?? "") && { owner }),
          ...(due !== toInput(task.due) && { due: fromInput(due) ?? null }),
          ...(proof !== (task.proof ?? "") && { proof }),
          ...(reason && { reason }),
        });
        toast("Task saved.");
        onChanged();
      }}>
      {task.detail && <p class="quiet">{task.detail}</p>}
      <Field label="State">{(attributes) => <Choice {...attributes} data-testid="task-dialog-state" value={state} onChange={(value) => setState(value as TaskState)} options={Object.entries(kTaskStates).map(([key, { label }]) => [key, label])} />}</Field>
      <Field label="Owner" hint="The one person who sees to it that this gets done.">{(attributes) => (
        <><input class="input" {...attributes} list="logins" autocomplete="off" value={owner} data-testid="task-owner" onInput={(event) => setOwner(event.currentTarget.value)} />
          <datalist id="logins">{logins.map((login) => <option key={login} value={login} />)}</datalist></>
      )}</Field>
      <Field label="Due">{(attributes) => <input class="input" type="datetime-local" {...attributes} value={due} onInput={(event) => setDue(event.currentTarget.value)} />}</Field>
      <Field label="Proof that it is done" hint={task.asked_proof ?? "A ticket, a commit, the answer of a test: something another person can check."}>{(attributes) => <input class="input" {...attributes} value={proof} data-testid="task-proof" onInput={(event) => setProof(event.currentTarget.value)} />}</Field>
    </Ask>
  );
}
