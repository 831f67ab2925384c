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
  /** What the user does (XEP-0085). */
  readonly composing: (state: 'active' | 'composing' | 'paused') => void;
  /** The text that is not sent yet has changed. */
  readonly draft: (text: string) => void;
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

/** After this long without a key, the user has paused. */
const pauseMs = 10_000;

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
  readonly #file = h('input', { type: 'file', hidden: true });
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
  #composing: 'active' | 'composing' | 'paused' = 'active';
  #pause: ReturnType<typeof setTimeout> | undefined;

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
    this.#rulesButton.addEventListener('click', () => this.#showRules(this.#rules.element.hidden === true));
    this.#attach.addEventListener('click', () => this.#file.click());
    this.#file.addEventListener('change', () => void this.#share());
  }

  focus(): void {
    this.#text.focus();
  }

  /** Shows what the user has written before. */
  restore(draft: string): void {
    this.#text.value = draft;
  }

  show({ name, hasRules, devices, takesFiles, disabled }: ComposerState): void {
    setText(this.#label, `Message to ${name}`);
    this.#rulesButton.hidden = !hasRules;
    if (!hasRules) this.#showRules(false);
    this.#attach.hidden = !takesFiles;
    this.#rules.offer(devices);
    for (const control of [this.#text, this.#sendButton, this.#attach]) control.disabled = disabled;
  }

  /** Lets the user write a text that was sent anew. */
  edit(text: string): void {
    this.#showCorrecting(true);
    this.#text.value = text;
    this.#text.setSelectionRange(text.length, text.length);
    this.#tell('composing');
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
    // The message itself says that the user does not write any more.
    clearTimeout(this.#pause);
    this.#composing = 'active';
    this.#deps.draft('');
    this.#deps.send({ text, rules, device });
    this.#rules.clear();
    this.#showRules(false);
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
    const { value } = this.#text;
    this.#tell(value.trim() === '' ? 'active' : 'composing');
    if (this.#correcting.hidden) this.#deps.draft(value);
  }

  #tell(composing: 'active' | 'composing' | 'paused'): void {
    clearTimeout(this.#pause);
    if (composing === 'composing') this.#pause = setTimeout(() => this.#tell('paused'), pauseMs);
    if (composing !== this.#composing) this.#deps.composing(composing);
    this.#composing = composing;
  }

  #showRules(isShown: boolean): void {
    this.#rules.element.hidden = !isShown;
    this.#rulesButton.setAttribute('aria-expanded', String(isShown));
  }

  #countRules(): void {
    const { length } = this.#rules.choose(Date.now()).rules;
    this.#count.hidden = length === 0;
    setText(this.#count, String(length));
  }
}
