// One notice: written, checked, approved by another person for exactly this text, sent once to each person.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, query } from "../api";
import { useData } from "../live";
import { useUser } from "../session";
import type { Delivery, Lint, List, Notice, Preview } from "../types";
import { count, deliveryName, kNoticeStates, language, number, type Tone } from "../words";
import { Badge, Bar, Empty, Explain, Failure, Field, Loading, Page, Shown, State, TabPanel, Tabs, When, useAction } from "../ui/basic";
import { Ask, toast } from "../ui/dialog";
import { HistoryList, Needs } from "../ui/shared";

const kLint: Record<string, { label: string; tone: Tone }> = {
  error: { label: "Must be fixed", tone: "critical" }, warning: { label: "Improve", tone: "medium" }, info: { label: "Hint", tone: "low" }, advice: { label: "Hint", tone: "low" }, note: { label: "Hint", tone: "low" },
};

export function NoticePage({ id }: { id: string }): JSX.Element {
  const user = useUser();
  const base = `/v1/notices/${encodeURIComponent(id)}`;
  const loaded = useData<Notice>(base, ["notice"]);
  const notice = loaded.data;
  const [subject, setSubject] = useState<string>();
  const [body, setBody] = useState<string>();
  const [tab, setTab] = useState("text");
  const [deed, setDeed] = useState<"approve" | "reject" | "send" | "resend" | null>(null);
  const [read, setRead] = useState(false);
  const act = useAction();
  const dirty = notice !== undefined && ((subject !== undefined && subject !== notice.subject) || (body !== undefined && body !== notice.body));
  const editable = notice?.state === "draft" || notice?.state === "rejected";
  const mine = notice?.author === user.login || notice?.submitter === user.login;
  const errors = (notice?.lint ?? []).filter(({ level }) => level === "error").length;

  useEffect(() => {
    const warn = (event: BeforeUnloadEvent): void => {
      if (dirty) event.preventDefault();
    };
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [dirty]);

  const save = async (): Promise<void> => {
    const saved = await api.put<Notice>(base, { subject: subject ?? notice!.subject, body: body ?? notice!.body });
    setSubject(saved.subject); // the server may have tidied it
    setBody(saved.body);
    loaded.reload();
  };
  const progress = notice?.progress;
  const sending = notice?.state === "sending" || notice?.state === "sent";
  const recipients = notice?.recipients;
  const hash = <code class="break" data-testid="notice-hash">{notice?.hash}</code>;

  return (
    <Page title={notice ? `Notice in ${language(notice.language)}` : "Notice"} crumbs={[["#/incidents", "Incidents"], ...(notice ? [[`#/incidents/${encodeURIComponent(notice.incident)}?tab=notices`, "Notices"] as [string, string]] : [])]}
      badge={notice && <State of={kNoticeStates} value={notice.state} testid="notice-state" />}
      actions={notice && (
        <>
          {editable && <Needs roles={["analyst", "manager"]} what="change a notice"><button type="button" class="button" disabled={!dirty || act.busy} data-testid="notice-save" onClick={() => void act.run(async () => {
            await save();
            toast("Saved and checked.");
          })}>Save and check</button>
          <button type="button" class="button primary" disabled={act.busy || (errors > 0 && !dirty)} data-testid="notice-submit" onClick={() => void act.run(async () => {
            // A text that was sent back becomes a draft again by being saved.
            if (dirty || notice.state === "rejected") await save();
            await api.post(`${base}/submit`);
            toast("Submitted. Somebody else has to approve it now.");
            loaded.reload();
          })}>Submit for approval</button></Needs>}
          {notice.state === "submitted" && !mine && <Needs roles={["approver"]} what="approve it"><button type="button" class="button" data-testid="notice-reject" onClick={() => setDeed("reject")}>Send back…</button><button type="button" class="button primary" data-testid="notice-approve" onClick={() => {
            setRead(false);
            setDeed("approve");
          }}>Approve…</button></Needs>}
          {notice.state === "approved" && <Needs roles={["analyst", "manager", "approver"]} what="send it"><button type="button" class="button primary" data-testid="notice-send" onClick={() => setDeed("send")}>Send…</button></Needs>}
        </>
      )}>
      {act.error && <Failure error={act.error} />}
      <Shown of={loaded} what="the notice">
        {(data) => (
          <>
            {data.state === "submitted" && mine && <div class="note" data-testid="four-eyes"><p><strong>You wrote this text, so somebody else must approve it.</strong> Ask a colleague with the approver’s role; they find it on their overview.</p></div>}
            {data.state === "rejected" && <div class="note medium"><p><strong>Sent back.</strong> {data.reason ?? [...data.history].reverse().find(({ to }) => to === "rejected")?.reason}</p></div>}
            {data.trouble && <div class="note critical" role="alert"><strong>Sending does not go on.</strong><p>{data.trouble}</p></div>}
            {sending && progress && <ProgressCard progress={progress} total={recipients?.with_contact ?? 0} state={data.state} onResend={() => setDeed("resend")} />}
            <div class="grid-2">
              <div class="stack">
                <Tabs label="Views of the notice" active={tab} onChange={setTab} tabs={[{ key: "text", label: editable ? "Write" : "Text" }, { key: "preview", label: "As the person sees it" }, ...(sending ? [{ key: "deliveries", label: "Deliveries" }] : []), { key: "history", label: "History", n: data.history.length }]} />
                <TabPanel active={tab}>
                  {tab === "text" && (editable ? (
                    <section class="card">
                      <Field label="Subject" hint="True and plain: a person should see at once that it matters.">{(attributes) => <input class="input" {...attributes} lang={data.language} value={subject ?? data.subject} data-testid="notice-subject" onInput={(event) => setSubject(event.currentTarget.value)} />}</Field>
                      <Field label="Text" hint={<>Words in double curly brackets, such as <code>{"{{name}}"}</code>, are filled in for each person.</>}>{(attributes) => <textarea class="input editor" {...attributes} lang={data.language} value={body ?? data.body} data-testid="notice-body" onInput={(event) => setBody(event.currentTarget.value)} />}</Field>
                      {dirty && <p class="small quiet" role="status">Not saved yet. The hints beside are for the saved text.</p>}
                    </section>
                  ) : <article class="stack tight" lang={data.language}><h2>{data.subject}</h2><div class="letter" data-testid="notice-text">{data.body}</div></article>)}
                  {tab === "preview" && <PreviewPane base={base} hash={data.hash} lang={data.language} dirty={dirty} />}
                  {tab === "deliveries" && <Deliveries base={base} />}
                  {tab === "history" && <section class="card"><HistoryList items={data.history} /></section>}
                </TabPanel>
              </div>
              <aside class="stack" aria-label="Checks and recipients">
                <section class="card" data-testid="lint"><h2>Checks</h2><LintList items={data.lint ?? []} />{editable && errors > 0 && <p class="small quiet">It can be submitted once everything marked “must be fixed” is mended and saved.</p>}</section>
                <section class="card" data-testid="recipients">
                  <h2>Who gets it</h2>
                  {recipients ? (
                    <>
                      <dl class="figures"><div><dt>people affected</dt><dd>{number(recipients.total)}</dd></div><div><dt>can be written to</dt><dd>{number(recipients.with_contact)}</dd></div><div><dt>no contact known</dt><dd>{number(recipients.without_contact)}</dd></div></dl>
                      {(recipients.already_told ?? 0) > 0 && <p class="small quiet">{count(recipients.already_told!, "of them has", "of them have")} already had a notice of this incident and will not get a second one.</p>}
                      {recipients.without_contact > 0 && <div class="note medium"><p>{count(recipients.without_contact, "person has", "people have")} no known address. Find another way to tell them, by post or publicly, and record it as a task.</p></div>}
                    </>
                  ) : <p class="quiet">Not yet worked out.</p>}
                </section>
                <section class="card">
                  <h2>Two people decide <Explain left about="two people">One writes, another approves. The approval holds for exactly this text: if one letter of it changed, its fingerprint would change and the approval would be void.</Explain></h2>
                  <dl class="facts">
                    <dt>Written by</dt><dd>{data.author ?? "Tocsin"}</dd>
                    <dt>Submitted</dt><dd>{data.submitted_at ? <When time={data.submitted_at} /> : "not yet"}</dd>
                    <dt>Approved by</dt><dd data-testid="notice-approver">{data.approver ? <>{data.approver}, <When time={data.approved_at} /></> : "nobody yet"}</dd>
                    <dt>Fingerprint</dt><dd>{hash}</dd>
                  </dl>
                </section>
              </aside>
            </div>
          </>
        )}
      </Shown>
      {deed === "approve" && notice && (
        <Ask title="Approve this text" action="Approve" wide ready={read} testid="approve-dialog" onClose={() => setDeed(null)} onDo={async () => {
          await api.post(`${base}/approve`, { hash: notice.hash });
          toast("Approved. It can be sent now.");
          loaded.reload();
        }}>
          <p>This is how it reads for one of the people. Your approval holds for exactly this text and these {recipients ? count(recipients.with_contact, "recipient", "recipients") : "recipients"}.</p>
          <PreviewPane base={base} hash={notice.hash} lang={notice.language} dirty={false} />
          <p class="small">Fingerprint: {hash}</p>
          <label class="check"><input type="checkbox" checked={read} data-testid="approve-read" onChange={(event) => setRead(event.currentTarget.checked)} /><span>I have read the whole text. It is true, clear, and says what people should do.</span></label>
        </Ask>
      )}
      {deed === "reject" && <Ask title="Send back to the author" action="Send back" reason="What should change?" testid="reject-dialog" onClose={() => setDeed(null)} onDo={async (reason) => {
        await api.post(`${base}/reject`, { reason });
        toast("Sent back.");
        loaded.reload();
      }} />}
      {deed === "resend" && progress && <Ask title="Try again" action="Try again" reason="Why may it go out again?" testid="resend-dialog" onClose={() => setDeed(null)} onDo={async (reason) => {
        await api.post(`${base}/resend`, { reason });
        toast("They are tried again.");
        loaded.reload();
      }}><p>The {count(progress.failed + progress.unknown, "notice that failed or is uncertain is", "notices that failed or are uncertain are")} sent once more. {progress.unknown > 0 && "Those that are uncertain may have arrived: these people may get it twice."}</p></Ask>}
      {deed === "send" && notice && (
        <Ask title={`Send to ${recipients ? count(recipients.with_contact, "person", "people") : "everybody"}`} action="Send now" testid="send-dialog" onClose={() => setDeed(null)} onDo={async () => {
          await api.post(`${base}/send`);
          toast("Sending has begun.");
          loaded.reload();
        }}>
          <p>Each person gets it exactly once, even if the server is interrupted. It cannot be called back.</p>
          {recipients && recipients.without_contact > 0 && <p>{count(recipients.without_contact, "person has", "people have")} no known contact and will not be reached this way.</p>}
        </Ask>
      )}
    </Page>
  );
}

function LintList({ items }: { items: Lint[] }): JSX.Element {
  if (!items.length) return <p class="row"><Badge word={{ label: "All good", more: "", tone: "calm" }} /><span class="quiet">Nothing to improve was found.</span></p>;
  return <ul class="lint">{items.map((item, index) => {
    const kind = kLint[item.level] ?? { label: item.level, tone: "plain" as const };
    return <li key={index} data-testid="lint-item" data-level={item.level}><Badge word={{ ...kind, more: item.code }} /><span>{item.message}</span></li>;
  })}</ul>;
}

function PreviewPane({ base, hash, lang, dirty }: { base: string; hash: string; lang: string; dirty: boolean }): JSX.Element {
  const preview = useData<Preview>(`${base}/preview?v=${encodeURIComponent(hash.slice(0, 16))}`);
  return (
    <div class="stack tight">
      {dirty && <div class="note"><p>This shows the saved text. Save to see your changes.</p></div>}
      {preview.error && <Failure error={preview.error} retry={preview.reload} />}
      {preview.data ? <article lang={lang} data-testid="preview"><p class="strong">{preview.data.subject}</p><div class="letter">{preview.data.text}</div></article> : !preview.error && <Loading what="the preview" />}
    </div>
  );
}

function ProgressCard({ progress, total, state, onResend }: { progress: Notice["progress"] & object; total: number; state: string; onResend: () => void }): JSX.Element {
  const whole = Math.max(total, progress.queued + progress.sent + progress.failed + progress.unknown, 1);
  return (
    <section class="card" data-testid="progress" data-sent={progress.sent} data-acknowledged={progress.acknowledged}>
      <div class="card-head"><h2>{state === "sent" ? "Sending is finished" : "Going out now"}</h2><span class="quiet" role="status">{number(progress.sent)} of {number(whole)} sent</span></div>
      <Bar whole={whole} parts={[{ value: progress.sent, tone: "calm" }, { value: progress.unknown, tone: "medium" }, { value: progress.failed, tone: "critical" }]} />
      <dl class="figures">
        <div><dt>waiting</dt><dd>{number(progress.queued)}</dd></div><div><dt>sent</dt><dd>{number(progress.sent)}</dd></div><div><dt>failed</dt><dd>{number(progress.failed)}</dd></div>
        <div><dt>uncertain</dt><dd>{number(progress.unknown)}</dd></div><div><dt>acknowledged</dt><dd data-testid="acknowledged">{number(progress.acknowledged)}</dd></div>
      </dl>
      {progress.unknown > 0 && <p class="small quiet">Uncertain: the connection broke at the very end, so it is not known whether the receiving side took it. Tocsin does not send these again by itself, so that nobody gets it twice.</p>}
      {progress.failed + progress.unknown > 0 && state === "sent" && <div><Needs quiet roles={["manager"]} what="send again"><button type="button" class="button small" data-testid="resend" onClick={onResend}>Try these again…</button></Needs></div>}
    </section>
  );
}

function Deliveries({ base }: { base: string }): JSX.Element {
  const [before, setBefore] = useState<string[]>([]);
  const loaded = useData<List<Delivery>>(`${base}/deliveries${query({ after: before[before.length - 1] })}`, ["notice"]);
  return (
    <Shown of={loaded} what="the deliveries">
      {(data) => data.items.length ? (
        <><div class="table-wrap" role="region" aria-label="Deliveries" tabIndex={0}><table data-testid="deliveries">
          <thead><tr><th scope="col">Person</th><th scope="col">State</th><th scope="col">Sent</th><th scope="col">Acknowledged</th><th scope="col" class="num">Tries</th><th scope="col">What the other side said</th></tr></thead>
          <tbody>{data.items.map((delivery, index) => (
            <tr key={index}><td><code>{(delivery.pseudonym ?? delivery.recipient ?? "").slice(0, 12)}…</code></td><td>{deliveryName(delivery.state)}</td><td>{delivery.sent_at ?? delivery.time ? <When time={delivery.sent_at ?? delivery.time} /> : "not yet"}</td><td>{delivery.acknowledged_at ? <When time={delivery.acknowledged_at} /> : "not yet"}</td><td class="num">{delivery.attempts ?? ""}</td><td>{delivery.error ?? delivery.evidence ?? ""}</td></tr>
          ))}</tbody>
        </table></div>
        {(before.length > 0 || data.next) && <nav class="row" aria-label="Pages of the list">
          <button type="button" class="button small" disabled={!before.length} onClick={() => setBefore(before.slice(0, -1))}>Earlier</button>
          <button type="button" class="button small" disabled={!data.next} onClick={() => setBefore([...before, data.next!])}>Next</button>
        </nav>}</>
      ) : <Empty title="Nothing has gone out yet" />}
    </Shown>
  );
}
