// Dialogs: the browser's own <dialog>, which keeps the focus inside, closes by Escape and gives the focus back.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Failure, Field, useAction } from "./basic";

export function Dialog({ title, onClose, wide, testid, children }: {
  title: string;
  onClose: () => void;
  wide?: boolean;
  testid?: string;
  children: ComponentChildren;
}): JSX.Element {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={box} class={wide ? "wide" : ""} aria-labelledby={id} data-testid={testid}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}>
      <div class="dialog-body">
        <h2 id={id} tabIndex={-1}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

// Asks before something is done: what will happen, the reason where one is kept, then does it and closes.
export function Ask({ title, action, danger, reason, reasonHint, children, onClose, onDo, ready = true, wide, testid }: {
  title: string;
  action: string;
  danger?: boolean;
  reason?: string | undefined;        // label of the reason field; none is asked if absent
  reasonHint?: string;
  ready?: boolean;
  wide?: boolean;
  testid?: string;
  children?: ComponentChildren;
  onClose: () => void;
  onDo: (reason: string) => Promise<void>;
}): JSX.Element {
  const [text, setText] = useState("");
  const [missing, setMissing] = useState(false);
  const { busy, error, run } = useAction();
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (reason && !text.trim()) return setMissing(true);
    if (!ready) return;
    if (await run(() => onDo(text.trim()))) onClose();
  };
  return (
    <Dialog title={title} onClose={onClose} {...(wide !== undefined && { wide })} {...(testid && { testid })}>
      <form class="stack" onSubmit={submit} noValidate>
        {children}
        {reason && (
          <Field label={reason} hint={reasonHint ?? "Kept in the history with your name, and in the ledger."} {...(missing && !text.trim() && { error: "Please give a reason." })}>
            {(attributes) => <textarea class="input" {...attributes} value={text} maxLength={2000} data-testid="reason" autoFocus onInput={(event) => setText(event.currentTarget.value)} />}
          </Field>
        )}
        {error && <Failure error={error} />}
        <div class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>Cancel</button>
          <button type="submit" class={`button ${danger ? "danger" : "primary"}`} disabled={busy || !ready} data-testid="dialog-do">{busy ? "One moment…" : action}</button>
        </div>
      </form>
    </Dialog>
  );
}

let tell: (text: string) => void = () => {};
// Says that something was done; read out by screen readers, gone after a while.
export const toast = (text: string): void => tell(text);
export function Toasts(): JSX.Element {
  const [items, setItems] = useState<{ id: number; text: string }[]>([]);
  useEffect(() => {
    let next = 0;
    tell = (text) => {
      const id = ++next;
      setItems((old) => [...old.slice(-2), { id, text }]);
      setTimeout(() => setItems((old) => old.filter((item) => item.id !== id)), 6000);
    };
  }, []);
  return <div class="toasts" role="status" aria-live="polite" data-testid="toasts">{items.map(({ id, text }) => <div key={id} class="toast">{text}</div>)}</div>;
}
