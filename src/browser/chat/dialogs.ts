import { h, setText } from './dom.ts';

/** A field of a dialog. */
interface Field {
  readonly name: string;
  readonly label: string;
  readonly placeholder?: string;
  readonly value?: string;
  readonly hint?: string;
  readonly optional?: boolean;
  /** A new password, which nobody may read from the screen. */
  readonly isPassword?: boolean;
}

/** What a dialog asks for, and what happens then. */
interface Question {
  readonly title: string;
  /** What the user has to know for the answer. */
  readonly text?: string;
  readonly fields: readonly Field[];
  /** The word on the button. */
  readonly verb: string;
  /** Rejects with an Error whose message the user can read. */
  readonly answer: (values: Readonly<Record<string, string>>) => Promise<void>;
  /** The dialog has closed after the answer. The control that has opened it may be gone. */
  readonly answered?: () => void;
}

/** Asks the user for something in a dialog. */
export function ask({ title, text, fields, verb, answer, answered }: Question): void {
  const problem = h('p', { class: 'notice', role: 'alert', hidden: true });
  const close = () => dialog.close();
  const submit = async (form: HTMLFormElement) => {
    const values = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    button.disabled = true;
    try {
      await answer(values);
      close();
      answered?.();
    } catch (error) {
      setText(problem, error instanceof Error ? error.message : String(error));
      problem.hidden = false;
    }
    button.disabled = false;
  };
  const button = h('button', {}, verb);
  const form: HTMLFormElement = h(
    'form',
    {
      on: {
        submit: (event) => {
          event.preventDefault();
          void submit(form);
        },
      },
    },
    h('h2', { id: 'dialog-title' }, title),
    text !== undefined && h('p', {}, text),
    problem,
    ...fields.map(fieldView),
    h(
      'div',
      { class: 'actions' },
      h('button', { type: 'button', class: 'second', on: { click: close } }, 'Cancel'),
      button,
    ),
  );
  const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, form);
  showDialog(dialog);
}

/** Tells the user that something has not worked, and why. */
export function tellFailure(error: unknown): void {
  const dialog: HTMLDialogElement = h(
    'dialog',
    { 'aria-labelledby': 'dialog-title' },
    h('h2', { id: 'dialog-title' }, 'This did not work'),
    h('p', {}, error instanceof Error ? error.message : String(error)),
    h('div', { class: 'actions' }, h('button', { on: { click: () => dialog.close() } }, 'OK')),
  );
  showDialog(dialog);
}

/** Shows a dialog until it is closed. */
export function showDialog(dialog: HTMLDialogElement): void {
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function fieldView({ name, label, placeholder, value, hint, optional, isPassword = false }: Field): HTMLElement {
  const id = `dialog-${name}`;
  const isRequired = optional !== true;
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, isRequired ? label : `${label} (optional)`),
    h('input', {
      id,
      name,
      placeholder,
      value,
      required: isRequired,
      type: isPassword ? 'password' : 'text',
      autocomplete: isPassword ? 'new-password' : 'off',
      autocapitalize: 'none',
      spellcheck: 'false',
    }),
    hint !== undefined && h('small', {}, hint),
  );
}
