import { h } from './dom.ts';
import { actions, conditions, conditionText, nextMoment, type Rule, ruleText } from './rules.ts';

/** What the form has to say for the next message. */
interface ChosenRules {
  readonly rules: readonly Rule[];
  /** The device that the message goes to. */
  readonly device: string | undefined;
}

/** The form in which the user puts rules on the next message (XEP-0079). */
export class RuleForm {
  readonly element: HTMLElement;
  readonly #here = h('input', { type: 'checkbox', id: 'rule-here' });
  readonly #until = h('input', { type: 'checkbox', id: 'rule-until' });
  readonly #time = h('input', { type: 'time', 'aria-label': 'Until when', value: '18:00' });
  readonly #device = h('input', { type: 'checkbox', id: 'rule-device' });
  readonly #devices = h('select', { 'aria-label': 'Which device' });
  readonly #deviceChoice = choice(this.#device, 'Send it only to the device', this.#devices);
  readonly #stored = h('input', { type: 'checkbox', id: 'rule-stored' });
  readonly #direct = h('input', { type: 'checkbox', id: 'rule-direct' });
  readonly #own = h('ul', { class: 'own-rules' });
  readonly #changed: () => void;
  #rules: Rule[] = [];

  constructor(changed: () => void) {
    this.#changed = changed;
    this.#time.addEventListener('input', () => {
      this.#until.checked = true;
      changed();
    });
    this.#devices.addEventListener('input', () => {
      this.#device.checked = true;
      changed();
    });
    this.element = h(
      'fieldset',
      { class: 'rule-form', id: 'rule-form', hidden: true, on: { change: () => changed() } },
      h('legend', {}, 'Rules for the next message'),
      choice(this.#here, 'Send it only if they are online now'),
      choice(this.#until, 'Send it only until', this.#time),
      this.#deviceChoice,
      choice(this.#stored, 'Tell me when it is stored for them'),
      choice(this.#direct, 'Tell me when it is delivered'),
      this.#ownRule(),
      this.#own,
      h('p', { class: 'quiet' }, 'The server applies the first rule whose condition is true.'),
    );
  }

  /** Shows the devices that the recipient is online with. */
  offer(devices: readonly string[]): void {
    const shown = Array.from(this.#devices.options, ({ value }) => value);
    if (shown.join() === devices.join() && shown.length > 0) return;
    const options = devices.map((device) => h('option', { value: device }, device));
    this.#devices.replaceChildren(...options);
    this.#deviceChoice.hidden = devices.length === 0;
    if (devices.length === 0) this.#device.checked = false;
  }

  /** The rules, in the order in which the server tests them. */
  choose(nowMs: number): ChosenRules {
    const rule = (condition: string, value: string, action: string): Rule => ({ condition, value, action });
    const toDevice = this.#device.checked && this.#devices.value !== '';
    const rules = [
      ...(toDevice ? [rule('match-resource', 'other', 'error')] : []),
      ...(this.#until.checked && this.#time.value !== ''
        ? [rule('expire-at', nextMoment(this.#time.value, nowMs), 'alert')]
        : []),
      ...(this.#here.checked ? [rule('deliver', 'stored', 'alert')] : []),
      ...this.#rules,
      ...(this.#stored.checked ? [rule('deliver', 'stored', 'notify')] : []),
      ...(this.#direct.checked ? [rule('deliver', 'direct', 'notify')] : []),
    ];
    return { rules, device: toDevice ? this.#devices.value : undefined };
  }

  /** Forgets the rules: they were for one message. */
  clear(): void {
    for (const box of [this.#here, this.#until, this.#device, this.#stored, this.#direct]) box.checked = false;
    this.#rules = [];
    this.#own.replaceChildren();
    this.#changed();
  }

  #ownRule(): HTMLElement {
    const choices = Object.entries(conditions).flatMap(([condition, values]) =>
      values.map((value) => ({ condition, value })),
    );
    const condition = h(
      'select',
      { 'aria-label': 'Condition' },
      ...choices.map((choice, index) => h('option', { value: String(index) }, conditionText(choice))),
    );
    const action = h(
      'select',
      { 'aria-label': 'Action' },
      ...Object.entries(actions).map(([name, words]) => h('option', { value: name }, words)),
    );
    const add = () => {
      const chosen = choices[Number(condition.value)];
      if (chosen) this.#add({ ...chosen, action: action.value });
    };
    return h(
      'details',
      {},
      h('summary', {}, 'Another rule'),
      h('p', { class: 'choice' }, 'If', condition),
      h('p', { class: 'choice' }, 'then', action),
      h('button', { type: 'button', class: 'second small', on: { click: add } }, 'Add this rule'),
    );
  }

  #add(rule: Rule): void {
    this.#rules = [...this.#rules, rule];
    const remove = () => {
      this.#rules = this.#rules.filter((other) => other !== rule);
      item.remove();
      this.#changed();
    };
    const item = h(
      'li',
      {},
      h('span', {}, ruleText(rule)),
      h('button', { type: 'button', class: 'second small', on: { click: remove } }, 'Remove'),
    );
    this.#own.append(item);
    this.#changed();
  }
}

function choice(box: HTMLInputElement, words: string, ...more: readonly HTMLElement[]): HTMLElement {
  return h('p', { class: 'choice' }, box, h('label', { for: box.id }, words), ...more);
}
