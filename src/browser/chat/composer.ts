import { h, icon, iconButton, setText } from './dom.ts';
import { RuleForm } from './rule-form.ts';
import type { Rule } from './rules.ts';

/** A message as the user has written it. */
export interface Written {
  readonly text: string;
  readonly rules: readonly Rule[];
  readonly device: string | undefined;
}

/** Dependencies of the composer. */
interface ComposerDeps {
  readonly send: (written: Written) => void;
  /** Rejects with an Error whose message the user can read. */
  readonly share: (file: File) => Promise<void>;
  readonly composing: (isComposing: boolean) => void;
  /** The user wants to correct the last message. */
  readonly correct: () => void;
  /** The user does not want to correct it any more. */
  readonly cancel: () => void;
}

/** What the composer has to know of the conversation. */
interface ComposerState {
  readonly name: string;
  /** Whether rules have an effect: they end at rooms. */
  readonly hasRules: boolean;
  readonly devices: readonly string[];
  readonly takesFiles: boolean;
  readonly disabled: boolean;
}

/** Where messages are written. */
export class Composer {
  readonly element: HTMLElement;
  readonly #deps: ComposerDeps;
  readonly #text = h('textarea', { id: 'text', rows: '1', enterkeyhint: 'send', dir: 'auto', placeholder: 'Message' });
  readonly #label = h('label', { for: 'text', class: 'spoken' });
  readonly #problem = h('p', { class: 'notice', role: 'alert', hidden: true });
  readonly #count = h('span', { class: 'count', hidden: true });
  readonly #rulesButton = h(
    'button',
    { type: 'button', class: 'tool', title: 'Rules', 'aria-expanded': 'false', 'aria-controls': 'rule-form' },
    icon('rules'),
    h('span', { class: 'spoken' }, 'Rules'),
    this.#count,
  );
  readonly #correcting: HTMLElement;
  readonly #file = h('input', { type: 'file', id: 'file', class: 'spoken', tabindex: '-1', 'aria-hidden': 'true' });
  readonly #attach = h(
    'button',
    { type: 'button', class: 'tool', title: 'Send a file' },
    icon('attach'),
    h('span', { class: 'spoken' }, 'Send a file'),
  );
  readonly #sendButton = h(
    'button',
    { class: 'send', title: 'Send' },
    icon('send'),
    h('span', { class: 'spoken' }, 'Send'),
  );
  readonly #form: HTMLElement;
  readonly #rules: RuleForm;
  #isComposing = false;

  constructor(deps: ComposerDeps) {
    this.#deps = deps;
    this.#rules = new RuleForm(() => this.#countRules());
    this.#correcting = h(
      'p',
      { class: 'correcting', hidden: true },
      icon('edit'),
      h('span', {}, 'Correcting your last message'),
      iconButton('close', 'Do not correct', () => this.#cancel()),
    );
    this.#form = h(
      'form',
      { class: 'composer' },
      this.#file,
      this.#attach,
      this.#rulesButton,
      this.#label,
      this.#text,
      this.#sendButton,
    );
    this.element = h('footer', {}, this.#problem, this.#rules.element, this.#correcting, this.#form);
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener('keydown', (event) => this.#pressed(event));
    this.#text.addEventListener('input', () => this.#typed());
    this.#rulesButton.addEventListener('click', () => this.#toggleRules());
    this.#attach.addEventListener('click', () => this.#file.click());
    this.#file.addEventListener('change', () => void this.#share());
  }

  focus(): void {
    this.#text.focus();
  }

  show({ name, hasRules, devices, takesFiles, disabled }: ComposerState): void {
    setText(this.#label, `Message to ${name}`);
    this.#rulesButton.hidden = !hasRules;
    if (!hasRules) this.#rules.element.hidden = true;
    this.#attach.hidden = !takesFiles;
    this.#rules.offer(devices);
    for (const control of [this.#text, this.#sendButton, this.#attach]) control.disabled = disabled;
  }

  /** Lets the user write a text that was sent anew. */
  edit(text: string): void {
    this.#showCorrecting(true);
    this.#text.value = text;
    this.#text.setSelectionRange(text.length, text.length);
    this.#typed();
    this.focus();
  }

  #showCorrecting(isCorrecting: boolean): void {
    this.#correcting.hidden = !isCorrecting;
    this.#form.classList.toggle('corrects', isCorrecting);
  }

  #cancel(): void {
    this.#showCorrecting(false);
    this.#text.value = '';
    this.#typed();
    this.#deps.cancel();
    this.focus();
  }

  #submit(): void {
    const text = this.#text.value.trim();
    if (text === '') return;
    const { rules, device } = this.#rules.choose(Date.now());
    this.#problem.hidden = true;
    this.#text.value = '';
    this.#showCorrecting(false);
    this.#isComposing = false;
    this.#deps.send({ text, rules, device });
    this.#rules.clear();
    this.focus();
  }

  async #share(): Promise<void> {
    const [file] = this.#file.files ?? [];
    this.#file.value = '';
    if (!file) return;
    this.#problem.hidden = true;
    this.#attach.disabled = true;
    this.#attach.classList.add('busy');
    try {
      await this.#deps.share(file);
    } catch (error) {
      setText(this.#problem, `${file.name} was not sent. ${error instanceof Error ? error.message : ''}`);
      this.#problem.hidden = false;
    }
    this.#attach.classList.remove('busy');
    this.#attach.disabled = false;
  }

  #pressed(event: KeyboardEvent): void {
    if (event.key === 'Escape' && !this.#correcting.hidden) return this.#cancel();
    if (event.key === 'ArrowUp' && this.#text.value === '') {
      event.preventDefault();
      return this.#deps.correct();
    }
    // While an input method composes, Enter chooses a word.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  #typed(): void {
    const isComposing = this.#text.value.trim() !== '';
    if (isComposing !== this.#isComposing) this.#deps.composing(isComposing);
    this.#isComposing = isComposing;
  }

  #toggleRules(): void {
    const { element } = this.#rules;
    element.hidden = !element.hidden;
    this.#rulesButton.setAttribute('aria-expanded', String(!element.hidden));
  }

  #countRules(): void {
    const { length } = this.#rules.choose(Date.now()).rules;
    this.#count.hidden = length === 0;
    setText(this.#count, String(length));
  }
}
